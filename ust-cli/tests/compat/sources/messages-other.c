/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <lttng/tracelog.h>
#include <lttng/tracef.h>

#ifdef __cplusplus
extern "C"
#endif
void messages_of_another_file(void);

void messages_of_another_file(void)
{
	tracef("other file");
	if (1)
		tracelog(LTTNG_UST_TRACEPOINT_LOGLEVEL_EMERG, "other file");
	else
		tracelog(LTTNG_UST_TRACEPOINT_LOGLEVEL_ALERT, "never");
}
