/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What programs do besides: they have macros of their own, ask for versions, and prepare threads. */
#define TRACE_INFO 77

#include <lttng/ust-version.h>
#if LTTNG_UST_MAJOR_VERSION < 2 || (LTTNG_UST_MAJOR_VERSION == 2 && LTTNG_UST_MINOR_VERSION < 13)
#error "a version of lttng-ust that has both spellings"
#endif

#define TRACEPOINT_DEFINE
#define TRACEPOINT_CREATE_PROBES
#include "usage.h"
#include <lttng/ust-api-compat.h>
#include <lttng/ust-thread.h>

#if !LTTNG_UST_COMPAT_API(0) || !LTTNG_UST_COMPAT_API(1)
#error "names of both versions"
#endif

int main(void)
{
	const char name[] = LTTNG_UST_VERSION;

	lttng_ust_init_thread();
	if (!LTTNG_UST_TRACEPOINT_THIS_IP || sizeof(name) > LTTNG_UST_TRACEPOINT_NAME_LEN_MAX)
		return 1;
	errno = 0;
	tracepoint(usage, stdin, true, getpid());
	tracepoint(TRACEPOINT_PROVIDER, free, stdout);
	if (tracepoint_enabled(usage, assert))
		do_tracepoint(usage, assert, "some text");
	return 0;
}
