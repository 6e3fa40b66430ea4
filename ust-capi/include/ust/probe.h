/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Describes events, and stores their fields. For files that hold recording functions (TRACEPOINT_CREATE_PROBES).
 *
 * Of the event `shop:checkout`:
 *
 *	static const struct ust_field fields[] = {
 *		UST_NUMBER_FIELD("order", int, 10, 0),
 *		UST_STRING_FIELD("sku", 0),
 *		UST_FIELDS_END
 *	};
 *
 *	ust_inline int ust_store_shop___checkout(struct ust_tracepoint *tracepoint, int ust_is_usual, int order,
 *						 const char *sku)
 *	{
 *		const int value_order = order;
 *		const struct ust_text value_sku = ust_text(sku);
 *		struct ust_record record;
 *		struct ust_unusual unusual;
 *		uint8_t *at = ust_begin(&record, &unusual, ust_is_usual, tracepoint,
 *					sizeof(value_order) + value_sku.bytes, 0);
 *
 *		if (!at)
 *			return 0;
 *		at = ust_put(at, &value_order, sizeof(value_order));
 *		at = ust_put_text(at, &value_sku);
 *		return ust_end(&record, &unusual, ust_is_usual);
 *	}
 *
 *	UST_DECLARE_TRACEPOINT(shop, checkout)
 *	UST_DEFINE_RECORD(shop, checkout, (struct ust_tracepoint *tracepoint, int order, const char *sku),
 *			  (tracepoint, order, sku), (&ust_tracepoint_shop___checkout, ust_is_usual, order, sku))
 *	UST_DEFINE_TRACEPOINT(shop, checkout, ust_record_shop___checkout, fields, "int, order, const char *, sku",
 *			      "shop.tp", 12)
 *
 * (Of a class of events, there is one such function, which gets `tracepoint` in place of the address.)
 *
 * Each value is computed before there is room for it: once, and once more if the event is not usual, so that expressions
 * must have no side effects. Fields lie back to back, without padding.
 */
#ifndef UST_PROBE_H
#define UST_PROBE_H

/* A project's warnings are for its own code. */
#ifndef UST_WITH_WARNINGS
#pragma GCC system_header
#endif

#include <ust/ring.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of fields. */
#define UST_KIND_SCALAR 1
#define UST_KIND_STRING 2
#define UST_KIND_ARRAY 3
#define UST_KIND_SEQUENCE 4
#define UST_KIND_ENUMERATION 5

/* Flags of fields. */
#define UST_SIGNED 1
#define UST_NETWORK 2
#define UST_FLOAT 4
#define UST_TEXT 8	/* elements of 8 bits are characters */
#define UST_NOWRITE 16	/* for filters only: not in the trace */

/* A name of values of an enumeration. */
struct ust_label {
	const char *label;
	uint64_t low, high;		/* signed values as they are in two's complement */
	uint32_t is_automatic;		/* 1: the value after that of the label before, or 0 */
};

struct ust_enumeration {
	const char *name;
	const struct ust_label *labels;
	uint32_t label_count;
};

struct ust_field {
	const char *name;
	uint8_t kind;
	uint8_t flags;
	uint8_t bits;			/* of the number, or of each element */
	uint8_t base;			/* in which integers are shown: 2, 8, 10, 16 */
	uint32_t count;			/* elements of an array */
	const struct ust_enumeration *enumeration;
};

/* The description of an event. */
struct ust_event {
	const char *provider;
	const char *name;
	const char *signature;		/* types and names of the arguments, as they were written */
	const char *file;		/* where it is defined */
	uint32_t line;
	uint32_t field_count;
	const struct ust_field *fields;
	const int *loglevel;		/* null: UST_LOGLEVEL_DEFAULT */
	const char *model_emf_uri;	/* null: none */
};

#define UST_LOGLEVEL_DEFAULT 13

/* Of `provider:name`. An object with a longer one could not be recorded. */
#define UST_NAME_BYTES_MAX 255

/* What the compiler knows of a type: an integer constant each. Pointers are unsigned integers. */
#define UST_CLASS(type) __builtin_classify_type(*(type *)NULL)
#define UST_CLASS_POINTER 5
#define UST_CLASS_REAL 8
#define UST_IS_FLOAT(type) (UST_CLASS(type) == UST_CLASS_REAL)
#define UST_IS_SIGNED(type) ((type)-1 < (type)1)
#define UST_NUMBER_FLAGS(type)									\
	(UST_IS_FLOAT(type) ? UST_FLOAT : UST_CLASS(type) == UST_CLASS_POINTER ? 0 : UST_IS_SIGNED(type) ? UST_SIGNED : 0)
#define UST_BITS(type) (8 * sizeof(type))

/* Entries of a field list. `flags` are UST_NETWORK, UST_NOWRITE, or 0; integers and floats are told apart by their type. */
#define UST_NUMBER_FIELD(name, type, base, flags)						\
	{ name, UST_KIND_SCALAR, (uint8_t)(UST_NUMBER_FLAGS(type) | (flags)), UST_BITS(type), base, 0, NULL }
#define UST_STRING_FIELD(name, flags) { name, UST_KIND_STRING, flags, 8, 10, 0, NULL }
#define UST_ARRAY_FIELD(name, type, count, base, flags)						\
	{ name, UST_KIND_ARRAY, (uint8_t)(UST_NUMBER_FLAGS(type) | (flags)), UST_BITS(type), base, count, NULL }
#define UST_SEQUENCE_FIELD(name, type, base, flags)						\
	{ name, UST_KIND_SEQUENCE, (uint8_t)(UST_NUMBER_FLAGS(type) | (flags)), UST_BITS(type), base, 0, NULL }
#define UST_ENUMERATION_FIELD(name, enumeration, type, flags)					\
	{ name, UST_KIND_ENUMERATION, (uint8_t)(UST_NUMBER_FLAGS(type) | (flags)), UST_BITS(type), 10, 0, enumeration }
/* So that a list is never empty, which C does not allow. */
#define UST_FIELDS_END { NULL, 0, 0, 0, 0, 0, NULL }

/* Entries of a list of labels. */
#define UST_VALUE(label, value) { label, (uint64_t)(value), (uint64_t)(value), 0 }
#define UST_RANGE(label, low, high) { label, (uint64_t)(low), (uint64_t)(high), 0 }
#define UST_AUTOMATIC(label) { label, 0, 0, 1 }
#define UST_LABELS_END { NULL, 0, 0, 0 }

/* How many entries a list has before its end. */
#define UST_COUNT(list) (sizeof(list) / sizeof((list)[0]) - 1)

/* The log level and the link of an event may be defined after it, or not at all: then the address of these is null. */
#define UST_DEFINE_LOGLEVEL(provider, name, level)						\
	extern const int ust_loglevel_##provider##___##name __attribute__((weak, visibility("hidden"))); \
	const int ust_loglevel_##provider##___##name = level;
#define UST_DEFINE_MODEL_EMF_URI(provider, name, uri)						\
	extern const char ust_model_emf_uri_##provider##___##name[] __attribute__((weak, visibility("hidden"))); \
	const char ust_model_emf_uri_##provider##___##name[] = uri;

/* Declares a provider's tracepoint, before its recording function is known. */
#define UST_DECLARE_TRACEPOINT(provider, name)							\
	extern struct ust_tracepoint ust_tracepoint_##provider##___##name UST_HIDDEN;

/* Defines a provider's tracepoint. Its names go to no other macro: they may be macros themselves. */
#define UST_DEFINE_TRACEPOINT(provider, name, record, fields, signature, file, line)		\
	extern const int ust_loglevel_##provider##___##name __attribute__((weak, visibility("hidden"))); \
	extern const char ust_model_emf_uri_##provider##___##name[] __attribute__((weak, visibility("hidden"))); \
	extern struct ust_tracepoint ust_tracepoint_##provider##___##name UST_HIDDEN;		\
	typedef char ust_name_is_too_long_##provider##___##name					\
		[sizeof(#provider) + sizeof(#name) <= UST_NAME_BYTES_MAX + 1 ? 1 : -1];		\
	static const struct ust_event ust_event_##provider##___##name = {			\
		#provider, #name, signature, file, line, UST_COUNT(fields), fields,		\
		&ust_loglevel_##provider##___##name, ust_model_emf_uri_##provider##___##name,	\
	};											\
	struct ust_tracepoint ust_tracepoint_##provider##___##name = {				\
		ust_off_word_v1, 0, UST_FORM, &ust_event_##provider##___##name, (void (*)(void))record, \
	};											\
	static struct ust_tracepoint *const ust_listed_tracepoint_##provider##___##name		\
		UST_LISTED("ust_tracepoints") = &ust_tracepoint_##provider##___##name;

/*
 * What files of call sites need of the provider (UST_NEED). An alias, which may be defined again: a file may have several
 * headers of one provider. Clang wants another name for it each time.
 */
#if defined(__clang__)
#define UST_PROVIDE(provider) UST_PROVIDE_(provider, __COUNTER__)
#define UST_PROVIDE_(provider, number) UST_PROVIDE__(provider, number)
#define UST_PROVIDE__(provider, number)								\
	extern char ust_provided_##provider##_##number __asm__("ust_provider_" #provider)	\
		__attribute__((weak, alias("ust_off_word_v1"), visibility(UST_PROVIDER_VISIBILITY)));
#else
#define UST_PROVIDE(provider)									\
	extern char ust_provider_##provider							\
		__attribute__((weak, alias("ust_off_word_v1"), visibility(UST_PROVIDER_VISIBILITY)));
#endif

/*
 * What looks at and copies strings is out of line, but in the same file, for the compiler to see which few registers it
 * changes: so a recording function keeps its arguments where they came, as if it called nothing, and takes a third of the
 * time to compile that it would with everything inlined. It calls no function of the C library, which would change all.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_HWADDRESS__)
#define UST_WITH_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(hwaddress_sanitizer) || __has_feature(memory_sanitizer)
#define UST_WITH_SANITIZER 1
#endif
#endif

#define ust_apart ust_unhooked __attribute__((noinline, unused)) static

/* Without optimisation each event would hold a copy of these, which takes long to compile and is no faster. */
#ifdef __OPTIMIZE__
#define ust_helper ust_inline
#else
#define ust_helper static inline ust_unhooked __attribute__((unused))
#endif

/* Hides from the compiler what a pointer points to. */
#define UST_LAUNDER(pointer) __asm__("" : "+r"(pointer))

#if defined(__SSE2__)
typedef char ust_16_chars __attribute__((vector_size(16), may_alias));

/* Which of 16 aligned bytes are NULs, a bit each. Not of <emmintrin.h>, the functions of which enter hooks in Clang. */
ust_inline unsigned int ust_nuls(const char *at)
{
	const ust_16_chars nul = { 0 };

	return (unsigned int)__builtin_ia32_pmovmskb128((ust_16_chars)(*(const ust_16_chars *)at == nul));
}
#endif

/* Bytes of a string with its NUL. Reads whole aligned words, which lie in one page each. */
ust_apart uint64_t ust_text_bytes(const char *text)
{
#if defined(UST_WITH_SANITIZER)
	return __builtin_strlen(text) + 1;
#elif defined(__SSE2__)
	const char *at = (const char *)((uintptr_t)text & ~(uintptr_t)15);
	unsigned int nuls;

	UST_LAUNDER(at);
	nuls = ust_nuls(at) >> ((uintptr_t)text & 15);
	if (nuls)
		return (uint64_t)__builtin_ctz(nuls) + 1;
	do {
		at += 16;
		nuls = ust_nuls(at);
	} while (!nuls);
	return (uint64_t)(at - text) + (uint64_t)__builtin_ctz(nuls) + 1;
#else
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const char *at = (const char *)((uintptr_t)text & ~(uintptr_t)7);
	uint64_t word, nuls;

	UST_LAUNDER(at);
	__builtin_memcpy(&word, at, 8);
	/* What lies before the string is no NUL. */
	word |= (UINT64_C(1) << 8 * ((uintptr_t)text & 7)) - 1;
	while (!(nuls = (word - ones) & ~word & ones << 7)) {
		at += 8;
		__builtin_memcpy(&word, at, 8);
	}
	return (uint64_t)(at - text) + (uint64_t)__builtin_ctzll(nuls) / 8 + 1;
#endif
}

/* Moves the first and the last `size` bytes of `bytes`, which cover all of them. */
#define UST_MOVE_ENDS(type, at, from, bytes)							\
	do {											\
		type ust_first, ust_last;							\
												\
		__builtin_memcpy(&ust_first, from, sizeof(type));				\
		__builtin_memcpy(&ust_last, (from) + (bytes) - sizeof(type), sizeof(type));	\
		__builtin_memcpy(at, &ust_first, sizeof(type));					\
		__builtin_memcpy((at) + (bytes) - sizeof(type), &ust_last, sizeof(type));	\
	} while (0)

struct ust_16_bytes {
	uint64_t words[2];
};

/* Copies `bytes`, of which there are few as a rule, by words that may overlap. */
ust_apart void ust_copy(uint8_t *at, const uint8_t *from, uint64_t bytes)
{
	if (bytes >= 16) {
		uint64_t i = 0, last = bytes - 16;

#if defined(__x86_64__)
		if (ust_unlikely(bytes > 512)) {
			__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
			return;
		}
#endif
		for (; i < last; i += 16) {
			struct ust_16_bytes part;

			__builtin_memcpy(&part, from + i, 16);
			__builtin_memcpy(at + i, &part, 16);
			/* Else it would be made a call of memcpy. */
			UST_LAUNDER(from);
		}
		{
			struct ust_16_bytes part;

			__builtin_memcpy(&part, from + last, 16);
			__builtin_memcpy(at + last, &part, 16);
		}
	} else if (bytes >= 8) {
		UST_MOVE_ENDS(uint64_t, at, from, bytes);
	} else if (bytes >= 4) {
		UST_MOVE_ENDS(uint32_t, at, from, bytes);
	} else if (bytes >= 2) {
		UST_MOVE_ENDS(uint16_t, at, from, bytes);
	} else if (bytes == 1) {
		*at = *from;
	}
}

/* A string and its bytes with the NUL, as they were when it was looked at. */
struct ust_text {
	const char *text;
	uint64_t bytes;
};

/* "(null)" for no string. */
ust_helper struct ust_text ust_text(const char *text)
{
	struct ust_text found;

	found.text = text ? text : "(null)";
	/* Of a literal, the compiler knows it. */
	if (__builtin_constant_p(__builtin_strlen(found.text))) {
		found.bytes = __builtin_strlen(found.text) + 1;
	} else {
		/* So that the compiler does not warn of what would be read of a literal if it were longer. */
		UST_LAUNDER(found.text);
		found.bytes = ust_text_bytes(found.text);
	}
	return found;
}

/*
 * Characters that take a given number of bytes, and end before at a NUL. There may be fewer than that: so what is behind a
 * NUL is copied only if it lies in the same page, where reading it does no harm. No reader looks at it.
 */
struct ust_characters {
	const char *text;
	uint64_t bytes;
};

/* More bytes than an event can hold are as many, so that the event is too big. */
ust_helper struct ust_characters ust_characters(const void *text, uint64_t bytes)
{
	struct ust_characters found;

	found.text = (const char *)text;
	found.bytes = bytes <= UINT32_MAX ? bytes : (uint64_t)UINT32_MAX * 8;
	return found;
}

/* Copies characters up to the first NUL, one by one, and NULs from there on. */
ust_apart void ust_copy_characters(uint8_t *at, const char *text, uint64_t bytes)
{
	uint64_t i = 0;

	for (; i < bytes && text[i]; i++)
		at[i] = (uint8_t)text[i];
	for (; i < bytes; i++) {
		at[i] = 0;
		/* Else it would be made a call of memset. */
		UST_LAUNDER(at);
	}
}

/* Elements of a sequence. */
struct ust_elements {
	const void *elements;
	uint64_t count;
	uint64_t bytes;
};

/* `count` elements of `size` bytes. More than an event can hold are as many bytes, so that the event is too big. */
ust_helper struct ust_elements ust_elements(const void *elements, uint64_t count, uint64_t size)
{
	struct ust_elements found;

	/* As in ust_text. */
	UST_LAUNDER(elements);
	found.elements = elements;
	found.count = count;
	found.bytes = count <= UINT32_MAX ? count * size : (uint64_t)UINT32_MAX * 8;
	return found;
}

/* Bytes of a sequence's count, which is stored before its elements. */
#define UST_COUNT_BYTES 4

/* Stores `bytes`, a constant, and returns the address behind them. */
ust_helper uint8_t *ust_put(uint8_t *at, const void *value, uint64_t bytes)
{
	if (bytes <= 64)
		__builtin_memcpy(at, value, bytes);
	else
		ust_copy(at, (const uint8_t *)value, bytes);
	return at + bytes;
}

/* Stores a string with its NUL. */
ust_helper uint8_t *ust_put_text(uint8_t *at, const struct ust_text *text)
{
	uint64_t length = text->bytes - 1;

	ust_copy(at, (const uint8_t *)text->text, length);
	at[length] = 0;
	return at + text->bytes;
}

/* Stores a sequence: the count, then the elements. */
ust_helper uint8_t *ust_put_elements(uint8_t *at, const struct ust_elements *elements)
{
	uint32_t count = (uint32_t)elements->count;

	at = ust_put(at, &count, UST_COUNT_BYTES);
	ust_copy(at, (const uint8_t *)elements->elements, elements->bytes);
	return at + elements->bytes;
}

#if defined(UST_WITH_SANITIZER)
#define UST_IS_IN_PAGE(text, bytes) 0
#else
#define UST_IS_IN_PAGE(text, bytes) (((uintptr_t)(text) & 4095) + (bytes) <= 4096)
#endif

/* Stores the characters of an array. */
ust_helper uint8_t *ust_put_characters(uint8_t *at, const struct ust_characters *characters)
{
	const char *text = characters->text;
	uint64_t bytes = characters->bytes;

	if (ust_unlikely(!UST_IS_IN_PAGE(text, bytes))) {
		ust_copy_characters(at, text, bytes);
	} else {
		UST_LAUNDER(text);
		if (__builtin_constant_p(bytes) && bytes <= 64)
			__builtin_memcpy(at, text, bytes);
		else
			ust_copy(at, (const uint8_t *)text, bytes);
	}
	return at + bytes;
}

/* Stores a sequence of characters: the count, then these. */
ust_helper uint8_t *ust_put_counted_characters(uint8_t *at, const struct ust_characters *characters)
{
	uint32_t count = (uint32_t)characters->bytes;

	return ust_put_characters(ust_put(at, &count, UST_COUNT_BYTES), characters);
}

/* A field's value: where its number, its characters or its elements are, and how many bytes these take. */
struct ust_value {
	const void *at;
	uint64_t bytes;			/* of a string, 0 before it was looked at */
	uint64_t count;			/* of a sequence's elements */
};

/*
 * Records an event that is not usual, from the values of its fields in their order. Called by the recording function, with
 * values in its frame and its return address. One function for all events: compiling a second one for each would take
 * longer than the first.
 */
ust_unhooked __attribute__((cold, noinline, unused)) static void
ust_record_values(struct ust_tracepoint *tracepoint, struct ust_value *values, const void *ip)
{
	const struct ust_event *event = tracepoint->event;
	struct ust_unusual unusual;
	uint8_t *stored, *hidden;
	uint32_t i;

	unusual.tracepoint = tracepoint;
	unusual.bytes = 0;
	unusual.hidden_bytes = 0;
	unusual.ip = ip;
	unusual.stack = values;
	for (i = 0; i < event->field_count; i++) {
		const struct ust_field *field = &event->fields[i];
		struct ust_value *value = &values[i];

		if (field->kind == UST_KIND_STRING && !value->bytes) {
			value->at = value->at ? value->at : "(null)";
			value->bytes = __builtin_strlen((const char *)value->at) + 1;
		}
		*(field->flags & UST_NOWRITE ? &unusual.hidden_bytes : &unusual.bytes) +=
			value->bytes + (field->kind == UST_KIND_SEQUENCE ? UST_COUNT_BYTES : 0);
	}
	stored = ust_record_begin_v1(&unusual);
	if (!stored)
		return;
	hidden = stored + unusual.bytes;
	for (i = 0; i < event->field_count; i++) {
		const struct ust_field *field = &event->fields[i];
		uint8_t **at = field->flags & UST_NOWRITE ? &hidden : &stored;

		if (field->kind == UST_KIND_SEQUENCE) {
			const uint32_t count = (uint32_t)values[i].count;

			*at = ust_put(*at, &count, UST_COUNT_BYTES);
		}
		if (field->flags & UST_TEXT) {
			const struct ust_characters characters = ust_characters(values[i].at, values[i].bytes);

			*at = ust_put_characters(*at, &characters);
			continue;
		}
		if (values[i].bytes)
			__builtin_memcpy(*at, values[i].at, values[i].bytes);
		*at += values[i].bytes;
		/* Another thread may have changed the string. */
		if (field->kind == UST_KIND_STRING)
			(*at)[-1] = 0;
	}
	ust_record_end_v1(&unusual);
}

#ifdef __cplusplus
}
#endif

#endif /* UST_PROBE_H */
