// SPDX-License-Identifier: Apache-2.0
// scheduling.c - which of the schedules that were found is in force.
#include "common/fail.h"
#include "scheduler/scheduler.h"

#include <assert.h>
#include <stdlib.h>

static bool create_graph(const HyperionLayerScheduler *scheduler, HyperionPassDirection direction,
                         HypScheduleGraph *graph)
{
    const HypSchedulePolicy policy = {scheduler->strategies, scheduler->config};
    const HypPassTimes times = {.layer_ns = scheduler->measured ? scheduler->planned_ns : NULL,
                                .write_ns_per_byte = scheduler->write_ns_per_byte,
                                .read_ns_per_byte = scheduler->read_ns_per_byte};
    return hyp_schedule_graph_create(graph, scheduler->model, direction, &policy, &times);
}

static bool plan_front(const HyperionLayerScheduler *scheduler, HyperionPassDirection direction,
                       HypScheduleFront *front)
{
    HypScheduleGraph graph;
    if (!create_graph(scheduler, direction, &graph))
        return false;
    int *order = calloc((size_t)scheduler->model->layer_count + 1, sizeof *order);
    bool planned = order != NULL;
    if (!planned)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory",
                       scheduler->model->name);
    const int count =
        planned ? hyp_schedule_order(&graph, scheduler->order, order, &front->order_proved) : -1;
    if (count >= 0 && direction == HYPERION_PASS_FORWARD)
        planned = hyp_plan_forward(front, &graph, order, count);
    else
        planned = count >= 0 && hyp_plan_backward(front, &graph, order, count);
    front->lower_bound_bytes = graph.lower_bound_bytes;
    front->measured = scheduler->measured;
    free(order);
    hyp_schedule_graph_free(&graph);
    return planned;
}

const HypScheduleFront *hyp_scheduler_front(HyperionLayerScheduler *scheduler,
                                            HyperionPassDirection direction)
{
    HypSchedule *schedule = &scheduler->schedules[direction];
    if (schedule->known && schedule->change_count == scheduler->model->change_count)
        return &schedule->front;
    HypScheduleFront front = {0};
    if (!hyp_scheduler_fit(scheduler) || !plan_front(scheduler, direction, &front)) {
        hyp_schedule_front_free(&front);
        return NULL;
    }
    assert(front.count > 0);
    hyp_schedule_front_free(&schedule->front);
    *schedule = (HypSchedule){front, true, scheduler->model->change_count};
    return &schedule->front;
}

size_t hyp_scheduler_most_bytes(const HyperionLayerScheduler *scheduler,
                                const HypScheduleFront *front)
{
    const size_t cap_bytes = scheduler->config.max_activation_memory;
    const size_t base_bytes = hyperionModelWeightBytes(scheduler->model);
    const int most = cap_bytes == 0 ? hyp_schedule_front_knee(front, base_bytes)
                                    : hyp_schedule_front_within(front, cap_bytes);
    return front->points[most < 0 ? 0 : most].bytes;
}

static bool fail_cap(const HyperionLayerScheduler *scheduler, HyperionPassDirection direction,
                     size_t least_bytes)
{
    return hyp_fail(HYPERION_ERROR_MEMORY,
                    "schedule model %s: a %s needs %zu bytes of activations at least, "
                    "max_activation_memory is %zu",
                    scheduler->model->name,
                    direction == HYPERION_PASS_FORWARD ? "forward pass" : "backward replay",
                    least_bytes, scheduler->config.max_activation_memory);
}

// The index of the point; -1, last error set, where the cap is too small.
static int choose_point(const HyperionLayerScheduler *scheduler, const HypScheduleFront *front,
                        HyperionPassDirection direction)
{
    const size_t least_bytes = front->points[0].bytes;
    const size_t cap_bytes = scheduler->config.max_activation_memory;
    if (cap_bytes != 0 && cap_bytes < least_bytes) {
        (void)fail_cap(scheduler, direction, least_bytes);
        return -1;
    }
    const float tradeoff = scheduler->config.memory_speed_tradeoff;
    const size_t most_bytes = hyp_scheduler_most_bytes(scheduler, front);
    const double share = (double)tradeoff * (double)(most_bytes - least_bytes);
    return hyp_schedule_front_within(front,
                                     tradeoff < 1 ? least_bytes + (size_t)share : most_bytes);
}

HyperionExecutionPlan *hyp_scheduler_plan(HyperionLayerScheduler *scheduler,
                                          HyperionPassDirection direction)
{
    const HypScheduleFront *front = hyp_scheduler_front(scheduler, direction);
    const int point = front ? choose_point(scheduler, front, direction) : -1;
    HypScheduleGraph graph;
    if (point < 0 || !create_graph(scheduler, direction, &graph))
        return NULL;
    HyperionExecutionPlan *plan = hyp_execution_plan_create(&graph, &front->points[point]);
    hyp_schedule_graph_free(&graph);
#ifndef NDEBUG
    if (plan && !hyp_execution_plan_check(plan, scheduler->model)) {
        assert(hyperionGetLastErrorKind() == HYPERION_ERROR_MEMORY); // of the check itself
        hyperionFreeExecutionPlan(plan);
        return NULL;
    }
#endif
    return plan;
}
