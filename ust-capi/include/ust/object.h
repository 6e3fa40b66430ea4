/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Makes a linked object (the program, or a library) known to the runtime when it is loaded, and forgotten when it is
 * unloaded. Included by <ust/tracepoint.h> in files that define something.
 */
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

extern struct ust_tracepoint *const __start_ust_tracepoints[] __attribute__((weak, visibility("hidden")));
extern struct ust_tracepoint *const __stop_ust_tracepoints[] __attribute__((weak, visibility("hidden")));
extern struct ust_callsite *const __start_ust_callsites[] __attribute__((weak, visibility("hidden")));
extern struct ust_callsite *const __stop_ust_callsites[] __attribute__((weak, visibility("hidden")));

/*
 * The runtime: may be called several times for one object. `ust_object_unregister_v1` is called by the last finaliser
 * of the object.
 */
extern void ust_object_register_v1(const struct ust_object *object);
extern void ust_object_unregister_v1(const struct ust_object *object);

extern const struct ust_object ust_object_v1 UST_ONCE;
const struct ust_object ust_object_v1 = {
	__start_ust_tracepoints, __stop_ust_tracepoints, __start_ust_callsites, __stop_ust_callsites,
};

/* Where the object is forgotten; null: it was not made known. */
static void (*ust_leave)(const struct ust_object *object);

/* Before the constructors of ordinary priority, so that they can emit. */
__attribute__((constructor(101))) static void ust_enter_object(void)
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
		enter(&ust_object_v1);
#else
	ust_leave = ust_object_unregister_v1;
	ust_object_register_v1(&ust_object_v1);
#endif
}

/* After all other finalisers of the object, so that they can emit. */
__attribute__((destructor(101))) static void ust_leave_object(void)
{
	if (ust_leave)
		ust_leave(&ust_object_v1);
}

#ifdef __cplusplus
}
#endif

#endif /* UST_OBJECT_H */
