/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* As headers were written long ago, with no quotes round their name. */
#undef TRACEPOINT_PROVIDER
#define TRACEPOINT_PROVIDER old

#undef TRACEPOINT_INCLUDE_FILE
#define TRACEPOINT_INCLUDE_FILE ./old.h

#ifdef __cplusplus
extern "C" {
#endif

#if !defined(OLD_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
#define OLD_H

#include <lttng/tracepoint.h>

TRACEPOINT_EVENT (
	old,
	event,
	TP_ARGS (int, n),
	TP_FIELDS (
		ctf_integer_hex (int, n, n)))

#endif

#include <lttng/tracepoint-event.h>

#ifdef __cplusplus
}
#endif
