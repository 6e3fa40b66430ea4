/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What lttng-ust 2.13 records otherwise: arrays of floats, as integers; a count too large for its type, so that the trace is damaged. */
#undef TRACEPOINT_PROVIDER
#define TRACEPOINT_PROVIDER better

#undef TRACEPOINT_INCLUDE
#define TRACEPOINT_INCLUDE "./better.h"

#if !defined(BETTER_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
#define BETTER_H

#include <lttng/tracepoint.h>
#include <stdint.h>

/* The level may come first. */
TRACEPOINT_LOGLEVEL(better, arrays, TRACE_INFO)
TRACEPOINT_EVENT(better, arrays,
	TP_ARGS(const double *, values, unsigned int, count),
	TP_FIELDS(
		ctf_array(double, array, values, 2)
		ctf_sequence(double, sequence, values, unsigned int, count)
		ctf_sequence(double, cut, values, uint8_t, count + 256)
		lttng_ust_field_fixed_length_blob(blob, "ab", 2, "text/plain")
		lttng_ust_field_variable_length_blob(more, "cde", unsigned int, count, "text/plain")
	)
)

#endif

#include <lttng/tracepoint-event.h>
