/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <stddef.h>

#define TRACEPOINT_DEFINE
#define TRACEPOINT_CREATE_PROBES
#include "address.h"
#undef LTTNG_UST_TP_IP_PARAM
#undef TP_IP_PARAM
#include "both.h"

int main(void)
{
	tracepoint(address, allocate, 16, (void *)0x1234);
	tracepoint(both, event, 1);
	return 0;
}
