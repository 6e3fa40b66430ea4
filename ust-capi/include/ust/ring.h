/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The usual way of an event into its ring: one channel, no signal handler inside another event, room in the sub-buffer,
 * the same CPU. Everything else is the runtime's: ust_record_begin_v1.
 *
 * This is the function `record` of the crate `ust` in C, step for step; docs/ring-protocol.md is binding for both, and
 * docs/c-abi.md for the layouts, which the runtime asserts.
 */
#ifndef UST_RING_H
#define UST_RING_H

/* A project's warnings are for its own code. */
#ifndef UST_WITH_WARNINGS
#pragma GCC system_header
#endif

#include <ust/tracepoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The begin of a ring's shared header. Event counters follow at UST_COUNTERS_OFFSET. */
struct ust_ring_header {
	uint64_t committed;
	uint64_t last_timestamp;
};

#define UST_COUNTERS_OFFSET 512
#define UST_TIMESTAMP_SHIFT 16
/* Half of the range of the stamps in event headers. */
#define UST_TIMESTAMP_GAP_MAX (UINT64_C(1) << 47)
#define UST_EVENT_HEADER_BYTES 8

/* One ring as its writer knows it; all zero: no ring, so no room. The runtime keeps more behind it. */
struct ust_writer {
	uint64_t position;		/* where the next event begins */
	uint64_t end;			/* of the current sub-buffer */
	uint64_t last_timestamp;
	uint32_t cpu;
	uint32_t padding;
	uint64_t bias;			/* address of a position less the position */
	struct ust_ring_header *header;
	uint32_t counter_last;		/* the last event counter */
	uint32_t private_word;
	uint64_t private_words[17];
};

#define UST_LEVEL_COUNT 4
#define UST_WRITER_COUNT 65

/* The begin of a thread's private state. */
struct ust_thread {
	uintptr_t marks[UST_LEVEL_COUNT];	/* stack address of the event in progress, 0: none */
	const uint32_t *cpu;
	uint64_t private_words[3];
	struct ust_writer writers[UST_WRITER_COUNT];	/* by channel; the last two never have a ring */
};

/* Before a thread's first event this points to marks that are all set. */
extern __thread struct ust_thread *ust_thread_v1 __attribute__((tls_model("initial-exec")));

/* An event on its way that is not usual. The words are the runtime's. */
struct ust_unusual {
	struct ust_tracepoint *tracepoint;
	uint64_t bytes;			/* of the fields that are stored */
	uint64_t hidden_bytes;		/* of those that only filters see */
	const void *ip;			/* where the tracepoint was called */
	const void *stack;		/* the frame that records it, on the stack of the thread */
	const uint64_t *values;		/* the words of its values, in order (ust_record_values); null: not known */
	uint64_t words[4];
};

/*
 * Begins an event that is not usual. Returns where its fields go, first those that are stored, then those that only
 * filters see; null where there is nothing to be stored. Then ust_record_end_v1 must follow.
 */
extern uint8_t *ust_record_begin_v1(struct ust_unusual *unusual) __attribute__((cold));
extern void ust_record_end_v1(struct ust_unusual *unusual) __attribute__((cold));

/* An event on its usual way. */
struct ust_record {
	struct ust_thread *thread;
	struct ust_writer *writer;
	uint64_t end;
	uint64_t timestamp;
	uint32_t id;
};

/* Cycles of the time stamp counter. A thread whose image has another clock has no CPU that matches. */
ust_inline uint64_t ust_cycles(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#endif
}

/* A signal handler on this thread sees the mark; the compiler keeps all accesses of the event behind it. */
ust_inline void ust_mark(uintptr_t *mark)
{
#if defined(__x86_64__)
	__asm__ volatile("movq %%rsp, %0" : "=m"(*mark) : : "memory");
#else
	uintptr_t stack;

	__asm__ volatile("mov %1, sp\n\tstr %1, %0" : "=m"(*mark), "=&r"(stack) : : "memory");
#endif
}

ust_inline void ust_unmark(uintptr_t *mark)
{
	__asm__ volatile("" : : : "memory");
	*(volatile uintptr_t *)mark = 0;
}

/*
 * Where an event with `bytes` of fields goes in the usual case; null, with nothing changed, in any other. Then ust_end_usual
 * must follow, in the same function. Behind the event there are `slack` bytes in the sub-buffer that may be stored, too.
 */
ust_inline uint8_t *ust_begin_usual(struct ust_record *record, const struct ust_tracepoint *tracepoint, uint64_t bytes,
				    uint64_t slack)
{
	struct ust_thread *thread = ust_thread_v1;
	struct ust_writer *writer;
	uint64_t wanted, position, end, timestamp;
	uint32_t id;

	if (ust_unlikely(*(volatile uintptr_t *)&thread->marks[0] != 0))
		return NULL;
	ust_mark(&thread->marks[0]);
	wanted = ust_wanted(tracepoint);
	id = __atomic_load_n(&tracepoint->id, __ATOMIC_RELAXED);
	writer = thread->writers;
	/* One recording at a time is what most users have, and needs no more than this. */
	if (wanted != 1) {
		if (ust_unlikely((wanted & (wanted - 1)) != 0 || wanted == 0))
			goto unusual;
		writer += __builtin_ctzll(wanted);
	}
	position = writer->position;
	end = position + bytes + UST_EVENT_HEADER_BYTES;
	/* In this order: what is not set up is all zero, and without a ring there is no room. */
	if (ust_unlikely(end + slack > writer->end || id > writer->counter_last))
		goto unusual;
	if (ust_unlikely(__atomic_load_n(thread->cpu, __ATOMIC_RELAXED) != writer->cpu))
		goto unusual;
	timestamp = ust_cycles();
	if (ust_unlikely(timestamp - writer->last_timestamp >= UST_TIMESTAMP_GAP_MAX))
		goto unusual;
	record->thread = thread;
	record->writer = writer;
	record->end = end;
	record->timestamp = timestamp;
	record->id = id;
	{
		uint8_t *at = (uint8_t *)(position + writer->bias);
		uint64_t header = timestamp << UST_TIMESTAMP_SHIFT | id;

		__builtin_memcpy(at, &header, sizeof(header));
		return at + sizeof(header);
	}
unusual:
	ust_unmark(&thread->marks[0]);
	return NULL;
}

/* Publishes the event. */
ust_inline void ust_end_usual(struct ust_record *record)
{
	struct ust_writer *writer = record->writer;
	struct ust_ring_header *header = writer->header;
	uint64_t *counter = (uint64_t *)((uint8_t *)header + UST_COUNTERS_OFFSET) + record->id;

	/* This thread is the only one that stores it; as an atomic it would be three instructions. */
	*counter += 1;
	writer->position = record->end;
	writer->last_timestamp = record->timestamp;
	/* Release: the reader loads it between its two loads of `committed`. */
	__atomic_store_n(&header->last_timestamp, record->timestamp, __ATOMIC_RELEASE);
	/* Release: the event's bytes are visible before they count. */
	__atomic_store_n(&header->committed, record->end, __ATOMIC_RELEASE);
	ust_unmark(&record->thread->marks[0]);
}

#ifdef __cplusplus
}
#endif

#endif /* UST_RING_H */
