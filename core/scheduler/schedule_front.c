// SPDX-License-Identifier: Apache-2.0
#include "scheduler/schedule_front.h"

#include "common/array.h"
#include "common/fail.h"

#include <stdlib.h>
#include <string.h>

int hyp_schedule_front_within(const HypScheduleFront *front, size_t bytes)
{
    int at = -1;
    while (at + 1 < front->count && front->points[at + 1].bytes <= bytes)
        at++;
    return at;
}

// Whether a point of so many bytes, or more, would be new.
static bool is_new(const HypScheduleFront *front, size_t bytes, double time_ns)
{
    const int at = hyp_schedule_front_within(front, bytes);
    return at < 0 || front->points[at].time_ns > time_ns;
}

static bool insert(HypScheduleFront *front, HypSchedulePoint point)
{
    HypSchedulePoint *points = hyp_array_reserve(front->points, &front->capacity,
                                                 (size_t)front->count + 1, sizeof *points);
    if (!points)
        return false;
    front->points = points;
    int first = 0; // that is not smaller
    while (first < front->count && points[first].bytes < point.bytes)
        first++;
    int end = first; // behind those that the new one is better than
    for (; end < front->count && points[end].time_ns >= point.time_ns; end++)
        hyp_script_free(&points[end].script);
    memmove(points + first + 1, points + end, (size_t)(front->count - end) * sizeof *points);
    points[first] = point;
    front->count += 1 - (end - first);
    return true;
}

bool hyp_schedule_front_offer(HypScheduleFront *front, const HypScheduleGraph *graph,
                              const HypScript *script, const HypTimeline *timeline, bool optimal)
{
    if (!is_new(front, timeline->peak_bytes, timeline->time_ns))
        return true;
    HypSchedulePoint point = {.time_ns = timeline->time_ns, .optimal = optimal};
    size_t *offsets = calloc((size_t)timeline->count + 1, sizeof *offsets);
    if (!offsets)
        return hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory",
                        graph->model->name);
    bool offered = hyp_timeline_place(timeline, graph, offsets, &point.bytes);
    free(offsets);
    if (offered && is_new(front, point.bytes, point.time_ns)) {
        offered = hyp_script_copy(&point.script, script) && insert(front, point);
        if (!offered)
            hyp_script_free(&point.script);
    }
    return offered;
}

void hyp_schedule_front_free(HypScheduleFront *front)
{
    for (int i = 0; i < front->count; i++)
        hyp_script_free(&front->points[i].script);
    free(front->points);
    *front = (HypScheduleFront){0};
}

// How much of its time a step up saves, for how much more memory: shares of both.
static double gain_rate(const HypSchedulePoint *from, const HypSchedulePoint *to, size_t base_bytes)
{
    const double saved = (from->time_ns - to->time_ns) / from->time_ns;
    const double more =
        (double)(to->bytes - from->bytes) / ((double)base_bytes + (double)from->bytes + 1);
    return saved / more;
}

int hyp_schedule_front_knee(const HypScheduleFront *front, size_t base_bytes)
{
    static const double worth = 0.01 / 0.05;
    int at = 0;
    for (;;) {
        int best = -1;
        double best_rate = 0;
        for (int i = at + 1; i < front->count; i++) {
            const double rate = gain_rate(&front->points[at], &front->points[i], base_bytes);
            if (rate >= best_rate) {
                best_rate = rate;
                best = i;
            }
        }
        if (best < 0 || best_rate < worth)
            return at;
        at = best;
    }
}
