/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Values that live until the end of an expression, which lttng-ust 2.13 reads after that. */
#undef TRACEPOINT_PROVIDER
#define TRACEPOINT_PROVIDER temporaries

#undef TRACEPOINT_INCLUDE
#define TRACEPOINT_INCLUDE "./temporaries.h"

#if !defined(TEMPORARIES_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
#define TEMPORARIES_H

#include <lttng/tracepoint.h>
#include <string>
#include <vector>

TRACEPOINT_EVENT(temporaries, event,
	TP_ARGS(int, n),
	TP_FIELDS(
		ctf_string(text, ("a text of more bytes than a small string keeps: " + std::to_string(n)).c_str())
		ctf_string(other, std::string(100, 'x').c_str())
		ctf_sequence(int, numbers, std::vector<int>(3, n).data(), unsigned int, 3)
		ctf_array(int, more, std::vector<int>(2, -n).data(), 2)
	)
)

#endif

#include <lttng/tracepoint-event.h>
