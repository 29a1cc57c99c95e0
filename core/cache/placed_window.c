// SPDX-License-Identifier: Apache-2.0
#include "cache/placed_window.h"

#include "cache/set_counts.h"

enum {
    MOST_RUNS = 4096,      // counted one by one
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
    return cache->sets <= HYP_MOST_COUNTED_SETS && runs <= MOST_RUNS;
}

// Rows without gaps are one run: a line in which two of them meet is one.
static HypRuns join_rows(const HypRegion *region)
{
    const HypPlace *place = &region->place;
    HypRuns runs = {.start = place->start,
                    .width = place->width,
                    .stride = region->stride_floats,
                    .count = region->rows,
                    .left_out_first = place->left_out_first,
                    .left_out_last = place->left_out_last};
    if (runs.count > 1 && runs.width >= runs.stride && !place->planes && !runs.left_out_first &&
        !runs.left_out_last) {
        runs.width += (runs.count - 1) * runs.stride;
        runs.count = 1;
    }
    return runs;
}

static size_t count_full(const HypSetCounts *counts, size_t first, size_t end, size_t room)
{
    uint32_t full = 0;
    for (size_t i = first; i < end; i++)
        full += counts->more[i] > room;
    return full;
}

// Likewise, where own lines are one run that is shorter than a way: only its sets are looked at.
static double evicted_share_of_run(const HypSetCounts *others, size_t first, size_t lines,
                                   size_t ways)
{
    if (others->everywhere >= ways)
        return 1;
    const size_t sets = others->sets.count;
    const size_t room = ways - others->everywhere - 1; // beside the line itself
    const size_t end = first + lines;
    const size_t evicted = count_full(others, first, end < sets ? end : sets, room) +
                           count_full(others, 0, end > sets ? end - sets : 0, room);
    return (double)evicted / (double)lines;
}

double hyp_placed_window_miss(const HypWindow *window, const HypCacheShape *cache)
{
    const HypSets sets = hyp_find_sets(cache);
    const size_t line_floats = (size_t)cache->line_floats;
    const size_t ways = (size_t)cache->ways;
    HypSetCounts own, others;
    hyp_counts_clear(&others, sets);
    for (int i = 1; i < window->count; i++) {
        const HypRuns runs = join_rows(&window->regions[i]);
        hyp_counts_add_runs(&others, &runs, line_floats);
    }
    const HypRuns runs = join_rows(&window->regions[0]);
    const size_t first = runs.start / line_floats;
    const size_t lines = (runs.start + runs.width - 1) / line_floats + 1 - first;
    if (runs.count == 1 && lines < sets.count && !runs.left_out_first && !runs.left_out_last)
        return evicted_share_of_run(&others, hyp_sets_remainder(sets, first), lines, ways);
    hyp_counts_clear(&own, sets);
    hyp_counts_add_runs(&own, &runs, line_floats);
    return hyp_counts_evicted_share(&own, &others, ways);
}
