/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Makes a linked object (the program, or a library) known to the runtime when it is loaded, and forgotten when it is
 * unloaded. Included by <ust/tracepoint.h> in files that define something.
 */
/* A project's warnings are for its own code. */
#ifndef UST_WITH_WARNINGS
#pragma GCC system_header
#endif

#ifndef UST_OBJECT_H
#define UST_OBJECT_H

#ifdef UST_DYNAMIC_LINKAGE
#include <dlfcn.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What the linked object holds. The linker gathers the two sections. */
struct ust_object {
	struct ust_tracepoint *const *tracepoints_begin;
	struct ust_tracepoint *const *tracepoints_end;
	struct ust_callsite *const *callsites_begin;
	struct ust_callsite *const *callsites_end;
};

/*
 * The runtime: may be called several times for one object. `ust_object_unregister_v1` is called by the last finaliser
 * of the object.
 */
extern void ust_object_register_v1(const struct ust_object *object);
extern void ust_object_unregister_v1(const struct ust_object *object);

/* Where objects are forgotten; null: they were not made known. */
static void (*ust_leave)(const struct ust_object *object);

ust_unhooked __attribute__((unused)) static void ust_enter(const struct ust_object *object)
{
#ifdef UST_DYNAMIC_LINKAGE
	/* Not linked with the runtime: takes the one that a provider brings along, or would. */
	void (*enter)(const struct ust_object *object) = NULL;
	void *library = dlopen("libust.so.1", RTLD_NOW | RTLD_GLOBAL);

	if (!library)
		return;
	*(void **)&enter = dlsym(library, "ust_object_register_v1");
	*(void **)&ust_leave = dlsym(library, "ust_object_unregister_v1");
	if (enter)
		enter(object);
#else
	ust_leave = ust_object_unregister_v1;
	ust_object_register_v1(object);
#endif
}

#ifdef __cplusplus
}
#endif

#endif /* UST_OBJECT_H */

/*
 * Each section is made known by itself, in the files that have a part in it. Another file may not name it: where there is
 * none of it, a linker (mold) takes that of a library, the names of which some linkers (GNU ld) do not hide.
 *
 * Entered before the constructors of ordinary priority, and left after all other finalisers, so that these can emit.
 */
#if defined(UST_CREATE_PROBES) && !defined(UST_OBJECT_TRACEPOINTS)
#define UST_OBJECT_TRACEPOINTS

#ifdef __cplusplus
extern "C" {
#endif

extern struct ust_tracepoint *const __start_ust_tracepoints[] __attribute__((weak, visibility("hidden")));
extern struct ust_tracepoint *const __stop_ust_tracepoints[] __attribute__((weak, visibility("hidden")));

extern const struct ust_object ust_object_of_tracepoints_v1 UST_ONCE;
const struct ust_object ust_object_of_tracepoints_v1 = { __start_ust_tracepoints, __stop_ust_tracepoints, NULL, NULL };

ust_unhooked __attribute__((constructor(101))) static void ust_enter_tracepoints(void)
{
	ust_enter(&ust_object_of_tracepoints_v1);
}

ust_unhooked __attribute__((destructor(101))) static void ust_leave_tracepoints(void)
{
	if (ust_leave)
		ust_leave(&ust_object_of_tracepoints_v1);
}

#ifdef __cplusplus
}
#endif

#endif /* UST_OBJECT_TRACEPOINTS */

#if defined(UST_DEFINE) && !defined(UST_OBJECT_CALLSITES)
#define UST_OBJECT_CALLSITES

#ifdef __cplusplus
extern "C" {
#endif

extern struct ust_callsite *const __start_ust_callsites[] __attribute__((weak, visibility("hidden")));
extern struct ust_callsite *const __stop_ust_callsites[] __attribute__((weak, visibility("hidden")));

extern const struct ust_object ust_object_of_callsites_v1 UST_ONCE;
const struct ust_object ust_object_of_callsites_v1 = { NULL, NULL, __start_ust_callsites, __stop_ust_callsites };

ust_unhooked __attribute__((constructor(101))) static void ust_enter_callsites(void)
{
	ust_enter(&ust_object_of_callsites_v1);
}

ust_unhooked __attribute__((destructor(101))) static void ust_leave_callsites(void)
{
	if (ust_leave)
		ust_leave(&ust_object_of_callsites_v1);
}

#ifdef __cplusplus
}
#endif

#endif /* UST_OBJECT_CALLSITES */
