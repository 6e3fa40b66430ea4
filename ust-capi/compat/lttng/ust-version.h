/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The version of lttng-ust whose interface these headers have, for programs that choose by it. */
#ifndef UST_LTTNG_UST_VERSION_H
#define UST_LTTNG_UST_VERSION_H

#define LTTNG_UST_MAJOR_VERSION 2
#define LTTNG_UST_MINOR_VERSION 13
#define LTTNG_UST_PATCHLEVEL_VERSION 0
#define LTTNG_UST_VERSION "2.13.0"

#endif /* UST_LTTNG_UST_VERSION_H */
