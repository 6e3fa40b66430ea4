/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The hello program in C: emits one kind of event as fast as it goes and says what an event cost.
 *
 * Emits tptest_sighandler from a signal handler on SIGUSR1, also while it is inside another event.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tracepoints.h"

static long event_count = 1000000;

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds per event. */
static double emit_tptest(void)
{
	const int64_t values[] = { 1, 2, 3 };
	const char text[10] = "test";
	const char *word = "test";
	size_t word_length = strlen(word);
	double begin = now_ns();

	for (int32_t i = 0; i < event_count; i++)
		tracepoint(ust_tests_hello, tptest, i, (int32_t)htonl((uint32_t)i), values, text, word, word_length, 2222.0f,
			   2.0);
	return (now_ns() - begin) / (double)event_count;
}

/* Nanoseconds per event. */
static double emit_one(void)
{
	double begin = now_ns();

	for (int32_t i = 0; i < event_count; i++)
		tracepoint(ust_tests_hello, one, i);
	return (now_ns() - begin) / (double)event_count;
}

static double (*emit)(void) = emit_tptest;

static void *run(void *ns)
{
	*(double *)ns = emit();
	return NULL;
}

static void handle(int number)
{
	tracepoint(ust_tests_hello, tptest_sighandler, number);
}

static int usage(void)
{
	fputs("usage: hello-c [--events COUNT] [--threads 1..1024] [--event tptest|one] [--delay SECONDS]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static pthread_t thread[1024];
	static double ns[1024];
	long threads = 1;
	double delay = 0, sum = 0;

	for (int i = 1; i < argc; i += 2) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--events"))
			event_count = atol(value);
		else if (!strcmp(argv[i], "--threads"))
			threads = atol(value);
		else if (!strcmp(argv[i], "--delay"))
			delay = atof(value);
		else if (!strcmp(argv[i], "--event") && !strcmp(value, "one"))
			emit = emit_one;
		else if (strcmp(argv[i], "--event") || strcmp(value, "tptest"))
			return usage();
	}
	if (event_count < 1 || threads < 1 || threads > 1024 || !(delay >= 0 && delay <= 86400))
		return usage();
	signal(SIGUSR1, handle);
	nanosleep(&(struct timespec){ .tv_sec = (time_t)delay, .tv_nsec = (long)((delay - (long)delay) * 1e9) }, NULL);
	for (long i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, run, &ns[i])) {
			fprintf(stderr, "thread %ld cannot be started\n", i);
			return 1;
		}
	for (long i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		sum += ns[i];
	}
	printf("%s threads=%ld %.2f ns/event\n", emit == emit_one ? "one" : "tptest", threads, sum / (double)threads);
	return 0;
}
