/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define TRACEPOINT_CREATE_PROBES
#include "parts-second.h"
