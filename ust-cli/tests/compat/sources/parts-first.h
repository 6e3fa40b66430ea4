/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One of two headers of one provider. */
#undef TRACEPOINT_PROVIDER
#define TRACEPOINT_PROVIDER parts

#undef TRACEPOINT_INCLUDE
#define TRACEPOINT_INCLUDE "./parts-first.h"

#if !defined(PARTS_FIRST_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
#define PARTS_FIRST_H

#include <lttng/tracepoint.h>

TRACEPOINT_EVENT(parts, first, TP_ARGS(int, n), TP_FIELDS(ctf_integer(int, n, n)))

#endif

#include <lttng/tracepoint-event.h>
