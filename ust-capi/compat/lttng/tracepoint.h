/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Headers that define tracepoints with macros, as programs for lttng-ust have them, compile unchanged with this file:
 *
 *	#undef TRACEPOINT_PROVIDER
 *	#define TRACEPOINT_PROVIDER shop
 *	#undef TRACEPOINT_INCLUDE
 *	#define TRACEPOINT_INCLUDE "./shop-tp.h"
 *	#if !defined(SHOP_TP_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
 *	#define SHOP_TP_H
 *	#include <lttng/tracepoint.h>
 *
 *	TRACEPOINT_EVENT(shop, checkout,
 *		TP_ARGS(int, order, const char *, sku),
 *		TP_FIELDS(ctf_integer(int, order, order) ctf_string(sku, sku)))
 *
 *	#endif
 *	#include <lttng/tracepoint-event.h>
 *
 * All macros have two spellings, which may be mixed: this one, and that with LTTNG_UST_ or lttng_ust_field_.
 *
 * The first time such a header is read, its events become call sites. In a file that defines TRACEPOINT_CREATE_PROBES,
 * <lttng/tracepoint-event.h> reads it again, for other things: UST_TP_PASS says what a reading is for.
 */
#ifndef UST_LTTNG_TRACEPOINT_H
#define UST_LTTNG_TRACEPOINT_H

/* Files that include this header may do without naming these. */
#include <assert.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <lttng/ust-api-compat.h>
#include <lttng/ust-version.h>
#include <ust/loglevel.h>
#include <ust/tracepoint.h>

/* Bytes of a provider's and an event's name with the colon and the NUL, at most. */
#define LTTNG_UST_TRACEPOINT_NAME_LEN_MAX 256

/* Where this is. */
#define LTTNG_UST_TRACEPOINT_THIS_IP __extension__({ __label__ ust_here; ust_here: (void *)&&ust_here; })

/* What a header consists of. No parameters: the macro that the pass chooses takes the arguments as they were written. */
#define LTTNG_UST_TRACEPOINT_EVENT UST_TP_PASS(EVENT)
#define LTTNG_UST_TRACEPOINT_EVENT_CLASS UST_TP_PASS(CLASS)
#define LTTNG_UST_TRACEPOINT_EVENT_INSTANCE UST_TP_PASS(INSTANCE)
#define LTTNG_UST_TRACEPOINT_ENUM UST_TP_PASS(ENUM)
#define LTTNG_UST_TRACEPOINT_LOGLEVEL UST_TP_PASS(LOGLEVEL)
#define LTTNG_UST_TRACEPOINT_MODEL_EMF_URI UST_TP_PASS(MODEL_EMF_URI)
#define LTTNG_UST_TP_ARGS(...) __VA_ARGS__
#define LTTNG_UST_TP_FIELDS(...) __VA_ARGS__
#define LTTNG_UST_TP_ENUM_VALUES(...) __VA_ARGS__

#ifdef UST_OLD_NAMES
#define TRACEPOINT_EVENT LTTNG_UST_TRACEPOINT_EVENT
#define TRACEPOINT_EVENT_CLASS LTTNG_UST_TRACEPOINT_EVENT_CLASS
/* Here the class has the provider of the instance. */
#define TRACEPOINT_EVENT_INSTANCE UST_TP_PASS(OLD_INSTANCE)
#define TRACEPOINT_ENUM LTTNG_UST_TRACEPOINT_ENUM
#define TRACEPOINT_LOGLEVEL LTTNG_UST_TRACEPOINT_LOGLEVEL
#define TRACEPOINT_MODEL_EMF_URI LTTNG_UST_TRACEPOINT_MODEL_EMF_URI
#define TP_ARGS LTTNG_UST_TP_ARGS
#define TP_FIELDS LTTNG_UST_TP_FIELDS
#define TP_ENUM_VALUES LTTNG_UST_TP_ENUM_VALUES
#endif

#define UST_TP_QUOTED(text) UST_TP_QUOTED_(text)
#define UST_TP_QUOTED_(text) #text

/* How many types and names there are; none counts as one, as `void` does. */
#define UST_TP_COUNT(...)									\
	UST_TP_COUNT_(__VA_ARGS__, MORE_THAN_10, ODD, 20, ODD, 18, ODD, 16, ODD, 14, ODD, 12, ODD, 10, ODD, 8, ODD, 6, \
		      ODD, 4, ODD, 2, 1, 0)
#define UST_TP_COUNT_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, \
		      a21, a22, count, ...) count

/* Calls `with(number, type, name)` for each argument; the numbers have no meaning but that they differ. */
#define UST_TP_PAIRS_1(with, nothing)
#define UST_TP_PAIRS_2(with, type, name) with(2, type, name)
#define UST_TP_PAIRS_4(with, type, name, ...) with(4, type, name) UST_TP_PAIRS_2(with, __VA_ARGS__)
#define UST_TP_PAIRS_6(with, type, name, ...) with(6, type, name) UST_TP_PAIRS_4(with, __VA_ARGS__)
#define UST_TP_PAIRS_8(with, type, name, ...) with(8, type, name) UST_TP_PAIRS_6(with, __VA_ARGS__)
#define UST_TP_PAIRS_10(with, type, name, ...) with(10, type, name) UST_TP_PAIRS_8(with, __VA_ARGS__)
#define UST_TP_PAIRS_12(with, type, name, ...) with(12, type, name) UST_TP_PAIRS_10(with, __VA_ARGS__)
#define UST_TP_PAIRS_14(with, type, name, ...) with(14, type, name) UST_TP_PAIRS_12(with, __VA_ARGS__)
#define UST_TP_PAIRS_16(with, type, name, ...) with(16, type, name) UST_TP_PAIRS_14(with, __VA_ARGS__)
#define UST_TP_PAIRS_18(with, type, name, ...) with(18, type, name) UST_TP_PAIRS_16(with, __VA_ARGS__)
#define UST_TP_PAIRS_20(with, type, name, ...) with(20, type, name) UST_TP_PAIRS_18(with, __VA_ARGS__)

/* The parameters of call sites are numbered, so that no argument's name is in the way. */
#define UST_TP_PARAM(number, type, name) type ust_arg##number,
#define UST_TP_ARGUMENT(number, type, name) , ust_arg##number
#define UST_TP_TYPE(number, type, name) , type

#define UST_TP_CALLSITE(provider, name, ...)							\
	UST_TP_CALLSITE_(provider, name, UST_TP_COUNT(__VA_ARGS__), __VA_ARGS__)
#define UST_TP_CALLSITE_(provider, name, count, ...) UST_TP_CALLSITE__(provider, name, count, __VA_ARGS__)
#define UST_TP_CALLSITE__(provider, name, count, ...)						\
	UST_DECLARE_CALLSITE(provider, name,							\
			     (UST_TP_PAIRS_##count(UST_TP_PARAM, __VA_ARGS__) int ust_end),	\
			     (tracepoint UST_TP_PAIRS_##count(UST_TP_ARGUMENT, __VA_ARGS__)),	\
			     (struct ust_tracepoint * UST_TP_PAIRS_##count(UST_TP_TYPE, __VA_ARGS__))) \
	UST_TP_DEFINE_CALLSITE(provider, name, #__VA_ARGS__)

/* Call sites: the first reading. */
#define UST_TP_CALLSITES_EVENT(provider, name, args, fields) UST_TP_CALLSITE(provider, name, args)
#define UST_TP_CALLSITES_CLASS(provider, name, args, fields)
#define UST_TP_CALLSITES_INSTANCE(class_provider, class_name, provider, name, args) UST_TP_CALLSITE(provider, name, args)
#define UST_TP_CALLSITES_OLD_INSTANCE(provider, class_name, name, args) UST_TP_CALLSITE(provider, name, args)
#define UST_TP_CALLSITES_ENUM(provider, name, values)
#define UST_TP_CALLSITES_LOGLEVEL(provider, name, level)
#define UST_TP_CALLSITES_MODEL_EMF_URI(provider, name, uri)
#define UST_TP_PASS(item) UST_TP_CALLSITES_##item

#define UST_TP_PROVIDE(provider) UST_PROVIDE(provider)
#define UST_TP_NEED(provider) UST_NEED(provider)

#endif /* UST_LTTNG_TRACEPOINT_H */

/* A file may say only before a later header what it defines. */
#ifndef UST_TP_IS_READ_AGAIN
#include <ust/tracepoint.h>
#undef UST_TP_DEFINE_CALLSITE
#if defined(UST_DEFINE) && defined(UST_CREATE_PROBES)
#include <ust/probe.h>
#define UST_TP_DEFINE_CALLSITE(provider, name, signature)					\
	UST_DECLARE_TRACEPOINT(provider, name)							\
	UST_DEFINE_CALLSITE(provider, name, &ust_tracepoint_##provider##___##name, signature)
#elif defined(UST_DEFINE)
#define UST_TP_DEFINE_CALLSITE(provider, name, signature) UST_DEFINE_CALLSITE(provider, name, &ust_off_v1, signature)
#else
#define UST_TP_DEFINE_CALLSITE(provider, name, signature)
#endif
#endif
