/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The end of headers that define tracepoints with macros: <lttng/tracepoint.h>. In a file that defines
 * TRACEPOINT_CREATE_PROBES it reads the header again, for enumerations, then for lists of fields and recording
 * functions, then for tracepoints, so that the header may have them in any order.
 */
#ifndef UST_TP_IS_READ_AGAIN

#include <lttng/tracepoint.h>
#define UST_TP_IS_READ_AGAIN

#undef UST_TP_INCLUDE
#if defined(LTTNG_UST_TRACEPOINT_INCLUDE)
#define UST_TP_INCLUDE LTTNG_UST_TRACEPOINT_INCLUDE
#elif defined(TRACEPOINT_INCLUDE)
#define UST_TP_INCLUDE TRACEPOINT_INCLUDE
#elif defined(LTTNG_UST_TRACEPOINT_INCLUDE_FILE)
#define UST_TP_INCLUDE UST_TP_QUOTED(LTTNG_UST_TRACEPOINT_INCLUDE_FILE)
#elif defined(TRACEPOINT_INCLUDE_FILE)
#define UST_TP_INCLUDE UST_TP_QUOTED(TRACEPOINT_INCLUDE_FILE)
#endif

/* Of two providers, one is left from the header before. */
#undef UST_TP_PROVIDER
#if defined(LTTNG_UST_TRACEPOINT_PROVIDER) && \
	!(defined(TRACEPOINT_PROVIDER) && (defined(TRACEPOINT_INCLUDE) || defined(TRACEPOINT_INCLUDE_FILE)))
#define UST_TP_PROVIDER LTTNG_UST_TRACEPOINT_PROVIDER
#elif defined(TRACEPOINT_PROVIDER)
#define UST_TP_PROVIDER TRACEPOINT_PROVIDER
#endif

#if defined(UST_CREATE_PROBES)

/* Whether an argument tells where the event was, and which. Else it was where its tracepoint was called. */
#undef UST_TP_IP
#if defined(LTTNG_UST_TP_IP_PARAM)
#define UST_TP_IP 1, (const void *)(LTTNG_UST_TP_IP_PARAM)
#elif defined(TP_IP_PARAM) && defined(UST_OLD_NAMES)
#define UST_TP_IP 1, (const void *)(TP_IP_PARAM)
#else
#define UST_TP_IP 0, NULL
#endif

#if !defined(UST_TP_INCLUDE)
#error "a header of tracepoints has to define TRACEPOINT_INCLUDE as its own name, in quotes"
#endif

#include <lttng/tracepoint-passes.h>

#define TRACEPOINT_HEADER_MULTI_READ
#define LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ

#pragma GCC diagnostic push
/* Fields may have types like `const size_t`; their values may be pointers where they are integers, and vice versa. */
#pragma GCC diagnostic ignored "-Wignored-qualifiers"
#pragma GCC diagnostic ignored "-Wint-to-pointer-cast"
#ifndef __cplusplus
#pragma GCC diagnostic ignored "-Wpointer-to-int-cast"
#pragma GCC diagnostic ignored "-Wbad-function-cast"
#else
#pragma GCC diagnostic ignored "-Wold-style-cast"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wuseless-cast"
#endif
#endif
#pragma GCC diagnostic ignored "-Wcast-qual"
/* What one reading declares, the next defines. */
#pragma GCC diagnostic ignored "-Wredundant-decls"
/* A semicolon behind what is nothing in this reading. */
#pragma GCC diagnostic ignored "-Wpedantic"

#undef UST_TP_PASS
#define UST_TP_PASS(item) UST_TP_ENUMERATIONS_##item
#include UST_TP_INCLUDE

#undef UST_TP_PASS
#define UST_TP_PASS(item) UST_TP_RECORDERS_##item
#include UST_TP_INCLUDE

#undef UST_TP_PASS
#define UST_TP_PASS(item) UST_TP_TRACEPOINTS_##item
#include UST_TP_INCLUDE

#undef UST_TP_PASS
#define UST_TP_PASS(item) UST_TP_CALLSITES_##item

#ifdef UST_TP_PROVIDER
UST_TP_PROVIDE(UST_TP_PROVIDER)
#endif

#pragma GCC diagnostic pop

#undef TRACEPOINT_HEADER_MULTI_READ
#undef LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ

#elif defined(UST_DEFINE) && !defined(UST_DYNAMIC_LINKAGE) && defined(UST_TP_PROVIDER)

UST_TP_NEED(UST_TP_PROVIDER)

#endif

/* The next header may spell its name differently. */
#undef TRACEPOINT_INCLUDE
#undef TRACEPOINT_INCLUDE_FILE
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#undef LTTNG_UST_TRACEPOINT_INCLUDE_FILE

#undef UST_TP_IS_READ_AGAIN
#endif
