/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Stands in for the header of SystemTap: its macros print what they are told. In C++ that one has templates, too. */
#ifndef SDT_H
#define SDT_H

#include <stdio.h>

#ifdef __cplusplus
template <typename T> struct sdt_type {};
#endif

#define STAP_PROBE(provider, name) puts(#provider ":" #name)
#define STAP_PROBE2(provider, name, a, b) printf("%s:%s %d\n", #provider, #name, (int)sizeof(a) + (int)sizeof(b))
#define STAP_PROBE10(provider, name, a, b, c, d, e, f, g, h, i, j) \
	printf("%s:%s %d\n", #provider, #name, (a) + (b) + (c) + (d) + (e) + (f) + (g) + (h) + (i) + (j))

#endif
