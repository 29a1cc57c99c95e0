// SPDX-License-Identifier: Apache-2.0
// metrics_memory.h - what a model takes, planned and measured, and what planners found; rows of
// metric_table, NAN = unknown.
#ifndef HYP_METRICS_MEMORY_H
#define HYP_METRICS_MEMORY_H

#include "stats/metrics.h"

// Medians over the timed samples.
double metrics_memory_peak(const RunRecord *run, const CellSummary *summary);
double metrics_memory_anonymous(const RunRecord *run, const CellSummary *summary);

// ROW(function, metric, unit, provenance, missing, help)
#define METRICS_MEMORY_MEASURED(ROW)                                                               \
    ROW(metrics_memory_peak, "memory_peak_bytes", "B", "os",                                       \
        "no timed sample of a model, or not reported by the operating system",                     \
        "largest resident memory of the runs above that of the process before the model was "      \
        "there, less cold_copies")                                                                 \
    ROW(metrics_memory_anonymous, "memory_anonymous_bytes", "B", "os",                             \
        "no timed sample of a model, or not reported by the operating system",                     \
        "of it, anonymous memory after the runs")

// As they were recorded: READ(function, metric, source, unit, missing, help)
#define NO_OPTIMIZER "no model, or one that runs without memory optimizer"
#define NO_PLANNER "the workload is no planner"
#define METRICS_MEMORY_READ(READ)                                                                  \
    READ(read_planned, "memory_planned_bytes", "memory.planned_bytes", "B", NO_OPTIMIZER,          \
         "weights, packed copies, activations and workspace, as the optimizer planned them")       \
    READ(read_memory_bound, "memory_lower_bound_bytes", "memory.lower_bound_bytes", "B",           \
         NO_OPTIMIZER, "least that any plan could do with")                                        \
    READ(read_naive, "memory_naive_bytes", "memory.naive_bytes", "B", NO_OPTIMIZER,                \
         "what the same work needs without any reuse")                                             \
    READ(read_weights, "memory_weight_bytes", "memory.weight_bytes", "B", NO_OPTIMIZER, "weights") \
    READ(read_packed, "memory_packed_bytes", "memory.packed_bytes", "B", NO_OPTIMIZER,             \
         "packed copies of weights")                                                               \
    READ(read_activations, "memory_activation_bytes", "memory.activation_bytes", "B",              \
         NO_OPTIMIZER, "memory for activations")                                                   \
    READ(read_workspace, "memory_workspace_bytes", "memory.workspace_bytes", "B", NO_OPTIMIZER,    \
         "scratch of the layer that needs most")                                                   \
    READ(read_least, "memory_least_bytes", "memory.least_bytes", "B", NO_OPTIMIZER,                \
         "least that the model can run in")                                                        \
    READ(read_most, "memory_most_bytes", "memory.most_bytes", "B", NO_OPTIMIZER,                   \
         "what it takes at tradeoff 1")                                                            \
    READ(read_predicted_time, "memory_predicted_time_ns", "memory.predicted_time", "ns",           \
         NO_OPTIMIZER, "time that the optimizer predicted, from measured times of the layers")     \
    READ(read_height, "planner_height_bytes", "planner.height_bytes", "B", NO_PLANNER,             \
         "end of the highest buffer of the plan")                                                  \
    READ(read_planner_bound, "planner_lower_bound_bytes", "planner.lower_bound_bytes", "B",        \
         NO_PLANNER, "no plan can be lower")                                                       \
    READ(read_proved, "planner_proved", "planner.proved", "", NO_PLANNER,                          \
         "1: no plan is lower than that found, proved")                                            \
    READ(read_nodes, "planner_nodes", "planner.nodes", "", NO_PLANNER, "nodes of the search")

#endif
