/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints what <sys/sdt.h> is told of tracepoints, one of which has no arguments. */
#define LTTNG_UST_HAVE_SDT_INTEGRATION
#define TRACEPOINT_DEFINE
#define TRACEPOINT_CREATE_PROBES
#include "kinds.h"

int main(void)
{
	struct kinds_point here = { 1, 2 };

	tracepoint(kinds, nothing);
	lttng_ust_tracepoint(kinds, run, &here, here);
	tracepoint(kinds, ten, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
	do_tracepoint(kinds, nothing);
	return 0;
}
