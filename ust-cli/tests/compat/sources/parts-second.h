/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One of two headers of one provider. */
#undef TRACEPOINT_PROVIDER
#define TRACEPOINT_PROVIDER parts

#undef TRACEPOINT_INCLUDE
#define TRACEPOINT_INCLUDE "./parts-second.h"

#if !defined(PARTS_SECOND_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
#define PARTS_SECOND_H

#include <lttng/tracepoint.h>

TRACEPOINT_EVENT(parts, second, TP_ARGS(int, n), TP_FIELDS(ctf_integer(int, n, n)))

#endif

#include <lttng/tracepoint-event.h>
