/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Providers in one file, the headers of which do not agree on spelling; one is only called here. */
#include "both.h"

#define TRACEPOINT_CREATE_PROBES
#define TRACEPOINT_DEFINE
#include "old.h"
#include "kinds.h"

int main(void)
{
	tracepoint(both, event, 1);
	tracepoint(old, event, 2);
	tracepoint(kinds, nothing);
	return 0;
}
