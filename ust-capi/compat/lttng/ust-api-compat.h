/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which names a program wants: of version 0, those without a prefix, too. */
#ifndef UST_LTTNG_UST_API_COMPAT_H
#define UST_LTTNG_UST_API_COMPAT_H

#ifndef LTTNG_UST_COMPAT_API_VERSION
#define LTTNG_UST_COMPAT_API_VERSION 0
#endif

/* Whether it wants those of a version. */
#define LTTNG_UST_COMPAT_API(version) (LTTNG_UST_COMPAT_API_VERSION <= (version))

#endif /* UST_LTTNG_UST_API_COMPAT_H */
