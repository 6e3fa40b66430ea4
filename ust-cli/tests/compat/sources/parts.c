/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A provider in two headers, with their recording functions in this file, or in one for each. */
#define TRACEPOINT_DEFINE
#ifdef IN_ONE_FILE
#define TRACEPOINT_CREATE_PROBES
#endif
#include "parts-first.h"
#include "parts-second.h"

int main(void)
{
	tracepoint(parts, first, 1);
	tracepoint(parts, second, 2);
	return 0;
}
