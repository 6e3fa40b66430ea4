/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The lttng-ust side of the comparison: the same events, arguments and loop as examples/hello. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tp.h"

static long event_count;
static const char *which;

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void *emit_all(void *ns_per_event)
{
	long values[] = { 1, 2, 3 };
	char text[10] = "test";
	double begin = now_ns();

	if (!strcmp(which, "hello"))
		for (long i = 0; i < event_count; i++)
			lttng_ust_tracepoint(hb, hello, i, htonl(i), values, text, strlen(text), 2.0, 2222.0f);
	else if (!strcmp(which, "one"))
		for (long i = 0; i < event_count; i++)
			lttng_ust_tracepoint(hb, one, i);
	else
		for (long i = 0; i < event_count; i++)
			lttng_ust_tracepoint(hb, str, text);
	*(double *)ns_per_event = (now_ns() - begin) / event_count;
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[64];
	double ns[64], sum = 0;
	int threads = argc > 3 ? atoi(argv[3]) : 1;

	if (argc < 3 || threads < 1 || threads > 64) {
		fprintf(stderr, "usage: bench one|hello|str EVENTS [THREADS <= 64]\n");
		return 2;
	}
	which = argv[1];
	event_count = atol(argv[2]);
	for (int k = 0; k < threads; k++)
		pthread_create(&thread[k], NULL, emit_all, &ns[k]);
	for (int k = 0; k < threads; k++) {
		pthread_join(thread[k], NULL);
		sum += ns[k];
	}
	printf("%s threads=%d %.3f ns/event\n", which, threads, sum / threads);
	return 0;
}
