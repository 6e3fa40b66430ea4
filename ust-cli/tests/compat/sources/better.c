/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define TRACEPOINT_CREATE_PROBES
#define TRACEPOINT_DEFINE
#include "better.h"

int main(void)
{
	static const double values[] = { 0.5, -1.25, 3 };

	tracepoint(better, arrays, values, 3);
	return 0;
}
