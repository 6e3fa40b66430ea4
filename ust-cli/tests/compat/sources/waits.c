/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Has the tracepoints of kinds.h, says so, and waits for the end of its input. */
#include <stdio.h>

#define TRACEPOINT_DEFINE
#define TRACEPOINT_CREATE_PROBES
#include "kinds.h"

int main(void)
{
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
