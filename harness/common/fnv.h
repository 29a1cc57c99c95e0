// SPDX-License-Identifier: Apache-2.0
// fnv.h - the 64-bit FNV-1a hash (Fowler, Noll, Vo; RFC 9923), for digests and tables.
#ifndef HYP_FNV_H
#define HYP_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_START UINT64_C(0xcbf29ce484222325)

// The hash continued over the text and its final NUL, so that "ab","c" is not "a","bc".
static inline uint64_t fnv_add_text(uint64_t hash, const char *text)
{
    do {
        hash ^= (unsigned char)*text;
        hash *= UINT64_C(0x100000001b3);
    } while (*text++);
    return hash;
}

static inline uint64_t fnv_add_bytes(uint64_t hash, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hash ^= ((const unsigned char *)bytes)[i];
        hash *= UINT64_C(0x100000001b3);
    }
    return hash;
}

#endif
