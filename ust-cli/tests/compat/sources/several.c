/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Providers in one file, the headers of which do not agree on spelling; one is only called here. And what tells lttng-ust of forks. */
#include "both.h"

#define TRACEPOINT_CREATE_PROBES
#define TRACEPOINT_DEFINE
#include "old.h"
#include "kinds.h"
#include <lttng/ust-fork.h>

int main(void)
{
	sigset_t signals;

	ust_before_fork(&signals);
	ust_after_fork_parent(&signals);
	lttng_ust_after_setns();
	tracepoint(both, event, 1);
	tracepoint(old, event, 2);
	tracepoint(kinds, nothing);
	return 0;
}
