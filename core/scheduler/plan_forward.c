// SPDX-License-Identifier: Apache-2.0
// plan_forward.c - forward passes in less memory than everything that is needed later takes:
// results that wait for a later layer are written to disk or made again. The plans are found by a
// descent: from all kept, where too much is live, the change that takes off most for its time; then
// again with what earlier changes no longer serve undone. A second way starts from nothing kept.
#include "scheduler/schedule_front.h"

#include "common/fail.h"
#include "scheduler/waits.h"

#include <math.h>
#include <stdlib.h>

enum {
    LEVELS = 40,          // limits of memory that plans are looked for
    MOST_WORK = 20000000, // items looked at, some tenths of a second
};

typedef struct Descent {
    HypWaits waits;
    HypScheduleFront *front;
    HypScript script;
    HypTimeline timeline;
    long work_left;
} Descent;

// Reads the script of the choices in force; false, last error set, when out of memory.
static bool look(Descent *descent)
{
    hyp_waits_write(&descent->waits, &descent->script);
    descent->work_left -= descent->script.count;
    return !descent->script.failed &&
           hyp_timeline_read(&descent->timeline, descent->waits.graph, &descent->script);
}

static bool offer(Descent *descent)
{
    bool kept = true;
    for (int i = 0; i < descent->waits.count; i++)
        kept &= descent->waits.of[i].choice == HYP_WAIT_KEPT;
    // Nothing is faster than running each layer once.
    const bool optimal =
        kept && descent->timeline.recomputed_layers == 0 && descent->timeline.restored_bytes == 0;
    return hyp_schedule_front_offer(descent->front, descent->waits.graph, &descent->script,
                                    &descent->timeline, optimal);
}

// Whether more than the limit is live while the tensor waits.
static bool is_concerned(const Descent *descent, const HypWait *wait, size_t limit_bytes)
{
    const int *items = descent->waits.item_of;
    for (int i = items[wait->from] + 1; i < items[wait->to]; i++)
        if (descent->timeline.live_bytes[i] > limit_bytes)
            return true;
    return false;
}

typedef struct Move {
    int wait, choice;
    double rate; // bytes above the limit that go for each ns
} Move;

// Tries all other choices of a wait; the present one is in force afterwards.
static bool try_wait(Descent *descent, int index, size_t limit_bytes, double excess, double time_ns,
                     Move *best)
{
    HypWait *wait = &descent->waits.of[index];
    const int present = wait->choice;
    for (int choice = 0; choice < HYP_WAIT_CHOICE_COUNT; choice++) {
        if (choice == present || !hyp_waits_allow(&descent->waits, index, choice))
            continue;
        wait->choice = choice;
        if (!look(descent))
            return false;
        const double gain =
            excess - hyp_timeline_excess(&descent->timeline, descent->script.count, limit_bytes);
        const double cost = descent->timeline.time_ns - time_ns;
        const double rate = cost > 0 ? gain / cost : INFINITY;
        if (gain > 0 && rate > best->rate)
            *best = (Move){index, choice, rate};
    }
    wait->choice = present;
    return true;
}

// Changes choices until no more than the limit is live, or nothing helps.
static bool descend(Descent *descent, size_t limit_bytes)
{
    bool *concerned = calloc((size_t)descent->waits.count + 1, sizeof *concerned);
    if (!concerned)
        return hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory",
                        descent->waits.graph->model->name);
    bool looked = look(descent);
    while (looked && descent->timeline.peak_bytes > limit_bytes && descent->work_left > 0) {
        const double time_ns = descent->timeline.time_ns;
        const double excess =
            hyp_timeline_excess(&descent->timeline, descent->script.count, limit_bytes);
        Move best = {.wait = -1, .rate = 0};
        for (int i = 0; i < descent->waits.count; i++)
            concerned[i] = is_concerned(descent, &descent->waits.of[i], limit_bytes);
        for (int i = 0; looked && i < descent->waits.count; i++)
            if (concerned[i])
                looked = try_wait(descent, i, limit_bytes, excess, time_ns, &best);
        if (best.wait >= 0)
            descent->waits.of[best.wait].choice = best.choice;
        looked = looked && look(descent) && offer(descent);
        if (best.wait < 0)
            break;
    }
    free(concerned);
    return looked;
}

// Keeps again what can be kept within the limit, and else chooses what takes less time.
static bool relax(Descent *descent, size_t limit_bytes)
{
    if (!look(descent))
        return false;
    for (int i = 0; i < descent->waits.count && descent->work_left > 0; i++) {
        HypWait *wait = &descent->waits.of[i];
        double least_ns = descent->timeline.time_ns;
        int best = wait->choice;
        if (best == HYP_WAIT_KEPT)
            continue;
        for (int choice = 0; choice < HYP_WAIT_CHOICE_COUNT; choice++) {
            if (!hyp_waits_allow(&descent->waits, i, choice))
                continue;
            wait->choice = choice;
            if (!look(descent))
                return false;
            if (descent->timeline.peak_bytes <= limit_bytes &&
                descent->timeline.time_ns < least_ns) {
                least_ns = descent->timeline.time_ns;
                best = choice;
            }
        }
        wait->choice = best;
        if (!look(descent))
            return false;
    }
    return offer(descent);
}

static void choose_all(Descent *descent, int choice)
{
    for (int i = 0; i < descent->waits.count; i++) {
        int chosen = choice;
        if (!hyp_waits_allow(&descent->waits, i, chosen))
            chosen = hyp_waits_allow(&descent->waits, i, HYP_WAIT_KEPT) ? HYP_WAIT_KEPT
                                                                        : HYP_WAIT_REMADE;
        descent->waits.of[i].choice = chosen;
    }
}

// Every wait treated the same, as far as it may be: among them are the plans that need least.
static bool try_extremes(Descent *descent)
{
    for (int choice = HYP_WAIT_CHOICE_COUNT; choice-- > 0;) {
        choose_all(descent, choice);
        if (!look(descent) || !offer(descent))
            return false;
    }
    // The last was all kept.
    descent->front->store_all_bytes = descent->front->points[descent->front->count - 1].bytes;
    descent->front->store_all_ns = descent->timeline.time_ns;
    return true;
}

static size_t level_bytes(size_t least, size_t most, int level)
{
    return most - (size_t)((double)(most - least) * (level + 1) / LEVELS);
}

// Down through the levels from all kept, what was chosen for one being where the next begins.
static bool descend_levels(Descent *descent, size_t least, size_t most)
{
    choose_all(descent, HYP_WAIT_KEPT);
    for (int level = 0; level < LEVELS && descent->work_left > 0; level++) {
        const size_t limit_bytes = level_bytes(least, most, level);
        if (!descend(descent, limit_bytes) || !relax(descent, limit_bytes))
            return false;
    }
    return true;
}

// Up through the levels from nothing kept.
static bool ascend_levels(Descent *descent, size_t least, size_t most)
{
    choose_all(descent, descent->waits.graph->may_spill ? HYP_WAIT_SPILLED : HYP_WAIT_REMADE);
    for (int level = LEVELS; level-- > 0 && descent->work_left > 0;)
        if (!relax(descent, level_bytes(least, most, level)))
            return false;
    return true;
}

static bool plan_levels(Descent *descent)
{
    if (!try_extremes(descent))
        return false;
    const size_t most = descent->timeline.peak_bytes;
    const size_t least = descent->waits.graph->lower_bound_bytes;
    if (least >= most || descent->waits.count == 0)
        return true;
    descent->work_left = MOST_WORK / 2;
    if (!descend_levels(descent, least, most))
        return false;
    descent->work_left = MOST_WORK / 2;
    return ascend_levels(descent, least, most);
}

bool hyp_plan_forward(HypScheduleFront *front, const HypScheduleGraph *graph, const int *order,
                      int count)
{
    Descent descent = {.front = front};
    const bool planned = hyp_waits_create(&descent.waits, graph, order, count) &&
                         hyp_timeline_create(&descent.timeline, graph) && plan_levels(&descent);
    hyp_waits_free(&descent.waits);
    hyp_timeline_free(&descent.timeline);
    hyp_script_free(&descent.script);
    return planned;
}
