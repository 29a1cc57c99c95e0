// SPDX-License-Identifier: Apache-2.0
#include "cache/occupancy.h"

#include "cache/placed_window.h"
#include "cache/rounding.h"

#include <assert.h>
#include <stdint.h>

enum { SAMPLES = 16 }; // rows of a cluster at which lines are counted

void hyp_window_add(HypWindow *window, double lines, size_t rows, size_t stride_floats)
{
    if (lines <= 0)
        return;
    assert(window->count < HYP_WINDOW_REGIONS);
    window->regions[window->count++] =
        (HypRegion){.lines = lines, .rows = rows, .stride_floats = stride_floats};
}

void hyp_window_place(HypWindow *window, const HypPlace *place)
{
    assert(window->count > 0);
    window->regions[window->count - 1].place = *place;
}

void hyp_window_put_first(HypWindow *window, int index)
{
    assert(index < window->count);
    const HypRegion region = window->regions[index];
    window->regions[index] = window->regions[0];
    window->regions[0] = region;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

// Starts of rows modulo the size of a way: `clusters` evenly spaced ones, in each of which rows
// follow one another `drift_floats` apart. The denominators of the continued fraction of
// stride / way are the numbers of rows after which a start is nearly repeated; the largest that is
// no larger than the number of rows tells the clusters apart. Drift 0 is a stride that shares
// factors with the sets, such as a power of two.
typedef struct Clusters {
    size_t count, drift_floats;
} Clusters;

static Clusters find_clusters(size_t rows, size_t stride_floats, size_t way_floats)
{
    size_t larger = way_floats;
    size_t count_before = 0;
    Clusters clusters = {.count = 1, .drift_floats = stride_floats % way_floats};
    while (clusters.drift_floats > 0) {
        const size_t quotient = larger / clusters.drift_floats;
        const size_t next = quotient * clusters.count + count_before;
        if (next > rows)
            break;
        const size_t rest = larger % clusters.drift_floats;
        larger = clusters.drift_floats;
        count_before = clusters.count;
        clusters = (Clusters){.count = next, .drift_floats = rest};
    }
    return clusters;
}

// How a region lies in the sets. Contiguous: `whole` lines in every set and one more in `rest` of
// them. Strided: rows of `whole` + `rest` circles' length, where a circle is the distance from one
// cluster to the next.
typedef struct Layout {
    bool strided;
    double whole, rest;   // contiguous: lines a set; strided: lines along the circle
    double circle, drift; // lines
    double cluster_rows;
    double least, most; // bounds on the lines in a set
} Layout;

// Filled in place: a prediction lays out some hundred regions.
static void lay_out_run(Layout *layout, double lines, const HypCacheShape *cache)
{
    const double mean = lines / cache->sets;
    layout->strided = false;
    layout->whole = hyp_round_down(mean);
    layout->rest = mean - layout->whole;
    layout->least = layout->whole;
    layout->most = layout->whole + 1;
}

static void lay_out_rows(Layout *layout, const HypRegion *region, const HypCacheShape *cache)
{
    const Clusters clusters = find_clusters(region->rows, region->stride_floats,
                                            (size_t)(cache->sets * cache->line_floats));
    const double width = region->lines / (double)region->rows;
    layout->strided = true;
    layout->circle = cache->sets / (double)clusters.count;
    layout->drift = (double)clusters.drift_floats / cache->line_floats;
    layout->cluster_rows = (double)region->rows / (double)clusters.count;
    layout->whole = hyp_round_down(width / layout->circle);
    layout->rest = width - layout->whole * layout->circle;
    const double rows = hyp_round_up(layout->cluster_rows);
    double overlapping = rows; // rows that can hold one place
    if (layout->drift > 0)
        overlapping = smaller(rows, hyp_round_down(layout->rest / layout->drift) + 1);
    // Where the circle is closed by few rows, the end of a cluster can overlap its beginning.
    layout->least = layout->whole * hyp_round_down(layout->cluster_rows);
    layout->most = layout->whole * rows + smaller(rows, 2 * overlapping);
}

// As one run, but for the bounds: planes may lie anywhere to one another.
static void lay_out_planes(Layout *layout, const HypRegion *region, const HypCacheShape *cache)
{
    lay_out_run(layout, region->lines, cache);
    layout->least = 0;
    layout->most = region->lines;
}

// Rows without gaps are one run; lines in which two rows meet count once there.
static void lay_out(Layout *layout, const HypRegion *region, const HypCacheShape *cache)
{
    if (region->place.planes && region->rows > 1) {
        lay_out_planes(layout, region, cache);
        return;
    }
    const double rows_lines = (double)(region->rows * region->stride_floats) / cache->line_floats;
    if (region->rows <= 1)
        lay_out_run(layout, region->lines, cache);
    else if (region->lines >= rows_lines)
        lay_out_run(layout, rows_lines, cache);
    else
        lay_out_rows(layout, region, cache);
}

// How many lines of a region a set holds: chance[i] of i, least <= i <= most; the places from
// `ways` on are collected in that of `ways`. Where the line that comes back is of this region, the
// counts are of the others in its set, and sets weigh as many times as they hold lines.
typedef struct Counts {
    int least, most;
    double chance[HYP_COUNTED_WAYS + 1];
} Counts;

typedef struct Counting {
    int ways;
    bool own;
    double weight;
} Counting;

static void clear_counts(Counts *counts, int ways)
{
    counts->least = ways;
    counts->most = 0;
    for (int i = 0; i <= ways; i++)
        counts->chance[i] = 0;
}

static void count_sets(Counts *counts, Counting *counting, double lines, double share)
{
    const double weight = counting->own ? share * lines : share;
    if (weight <= 0)
        return;
    const double others = counting->own ? lines - 1 : lines;
    const int place = others < counting->ways ? (int)others : counting->ways;
    counts->least = place < counts->least ? place : counts->least;
    counts->most = place > counts->most ? place : counts->most;
    counts->chance[place] += weight;
    counting->weight += weight;
}

// Of `rows` intervals [i * drift, i * drift + width), those that hold `place`.
static double count_covering(double place, double rows, double drift, double width)
{
    const double last = smaller(rows - 1, hyp_round_down(place / drift));
    const double first = place < width ? 0 : hyp_round_down((place - width) / drift) + 1;
    return larger(0, last - first + 1);
}

static void count_place(Counts *counts, Counting *counting, const Layout *layout, double rows,
                        double place, double share)
{
    double covering = count_covering(place, rows, layout->drift, layout->rest);
    if ((rows - 1) * layout->drift + layout->rest >= layout->circle)
        covering += count_covering(place + layout->circle, rows, layout->drift, layout->rest);
    count_sets(counts, counting, layout->whole * rows + covering, share);
}

// The clusters that have `rows` rows, a `share` of all.
static void count_clusters(Counts *counts, Counting *counting, const Layout *layout, double rows,
                           double share)
{
    const double whole = layout->whole * rows;
    if (layout->drift <= 0) { // all rows in one place
        count_sets(counts, counting, whole, share * (1 - layout->rest / layout->circle));
        count_sets(counts, counting, whole + rows, share * layout->rest / layout->circle);
        return;
    }
    // From one start to the next, lines change once: where a row further back ends.
    const double drift = layout->drift;
    const double end = layout->rest - hyp_round_down(layout->rest / drift) * drift;
    const double starts = hyp_round_up(((rows - 1) * drift + layout->rest) / drift);
    const double span = smaller(starts * drift, layout->circle);
    const double starts_of_span = hyp_round_up(span / drift);
    const double samples = smaller(starts_of_span, SAMPLES);
    const double scale = share * span / layout->circle / (samples * drift);
    count_sets(counts, counting, whole, share * (1 - span / layout->circle));
    for (int i = 0; i < (int)samples; i++) {
        const double start = hyp_round_down((i + 0.5) / samples * starts_of_span) * drift;
        count_place(counts, counting, layout, rows, start + end / 2, scale * end);
        count_place(counts, counting, layout, rows, start + (end + drift) / 2,
                    scale * (drift - end));
    }
}

static void find_counts(Counts *counts, const Layout *layout, int ways, bool own)
{
    Counting counting = {.ways = ways, .own = own};
    clear_counts(counts, ways);
    if (layout->strided) {
        const double least_rows = hyp_round_down(layout->cluster_rows);
        const double longer = layout->cluster_rows - least_rows;
        count_clusters(counts, &counting, layout, least_rows, 1 - longer);
        if (longer > 0)
            count_clusters(counts, &counting, layout, least_rows + 1, longer);
    } else {
        count_sets(counts, &counting, layout->whole, 1 - layout->rest);
        count_sets(counts, &counting, layout->whole + 1, layout->rest);
    }
    if (counting.weight <= 0) { // runs so narrow that every sample fell beside them
        counts->least = 0;
        counts->chance[0] = 1;
        return;
    }
    for (int i = counts->least; i <= counts->most; i++)
        counts->chance[i] /= counting.weight;
}

// *sum becomes the distribution of the sum of both.
static void add_counts(Counts *sum, const Counts *other, int ways)
{
    Counts result;
    clear_counts(&result, ways);
    result.least = sum->least + other->least < ways ? sum->least + other->least : ways;
    result.most = sum->most + other->most < ways ? sum->most + other->most : ways;
    for (int j = other->least; j <= other->most; j++) {
        if (other->chance[j] <= 0) // most places between none and many
            continue;
        for (int i = sum->least; i <= sum->most; i++)
            result.chance[i + j < ways ? i + j : ways] += sum->chance[i] * other->chance[j];
    }
    sum->least = result.least;
    sum->most = result.most;
    for (int i = result.least; i <= result.most; i++)
        sum->chance[i] = result.chance[i];
}

double hyp_window_miss(const HypWindow *window, const HypCacheShape *cache)
{
    assert(window->count > 0);
    Layout layouts[HYP_WINDOW_REGIONS];
    double least = -1; // the line itself is none of the others
    double most = -1;
    double lines = -1;
    for (int i = 0; i < window->count; i++) {
        lay_out(&layouts[i], &window->regions[i], cache);
        least += layouts[i].least;
        most += layouts[i].most;
        lines += window->regions[i].lines;
    }
    if (most < cache->ways)
        return 0;
    if (least >= cache->ways)
        return 1;
    if (hyp_window_is_placed(window, cache))
        return hyp_placed_window_miss(window, cache);
    if (cache->ways > HYP_COUNTED_WAYS)
        return lines < cache->ways * cache->sets ? 0 : 1;
    const int ways = (int)cache->ways;
    Counts sum;
    find_counts(&sum, &layouts[0], ways, true);
    for (int i = 1; i < window->count && sum.least < ways; i++) {
        Counts counts;
        find_counts(&counts, &layouts[i], ways, false);
        add_counts(&sum, &counts, ways);
    }
    return sum.most < ways ? 0 : smaller(1, sum.chance[ways]);
}
