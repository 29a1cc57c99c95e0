// SPDX-License-Identifier: Apache-2.0
#include "cache/placed_window.h"

#include "cache/set_counts.h"

enum {
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

// Of own lines, those in sets with more lines than ways.
static double evicted_share(const HypSetCounts *counts, uint32_t ways)
{
    size_t lines = 0;
    size_t evicted = 0;
    for (HypSetSpan span = hyp_counts_begin(counts); hyp_counts_next(counts, &span);) {
        const size_t own = (span.end - span.first) * hyp_own_lines(span.lines);
        lines += own;
        evicted += hyp_all_lines(span.lines) > ways ? own : 0;
    }
    return lines > 0 ? (double)evicted / (double)lines : 0;
}

double hyp_placed_window_miss(const HypWindow *window, const HypCacheShape *cache)
{
    HypSetCounts counts;
    hyp_counts_clear(&counts, hyp_find_sets(cache));
    for (int i = 0; i < window->count; i++) {
        const HypRuns runs = join_rows(&window->regions[i]);
        hyp_counts_add_runs(&counts, &runs, (size_t)cache->line_floats,
                            i == 0 ? HYP_LINE_OWN : HYP_LINE_OTHER);
    }
    return evicted_share(&counts, (uint32_t)cache->ways);
}
