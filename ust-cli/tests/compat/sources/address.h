/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* An argument says where the event was, as in headers for functions that are wrapped. */
#undef TRACEPOINT_PROVIDER
#define TRACEPOINT_PROVIDER address

#undef TRACEPOINT_INCLUDE
#define TRACEPOINT_INCLUDE "./address.h"

#if !defined(ADDRESS_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
#define ADDRESS_H

#ifdef OLD_SPELLING
#define TP_IP_PARAM where
#else
#define LTTNG_UST_TP_IP_PARAM where
#endif

#include <lttng/tracepoint.h>

TRACEPOINT_EVENT(address, allocate, TP_ARGS(size_t, bytes, void *, where), TP_FIELDS(ctf_integer(size_t, bytes, bytes) ctf_unused(where)))

#endif

#include <lttng/tracepoint-event.h>
