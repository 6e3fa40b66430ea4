/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a program calls round fork(2) and changes of its rights, which needs nothing here. */
#ifndef UST_LTTNG_UST_FORK_H
#define UST_LTTNG_UST_FORK_H

#include <signal.h>

#include <ust/tracepoint.h>

#ifdef __cplusplus
extern "C" {
#endif

ust_inline void lttng_ust_before_fork(sigset_t *signals) { (void)signals; }
ust_inline void lttng_ust_after_fork_parent(sigset_t *signals) { (void)signals; }
ust_inline void lttng_ust_after_fork_child(sigset_t *signals) { (void)signals; }
ust_inline void lttng_ust_after_setns(void) {}
ust_inline void lttng_ust_after_unshare(void) {}
ust_inline void lttng_ust_after_setuid(void) {}
ust_inline void lttng_ust_after_setgid(void) {}
ust_inline void lttng_ust_after_seteuid(void) {}
ust_inline void lttng_ust_after_setegid(void) {}
ust_inline void lttng_ust_after_setreuid(void) {}
ust_inline void lttng_ust_after_setregid(void) {}
ust_inline void lttng_ust_after_setresuid(void) {}
ust_inline void lttng_ust_after_setresgid(void) {}

#ifdef UST_OLD_NAMES
#define ust_before_fork lttng_ust_before_fork
#define ust_after_fork_parent lttng_ust_after_fork_parent
#define ust_after_fork_child lttng_ust_after_fork_child
#define ust_after_setns lttng_ust_after_setns
#define ust_after_unshare lttng_ust_after_unshare
#define ust_after_setuid lttng_ust_after_setuid
#define ust_after_setgid lttng_ust_after_setgid
#define ust_after_seteuid lttng_ust_after_seteuid
#define ust_after_setegid lttng_ust_after_setegid
#define ust_after_setreuid lttng_ust_after_setreuid
#define ust_after_setregid lttng_ust_after_setregid
#define ust_after_setresuid lttng_ust_after_setresuid
#define ust_after_setresgid lttng_ust_after_setresgid
#endif

#ifdef __cplusplus
}
#endif

#endif /* UST_LTTNG_UST_FORK_H */
