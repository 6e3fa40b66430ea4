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
 *	UST_DECLARE_TRACEPOINT(shop, checkout)
 *	static void ust_record_shop___checkout(struct ust_tracepoint *tracepoint, int order, const char *sku)
 *	{
 *		const int value_order = order;
 *		const struct ust_text value_sku = ust_text(sku);
 *		struct ust_record record;
 *		const uint64_t bytes = sizeof(value_order) + value_sku.bytes;
 *		uint8_t *at = ust_begin_usual(&record, &ust_tracepoint_shop___checkout, bytes, UST_SLACK);
 *
 *		(void)tracepoint;
 *		if (ust_unlikely(!at)) {
 *			uint64_t words[] = { (uint64_t)value_order, (uintptr_t)value_sku.text, value_sku.bytes };
 *
 *			ust_record_values(&ust_tracepoint_shop___checkout, words, bytes, 0, __builtin_return_address(0));
 *			return;
 *		}
 *		at = ust_put(at, &value_order, sizeof(value_order));
 *		at = ust_put_text(at, &value_sku);
 *		ust_end_usual(&record);
 *	}
 *
 *	UST_DEFINE_TRACEPOINT(shop, checkout, ust_record_shop___checkout, fields, "int, order, const char *, sku",
 *			      "shop.tp", 12)
 *
 * (Of a class of events, there is one such function, which uses `tracepoint` in place of the address.)
 *
 * Each value is computed once, before there is room for it. Fields lie back to back, without padding.
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
 * What does more than copy 16 bytes is out of line, but in the same file, for the compiler to see which few registers it
 * changes. It calls no function of the C library, which would change all.
 */
#if defined(UST_EXACT_READS) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_HWADDRESS__) || \
	defined(UST_WITH_THREAD_SANITIZER)
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

/* Hides from the compiler what a pointer points to, or where a number comes from. */
#define UST_LAUNDER(value) __asm__("" : "+r"(value))

/* Keeps a local where it is. */
#define UST_KEEP(local) __asm__ volatile("" : : "r"(local) : "memory")

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

/*
 * Up to 16 bytes are copied as 16, whatever their number: what is stored too much, the next field or the next event
 * overwrites, so the event needs UST_SLACK behind it. They are read while values are computed, in one page, where reading
 * more than there is does no harm.
 *
 * Not on aarch64, where memory may have tags that such a read would not match, nor where a sanitizer would find it.
 */
#if defined(__SSE2__) && !defined(UST_WITH_SANITIZER)
#define UST_SHORT_BYTES 16
typedef char ust_short __attribute__((vector_size(16), may_alias));
#else
#define UST_SHORT_BYTES 0
typedef uint8_t ust_short;
#endif
#define UST_SLACK UST_SHORT_BYTES

#if UST_SHORT_BYTES
/* All ones where there is a NUL. Not of <emmintrin.h>, the functions of which enter hooks in Clang. */
ust_inline ust_short ust_nuls(ust_short bytes)
{
	const ust_short nul = { 0 };

	return (ust_short)(bytes == nul);
}

/* The same, a bit for each byte. */
ust_inline unsigned int ust_nul_bits(ust_short bytes)
{
	return (unsigned int)__builtin_ia32_pmovmskb128(ust_nuls(bytes));
}
#endif

/* Hides from the compiler where 16 bytes come from: it would read them twice, with a change of another thread between. */
#define UST_READ_ONCE(bytes) __asm__("" : "+x"(bytes))

#if defined(UST_WITH_SANITIZER)
#define UST_IS_IN_PAGE(at, bytes) 0
#else
#define UST_IS_IN_PAGE(at, bytes) (((uintptr_t)(at) & 4095) <= 4096 - (uint64_t)(bytes))
#endif

/* Reads `bytes` at the end of a page, up to the first NUL if that ends them, and NULs from there on. */
__attribute__((cold)) ust_apart ust_short ust_read_at_end(const char *at, uint64_t bytes, int ends_at_nul)
{
	uint8_t found[16] = { 0 };
	ust_short result;
	uint64_t i;

	for (i = 0; i < bytes && !(ends_at_nul && !at[i]); i++) {
		found[i] = (uint8_t)at[i];
		/* Else it would be made a call of memcpy. */
		UST_LAUNDER(at);
	}
	__builtin_memcpy(&result, found, sizeof(result));
	return result;
}

/* Whether there are 1 to UST_SHORT_BYTES bytes: the address of none may be any. */
#define UST_IS_SHORT(bytes) ((bytes) != 0 && (bytes) <= UST_SHORT_BYTES)

/*
 * Bytes of a string with its NUL, of which UST_SHORT_BYTES were found not to be one: these count even if another thread has
 * made the string shorter since then. Reads whole aligned words, which lie in one page each.
 */
ust_apart uint64_t ust_text_bytes(const char *text)
{
#if defined(UST_WITH_SANITIZER)
	return __builtin_strlen(text) + 1;
#elif UST_SHORT_BYTES
	const char *at = (const char *)((uintptr_t)text & ~(uintptr_t)15);
	uint64_t bytes;
	unsigned int nuls;

	UST_LAUNDER(at);
	do {
		at += 16;
		nuls = ust_nul_bits(*(const ust_short *)at);
	} while (!nuls);
	bytes = (uint64_t)(at - text) + (uint64_t)__builtin_ctz(nuls) + 1;
	return bytes > UST_SHORT_BYTES ? bytes : UST_SHORT_BYTES + 1;
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

/* A string and its bytes with the NUL, as they were when it was looked at. */
struct ust_text {
	const char *text;
	uint64_t bytes;
	ust_short first;		/* all of them, if they are short */
};

/* "(null)" for no string. */
ust_helper struct ust_text ust_text(const char *text)
{
	struct ust_text found;
#if UST_SHORT_BYTES
	unsigned int nuls;

	/* So that the compiler does not warn of what would be read of a literal if it were longer. */
	UST_LAUNDER(text);
	found.text = text;
	if (ust_unlikely(!text || !UST_IS_IN_PAGE(text, UST_SHORT_BYTES)))
		found.first = ust_read_at_end(text ? text : "(null)", UST_SHORT_BYTES, 1);
	else
		__builtin_memcpy(&found.first, text, UST_SHORT_BYTES);
	UST_READ_ONCE(found.first);
	nuls = ust_nul_bits(found.first);
	found.bytes = ust_unlikely(!nuls) ? ust_text_bytes(text) : (uint64_t)(unsigned int)__builtin_ctz(nuls) + 1;
#else
	found.text = text ? text : "(null)";
	found.bytes = ust_text_bytes(found.text);
	found.first = 0;
#endif
	return found;
}

/* Elements of a sequence, or the characters of a text of a given size. */
struct ust_elements {
	const void *elements;
	uint64_t count;
	uint64_t bytes;
	ust_short first;		/* as above */
};

/*
 * `count` elements of `size` bytes that only filters see, which are not read in the usual case. More than an event can hold
 * are as many bytes, so that the event is too big.
 */
ust_helper struct ust_elements ust_hidden_elements(const void *elements, uint64_t count, uint64_t size)
{
	struct ust_elements found;

	/* As in ust_text. */
	UST_LAUNDER(elements);
	found.elements = elements;
	found.count = count;
	found.bytes = count <= UINT32_MAX ? count * size : (uint64_t)UINT32_MAX * 8;
	__builtin_memset(&found.first, 0, sizeof(found.first));
	return found;
}

/* The same, read if they are short; with `ends_at_nul` there may be no more than up to the first NUL. */
ust_helper struct ust_elements ust_read_elements(const void *elements, uint64_t count, uint64_t size, int ends_at_nul)
{
	struct ust_elements found = ust_hidden_elements(elements, count, size);

	if (UST_IS_SHORT(found.bytes)) {
		if (ust_unlikely(!UST_IS_IN_PAGE(elements, UST_SHORT_BYTES)))
			found.first = ust_read_at_end((const char *)elements, found.bytes, ends_at_nul);
		else
			__builtin_memcpy(&found.first, found.elements, sizeof(found.first));
	}
	return found;
}

/* `count` elements of `size` bytes. */
ust_helper struct ust_elements ust_elements(const void *elements, uint64_t count, uint64_t size)
{
	return ust_read_elements(elements, count, size, 0);
}

/*
 * Characters that take a given number of bytes, and end before at a NUL. There may be fewer than that: so what is behind a
 * NUL is copied only if it lies in the same page, where reading it does no harm. No reader looks at it.
 */
ust_helper struct ust_elements ust_characters(const void *text, uint64_t count, uint64_t size)
{
	return ust_read_elements(text, count, size, size == 1);
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

/*
 * Copies a string of `bytes` with its NUL. A NUL that another thread has stored since then is replaced: the fields and events
 * behind it could not be read.
 */
ust_apart void ust_copy_text(uint8_t *at, const char *text, uint64_t bytes)
{
	uint64_t i = 0, length = bytes - 1;
#if UST_SHORT_BYTES
	if (length >= UST_SHORT_BYTES) {
		while (i < length) {
			ust_short part;

			if (i > length - UST_SHORT_BYTES)
				i = length - UST_SHORT_BYTES;
			__builtin_memcpy(&part, text + i, UST_SHORT_BYTES);
			UST_READ_ONCE(part);
			part |= ust_nuls(part) & (char)'?';
			__builtin_memcpy(at + i, &part, UST_SHORT_BYTES);
			i += UST_SHORT_BYTES;
		}
	}
#else
	for (; i + 8 <= length; i += 8) {
		const uint64_t lows = UINT64_C(0x7f7f7f7f7f7f7f7f);
		uint64_t part, nuls;

		__builtin_memcpy(&part, text + i, 8);
		/* Else it might be read twice. */
		UST_LAUNDER(part);
		nuls = ~(((part & lows) + lows) | part | lows) >> 7;
		part |= nuls * '?';
		__builtin_memcpy(at + i, &part, 8);
	}
#endif
	for (; i < length; i++) {
		uint8_t byte = *(const volatile uint8_t *)(text + i);

		at[i] = byte ? byte : '?';
	}
	at[length] = 0;
}

/* Stores a string with its NUL. */
ust_helper uint8_t *ust_put_text(uint8_t *at, const struct ust_text *text)
{
	if (ust_unlikely(text->bytes > UST_SHORT_BYTES)) {
		ust_copy_text(at, text->text, text->bytes);
	} else {
		__builtin_memcpy(at, &text->first, sizeof(text->first));
	}
	return at + text->bytes;
}

/* Copies characters up to the first NUL, and maybe what is behind it. */
ust_apart void ust_copy_characters(uint8_t *at, const char *text, uint64_t bytes)
{
	uint64_t i = 0;

	if (bytes <= 4096 && UST_IS_IN_PAGE(text, bytes)) {
		ust_copy(at, (const uint8_t *)text, bytes);
		return;
	}
	for (; i < bytes && text[i]; i++)
		at[i] = (uint8_t)text[i];
	for (; i < bytes; i++) {
		at[i] = 0;
		/* Else it would be made a call of memset. */
		UST_LAUNDER(at);
	}
}

/* Stores the characters of an array. */
ust_helper uint8_t *ust_put_characters(uint8_t *at, const struct ust_elements *characters)
{
	if (ust_unlikely(characters->bytes > UST_SHORT_BYTES))
		ust_copy_characters(at, (const char *)characters->elements, characters->bytes);
	else if (UST_SHORT_BYTES)
		__builtin_memcpy(at, &characters->first, sizeof(characters->first));
	return at + characters->bytes;
}

/* Stores a sequence of characters: the count, then these. */
ust_helper uint8_t *ust_put_counted_characters(uint8_t *at, const struct ust_elements *characters)
{
	uint32_t count = (uint32_t)characters->count;

	return ust_put_characters(ust_put(at, &count, UST_COUNT_BYTES), characters);
}

/* Stores a sequence: the count, then the elements. */
ust_helper uint8_t *ust_put_elements(uint8_t *at, const struct ust_elements *elements)
{
	uint32_t count = (uint32_t)elements->count;

	at = ust_put(at, &count, UST_COUNT_BYTES);
	if (ust_unlikely(elements->bytes > UST_SHORT_BYTES))
		ust_copy(at, (const uint8_t *)elements->elements, elements->bytes);
	else if (UST_SHORT_BYTES)
		__builtin_memcpy(at, &elements->first, sizeof(elements->first));
	return at + elements->bytes;
}

/*
 * The values of an event that is not usual are a list of words, in the order of its fields: the bits of a number, or the
 * address of a larger one; the address of an array's elements; the address of a string and its bytes, 0 before it was looked
 * at; the address of a sequence's elements and their number.
 */

/* The word of a number. A copy: its address would keep it out of the registers in the usual case. */
ust_helper uint64_t ust_word(const void *number, uint64_t bytes)
{
	uint64_t word = 0;

	if (bytes > sizeof(word))
		return (uintptr_t)number;
	__builtin_memcpy(&word, number, bytes);
	return word;
}

/* Whether the word of a field is its value. */
ust_helper int ust_is_word(const struct ust_field *field)
{
	return (field->kind == UST_KIND_SCALAR || field->kind == UST_KIND_ENUMERATION) && field->bits <= 64;
}

/* Stores the number in a word. */
ust_helper uint8_t *ust_put_word(uint8_t *at, uint64_t word, uint32_t bits)
{
	if (bits == 64)
		__builtin_memcpy(at, &word, 8);
	else if (bits == 32)
		__builtin_memcpy(at, &word, 4);
	else if (bits == 16)
		__builtin_memcpy(at, &word, 2);
	else
		*at = (uint8_t)word;
	return at + bits / 8;
}

/* What else a field stores, and behind how many elements' count if it is a sequence. */
struct ust_value {
	const void *from;
	uint64_t bytes;
	uint64_t count;
};

/* Returns the value of a field at its words. */
ust_helper struct ust_value ust_value(const struct ust_field *field, uint64_t *words)
{
	uint64_t size = field->bits / 8;
	struct ust_value value;

	value.from = (const void *)(uintptr_t)words[0];
	value.bytes = size;
	value.count = field->count;
	if (field->kind == UST_KIND_STRING) {
		value.from = value.from ? value.from : "(null)";
		if (!words[1])
			words[1] = __builtin_strlen((const char *)value.from) + 1;
		value.bytes = words[1];
	} else if (field->kind == UST_KIND_SEQUENCE) {
		value.count = words[1];
		value.bytes = ust_hidden_elements(value.from, value.count, size).bytes;
	} else if (field->kind == UST_KIND_ARRAY) {
		value.bytes = value.count * size;
	}
	return value;
}

/* How many words a field has. */
#define UST_WORD_COUNT(field) ((field)->kind == UST_KIND_STRING || (field)->kind == UST_KIND_SEQUENCE ? 2 : 1)

/* Stores a value with nothing behind it. */
ust_helper uint8_t *ust_put_value(uint8_t *at, const struct ust_field *field, const struct ust_value *value)
{
	if (field->kind == UST_KIND_SEQUENCE) {
		const uint32_t count = (uint32_t)value->count;

		at = ust_put(at, &count, UST_COUNT_BYTES);
	}
	if (field->kind == UST_KIND_STRING)
		ust_copy_text(at, (const char *)value->from, value->bytes);
	else if (field->flags & UST_TEXT && field->bits == 8)
		ust_copy_characters(at, (const char *)value->from, value->bytes);
	else
		ust_copy(at, (const uint8_t *)value->from, value->bytes);
	return at + value->bytes;
}

/* Bytes of the fields that only filters see. Keeps the lengths of strings. */
ust_apart uint64_t ust_hidden_bytes(const struct ust_event *event, uint64_t *words)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < event->field_count; i++) {
		const struct ust_field *field = &event->fields[i];

		if (field->flags & UST_NOWRITE) {
			bytes += ust_is_word(field) ? field->bits / 8 : ust_value(field, words).bytes;
			bytes += field->kind == UST_KIND_SEQUENCE ? UST_COUNT_BYTES : 0;
		}
		words += UST_WORD_COUNT(field);
	}
	return bytes;
}

/*
 * Records an event that is not usual, from the words of its values. `bytes` is what its fields take, without those that only
 * filters see; `hides` is 0 where there are none of these. Called by the recording function, with the words in its frame
 * and its return address. One function for all events: compiling a second one for each would take half as long as
 * the first. Not cold: with a filter or a context all events are recorded here.
 */
ust_apart void
ust_record_values(struct ust_tracepoint *tracepoint, uint64_t *words, uint64_t bytes, int hides, const void *ip)
{
	const struct ust_event *event = tracepoint->event;
	struct ust_unusual unusual;
	uint8_t *stored, *hidden;
	uint32_t i;
#ifdef UST_WITH_THREAD_SANITIZER
	/* Its handlers run within functions of the C library that the runtime calls: as far away as if there were a signal frame. */
	volatile char room[2048];

	UST_KEEP(room);
#endif

	unusual.tracepoint = tracepoint;
	unusual.ip = ip;
	/* Not of the words, which a compiler may keep elsewhere (AddressSanitizer, SafeStack). */
	unusual.stack = __builtin_frame_address(0);
	unusual.values = words;
	unusual.bytes = bytes;
	unusual.hidden_bytes = hides ? ust_hidden_bytes(event, words) : 0;
	stored = ust_record_begin_v1(&unusual);
	if (!stored)
		return;
	hidden = stored + unusual.bytes;
	for (i = 0; i < event->field_count; i++) {
		const struct ust_field *field = &event->fields[i];
		int is_hidden = (field->flags & UST_NOWRITE) != 0;
		uint8_t *at = is_hidden ? hidden : stored;

		if (ust_is_word(field)) {
			at = ust_put_word(at, *words++, field->bits);
		} else {
			const struct ust_value value = ust_value(field, words);

			at = ust_put_value(at, field, &value);
			words += UST_WORD_COUNT(field);
		}
		if (is_hidden)
			hidden = at;
		else
			stored = at;
	}
	ust_record_end_v1(&unusual);
}

#ifdef __cplusplus
}
#endif

#endif /* UST_PROBE_H */
