// SPDX-License-Identifier: Apache-2.0
// schedule_front.h - the schedules that were found for a pass, of which none is faster in as few
// bytes: so whoever may use more bytes never takes longer.
#ifndef HYP_SCHEDULE_FRONT_H
#define HYP_SCHEDULE_FRONT_H

#include "scheduler/script.h"

typedef struct HypSchedulePoint {
    size_t bytes; // of the memory for activations
    double time_ns;
    bool optimal; // no schedule within these bytes is faster: proved
    HypScript script;
} HypSchedulePoint;

typedef struct HypScheduleFront {
    HypSchedulePoint *points; // bytes rise, times fall
    int count, capacity;
    size_t store_all_bytes; // of the schedule that keeps everything
    double store_all_ns;
    size_t lower_bound_bytes; // no schedule can need less
    bool order_proved;
    bool measured; // the times
} HypScheduleFront;

// Takes a copy of a script whose timeline was read, unless the front has better. False, last error
// set, when out of memory.
bool hyp_schedule_front_offer(HypScheduleFront *front, const HypScheduleGraph *graph,
                              const HypScript *script, const HypTimeline *timeline, bool optimal);
void hyp_schedule_front_free(HypScheduleFront *front); // a zeroed one is allowed

// The last point of the lower hull that each step up to pays for: time falls by at least 1 % for
// each 5 % that bytes rise, those of `base_bytes` counted, which every schedule needs.
int hyp_schedule_front_knee(const HypScheduleFront *front, size_t base_bytes);

// The fastest point of at most so many bytes; -1: none.
int hyp_schedule_front_within(const HypScheduleFront *front, size_t bytes);

// Fill an empty front, whose times never rise with bytes. `order` has the layers with work. False,
// last error set, when out of memory.
bool hyp_plan_forward(HypScheduleFront *front, const HypScheduleGraph *graph, const int *order,
                      int count);
bool hyp_plan_backward(HypScheduleFront *front, const HypScheduleGraph *graph, const int *order,
                       int count);

#endif
