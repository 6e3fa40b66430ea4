/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Takes for granted what <lttng/tracepoint.h> has always brought along. */
#undef TRACEPOINT_PROVIDER
#define TRACEPOINT_PROVIDER usage

#undef TRACEPOINT_INCLUDE
#define TRACEPOINT_INCLUDE "./usage.h"

#if !defined(USAGE_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
#define USAGE_H

#include <lttng/tracepoint.h>

#ifndef USAGE_ONCE
#define USAGE_ONCE
static inline const char *usage_file(FILE *file)
{
	return file == stdout ? "stdout" : "other";
}
#endif

/* Names that are macros of themselves, or functions. */
TRACEPOINT_EVENT(TRACEPOINT_PROVIDER, stdin, TP_ARGS(bool, is, pid_t, pid), TP_FIELDS(
	ctf_integer(uint8_t, is, is) ctf_integer(int, has_pid, pid == getpid())))
TRACEPOINT_EVENT(TRACEPOINT_PROVIDER, free, TP_ARGS(FILE *, file), TP_FIELDS(ctf_string(file, usage_file(file))))
TRACEPOINT_LOGLEVEL(usage, free, TRACE_INFO)
TRACEPOINT_EVENT(TRACEPOINT_PROVIDER, assert, TP_ARGS(const char *, text), TP_FIELDS(
	ctf_sequence_text(char, text, text, size_t, strlen(text)) ctf_integer(int, error, errno)
	ctf_integer(int, most, INT_MAX) ctf_integer(int, is_main, pthread_equal(pthread_self(), pthread_self()) != 0)
	ctf_integer(uint32_t, swapped, bswap_32(1)) ctf_integer(uint16_t, big, htobe16(1))))

#endif

#include <lttng/tracepoint-event.h>
