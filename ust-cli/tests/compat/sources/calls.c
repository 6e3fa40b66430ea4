/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Only calls. */
#include "both.h"
#include "parts-first.h"

void calls(int n);

void calls(int n)
{
	tracepoint(both, event, n);
	if (tracepoint_enabled(parts, first))
		do_tracepoint(parts, first, n);
}
