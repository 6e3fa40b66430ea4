/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define TRACEPOINT_CREATE_PROBES
#define TRACEPOINT_DEFINE
#include "temporaries.h"

int main()
{
	tracepoint(temporaries, event, 7);
	return 0;
}
