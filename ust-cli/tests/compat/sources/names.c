/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* With API version 1, `tracepoint`, `tracef` and the levels are names like any other. */
#define LTTNG_UST_COMPAT_API_VERSION 1
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "both.h"
#include <lttng/tracef.h>
#include <lttng/tracelog.h>

static int tracepoint(int tracef)
{
	enum { TRACE_INFO = 1, TRACE_EMERG } tracelog = TRACE_INFO;

	return tracelog + tracef;
}

int main(void)
{
	lttng_ust_tracepoint(both, event, tracepoint(6));
	return 0;
}
