// SPDX-License-Identifier: Apache-2.0
// chase_levels.c - where the curve of a pointer chase rises from one plateau to the next.
#include "machine/chase.h"

#include <math.h>

// Of the way from a level's latency to that of the next one: so many loads miss.
static const double missing_share = 0.25;
// Plateaus nearer than that are one: sharing and frequency alone move latencies by some per cent.
static const double least_rise = 1.15;

// The point nearest to a size, by ratio.
static const ChasePoint *find_point(const ChaseCurve *curve, double array_bytes)
{
    const ChasePoint *nearest = &curve->points[0];
    for (size_t i = 1; i < curve->count; i++)
        if (fabs(log((double)curve->points[i].array_bytes / array_bytes)) <
            fabs(log((double)nearest->array_bytes / array_bytes)))
            nearest = &curve->points[i];
    return nearest;
}

// Between the capacity of the level before and that of its own, where nothing but it answers: half
// of L1; further out the geometric mean, but no more than twice the level before, since what is
// advertised of a level that others share, or that a hypervisor tells of, may not be there.
static const ChasePoint *find_plateau(const ChaseCurve *curve,
                                      const HyperionCacheTopology *advertised, int level)
{
    if (level == advertised->level_count)
        return &curve->points[curve->count - 1];
    const double own = (double)advertised->levels[level].size_bytes;
    const double before = level ? (double)advertised->levels[level - 1].size_bytes : own / 4;
    const double mean = sqrt(own * before);
    return find_point(curve, level && 2 * before < mean ? 2 * before : mean);
}

// The largest array before the curve passes `limit_ns` for good: one slow point is a neighbour's.
static size_t find_edge(const ChaseCurve *curve, const ChasePoint *plateau, double limit_ns)
{
    const ChasePoint *end = &curve->points[curve->count];
    for (const ChasePoint *point = plateau; point + 1 < end; point++)
        if (point[0].least_ns > limit_ns && point[1].least_ns > limit_ns)
            return point > curve->points ? point[-1].array_bytes : 0;
    return 0;
}

static void find_capacity(const ChaseCurve *curve, const ChasePoint *plateau,
                          const ChasePoint *beyond, ObservedLevel *observed)
{
    observed->reason = NULL;
    if (beyond->least_ns < least_rise * plateau->least_ns) {
        observed->reason = "the chase sees no difference to the level behind it";
        return;
    }
    const double limit_ns =
        plateau->least_ns + missing_share * (beyond->least_ns - plateau->least_ns);
    observed->capacity_bytes = find_edge(curve, plateau, limit_ns);
    if (!observed->capacity_bytes)
        observed->reason = "the chase ended before it";
}

void chase_find_levels(const ChaseCurve *curve, const HyperionCacheTopology *advertised,
                       ObservedLevel observed[HYPERION_MAX_CACHE_LEVELS + 1])
{
    const int count = advertised->level_count;
    for (int level = 0; level <= count; level++) {
        observed[level] = (ObservedLevel){
            .least_ns = NAN, .median_ns = NAN, .high_ns = NAN, .reason = "its size is not known"};
        if (curve->count == 0 || (level < count && !advertised->levels[level].size_bytes) ||
            (level > 0 && level < count && !advertised->levels[level - 1].size_bytes))
            continue;
        const ChasePoint *plateau = find_plateau(curve, advertised, level);
        observed[level].least_ns = plateau->least_ns;
        observed[level].median_ns = plateau->median_ns;
        observed[level].high_ns = plateau->high_ns;
        observed[level].reason = NULL;
        if (level < count)
            find_capacity(curve, plateau, find_plateau(curve, advertised, level + 1),
                          &observed[level]);
    }
}
