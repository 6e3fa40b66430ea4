/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * An event without a definition that tells its place, with a log level:
 *
 *	tracelog(TRACE_INFO, "%d of %d orders", done, all);
 *	vtracelog(TRACE_INFO, format, args);	the same with a va_list
 *
 * Of the level TRACE_INFO, which is LTTNG_UST_TRACEPOINT_LOGLEVEL_INFO, the event is
 * lttng_ust_tracelog:LTTNG_UST_TRACEPOINT_LOGLEVEL_INFO, with the fields `line`, `file`, `func` and `msg`. A level may be
 * computed. For all else see <ust/tracef.h>.
 */
#ifndef UST_TRACELOG_H
#define UST_TRACELOG_H

#include <ust/loglevel.h>
#include <ust/message.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UST_TRACELOG_COUNT 15

/* Everything here is in all files that include it, and the linker keeps one. */
extern const int ust_tracelog_loglevels_v1[UST_TRACELOG_COUNT] UST_ONCE;
extern const struct ust_field ust_tracelog_fields_v1[5] UST_ONCE;
extern const struct ust_event ust_tracelog_events_v1[UST_TRACELOG_COUNT] UST_ONCE;
extern struct ust_tracepoint ust_tracelog_v1[UST_TRACELOG_COUNT] UST_ONCE;
extern struct ust_tracepoint *const ust_tracelog_listed_v1[UST_TRACELOG_COUNT] UST_ONCE;
extern const struct ust_object ust_tracelog_object_v1 UST_ONCE;
extern void ust_emit_tracelog_v1(struct ust_tracepoint *tracepoint, const char *file, int line, const char *func,
				 const char *format, ...) UST_ONCE ust_unhooked
	__attribute__((cold, noinline, format(printf, 5, 6)));
extern void ust_emit_vtracelog_v1(struct ust_tracepoint *tracepoint, const char *file, int line, const char *func,
				  const char *format, va_list args) UST_ONCE ust_unhooked
	__attribute__((cold, noinline, format(printf, 5, 0)));

const int ust_tracelog_loglevels_v1[UST_TRACELOG_COUNT] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };
const struct ust_field ust_tracelog_fields_v1[5] = {
	UST_NUMBER_FIELD("line", int, 10, 0),
	UST_STRING_FIELD("file", 0),
	UST_STRING_FIELD("func", 0),
	UST_SEQUENCE_FIELD("msg", char, 10, UST_TEXT),
	UST_FIELDS_END
};
#define UST_TRACELOG_EVENT(level, name)								\
	{ "lttng_ust_tracelog", "LTTNG_UST_TRACEPOINT_LOGLEVEL_" name,				\
	  "const char *, file, int, line, const char *, func, const char *, msg, unsigned int, len", __FILE__, __LINE__, \
	  UST_COUNT(ust_tracelog_fields_v1), ust_tracelog_fields_v1, &ust_tracelog_loglevels_v1[level], NULL }
const struct ust_event ust_tracelog_events_v1[UST_TRACELOG_COUNT] = {
	UST_TRACELOG_EVENT(0, "EMERG"),
	UST_TRACELOG_EVENT(1, "ALERT"),
	UST_TRACELOG_EVENT(2, "CRIT"),
	UST_TRACELOG_EVENT(3, "ERR"),
	UST_TRACELOG_EVENT(4, "WARNING"),
	UST_TRACELOG_EVENT(5, "NOTICE"),
	UST_TRACELOG_EVENT(6, "INFO"),
	UST_TRACELOG_EVENT(7, "DEBUG_SYSTEM"),
	UST_TRACELOG_EVENT(8, "DEBUG_PROGRAM"),
	UST_TRACELOG_EVENT(9, "DEBUG_PROCESS"),
	UST_TRACELOG_EVENT(10, "DEBUG_MODULE"),
	UST_TRACELOG_EVENT(11, "DEBUG_UNIT"),
	UST_TRACELOG_EVENT(12, "DEBUG_FUNCTION"),
	UST_TRACELOG_EVENT(13, "DEBUG_LINE"),
	UST_TRACELOG_EVENT(14, "DEBUG"),
};
#define UST_TRACELOG_TRACEPOINT(level)								\
	{ ust_off_word_v1, 0, UST_FORM, &ust_tracelog_events_v1[level], ust_record_nothing }
struct ust_tracepoint ust_tracelog_v1[UST_TRACELOG_COUNT] = {
	UST_TRACELOG_TRACEPOINT(0),
	UST_TRACELOG_TRACEPOINT(1),
	UST_TRACELOG_TRACEPOINT(2),
	UST_TRACELOG_TRACEPOINT(3),
	UST_TRACELOG_TRACEPOINT(4),
	UST_TRACELOG_TRACEPOINT(5),
	UST_TRACELOG_TRACEPOINT(6),
	UST_TRACELOG_TRACEPOINT(7),
	UST_TRACELOG_TRACEPOINT(8),
	UST_TRACELOG_TRACEPOINT(9),
	UST_TRACELOG_TRACEPOINT(10),
	UST_TRACELOG_TRACEPOINT(11),
	UST_TRACELOG_TRACEPOINT(12),
	UST_TRACELOG_TRACEPOINT(13),
	UST_TRACELOG_TRACEPOINT(14),
};
struct ust_tracepoint *const ust_tracelog_listed_v1[UST_TRACELOG_COUNT] = {
	&ust_tracelog_v1[0], &ust_tracelog_v1[1], &ust_tracelog_v1[2],
	&ust_tracelog_v1[3], &ust_tracelog_v1[4], &ust_tracelog_v1[5],
	&ust_tracelog_v1[6], &ust_tracelog_v1[7], &ust_tracelog_v1[8],
	&ust_tracelog_v1[9], &ust_tracelog_v1[10], &ust_tracelog_v1[11],
	&ust_tracelog_v1[12], &ust_tracelog_v1[13], &ust_tracelog_v1[14],
};
const struct ust_object ust_tracelog_object_v1 = {
	ust_tracelog_listed_v1, ust_tracelog_listed_v1 + UST_TRACELOG_COUNT, NULL, NULL,
};

ust_unhooked __attribute__((constructor(101))) static void ust_enter_tracelog(void)
{
	ust_object_register_v1(&ust_tracelog_object_v1);
}

ust_unhooked __attribute__((destructor(101))) static void ust_leave_tracelog(void)
{
	ust_object_unregister_v1(&ust_tracelog_object_v1);
}

/* The tracepoint of a log level; of one that there is not, the last. */
ust_inline struct ust_tracepoint *ust_tracelog_tracepoint(int level)
{
	return &ust_tracelog_v1[0 <= level && level < UST_TRACELOG_COUNT ? level : UST_TRACELOG_COUNT - 1];
}

/* Formats and records. Inlined, so that its frame is that of a function which the program has called. */
__attribute__((format(printf, 5, 0))) ust_inline void
ust_record_tracelog(struct ust_tracepoint *tracepoint, const char *file, int line, const char *func, const char *format,
		    va_list args, const void *ip)
{
	struct ust_message message;
	uint64_t words[7], bytes;

	ust_format_message(&message, format, args);
	words[0] = ust_word(&line, sizeof(line));
	words[1] = (uintptr_t)file;
	words[2] = __builtin_strlen(file) + 1;
	words[3] = (uintptr_t)func;
	words[4] = __builtin_strlen(func) + 1;
	words[5] = (uintptr_t)message.text;
	words[6] = message.bytes;
	bytes = sizeof(line) + words[2] + words[4] + UST_COUNT_BYTES + message.bytes;
	ust_record_values(tracepoint, words, bytes, 0, ip);
}

void ust_emit_tracelog_v1(struct ust_tracepoint *tracepoint, const char *file, int line, const char *func,
			  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ust_record_tracelog(tracepoint, file, line, func, format, args, __builtin_return_address(0));
	va_end(args);
}

void ust_emit_vtracelog_v1(struct ust_tracepoint *tracepoint, const char *file, int line, const char *func,
			   const char *format, va_list args)
{
	ust_record_tracelog(tracepoint, file, line, func, format, args, __builtin_return_address(0));
}

#define ust_tracelog(level, ...)								\
	do {											\
		struct ust_tracepoint *const ust_of_level = ust_tracelog_tracepoint(level);	\
												\
		if (ust_unlikely(ust_is_recorded(ust_of_level)))				\
			ust_emit_tracelog_v1(ust_of_level, __FILE__, __LINE__, __func__, __VA_ARGS__); \
	} while (0)
#define ust_vtracelog(level, format, args)							\
	do {											\
		struct ust_tracepoint *const ust_of_level = ust_tracelog_tracepoint(level);	\
												\
		if (ust_unlikely(ust_is_recorded(ust_of_level)))				\
			ust_emit_vtracelog_v1(ust_of_level, __FILE__, __LINE__, __func__, format, args); \
	} while (0)
#define lttng_ust_tracelog(level, ...) ust_tracelog(level, __VA_ARGS__)
#define lttng_ust_vtracelog(level, format, args) ust_vtracelog(level, format, args)
#ifdef UST_OLD_NAMES
#define tracelog(level, ...) ust_tracelog(level, __VA_ARGS__)
#define vtracelog(level, format, args) ust_vtracelog(level, format, args)
#endif

#ifdef __cplusplus
}
#endif

#endif /* UST_TRACELOG_H */
