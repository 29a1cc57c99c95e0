// SPDX-License-Identifier: Apache-2.0
// choice_front.h - one option of each of many items, which differ in time and bytes: the choices of
// which none is faster in as few bytes. Kept bytes add up; of scratch bytes, which items use one
// after another, the most counts.
#ifndef HYP_CHOICE_FRONT_H
#define HYP_CHOICE_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct HypChoiceOption {
    size_t kept_bytes;
    size_t scratch_bytes;
    double time_ns;
    int id; // the caller's
} HypChoiceOption;

enum { HYP_MOST_OPTIONS = 16 };

typedef struct HypChoiceItem {
    HypChoiceOption options[HYP_MOST_OPTIONS];
    int option_count; // at least 1
} HypChoiceItem;

typedef struct HypFrontPoint {
    size_t bytes;
    double time_ns;
    uint8_t *options; // by item: which; owned
    int source;       // of merged fronts: which it came from; else 0
} HypFrontPoint;

typedef struct HypChoiceFront {
    HypFrontPoint *points; // bytes rise, times fall
    int count, capacity;
    int item_count;
} HypChoiceFront;

// By dynamic programming over kept bytes for each limit of the scratch bytes. Exact where the kept
// bytes of all items differ by less than 4096 units of their greatest common divisor; else bytes
// are rounded up to a 4096th, and what makes a point is an improvement by 1 in 10,000. False, last
// error set, when out of memory.
bool hyp_choice_front_create(HypChoiceFront *front, const HypChoiceItem *items, int item_count);

// Moves the points of `from`, with so many bytes more, into `front`, and drops those that others
// beat. False, last error set, when out of memory. Free both in every case.
bool hyp_choice_front_merge(HypChoiceFront *front, HypChoiceFront *from, size_t more_bytes,
                            int source);
void hyp_choice_front_free(HypChoiceFront *front); // a zeroed one is allowed

// The fastest point of at most so many bytes; -1: none.
int hyp_choice_front_within(const HypChoiceFront *front, size_t bytes);

// The last point of the lower hull that each step up to pays for: time falls by at least 1 % for
// each 5 % that bytes rise, those of `base_bytes` counted, which every choice needs.
int hyp_choice_front_knee(const HypChoiceFront *front, size_t base_bytes);

#endif
