/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the shop sends. */
#ifndef PARCEL_H
#define PARCEL_H

#define GRAMS_PER_ITEM 250

struct parcel {
	int order;
	int items;
	const char *to;
};

#endif /* PARCEL_H */
