/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * An event without a definition:
 *
 *	tracef("%d of %d orders", done, all);	the event lttng_ust_tracef:event, with the field `msg`
 *	vtracef(format, args);			the same with a va_list
 *
 * Both exist with the prefixes `ust_` and `lttng_ust_`, too. Arguments are evaluated, and the text is formatted, only while
 * the event is recorded; then up to UST_MESSAGE_BYTES_MAX bytes of it are kept. May be included by any number of files
 * of a program that is linked with libust; they need no TRACEPOINT_DEFINE.
 */
#ifndef UST_TRACEF_H
#define UST_TRACEF_H

#include <ust/loglevel.h>
#include <ust/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Everything here is in all files that include it, and the linker keeps one. */
extern const int ust_tracef_loglevel_v1 UST_ONCE;
extern const struct ust_field ust_tracef_fields_v1[2] UST_ONCE;
extern const struct ust_event ust_tracef_event_v1 UST_ONCE;
extern struct ust_tracepoint ust_tracef_v1 UST_ONCE;
extern struct ust_tracepoint *const ust_tracef_listed_v1[1] UST_ONCE;
extern const struct ust_object ust_tracef_object_v1 UST_ONCE;
extern void ust_emit_tracef_v1(const char *format, ...) UST_ONCE ust_unhooked
	__attribute__((cold, noinline, format(printf, 1, 2)));
extern void ust_emit_vtracef_v1(const char *format, va_list args) UST_ONCE ust_unhooked
	__attribute__((cold, noinline, format(printf, 1, 0)));

const int ust_tracef_loglevel_v1 = LTTNG_UST_TRACEPOINT_LOGLEVEL_DEBUG;
const struct ust_field ust_tracef_fields_v1[2] = {
	UST_SEQUENCE_FIELD("msg", char, 10, UST_TEXT),
	UST_FIELDS_END
};
const struct ust_event ust_tracef_event_v1 = {
	"lttng_ust_tracef", "event", "const char *, msg, unsigned int, len", __FILE__, __LINE__,
	UST_COUNT(ust_tracef_fields_v1), ust_tracef_fields_v1, &ust_tracef_loglevel_v1, NULL,
};
struct ust_tracepoint ust_tracef_v1 = { ust_off_word_v1, 0, UST_FORM, &ust_tracef_event_v1, ust_record_nothing };
struct ust_tracepoint *const ust_tracef_listed_v1[1] = { &ust_tracef_v1 };
const struct ust_object ust_tracef_object_v1 = { ust_tracef_listed_v1, ust_tracef_listed_v1 + 1, NULL, NULL };

ust_unhooked __attribute__((constructor(101))) static void ust_enter_tracef(void)
{
	ust_object_register_v1(&ust_tracef_object_v1);
}

ust_unhooked __attribute__((destructor(101))) static void ust_leave_tracef(void)
{
	ust_object_unregister_v1(&ust_tracef_object_v1);
}

/* Formats and records. Inlined, so that its frame is that of a function which the program has called. */
__attribute__((format(printf, 1, 0))) ust_inline void
ust_record_tracef(const char *format, va_list args, const void *ip)
{
	struct ust_message message;
	uint64_t words[2];

	ust_format_message(&message, format, args);
	words[0] = (uintptr_t)message.text;
	words[1] = message.bytes;
	ust_record_values(&ust_tracef_v1, words, UST_COUNT_BYTES + message.bytes, 0, ip);
}

void ust_emit_tracef_v1(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ust_record_tracef(format, args, __builtin_return_address(0));
	va_end(args);
}

void ust_emit_vtracef_v1(const char *format, va_list args)
{
	ust_record_tracef(format, args, __builtin_return_address(0));
}

#define ust_tracef(...)										\
	do {											\
		if (ust_unlikely(ust_is_recorded(&ust_tracef_v1)))				\
			ust_emit_tracef_v1(__VA_ARGS__);					\
	} while (0)
#define ust_vtracef(format, args)								\
	do {											\
		if (ust_unlikely(ust_is_recorded(&ust_tracef_v1)))				\
			ust_emit_vtracef_v1(format, args);			\
	} while (0)
#define lttng_ust_tracef(...) ust_tracef(__VA_ARGS__)
#define lttng_ust_vtracef(format, args) ust_vtracef(format, args)
#ifdef UST_OLD_NAMES
#define tracef(...) ust_tracef(__VA_ARGS__)
#define vtracef(format, args) ust_vtracef(format, args)
#endif

#ifdef __cplusplus
}
#endif

#endif /* UST_TRACEF_H */
