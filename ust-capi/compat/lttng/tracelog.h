/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef UST_LTTNG_TRACELOG_H
#define UST_LTTNG_TRACELOG_H

#include <ust/tracelog.h>

#endif /* UST_LTTNG_TRACELOG_H */
