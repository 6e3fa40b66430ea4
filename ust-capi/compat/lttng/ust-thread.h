/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a thread calls before its first event, which needs nothing here. */
#ifndef UST_LTTNG_UST_THREAD_H
#define UST_LTTNG_UST_THREAD_H

#include <signal.h>

#include <ust/tracepoint.h>

#ifdef __cplusplus
extern "C" {
#endif

ust_inline void lttng_ust_init_thread(void) {}

#ifdef __cplusplus
}
#endif

#endif /* UST_LTTNG_UST_THREAD_H */
