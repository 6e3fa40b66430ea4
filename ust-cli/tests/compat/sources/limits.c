/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Long text, levels that are computed, and what is evaluated. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <lttng/tracef.h>
#include <lttng/tracelog.h>

static char long_text[10000], two_bytes[10000];
static int evaluated;

static int evaluate(void)
{
	return ++evaluated;
}

int main(void)
{
	int level = TRACE_ERR, i;

	memset(long_text, 'x', sizeof(long_text) - 1);
	two_bytes[0] = 'y';
	for (i = 1; i < 9999; i += 2)
		memcpy(two_bytes + i, "\xc3\xa4", 2);
	tracef("%.2047s", long_text);
	tracef("%.2048s", long_text);
	tracef("%s", long_text);
	tracef("%s", two_bytes);
	tracelog(level, "computed %d", level);
	level = 99;
	tracelog(level, "computed %d", 14);
	errno = 18;
	tracef("errno is %d", evaluate() ? errno : 0);
	if (errno != 18)
		return 1;
	/* The last line of output, not an event of its own. */
	if (ust_is_recorded(&ust_tracelog_v1[TRACE_ERR]))
		evaluate();
	printf("evaluated %d\n", evaluated);
	return 0;
}
