/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Compiled with -finstrument-functions: each function that is entered is an event. */
#define TRACEPOINT_DEFINE
#define TRACEPOINT_CREATE_PROBES
#include "parts-first.h"
#include "kinds.h"
#include <lttng/tracef.h>
#include <lttng/tracelog.h>

#ifdef __cplusplus
extern "C" {
#endif
__attribute__((no_instrument_function)) void __cyg_profile_func_enter(void *function, void *caller);
__attribute__((no_instrument_function)) void __cyg_profile_func_exit(void *function, void *caller);

static int depth;

void __cyg_profile_func_enter(void *function, void *caller)
{
	(void)function;
	(void)caller;
	if (++depth > 100)
		abort();
	tracepoint(parts, first, depth);
}

void __cyg_profile_func_exit(void *function, void *caller)
{
	(void)function;
	(void)caller;
	depth--;
}
#ifdef __cplusplus
}
#endif

__attribute__((noinline)) static void work(void)
{
	__asm__ volatile("");
}

int main(void)
{
	char bytes[] = "some bytes";

	tracepoint(kinds, own, "id", 1, 2);
	tracepoint(kinds, texts, "text", NULL, bytes, 4);
	tracef("%d", 1);
	tracelog(TRACE_INFO, "%d", 2);
	work();
	return 0;
}
