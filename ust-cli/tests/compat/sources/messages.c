/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Text from several files, with levels and without. */
#include <errno.h>
#include <lttng/tracef.h>
#include <lttng/tracelog.h>
#include <stdarg.h>

extern void messages_of_another_file(void);

static int evaluated;

__attribute__((format(printf, 1, 2))) static void forward(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	lttng_ust_vtracef(format, args);
	va_end(args);
	va_start(args, format);
	lttng_ust_vtracelog(LTTNG_UST_TRACEPOINT_LOGLEVEL_ERR, format, args);
	va_end(args);
}

int main(void)
{
	errno = EXDEV;
	tracef("%d of %s, %.1f %%", 3, "four", 75.0);
	lttng_ust_tracef("no arguments");
	tracef("%s", "");
	evaluated = errno;
	tracelog(LTTNG_UST_TRACEPOINT_LOGLEVEL_INFO, "%s %d", "one more", evaluated == EXDEV);
	lttng_ust_tracelog(LTTNG_UST_TRACEPOINT_LOGLEVEL_DEBUG_LINE, "line");
	forward("%c%c", 'o', 'k');
	messages_of_another_file();
	return 0;
}
