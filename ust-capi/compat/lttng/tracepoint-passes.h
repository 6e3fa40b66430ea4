/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What becomes of a header of tracepoints in each reading after the first, for <lttng/tracepoint-event.h>. */
#ifndef UST_LTTNG_TRACEPOINT_PASSES_H
#define UST_LTTNG_TRACEPOINT_PASSES_H

/* Expressions of fields may do without naming these. */
#include <byteswap.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include <lttng/tracepoint-fields.h>

/* Labels of enumerations. */
#define UST_TP_ENUMERATIONS_EVENT(provider, name, args, fields)
#define UST_TP_ENUMERATIONS_CLASS(provider, name, args, fields)
#define UST_TP_ENUMERATIONS_INSTANCE(class_provider, class_name, provider, name, args)
#define UST_TP_ENUMERATIONS_OLD_INSTANCE(provider, class_name, name, args)
#define UST_TP_ENUMERATIONS_ENUM(provider, name, values) UST_TP_DEFINE_ENUMERATION(provider, name, values)
#define UST_TP_ENUMERATIONS_LOGLEVEL(provider, name, level)
#define UST_TP_ENUMERATIONS_MODEL_EMF_URI(provider, name, uri)

#define UST_TP_DEFINE_ENUMERATION(provider, name, ...)						\
	static const struct ust_label ust_labels_##provider##___##name[] = { __VA_ARGS__ UST_LABELS_END };	\
	static const struct ust_enumeration ust_enumeration_##provider##___##name __attribute__((unused)) =	\
		{ #name, ust_labels_##provider##___##name, UST_COUNT(ust_labels_##provider##___##name) };

/*
 * Lists of fields and recording functions: one of each for a class, and for an event that is its own class, of which the
 * tracepoint is known.
 */
#define UST_TP_RECORDERS_EVENT(provider, name, args, fields) UST_TP_RECORDER_OF_ONE(provider, name, fields, args)
#define UST_TP_RECORDERS_CLASS(provider, name, args, fields) UST_TP_RECORDER(provider, name, ust_self, fields, args)
#define UST_TP_RECORDERS_INSTANCE(class_provider, class_name, provider, name, args)
#define UST_TP_RECORDERS_OLD_INSTANCE(provider, class_name, name, args)
#define UST_TP_RECORDERS_ENUM(provider, name, values)
#define UST_TP_RECORDERS_LOGLEVEL(provider, name, level)
#define UST_TP_RECORDERS_MODEL_EMF_URI(provider, name, uri)

#define UST_TP_RECORDER_OF_ONE(provider, name, fields, ...)					\
	UST_DECLARE_TRACEPOINT(provider, name)							\
	UST_TP_RECORDER(provider, name, &ust_tracepoint_##provider##___##name, fields, __VA_ARGS__)
#define UST_TP_RECORDER(provider, name, self, fields, ...)					\
	UST_TP_RECORDER_(provider, name, self, fields, UST_TP_COUNT(__VA_ARGS__), __VA_ARGS__)
#define UST_TP_RECORDER_(provider, name, self, fields, count, ...)				\
	UST_TP_RECORDER__(provider, name, self, fields, count, __VA_ARGS__)
#define UST_TP_RECORDER__(provider, name, self, fields, count, ...)				\
	static const struct ust_field ust_fields_##provider##___##name[] __attribute__((unused)) =	\
		{ UST_TP_EACH(ENTRY, fields) UST_FIELDS_END };					\
	ust_inline void ust_store_##provider##___##name(struct ust_tracepoint *ust_tracepoint, int ust_has_ip,	\
							const void *ust_ip UST_TP_EACH(LOCAL, fields)) \
	{											\
		uint64_t ust_bytes = 0, ust_slack = 0;						\
		int ust_hides = 0;								\
		struct ust_record ust_record;							\
		uint8_t *ust_at;								\
												\
		UST_TP_EACH(BYTES, fields)							\
		ust_at = ust_begin_usual(&ust_record, ust_tracepoint, ust_bytes, ust_slack);	\
		if (!ust_unlikely(!ust_at)) {							\
			UST_TP_EACH(STORE, fields)						\
			ust_end_usual(&ust_record);						\
		} else {									\
			uint64_t ust_words[] = { UST_TP_EACH(WORDS, fields) 0 }; \
												\
			ust_record_values(ust_tracepoint, ust_words, ust_bytes, ust_hides,		\
					  ust_has_ip ? ust_ip : __builtin_return_address(0));	\
		}										\
	}											\
	ust_unhooked __attribute__((unused)) static void					\
	ust_record_##provider##___##name(struct ust_tracepoint *ust_self			\
					 UST_TP_PAIRS_##count(UST_TP_NAMED, __VA_ARGS__))	\
	{											\
		(void)ust_self;									\
		ust_store_##provider##___##name(self, UST_TP_IP UST_TP_EACH(VALUE, fields));	\
	}
#define UST_TP_NAMED(number, type, name) , type name __attribute__((unused))

/* Tracepoints, and what is told of them. */
#define UST_TP_TRACEPOINTS_EVENT(provider, name, args, fields) UST_TP_TRACEPOINT(provider, name, provider, name, args)
#define UST_TP_TRACEPOINTS_CLASS(provider, name, args, fields)
#define UST_TP_TRACEPOINTS_INSTANCE(class_provider, class_name, provider, name, args)		\
	UST_TP_TRACEPOINT(class_provider, class_name, provider, name, args)
#define UST_TP_TRACEPOINTS_OLD_INSTANCE(provider, class_name, name, args)			\
	UST_TP_TRACEPOINT(provider, class_name, provider, name, args)
#define UST_TP_TRACEPOINTS_ENUM(provider, name, values)
#define UST_TP_TRACEPOINTS_LOGLEVEL(provider, name, level) UST_TP_LOGLEVEL(provider, name, level)
#define UST_TP_TRACEPOINTS_MODEL_EMF_URI(provider, name, uri) UST_TP_MODEL_EMF_URI(provider, name, uri)

#define UST_TP_TRACEPOINT(class_provider, class_name, provider, name, ...)			\
	UST_TP_TRACEPOINT_(class_provider, class_name, provider, name, #__VA_ARGS__)
#define UST_TP_TRACEPOINT_(class_provider, class_name, provider, name, signature)		\
	UST_DEFINE_TRACEPOINT(provider, name, ust_record_##class_provider##___##class_name,	\
			      ust_fields_##class_provider##___##class_name, signature, __FILE__, __LINE__)
#define UST_TP_LOGLEVEL(provider, name, level) UST_DEFINE_LOGLEVEL(provider, name, level)
#define UST_TP_MODEL_EMF_URI(provider, name, uri) UST_DEFINE_MODEL_EMF_URI(provider, name, uri)

#endif /* UST_LTTNG_TRACEPOINT_PASSES_H */
