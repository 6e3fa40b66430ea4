/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Fields of events, for <lttng/tracepoint-event.h>.
 *
 * A field is needed at several places of what becomes of its event, so its macro only makes a tuple of it:
 *
 *	ctf_integer(int, order, id + 1)  ->  (NUMBER, stored, int, "order", ust_value_order, (id + 1), 10, 0)
 *
 * A list of fields is a row of tuples, and UST_TP_EACH takes a row to one of those places.
 */
#ifndef UST_LTTNG_TRACEPOINT_FIELDS_H
#define UST_LTTNG_TRACEPOINT_FIELDS_H

#include <lttng/tracepoint.h>
#include <ust/probe.h>

#define lttng_ust_field_integer(type, name, value)						\
	(NUMBER, stored, type, #name, ust_value_##name, (value), 10, 0)
#define lttng_ust_field_integer_hex(type, name, value)						\
	(NUMBER, stored, type, #name, ust_value_##name, (value), 16, 0)
#define lttng_ust_field_integer_network(type, name, value)					\
	(NUMBER, stored, type, #name, ust_value_##name, (value), 10, UST_NETWORK)
#define lttng_ust_field_integer_network_hex(type, name, value)					\
	(NUMBER, stored, type, #name, ust_value_##name, (value), 16, UST_NETWORK)
#define lttng_ust_field_integer_nowrite(type, name, value)					\
	(NUMBER, hidden, type, #name, ust_value_##name, (value), 10, UST_NOWRITE)
#define lttng_ust_field_float(type, name, value)						\
	(NUMBER, stored, type, #name, ust_value_##name, (value), 10, 0)
#define lttng_ust_field_float_nowrite(type, name, value)					\
	(NUMBER, hidden, type, #name, ust_value_##name, (value), 10, UST_NOWRITE)

#define lttng_ust_field_enum(provider, enumeration, type, name, value)				\
	(ENUM, stored, type, #name, ust_value_##name, (value), UST_TP_ENUMERATION(provider, enumeration), 0)
#define lttng_ust_field_enum_nowrite(provider, enumeration, type, name, value)			\
	(ENUM, hidden, type, #name, ust_value_##name, (value), UST_TP_ENUMERATION(provider, enumeration), UST_NOWRITE)

#define lttng_ust_field_string(name, value) (STRING, stored, #name, ust_value_##name, (value), 0)
#define lttng_ust_field_string_nowrite(name, value) (STRING, hidden, #name, ust_value_##name, (value), UST_NOWRITE)

/* Nothing: no argument is warned about that no field uses. */
#define lttng_ust_field_unused(value)
#define lttng_ust_field_unused_nowrite(value)

#define lttng_ust_field_array(type, name, value, count)						\
	(ARRAY, stored, type, #name, ust_value_##name, (value), (count), 10, 0)
#define lttng_ust_field_array_hex(type, name, value, count)					\
	(ARRAY, stored, type, #name, ust_value_##name, (value), (count), 16, 0)
#define lttng_ust_field_array_network(type, name, value, count)					\
	(ARRAY, stored, type, #name, ust_value_##name, (value), (count), 10, UST_NETWORK)
#define lttng_ust_field_array_network_hex(type, name, value, count)				\
	(ARRAY, stored, type, #name, ust_value_##name, (value), (count), 16, UST_NETWORK)
#define lttng_ust_field_array_text(type, name, value, count)					\
	(TEXT_ARRAY, stored, type, #name, ust_value_##name, (value), (count), 10, UST_TEXT)
#define lttng_ust_field_array_nowrite(type, name, value, count)					\
	(ARRAY, hidden, type, #name, ust_value_##name, (value), (count), 10, UST_NOWRITE)
#define lttng_ust_field_array_nowrite_hex(type, name, value, count)				\
	(ARRAY, hidden, type, #name, ust_value_##name, (value), (count), 16, UST_NOWRITE)
#define lttng_ust_field_array_network_nowrite(type, name, value, count)				\
	(ARRAY, hidden, type, #name, ust_value_##name, (value), (count), 10, UST_NETWORK | UST_NOWRITE)
#define lttng_ust_field_array_network_nowrite_hex(type, name, value, count)			\
	(ARRAY, hidden, type, #name, ust_value_##name, (value), (count), 16, UST_NETWORK | UST_NOWRITE)
#define lttng_ust_field_array_text_nowrite(type, name, value, count)				\
	(TEXT_ARRAY, hidden, type, #name, ust_value_##name, (value), (count), 10, UST_TEXT | UST_NOWRITE)

#define lttng_ust_field_sequence(type, name, value, count_type, count)				\
	(SEQUENCE, stored, type, #name, ust_value_##name, (value), count_type, (count), 10, 0)
#define lttng_ust_field_sequence_hex(type, name, value, count_type, count)			\
	(SEQUENCE, stored, type, #name, ust_value_##name, (value), count_type, (count), 16, 0)
#define lttng_ust_field_sequence_network(type, name, value, count_type, count)			\
	(SEQUENCE, stored, type, #name, ust_value_##name, (value), count_type, (count), 10, UST_NETWORK)
#define lttng_ust_field_sequence_network_hex(type, name, value, count_type, count)		\
	(SEQUENCE, stored, type, #name, ust_value_##name, (value), count_type, (count), 16, UST_NETWORK)
#define lttng_ust_field_sequence_text(type, name, value, count_type, count)			\
	(TEXT_SEQUENCE, stored, type, #name, ust_value_##name, (value), count_type, (count), 10, UST_TEXT)
#define lttng_ust_field_sequence_nowrite(type, name, value, count_type, count)			\
	(SEQUENCE, hidden, type, #name, ust_value_##name, (value), count_type, (count), 10, UST_NOWRITE)
#define lttng_ust_field_sequence_nowrite_hex(type, name, value, count_type, count)		\
	(SEQUENCE, hidden, type, #name, ust_value_##name, (value), count_type, (count), 16, UST_NOWRITE)
#define lttng_ust_field_sequence_network_nowrite(type, name, value, count_type, count)		\
	(SEQUENCE, hidden, type, #name, ust_value_##name, (value), count_type, (count), 10, UST_NETWORK | UST_NOWRITE)
#define lttng_ust_field_sequence_network_nowrite_hex(type, name, value, count_type, count)	\
	(SEQUENCE, hidden, type, #name, ust_value_##name, (value), count_type, (count), 16, UST_NETWORK | UST_NOWRITE)
#define lttng_ust_field_sequence_text_nowrite(type, name, value, count_type, count)		\
	(TEXT_SEQUENCE, hidden, type, #name, ust_value_##name, (value), count_type, (count), 10, UST_TEXT | UST_NOWRITE)

/* Bytes of a media type, which the trace does not name. */
#define lttng_ust_field_fixed_length_blob(name, value, count, media_type)			\
	lttng_ust_field_array_hex(uint8_t, name, value, count)
#define lttng_ust_field_fixed_length_blob_nowrite(name, value, count, media_type)		\
	lttng_ust_field_array_nowrite_hex(uint8_t, name, value, count)
#define lttng_ust_field_variable_length_blob(name, value, count_type, count, media_type)	\
	lttng_ust_field_sequence_hex(uint8_t, name, value, count_type, count)
#define lttng_ust_field_variable_length_blob_nowrite(name, value, count_type, count, media_type) \
	lttng_ust_field_sequence_nowrite_hex(uint8_t, name, value, count_type, count)

/* Labels of enumerations become their entries at once. */
#define lttng_ust_field_enum_value(label, value) UST_VALUE(label, value),
#define lttng_ust_field_enum_range(label, low, high) UST_RANGE(label, low, high),
#define lttng_ust_field_enum_auto(label) UST_AUTOMATIC(label),

#ifdef UST_OLD_NAMES
#define ctf_integer lttng_ust_field_integer
#define ctf_integer_hex lttng_ust_field_integer_hex
#define ctf_integer_network lttng_ust_field_integer_network
#define ctf_integer_network_hex lttng_ust_field_integer_network_hex
#define ctf_integer_nowrite lttng_ust_field_integer_nowrite
#define ctf_float lttng_ust_field_float
#define ctf_float_nowrite lttng_ust_field_float_nowrite
#define ctf_enum lttng_ust_field_enum
#define ctf_enum_nowrite lttng_ust_field_enum_nowrite
#define ctf_string lttng_ust_field_string
#define ctf_string_nowrite lttng_ust_field_string_nowrite
#define ctf_unused lttng_ust_field_unused
#define ctf_unused_nowrite lttng_ust_field_unused_nowrite
#define ctf_array lttng_ust_field_array
#define ctf_array_hex lttng_ust_field_array_hex
#define ctf_array_network lttng_ust_field_array_network
#define ctf_array_network_hex lttng_ust_field_array_network_hex
#define ctf_array_text lttng_ust_field_array_text
#define ctf_array_nowrite lttng_ust_field_array_nowrite
#define ctf_array_nowrite_hex lttng_ust_field_array_nowrite_hex
#define ctf_array_network_nowrite lttng_ust_field_array_network_nowrite
#define ctf_array_network_nowrite_hex lttng_ust_field_array_network_nowrite_hex
#define ctf_array_text_nowrite lttng_ust_field_array_text_nowrite
#define ctf_sequence lttng_ust_field_sequence
#define ctf_sequence_hex lttng_ust_field_sequence_hex
#define ctf_sequence_network lttng_ust_field_sequence_network
#define ctf_sequence_network_hex lttng_ust_field_sequence_network_hex
#define ctf_sequence_text lttng_ust_field_sequence_text
#define ctf_sequence_nowrite lttng_ust_field_sequence_nowrite
#define ctf_sequence_nowrite_hex lttng_ust_field_sequence_nowrite_hex
#define ctf_sequence_network_nowrite lttng_ust_field_sequence_network_nowrite
#define ctf_sequence_network_nowrite_hex lttng_ust_field_sequence_network_nowrite_hex
#define ctf_sequence_text_nowrite lttng_ust_field_sequence_text_nowrite
#define ctf_enum_value lttng_ust_field_enum_value
#define ctf_enum_range lttng_ust_field_enum_range
#define ctf_enum_auto lttng_ust_field_enum_auto
#endif

#define UST_TP_ENUMERATION(provider, name) UST_TP_ENUMERATION_(provider, name)
#define UST_TP_ENUMERATION_(provider, name) &ust_enumeration_##provider##___##name

/*
 * Takes each tuple of a row to a place. Two macros take turns, for none may call itself; which of them is left at the
 * end is removed by making it a name that stands for nothing.
 */
#define UST_TP_EACH(place, row) UST_TP_ENDED(UST_TP_##place##_1 row)
#define UST_TP_ENDED(...) UST_TP_ENDED_(__VA_ARGS__)
#define UST_TP_ENDED_(...) __VA_ARGS__##_END

/* The entry in the list of fields. */
#define UST_TP_ENTRY_1(kind, ...) UST_TP_ENTRY_##kind(__VA_ARGS__) UST_TP_ENTRY_2
#define UST_TP_ENTRY_2(kind, ...) UST_TP_ENTRY_##kind(__VA_ARGS__) UST_TP_ENTRY_1
#define UST_TP_ENTRY_1_END
#define UST_TP_ENTRY_2_END
#define UST_TP_ENTRY_NUMBER(part, type, name, local, value, base, flags) UST_NUMBER_FIELD(name, type, base, flags),
#define UST_TP_ENTRY_ENUM(part, type, name, local, value, enumeration, flags)			\
	UST_ENUMERATION_FIELD(name, enumeration, type, flags),
#define UST_TP_ENTRY_STRING(part, name, local, value, flags) UST_STRING_FIELD(name, flags),
#define UST_TP_ENTRY_ARRAY(part, type, name, local, value, count, base, flags)			\
	UST_ARRAY_FIELD(name, type, count, base, flags),
#define UST_TP_ENTRY_SEQUENCE(part, type, name, local, value, count_type, count, base, flags)	\
	UST_SEQUENCE_FIELD(name, type, base, flags),
#define UST_TP_ENTRY_TEXT_ARRAY UST_TP_ENTRY_ARRAY
#define UST_TP_ENTRY_TEXT_SEQUENCE UST_TP_ENTRY_SEQUENCE

/*
 * The value, and the parameter that it is for. As arguments of one call, the temporary objects that C++ makes for values
 * live until all of them are stored. Nobody needs the length of a string that only filters see in the usual case.
 */
#define UST_TP_VALUE_1(kind, ...) UST_TP_VALUE_##kind(__VA_ARGS__) UST_TP_VALUE_2
#define UST_TP_VALUE_2(kind, ...) UST_TP_VALUE_##kind(__VA_ARGS__) UST_TP_VALUE_1
#define UST_TP_VALUE_1_END
#define UST_TP_VALUE_2_END
#define UST_TP_VALUE_NUMBER(part, type, name, local, value, base, flags) , (type)value
#define UST_TP_VALUE_ENUM(part, type, name, local, value, enumeration, flags) , (type)value
#define UST_TP_VALUE_STRING(part, name, local, value, flags) , UST_TP_TEXT_##part((const char *)value)
#define UST_TP_VALUE_ARRAY(part, type, name, local, value, count, base, flags) , (const void *)value
#define UST_TP_VALUE_SEQUENCE(part, type, name, local, value, count_type, count, base, flags)	\
	, UST_TP_ELEMENTS_##part((const void *)value, (uint64_t)(count_type)count, sizeof(type))
#define UST_TP_VALUE_TEXT_ARRAY(part, type, name, local, value, count, base, flags)			\
	, UST_TP_CHARACTERS_##part((const void *)value, (uint64_t)count, sizeof(type))
#define UST_TP_VALUE_TEXT_SEQUENCE(part, type, name, local, value, count_type, count, base, flags)	\
	, UST_TP_CHARACTERS_##part((const void *)value, (uint64_t)(count_type)count, sizeof(type))
#define UST_TP_TEXT_stored ust_text
#define UST_TP_TEXT_hidden
#define UST_TP_CHARACTERS_stored ust_characters
#define UST_TP_CHARACTERS_hidden ust_hidden_elements
#define UST_TP_ELEMENTS_stored ust_elements
#define UST_TP_ELEMENTS_hidden ust_hidden_elements

#define UST_TP_LOCAL_1(kind, ...) UST_TP_LOCAL_##kind(__VA_ARGS__) UST_TP_LOCAL_2
#define UST_TP_LOCAL_2(kind, ...) UST_TP_LOCAL_##kind(__VA_ARGS__) UST_TP_LOCAL_1
#define UST_TP_LOCAL_1_END
#define UST_TP_LOCAL_2_END
#define UST_TP_LOCAL_NUMBER(part, type, name, local, value, base, flags) , type local
#define UST_TP_LOCAL_ENUM(part, type, name, local, value, enumeration, flags) , type local
#define UST_TP_LOCAL_STRING(part, name, local, value, flags) , UST_TP_TEXT_TYPE_##part local
#define UST_TP_LOCAL_ARRAY(part, type, name, local, value, count, base, flags) , const void *local
#define UST_TP_LOCAL_SEQUENCE(part, type, name, local, value, count_type, count, base, flags) , struct ust_elements local
#define UST_TP_LOCAL_TEXT_ARRAY(part, type, name, local, value, count, base, flags) , struct ust_elements local
#define UST_TP_LOCAL_TEXT_SEQUENCE(part, type, name, local, value, count_type, count, base, flags) , struct ust_elements local
#define UST_TP_TEXT_TYPE_stored struct ust_text
#define UST_TP_TEXT_TYPE_hidden const char *

/* Its bytes in the usual case, in which fields that only filters see are left out, and those behind it. */
#define UST_TP_IF_stored(...) __VA_ARGS__
#define UST_TP_IF_hidden(...)
#define UST_TP_SUM_stored(...) __VA_ARGS__
#define UST_TP_SUM_hidden(...) ust_hides = 1;
#define UST_TP_BYTES_1(kind, ...) UST_TP_BYTES_##kind(__VA_ARGS__) UST_TP_BYTES_2
#define UST_TP_BYTES_2(kind, ...) UST_TP_BYTES_##kind(__VA_ARGS__) UST_TP_BYTES_1
#define UST_TP_BYTES_1_END
#define UST_TP_BYTES_2_END
#define UST_TP_BYTES_NUMBER(part, type, name, local, value, base, flags) UST_TP_SUM_##part(ust_bytes += sizeof(type);)
#define UST_TP_BYTES_ENUM(part, type, name, local, value, enumeration, flags) UST_TP_SUM_##part(ust_bytes += sizeof(type);)
#define UST_TP_BYTES_STRING(part, name, local, value, flags) UST_TP_SUM_##part(ust_bytes += local.bytes; ust_slack = UST_SLACK;)
#define UST_TP_BYTES_ARRAY(part, type, name, local, value, count, base, flags)			\
	UST_TP_SUM_##part(ust_bytes += sizeof(type) * (uint64_t)count;)
#define UST_TP_BYTES_SEQUENCE(part, type, name, local, value, count_type, count, base, flags)	\
	UST_TP_SUM_##part(ust_bytes += UST_COUNT_BYTES + local.bytes; ust_slack = UST_SLACK;)
#define UST_TP_BYTES_TEXT_ARRAY(part, type, name, local, value, count, base, flags)			\
	UST_TP_SUM_##part(ust_bytes += local.bytes; ust_slack = UST_SLACK;)
#define UST_TP_BYTES_TEXT_SEQUENCE UST_TP_BYTES_SEQUENCE

/* Where it is stored then. */
#define UST_TP_STORE_1(kind, ...) UST_TP_STORE_##kind(__VA_ARGS__) UST_TP_STORE_2
#define UST_TP_STORE_2(kind, ...) UST_TP_STORE_##kind(__VA_ARGS__) UST_TP_STORE_1
#define UST_TP_STORE_1_END
#define UST_TP_STORE_2_END
#define UST_TP_STORE_NUMBER(part, type, name, local, value, base, flags)			\
	UST_TP_IF_##part(__builtin_memcpy(ust_at, &local, sizeof(type)); ust_at += sizeof(type);)
#define UST_TP_STORE_ENUM UST_TP_STORE_NUMBER
#define UST_TP_STORE_STRING(part, name, local, value, flags)					\
	UST_TP_IF_##part(ust_at = ust_put_text(ust_at, &local);)
#define UST_TP_STORE_ARRAY(part, type, name, local, value, count, base, flags)			\
	UST_TP_IF_##part(ust_at = ust_put(ust_at, local, sizeof(type) * (uint64_t)count);)
#define UST_TP_STORE_SEQUENCE(part, type, name, local, value, count_type, count, base, flags)	\
	UST_TP_IF_##part(ust_at = ust_put_elements(ust_at, &local);)
#define UST_TP_STORE_TEXT_ARRAY(part, type, name, local, value, count, base, flags)			\
	UST_TP_IF_##part(ust_at = ust_put_characters(ust_at, &local);)
#define UST_TP_STORE_TEXT_SEQUENCE(part, type, name, local, value, count_type, count, base, flags)	\
	UST_TP_IF_##part(ust_at = ust_put_counted_characters(ust_at, &local);)

/* In any other case, its words in the list of values. */
#define UST_TP_WORDS_1(kind, ...) UST_TP_WORDS_##kind(__VA_ARGS__) UST_TP_WORDS_2
#define UST_TP_WORDS_2(kind, ...) UST_TP_WORDS_##kind(__VA_ARGS__) UST_TP_WORDS_1
#define UST_TP_WORDS_1_END
#define UST_TP_WORDS_2_END
#define UST_TP_WORDS_NUMBER(part, type, name, local, value, base, flags) ust_word(&local, sizeof(type)),
#define UST_TP_WORDS_ENUM UST_TP_WORDS_NUMBER
#define UST_TP_WORDS_STRING(part, name, local, value, flags) UST_TP_WORDS_TEXT_##part(local)
#define UST_TP_WORDS_ARRAY(part, type, name, local, value, count, base, flags) (uintptr_t)local,
#define UST_TP_WORDS_SEQUENCE(part, type, name, local, value, count_type, how_many, base, flags)	\
	(uintptr_t)local.elements, local.count,
#define UST_TP_WORDS_TEXT_ARRAY(part, type, name, local, value, count, base, flags) (uintptr_t)local.elements,
#define UST_TP_WORDS_TEXT_SEQUENCE UST_TP_WORDS_SEQUENCE
#define UST_TP_WORDS_TEXT_stored(local) (uintptr_t)local.text, local.bytes,
#define UST_TP_WORDS_TEXT_hidden(local) (uintptr_t)local, 0,

#endif /* UST_LTTNG_TRACEPOINT_FIELDS_H */
