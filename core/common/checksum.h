// SPDX-License-Identifier: Apache-2.0
// checksum.h - a 64-bit checksum of bytes that come piece by piece: XXH3 of the xxHash library,
// from whose header alone it is built. It finds damage, not intent.
#ifndef HYP_CHECKSUM_H
#define HYP_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// False where the library was built without xxHash; then the functions below do nothing.
bool hyp_checksum_exists(void);

typedef struct HypChecksum HypChecksum;

// NULL, last error set, when out of memory. The caller ends it.
HypChecksum *hyp_checksum_begin(void);
void hyp_checksum_add(HypChecksum *checksum, const void *bytes, size_t size_bytes);
uint64_t hyp_checksum_value(const HypChecksum *checksum);
void hyp_checksum_end(HypChecksum *checksum); // NULL is allowed

#endif
