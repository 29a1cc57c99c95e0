// SPDX-License-Identifier: Apache-2.0
#include "cache/placed_window.h"

#include <stdint.h>
#include <string.h>

enum {
    MOST_SETS = 4096,      // of the levels that are counted
    MOST_RUNS = 1024,      // counted one by one
    MOST_FLOATS = 1 << 28, // of a run: more than any cache that is counted
};

bool hyp_window_is_placed(const HypWindow *window, const HypCacheShape *cache)
{
    size_t runs = 0;
    for (int i = 0; i < window->count; i++) {
        if (!window->regions[i].place.known || window->regions[i].place.width > MOST_FLOATS)
            return false;
        runs += window->regions[i].rows;
    }
    return cache->sets <= MOST_SETS && runs <= MOST_RUNS;
}

// Lines in a set: `all` and so many more as it has alone.
typedef struct SetCounts {
    uint32_t sets, all;
    uint16_t more[MOST_SETS];
} SetCounts;

static void clear_counts(SetCounts *counts, uint32_t sets)
{
    counts->sets = sets;
    counts->all = 0;
    memset(counts->more, 0, sets * sizeof counts->more[0]);
}

// Adds `lines` sets from `first` on, in a circle.
static void add_lines(SetCounts *counts, uint32_t first, uint32_t lines)
{
    const uint32_t sets = counts->sets;
    if (lines >= sets) {
        counts->all += lines / sets;
        lines %= sets;
    }
    const uint32_t start = first < sets ? first : first - sets;
    const uint32_t end = start + lines;
    for (uint32_t i = start; i < (end < sets ? end : sets); i++)
        counts->more[i]++;
    for (uint32_t i = sets; i < end; i++)
        counts->more[i - sets]++;
}

// Starts are kept modulo a way.
static void add_runs(SetCounts *counts, const HypRegion *region, unsigned line_shift)
{
    const HypPlace *place = &region->place;
    const uint32_t way = counts->sets << line_shift;
    const uint32_t width = (uint32_t)place->width;
    const uint32_t stride = (uint32_t)(region->stride_floats % way);
    const uint32_t plane_stride = (uint32_t)(place->plane_stride % way);
    const uint32_t rows = (uint32_t)(region->rows / place->planes);
    const uint32_t left_out = (uint32_t)(place->left_out_first + place->left_out_last);
    uint32_t plane = (uint32_t)(place->start % way);
    for (size_t i = 0; i < place->planes; i++) {
        uint32_t start = plane;
        for (uint32_t row = 0; row < rows; row++) {
            const uint32_t first = start >> line_shift;
            const uint32_t end = ((start + width - 1) >> line_shift) + 1;
            const uint32_t lines = end - first;
            if (lines > left_out)
                add_lines(counts, first + (uint32_t)place->left_out_first, lines - left_out);
            start += stride;
            start -= start >= way ? way : 0;
        }
        plane += plane_stride;
        plane -= plane >= way ? way : 0;
    }
}

// Rows without gaps are one run: a line in which two of them meet is one.
static HypRegion join_rows(const HypRegion *region)
{
    HypRegion joined = *region;
    const size_t rows = region->rows / region->place.planes;
    if (rows <= 1 || region->place.width < region->stride_floats || region->place.left_out_first ||
        region->place.left_out_last)
        return joined;
    joined.rows = region->place.planes;
    joined.place.width = (rows - 1) * region->stride_floats + region->place.width;
    return joined;
}

// Of the lines in `own`, those in sets with more lines than ways.
static double evicted_share(const SetCounts *own, const SetCounts *others, uint32_t ways)
{
    const uint32_t all = own->all + others->all;
    if (all > ways)
        return 1;
    const uint32_t room = ways - all;
    uint32_t full_sets = 0;
    uint32_t evicted = 0;
    uint32_t more = 0;
    for (uint32_t i = 0; i < own->sets; i++) {
        const uint32_t mine = own->more[i];
        const uint32_t full = mine + others->more[i] > room;
        full_sets += full;
        evicted += full * mine;
        more += mine;
    }
    const double lines = (double)own->all * own->sets + more;
    return lines > 0 ? ((double)own->all * full_sets + evicted) / lines : 0;
}

double hyp_placed_window_miss(const HypWindow *window, const HypCacheShape *cache)
{
    const uint32_t sets = (uint32_t)cache->sets;
    const unsigned line_shift =
        (unsigned)__builtin_ctz((unsigned)cache->line_floats); // a power of 2
    SetCounts own, others;
    clear_counts(&own, sets);
    clear_counts(&others, sets);
    for (int i = 0; i < window->count; i++) {
        const HypRegion region = join_rows(&window->regions[i]);
        add_runs(i == 0 ? &own : &others, &region, line_shift);
    }
    return evicted_share(&own, &others, (uint32_t)cache->ways);
}
