// SPDX-License-Identifier: Apache-2.0
// occupancy.h - whether a line survives in a set-associative LRU cache while others are touched.
//
// A line touched again hits if fewer than `ways` other lines of its set were touched in between.
// What was touched is described as regions: runs of consecutive lines, one or several at a fixed
// stride. A run spreads over the sets as evenly as can be (floor or ceiling of its share in each);
// strides that share a factor with the sets leave sets out. Where the places of all regions are
// known, the lines of each set are counted (placed_window.h). Else regions are taken as placed at
// random to one another, so that the number of lines in a set is a sum of independent small
// variables.
#ifndef HYP_OCCUPANCY_H
#define HYP_OCCUPANCY_H

#include <stdbool.h>
#include <stddef.h>

// A level as the closed form sees it.
typedef struct HypCacheShape {
    double sets, ways, line_floats;
} HypCacheShape;

// Where the runs of a region start, in floats from an origin that regions share.
typedef struct HypPlace {
    bool known;
    bool planes;         // a run in each: bounds take them as anywhere to one another
    size_t start, width; // of the first run
    size_t left_out_first, left_out_last; // lines of each run that are not touched
} HypPlace;

typedef struct HypRegion {
    double lines;         // distinct lines touched, may be a fraction
    size_t rows;          // runs they lie in
    size_t stride_floats; // between starts of the runs; of no meaning for one
    HypPlace place;
} HypRegion;

enum { HYP_WINDOW_REGIONS = 24 };

// What was touched since a line's last touch. Region 0 holds that line.
typedef struct HypWindow {
    HypRegion regions[HYP_WINDOW_REGIONS];
    int count;
} HypWindow;

// Nothing was touched. Larger than what is in most, so that it is not set to 0 as a whole.
static inline void hyp_window_start(HypWindow *window)
{
    window->count = 0;
}

// Adds a region; nothing for no lines.
void hyp_window_add(HypWindow *window, double lines, size_t rows, size_t stride_floats);

// Says where the region added last lies.
void hyp_window_place(HypWindow *window, const HypPlace *place);

// Makes region `index` that of the line.
void hyp_window_put_first(HypWindow *window, int index);

// Probability, 0 to 1, that the line has been evicted.
double hyp_window_miss(const HypWindow *window, const HypCacheShape *cache);

// Above this many ways a set is so large that shares hardly vary: compared as one number.
enum { HYP_COUNTED_WAYS = 64 };

#endif
