/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Tracepoints of C and C++ programs: what a call of one needs.
 *
 * A header that `ust-gen-tp` has made includes this file. So does <lttng/tracepoint.h>, for headers written by hand.
 *
 *	tracepoint(shop, checkout, id);		the event, while somebody records it; else two loads and a branch
 *	if (tracepoint_enabled(shop, checkout))	for work that is only worth it then
 *	do_tracepoint(shop, checkout, id);	the event, without asking first
 *
 * Arguments are evaluated only while the event is recorded. All three exist with the prefix `lttng_ust_`, too.
 *
 * Before the first include, a source file of the program may define (the first three also with the prefix `LTTNG_UST_`)
 *
 *	TRACEPOINT_CREATE_PROBES		this file holds the recording functions of the provider
 *	TRACEPOINT_DEFINE			this file holds the call sites of the linked object
 *	TRACEPOINT_PROBE_DYNAMIC_LINKAGE	the provider may be in a library that is loaded later, or never: the
 *						program is not linked with libust
 *	LTTNG_UST_TRACEPOINT_PROVIDER_HIDDEN_DEFINITION
 *						call sites in other libraries need not find the provider when they are
 *						linked
 *	LTTNG_UST_HAVE_SDT_INTEGRATION		tracepoint() is also a probe of <sys/sdt.h>; its arguments are always
 *						evaluated then
 *
 * Layouts in this file are binding between objects that were compiled at different times: docs/c-abi.md.
 */

/* Each time: a file may ask for more, or for less, before it includes the next header. */
#undef UST_CREATE_PROBES
#if defined(TRACEPOINT_CREATE_PROBES) || defined(LTTNG_UST_TRACEPOINT_CREATE_PROBES)
#define UST_CREATE_PROBES 1
#endif
#undef UST_DEFINE
#if defined(TRACEPOINT_DEFINE) || defined(LTTNG_UST_TRACEPOINT_DEFINE)
#define UST_DEFINE 1
#endif
#if defined(TRACEPOINT_PROBE_DYNAMIC_LINKAGE) || defined(LTTNG_UST_TRACEPOINT_PROBE_DYNAMIC_LINKAGE)
#undef UST_DYNAMIC_LINKAGE
#define UST_DYNAMIC_LINKAGE 1
#endif
#undef UST_PROVIDER_VISIBILITY
#ifdef LTTNG_UST_TRACEPOINT_PROVIDER_HIDDEN_DEFINITION
#define UST_PROVIDER_VISIBILITY "hidden"
#else
#define UST_PROVIDER_VISIBILITY "default"
#endif

#ifndef UST_TRACEPOINT_H
#define UST_TRACEPOINT_H

#include <stddef.h>
#include <stdint.h>
#ifdef LTTNG_UST_HAVE_SDT_INTEGRATION
#include <sys/sdt.h>
#endif

#if !defined(__linux__) || !(defined(__x86_64__) || defined(__aarch64__)) || !defined(__LP64__) || \
	__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "ust supports 64-bit little-endian Linux on x86-64 and aarch64 only"
#endif

/* Whether names without a prefix are defined: a program that has others of its own says that it needs version 1. */
#if !defined(LTTNG_UST_COMPAT_API_VERSION) || LTTNG_UST_COMPAT_API_VERSION < 1
#define UST_OLD_NAMES 1
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ust_unlikely(condition) __builtin_expect(!!(condition), 0)
/*
 * No function of ours enters a hook of -finstrument-functions, which may itself call tracepoints. Nor does one call ThreadSanitizer,
 * which runs signal handlers within its functions, without a signal frame that tells them from what they interrupt.
 */
#if defined(__SANITIZE_THREAD__)
#define UST_WITH_THREAD_SANITIZER 1
#define UST_NOT_SANITIZED , no_sanitize_thread
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UST_WITH_THREAD_SANITIZER 1
#define UST_NOT_SANITIZED , disable_sanitizer_instrumentation
#endif
#endif
#ifndef UST_NOT_SANITIZED
#define UST_NOT_SANITIZED
#endif
#define ust_unhooked __attribute__((no_instrument_function UST_NOT_SANITIZED))
#define ust_inline static inline ust_unhooked __attribute__((always_inline, unused))

struct ust_event;

/* A tracepoint. The runtime stores `word` and `id`; nobody else stores anything. */
struct ust_tracepoint {
	const uint64_t *word;		/* the enable word: not 0 while somebody records the event; never null */
	uint32_t id;			/* the event's number in this process */
	uint32_t form;			/* UST_FORM */
	const struct ust_event *event;	/* its description: <ust/probe.h> */
	void (*record)(void);		/* the recording function: void (struct ust_tracepoint *, the arguments); never null */
};

/* The form of tracepoints and descriptions in these headers. 0 is that of Rust. */
#define UST_FORM 1

/* What the calls of one tracepoint in one linked object share. */
struct ust_callsite {
	struct ust_tracepoint *tracepoint;	/* that of the provider, or one that is off; never null */
	const char *provider;
	const char *name;
	const char *signature;			/* types and names of the arguments, as they were written */
};

/* Stand in for what is not there yet: one for each linked object. */
#define UST_HIDDEN __attribute__((visibility("hidden")))
#define UST_ONCE __attribute__((weak, visibility("hidden")))

extern const uint64_t ust_off_word_v1[2] UST_ONCE;
extern struct ust_tracepoint ust_off_v1 UST_ONCE;

/* Records nothing, whatever the arguments. */
static inline ust_unhooked void ust_record_nothing(void)
{
}

const uint64_t ust_off_word_v1[2] = { 0, 0 };
struct ust_tracepoint ust_off_v1 = { ust_off_word_v1, 0, UST_FORM, NULL, ust_record_nothing };

/*
 * The enable word: who records the event right now. A stale pointer is as valid as the new one; the loads depend on each
 * other.
 */
ust_inline uint64_t ust_wanted(const struct ust_tracepoint *tracepoint)
{
	return __atomic_load_n(__atomic_load_n(&tracepoint->word, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

/* Whether somebody records the event right now. May change at any moment. */
ust_inline int ust_is_recorded(const struct ust_tracepoint *tracepoint)
{
	return ust_wanted(tracepoint) != 0;
}

/* The same of what a call site calls. */
ust_inline int ust_is_enabled(const struct ust_callsite *callsite)
{
	return ust_is_recorded(__atomic_load_n(&callsite->tracepoint, __ATOMIC_RELAXED));
}

#define UST_CALLSITE(provider, name) UST_CALLSITE_(provider, name)
#define UST_CALLSITE_(provider, name) ust_callsite_##provider##___##name
#define UST_EMIT(provider, name) UST_EMIT_(provider, name)
#define UST_EMIT_(provider, name) ust_emit_##provider##___##name

/* The name of a tracepoint without its arguments, and the call. A last argument of 0 makes one where there is none. */
#define UST_FIRST(...) UST_FIRST_(__VA_ARGS__, 0)
#define UST_FIRST_(first, ...) first
#define UST_CALL(provider, ...) UST_CALL_(provider, __VA_ARGS__, 0)
#define UST_CALL_(provider, name, ...) UST_EMIT(provider, name)(__VA_ARGS__)

/* A probe for SystemTap and its like at each tracepoint(), whether or not the event is recorded. */
#ifdef LTTNG_UST_HAVE_SDT_INTEGRATION
#define UST_SDT(provider, ...)									\
	UST_SDT_(__VA_ARGS__, STAP_PROBE10, STAP_PROBE9, STAP_PROBE8, STAP_PROBE7, STAP_PROBE6, STAP_PROBE5, STAP_PROBE4, \
		 STAP_PROBE3, STAP_PROBE2, STAP_PROBE1, STAP_PROBE, 0)(provider, __VA_ARGS__);
#define UST_SDT_(name, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, probe, ...) probe
#else
#define UST_SDT(provider, ...)
#endif

#define ust_tracepoint_enabled(provider, name) (ust_unlikely(ust_is_enabled(&UST_CALLSITE(provider, name))) != 0)
#define ust_do_tracepoint(provider, ...) UST_CALL(provider, __VA_ARGS__)
#define ust_tracepoint(provider, ...)								\
	do {											\
		UST_SDT(provider, __VA_ARGS__)							\
		if (ust_tracepoint_enabled(provider, UST_FIRST(__VA_ARGS__)))			\
			UST_CALL(provider, __VA_ARGS__);					\
	} while (0)

#define lttng_ust_tracepoint_enabled(provider, name) ust_tracepoint_enabled(provider, name)
#define lttng_ust_do_tracepoint(provider, ...) UST_CALL(provider, __VA_ARGS__)
#define lttng_ust_tracepoint(provider, ...) ust_tracepoint(provider, __VA_ARGS__)
#ifdef UST_OLD_NAMES
#define tracepoint_enabled(provider, name) ust_tracepoint_enabled(provider, name)
#define do_tracepoint(provider, ...) UST_CALL(provider, __VA_ARGS__)
#define tracepoint(provider, ...) ust_tracepoint(provider, __VA_ARGS__)
#endif

/* A function as one of another type. A cast of C would be warned of in C++, if that is asked for. */
#ifdef __cplusplus
#define UST_FUNCTION(type, function) reinterpret_cast<type>(function)
#else
#define UST_FUNCTION(type, function) ((type)(function))
#endif

/*
 * Declares the call site `provider`:`name`, in each file that calls it. Follows a declaration of its arguments, for
 * example UST_DECLARE_CALLSITE(shop, checkout, (int id, int ust_end), (tracepoint, id), (struct ust_tracepoint *, int)).
 */
#define UST_DECLARE_CALLSITE(provider, name, params, args, types)				\
	extern struct ust_callsite ust_callsite_##provider##___##name UST_HIDDEN;		\
	ust_inline void ust_emit_##provider##___##name params					\
	{											\
		struct ust_tracepoint *tracepoint =						\
			__atomic_load_n(&ust_callsite_##provider##___##name.tracepoint, __ATOMIC_ACQUIRE); \
												\
		(void)ust_end;									\
		UST_FUNCTION(void (*) types, __atomic_load_n(&tracepoint->record, __ATOMIC_RELAXED)) args; \
	}

/* A pointer in a section that the runtime walks. */
#if defined(__has_attribute)
#if __has_attribute(retain)
#define UST_RETAIN retain,
#endif
#endif
#ifndef UST_RETAIN
#define UST_RETAIN
#endif
#define UST_LISTED(section_name) __attribute__((UST_RETAIN used, section(section_name)))

/*
 * Defines the call site, in one file of each linked object. `tracepoint` is &ust_off_v1, or the provider's where that
 * is in the same file.
 */
#define UST_DEFINE_CALLSITE(provider, name, tracepoint, signature)				\
	struct ust_callsite ust_callsite_##provider##___##name UST_ONCE =			\
		{ tracepoint, #provider, #name, signature };					\
	static struct ust_callsite *const ust_listed_callsite_##provider##___##name		\
		UST_LISTED("ust_callsites") = &ust_callsite_##provider##___##name;

/*
 * A file of call sites needs the file of the provider (UST_PROVIDE): so a linker takes it out of a static library, and
 * keeps a shared one that else nothing seems to need. A new name each time: a file may have several headers of one provider.
 */
#define UST_NEED(provider) UST_NEED_(provider, __COUNTER__)
#define UST_NEED_(provider, number) UST_NEED__(provider, number)
#define UST_NEED__(provider, number)								\
	extern char ust_needed_##provider##_##number __asm__("ust_provider_" #provider)		\
		__attribute__((visibility(UST_PROVIDER_VISIBILITY)));				\
	static char *const ust_need_##provider##_##number __attribute__((UST_RETAIN used)) =	\
		&ust_needed_##provider##_##number;

#ifdef __cplusplus
}
#endif

#endif /* UST_TRACEPOINT_H */

#if defined(UST_DEFINE) || defined(UST_CREATE_PROBES)
#include <ust/object.h>
#endif
