/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define LTTNG_UST_TRACEPOINT_DEFINE
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#include "objects.h"

int main()
{
	const shop::Box<int> box(42);
	const std::vector<std::uint32_t> values = { 1, 2, 3 };

	lttng_ust_tracepoint(objects, box, &box, values, shop::Colour::green);
	lttng_ust_tracepoint(objects, one, &box);
	lttng_ust_tracepoint(objects, other, nullptr);
	return 0;
}
