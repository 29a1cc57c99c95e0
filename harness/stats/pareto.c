// SPDX-License-Identifier: Apache-2.0
#include "stats/pareto.h"

#include <math.h>
#include <stdlib.h>

static int compare_points(const void *a, const void *b)
{
    const ParetoPoint *left = a;
    const ParetoPoint *right = b;
    return (left->x > right->x) - (left->x < right->x);
}

// Strips from left to right, each as high as the best point so far reaches. The points ascend in x.
static double add_strips(const ParetoPoint *points, size_t count, ParetoPoint reference)
{
    double area = 0;
    double lowest = reference.y;
    for (size_t i = 0; i < count && points[i].x < reference.x; i++) {
        const double end = i + 1 < count ? fmin(points[i + 1].x, reference.x) : reference.x;
        lowest = fmin(lowest, points[i].y);
        area += (end - points[i].x) * (reference.y - lowest);
    }
    return area;
}

double stat_hypervolume(const ParetoPoint *points, size_t count, ParetoPoint reference)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(points[i].x) || !isfinite(points[i].y))
            return NAN;
    ParetoPoint *sorted = calloc(count + 1, sizeof *sorted);
    if (!sorted || !isfinite(reference.x) || !isfinite(reference.y)) {
        free(sorted);
        return NAN;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = points[i];
    qsort(sorted, count, sizeof *sorted, compare_points);
    const double area = add_strips(sorted, count, reference);
    free(sorted);
    return area;
}

ParetoChange stat_pareto_change(const ParetoPoint *base, size_t base_count,
                                const ParetoPoint *latest, size_t latest_count,
                                ParetoPoint reference)
{
    ParetoPoint *both = calloc(base_count + latest_count + 1, sizeof *both);
    if (!both)
        return (ParetoChange){NAN, NAN};
    for (size_t i = 0; i < base_count; i++)
        both[i] = base[i];
    for (size_t i = 0; i < latest_count; i++)
        both[base_count + i] = latest[i];
    const double of_base = stat_hypervolume(base, base_count, reference);
    const double of_latest = stat_hypervolume(latest, latest_count, reference);
    const double of_both = stat_hypervolume(both, base_count + latest_count, reference);
    free(both);
    if (!(of_base > 0))
        return (ParetoChange){NAN, NAN};
    return (ParetoChange){(of_both - of_latest) / of_base, (of_both - of_base) / of_base};
}

static bool point_is_finite(ParetoPoint point)
{
    return isfinite(point.x) && isfinite(point.y);
}

static bool point_beats(ParetoPoint a, ParetoPoint b)
{
    return point_is_finite(a) && a.x <= b.x && a.y <= b.y && (a.x < b.x || a.y < b.y);
}

void stat_pareto_front(const ParetoPoint *points, size_t count, bool *on_front)
{
    for (size_t i = 0; i < count; i++) {
        on_front[i] = point_is_finite(points[i]);
        for (size_t j = 0; j < count && on_front[i]; j++)
            on_front[i] = !point_beats(points[j], points[i]);
    }
}
