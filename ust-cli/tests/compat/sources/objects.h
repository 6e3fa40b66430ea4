/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What only C++ has: objects, templates, references. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER objects

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./objects.h"

#if !defined(OBJECTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define OBJECTS_H

#include <lttng/tracepoint.h>

#ifndef OBJECTS_ONCE
#define OBJECTS_ONCE
#include <cstdint>
#include <vector>

namespace shop {
enum class Colour : std::uint16_t { red, green };

template <typename T> class Box {
public:
	explicit Box(T value) : value_(value) {}
	T value() const { return value_; }

private:
	T value_;
};
}
#endif

LTTNG_UST_TRACEPOINT_ENUM(objects, colours,
	LTTNG_UST_TP_ENUM_VALUES(
		lttng_ust_field_enum_value("RED", static_cast<int>(shop::Colour::red))
		lttng_ust_field_enum_value("GREEN", 1)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(objects, box,
	LTTNG_UST_TP_ARGS(const shop::Box<int> *, box, const std::vector<std::uint32_t> &, values, shop::Colour, colour),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(int, value, box->value())
		lttng_ust_field_sequence(std::uint32_t, values, values.data(), std::size_t, values.size())
		lttng_ust_field_enum(objects, colours, int, colour, static_cast<int>(colour))
		lttng_ust_field_integer_hex(std::uintptr_t, is_null, reinterpret_cast<std::uintptr_t>(box) == 0)
	)
)
LTTNG_UST_TRACEPOINT_LOGLEVEL(objects, box, LTTNG_UST_TRACEPOINT_LOGLEVEL_NOTICE)

LTTNG_UST_TRACEPOINT_EVENT_CLASS(objects, pointer,
	LTTNG_UST_TP_ARGS(const shop::Box<int> *, box),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(bool, is_null, box == nullptr)))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(objects, pointer, objects, one, LTTNG_UST_TP_ARGS(const shop::Box<int> *, box))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(objects, pointer, objects, other, LTTNG_UST_TP_ARGS(const shop::Box<int> *, box))

#endif

#include <lttng/tracepoint-event.h>
