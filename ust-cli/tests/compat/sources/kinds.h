/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every kind of field, class, enumeration and level, in both spellings. */
#undef TRACEPOINT_PROVIDER
#define TRACEPOINT_PROVIDER kinds

#undef TRACEPOINT_INCLUDE
#define TRACEPOINT_INCLUDE "./kinds.h"

#if !defined(KINDS_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
#define KINDS_H

#include <lttng/tracepoint.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef KINDS_ONCE
#define KINDS_ONCE
#define KINDS_SEVEN 7
struct kinds_point {
	int x, y;
};
typedef void *kinds_handle;
static inline int kinds_sum(const struct kinds_point *point)
{
	return point->x + point->y;
}
#endif

TRACEPOINT_EVENT(kinds, integers,
	TP_ARGS(int, n, uint64_t, big, const void *, address),
	TP_FIELDS(
		ctf_integer(int, plain, n)
		ctf_integer(unsigned char, tiny, n)
		ctf_integer(signed char, tiny_signed, n)
		ctf_integer(short, small, n)
		ctf_integer(uint16_t, small_unsigned, n)
		ctf_integer(long long, large, -(long long)big)
		lttng_ust_field_integer(uint64_t, large_unsigned, big)
		ctf_integer(bool, truth, n)
		ctf_integer_hex(int, hex, n)
		ctf_integer_hex(uint8_t, tiny_hex, n)
		lttng_ust_field_integer_hex(unsigned long, large_hex, big)
		ctf_integer_network(uint32_t, net, 0x01020304)
		ctf_integer_network(int16_t, small_net, -2)
		ctf_integer_network_hex(uint64_t, large_net_hex, big)
		ctf_integer(const size_t, constant, (size_t)n + KINDS_SEVEN)
		ctf_integer_hex(const void *, pointer, address)
		ctf_integer(kinds_handle, handle, (void *)(uintptr_t)n)
	)
)

TRACEPOINT_EVENT(kinds, reals,
	TP_ARGS(double, real, float, single),
	TP_FIELDS(
		ctf_float(double, real, real)
		ctf_float(float, single, single)
		lttng_ust_field_float(float, narrowed, real)
		ctf_float(double, from_integer, 3)
	)
)

TRACEPOINT_EVENT(kinds, texts,
	TP_ARGS(const char *, text, const char *, none, char *, bytes, size_t, count),
	TP_FIELDS(
		ctf_string(text, text)
		lttng_ust_field_string(none, none)
		ctf_string(literal, "a \"quoted\" text, with a comma")
		ctf_string(chosen, none ? none : "(unnamed)")
		ctf_array_text(char, chars, bytes, 6)
		ctf_sequence_text(char, some, bytes, size_t, count)
		lttng_ust_field_sequence_text(char, last, bytes, uint8_t, count + 1)
	)
)

TRACEPOINT_EVENT(kinds, arrays,
	TP_ARGS(const int *, values, const uint8_t *, bytes),
	TP_FIELDS(
		ctf_array(int, plain, values, 3)
		ctf_array_hex(uint8_t, hex, bytes, sizeof(uint32_t))
		ctf_array_network(uint16_t, net, bytes, 2)
		ctf_array_network_hex(uint32_t, net_hex, bytes, 1)
		lttng_ust_field_array(long, large, (const long *)(const void *)bytes, 2)
		ctf_array(uint8_t, chosen, bytes ? bytes : (const uint8_t *)"\0\0\0\0", 4)
		ctf_array(char, chars, (const char *)bytes, 2)
	)
)

TRACEPOINT_EVENT(kinds, sequences,
	TP_ARGS(const int *, values, const uint8_t *, bytes, unsigned int, count),
	TP_FIELDS(
		ctf_sequence(int, plain, values, unsigned int, count)
		ctf_sequence_hex(uint8_t, hex, bytes, size_t, count)
		ctf_sequence_network(uint16_t, net, bytes, uint16_t, count / 2)
		ctf_sequence_network_hex(uint32_t, net_hex, bytes, uint32_t, 1)
		lttng_ust_field_sequence(long, empty, NULL, uint8_t, 0)
	)
)

TRACEPOINT_ENUM(kinds, state,
	TP_ENUM_VALUES(
		ctf_enum_value("IDLE", 0)
		ctf_enum_value("BUSY" "!", KINDS_SEVEN | 8)
		ctf_enum_range("FEW", 2, 4)
		ctf_enum_range("SOME", 4, 9)
		ctf_enum_auto("NEXT")
		ctf_enum_value("five\"extra", 5)
		lttng_ust_field_enum_value("BELOW", -1)
	)
)

LTTNG_UST_TRACEPOINT_ENUM(kinds, shade, LTTNG_UST_TP_ENUM_VALUES(ctf_enum_auto("DARK") ctf_enum_auto("LIGHT") ctf_enum_value("ANY", 255)))

LTTNG_UST_TRACEPOINT_EVENT(kinds, states,
	LTTNG_UST_TP_ARGS(int, state, unsigned char, tiny),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_enum(kinds, state, int, state, state)
		ctf_enum(kinds, state, long long, large, state)
		ctf_enum(kinds, shade, unsigned char, tiny, tiny)
		ctf_enum(kinds, state, int, constant, 4)
	)
)

TRACEPOINT_EVENT(kinds, hidden,
	TP_ARGS(int, n, const char *, text, const int *, values, unsigned int, count, double, real, int, ignored),
	TP_FIELDS(
		ctf_integer_nowrite(int, secret, n * 2)
		ctf_integer(int, n, n)
		ctf_string_nowrite(secret_text, text)
		ctf_array_nowrite(int, secret_values, values, 2)
		ctf_array_nowrite_hex(int, secret_hex, values, 2)
		ctf_array_network_nowrite(int, secret_net, values, 2)
		ctf_array_network_nowrite_hex(int, secret_net_hex, values, 2)
		ctf_array_text_nowrite(char, secret_chars, text ? text : "--", 2)
		ctf_sequence_nowrite(int, secret_sequence, values, unsigned int, count)
		ctf_sequence_nowrite_hex(int, secret_sequence_hex, values, unsigned int, count)
		ctf_sequence_network_nowrite(int, secret_sequence_net, values, unsigned int, count)
		ctf_sequence_network_nowrite_hex(int, secret_sequence_net_hex, values, unsigned int, count)
		ctf_sequence_text_nowrite(char, secret_sequence_text, text ? text : "-", unsigned int, 1)
		lttng_ust_field_float_nowrite(double, secret_real, real)
		lttng_ust_field_enum_nowrite(kinds, state, int, secret_state, n)
		ctf_integer(int, twice, n + n)
		ctf_unused(ignored)
	)
)

TRACEPOINT_EVENT(kinds, nothing, TP_ARGS(), TP_FIELDS())
TRACEPOINT_EVENT(TRACEPOINT_PROVIDER, still_nothing, TP_ARGS(void), TP_FIELDS(ctf_integer(int, one, 1)))

TRACEPOINT_EVENT_CLASS(kinds, move,
	TP_ARGS(struct kinds_point *, from, struct kinds_point, to),
	TP_FIELDS(
		ctf_integer(int, from, kinds_sum(from))
		ctf_integer(int, to_x, to.x)
		ctf_integer(int, to_y, to.y)
	)
)
TRACEPOINT_EVENT_INSTANCE(kinds, move, walk, TP_ARGS(struct kinds_point *, from, struct kinds_point, to))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(kinds, move, kinds, run, LTTNG_UST_TP_ARGS(struct kinds_point *, from, struct kinds_point, to))
TRACEPOINT_LOGLEVEL(kinds, run, TRACE_WARNING)

TRACEPOINT_EVENT(kinds, ten,
	TP_ARGS(int, a, int, b, int, c, int, d, int, e, int, f, int, g, int, h, int, i, int, record),
	TP_FIELDS(
		ctf_integer(int, a, a) ctf_integer(int, b, b) ctf_integer(int, c, c) ctf_integer(int, d, d)
		ctf_integer(int, e, e) ctf_integer(int, f, f) ctf_integer(int, g, g) ctf_integer(int, h, h)
		ctf_integer(int, i, i) ctf_integer(int, record, record)
		ctf_integer(int, type, a + record)
	)
)

/* Macros of one's own: fields, arguments, whole events. */
#define KINDS_TEXT(field, value)							\
	ctf_string(field, (value) == NULL ? "" : (value))				\
	ctf_integer(uint8_t, field##_isnull, (value) == NULL)
#define KINDS_PAIR int, first, int, second
#define KINDS_ARGS TP_ARGS(const char *, id, KINDS_PAIR)
TRACEPOINT_EVENT(kinds, own, KINDS_ARGS,
	TP_FIELDS(
		KINDS_TEXT(id, id)	// one becomes two
		ctf_integer(int, sum, first + second) /* as "ever */
	)
)
#define KINDS_LEVEL(name, level)							\
	TRACEPOINT_EVENT(kinds, name, TP_ARGS(int, n), TP_FIELDS(ctf_integer(int, n, n)))	\
	TRACEPOINT_LOGLEVEL(kinds, name, level)
KINDS_LEVEL(emergency, TRACE_EMERG)
KINDS_LEVEL(alert, LTTNG_UST_TRACEPOINT_LOGLEVEL_ALERT)
KINDS_LEVEL(critical, TRACE_CRIT)
KINDS_LEVEL(error, TRACE_ERR)
KINDS_LEVEL(notice, TRACE_NOTICE)
KINDS_LEVEL(information, TRACE_INFO)
KINDS_LEVEL(debug_system, TRACE_DEBUG_SYSTEM)
KINDS_LEVEL(debug_program, TRACE_DEBUG_PROGRAM)
KINDS_LEVEL(debug_process, TRACE_DEBUG_PROCESS)
KINDS_LEVEL(debug_module, TRACE_DEBUG_MODULE)
KINDS_LEVEL(debug_unit, TRACE_DEBUG_UNIT)
KINDS_LEVEL(debug_function, TRACE_DEBUG_FUNCTION)
KINDS_LEVEL(debug_line, TRACE_DEBUG_LINE)
KINDS_LEVEL(debug, TRACE_DEBUG)
TRACEPOINT_MODEL_EMF_URI(kinds, debug, "http://example.com/debug")

#endif /* KINDS_H */

#include <lttng/tracepoint-event.h>
