/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Emits each event of kinds.h. With an argument, loads the library of that name first. */
#include <dlfcn.h>
#include <stdio.h>

#define TRACEPOINT_DEFINE
#ifdef IN_ONE_FILE
#define TRACEPOINT_CREATE_PROBES
#endif
#include "kinds.h"

int main(int argc, char **argv)
{
	static const int values[] = { 1, -2, 3 };
	static const uint8_t bytes[16] __attribute__((aligned(8))) = { 1, 2, 3, 4, 5, 6, 7, 8, 255 };
	char chars[] = "ab\tc\0e";
	struct kinds_point from = { 1, 2 }, to = { -3, 4 };
	int i;

	if (argc > 1 && !dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL)) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	tracepoint(kinds, integers, -1, UINT64_C(0x1122334455667788), (const void *)(uintptr_t)0xabcd);
	tracepoint(kinds, integers, 300, 1, NULL);
	tracepoint(kinds, reals, 2222.5, -0.25f);
	tracepoint(kinds, texts, "text", NULL, chars, 2);
	tracepoint(kinds, texts, "", "some", chars, 4);
	tracepoint(kinds, arrays, values, bytes);
	tracepoint(kinds, sequences, values, bytes, 3);
	for (i = -2; i < 17; i++)
		tracepoint(kinds, states, i, (unsigned char)i);
	tracepoint(kinds, hidden, 5, "hidden", values, 3, 1.5, 0);
	tracepoint(kinds, hidden, 6, NULL, values, 0, 2.5, 0);
	lttng_ust_tracepoint(kinds, nothing);
	tracepoint(kinds, still_nothing);
	tracepoint(kinds, walk, &from, to);
	tracepoint(kinds, run, &from, to);
	if (tracepoint_enabled(kinds, ten))
		do_tracepoint(kinds, ten, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
	if (lttng_ust_tracepoint_enabled(kinds, own)) {
		lttng_ust_do_tracepoint(kinds, own, NULL, 1, 2);
		tracepoint(kinds, own, "own", 3, 4);
	}
	tracepoint(kinds, emergency, 0);
	tracepoint(kinds, alert, 1);
	tracepoint(kinds, critical, 2);
	tracepoint(kinds, error, 3);
	tracepoint(kinds, notice, 5);
	tracepoint(kinds, information, 6);
	tracepoint(kinds, debug_system, 7);
	tracepoint(kinds, debug_program, 8);
	tracepoint(kinds, debug_process, 9);
	tracepoint(kinds, debug_module, 10);
	tracepoint(kinds, debug_unit, 11);
	tracepoint(kinds, debug_function, 12);
	tracepoint(kinds, debug_line, 13);
	tracepoint(kinds, debug, 14);
	return 0;
}
