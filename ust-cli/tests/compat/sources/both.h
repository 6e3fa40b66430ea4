/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER both

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./both.h"

#if !defined(BOTH_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define BOTH_H

#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT(both, event, LTTNG_UST_TP_ARGS(int, n), LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, n, n)))

#endif

#include <lttng/tracepoint-event.h>
