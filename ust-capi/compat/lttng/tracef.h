/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef UST_LTTNG_TRACEF_H
#define UST_LTTNG_TRACEF_H

#include <ust/tracef.h>

#endif /* UST_LTTNG_TRACEF_H */
