// SPDX-License-Identifier: Apache-2.0
// fake_places.h - addresses for arrays that nobody follows: one after another, from the next page
// on.
#ifndef FAKE_PLACES_H
#define FAKE_PLACES_H

#include <stddef.h>
#include <stdint.h>

typedef struct Places {
    uintptr_t end;
} Places;

static inline void *place(Places *places, size_t floats)
{
    const uintptr_t start = (places->end + 4095) / 4096 * 4096 + 4096;
    places->end = start + floats * sizeof(float);
    return (void *)start;
}

#endif
