// SPDX-License-Identifier: Apache-2.0
// pareto.h - what a sweep over two costs, memory and time say, offers as a whole.
#ifndef HYP_PARETO_H
#define HYP_PARETO_H

#include <stdbool.h>
#include <stddef.h>

// Less is better in both.
typedef struct ParetoPoint {
    double x, y;
} ParetoPoint;

// Whether each point is on the front: no other is better in one and at least as good in the other.
// Of equal points all are. A point with a coordinate that is not finite is not, and beats none.
void stat_pareto_front(const ParetoPoint *points, size_t count, bool *on_front);

// Area between the reference point and the points that are better than it in both: the union of
// their rectangles. 0 where none is. NAN: a coordinate is not finite, or out of memory.
double stat_hypervolume(const ParetoPoint *points, size_t count, ParetoPoint reference);

// As shares of the base's area: what only base covered, and what only the latest covers. Area lost
// in one place is not paid for by area gained in another. NAN: base covers nothing, or as above.
typedef struct ParetoChange {
    double lost, gained;
} ParetoChange;
ParetoChange stat_pareto_change(const ParetoPoint *base, size_t base_count,
                                const ParetoPoint *latest, size_t latest_count,
                                ParetoPoint reference);

#endif
