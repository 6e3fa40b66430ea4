#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Compiles the provider of a header with 400 events, which includes itself, with this project's headers and with those of
# lttng-ust, in turn: user seconds and bytes of code, the best of three runs.
#
#   bench/compile-time/run.sh [COMPILER [OPTION]...]
set -eu
[ $# -gt 0 ] || set -- gcc -O2
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

awk 'function next_of(count) { seed = (seed * 1103515245 + 12345) % 2147483648; return int(seed / 65536) % count }
BEGIN {
	seed = 1
	split("int;unsigned int;long;uint8_t;uint64_t;size_t", types, ";")
	print "#undef TRACEPOINT_PROVIDER\n#define TRACEPOINT_PROVIDER big\n#undef TRACEPOINT_INCLUDE"
	print "#define TRACEPOINT_INCLUDE \"./big.h\"\n#if !defined(BIG_H) || defined(TRACEPOINT_HEADER_MULTI_READ)"
	print "#define BIG_H\n#include <lttng/tracepoint.h>\n#include <stdint.h>"
	for (event = 0; event < 400; event++) {
		args = fields = ""
		count = next_of(11)
		for (i = 0; i < count; i++) {
			kind = next_of(100)
			name = "a" i
			type = kind < 72 ? types[1 + next_of(6)] : kind < 92 ? "const char *" : kind < 95 ? "double" : "const uint8_t *"
			args = args (i ? ", " : "") type ", " name
			if (kind < 50) field = "ctf_integer(" type ", " name ", " name ")"
			else if (kind < 72) field = "ctf_integer_hex(unsigned long, " name ", (unsigned long)" name ")"
			else if (kind < 92) field = "ctf_string(" name ", " name ")"
			else if (kind < 95) field = "ctf_float(double, " name ", " name ")"
			else if (kind < 98) field = "ctf_sequence(uint8_t, " name ", " name ", unsigned int, 4)"
			else field = "ctf_array(uint8_t, " name ", " name ", 16)"
			fields = fields "\n\t" field
		}
		print "TRACEPOINT_EVENT(big, event_" event ",\n\tTP_ARGS(" args "),\n\tTP_FIELDS(" fields "))"
	}
	print "#endif\n#include <lttng/tracepoint-event.h>"
}' > big.h
printf '#define TRACEPOINT_CREATE_PROBES\n#define TRACEPOINT_DEFINE\n#include "big.h"\n' > big.c

for run in 1 2 3; do
	for headers in ust lttng; do
		include=
		[ $headers = lttng ] || include="-I$root/ust-capi/include -I$root/ust-capi/compat"
		# shellcheck disable=SC2086
		/usr/bin/time -a -o $headers.seconds -f %U "$@" -I. $include -c big.c -o $headers.o
	done
done
for headers in ust lttng; do
	printf '%-6s %s s, %s bytes of code\n' $headers "$(sort -n $headers.seconds | head -1)" \
		"$(size $headers.o | awk 'END { print $1 }')"
done
