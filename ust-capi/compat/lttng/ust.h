/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef UST_LTTNG_UST_H
#define UST_LTTNG_UST_H

#include <lttng/ust-fork.h>

#endif /* UST_LTTNG_UST_H */
