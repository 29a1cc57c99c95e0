// SPDX-License-Identifier: Apache-2.0
// metrics_scheduler.h - activations of passes with a layer scheduler, planned and measured; rows of
// metric_table, NAN = unknown.
#ifndef HYP_METRICS_SCHEDULER_H
#define HYP_METRICS_SCHEDULER_H

#include "stats/metrics.h"

#define NO_SCHEDULER "no timed sample with a layer scheduler"

// Medians over the timed samples, each of which plans anew:
// MEDIAN(function, metric, source, unit, provenance, missing, help)
#define METRICS_SCHEDULER_MEDIANS(MEDIAN)                                                          \
    MEDIAN(metrics_scheduler_cap, "scheduler_cap_bytes", "scheduler.cap_bytes", "B", "model",      \
           NO_SCHEDULER, "cap on the memory for activations")                                      \
    MEDIAN(metrics_scheduler_planned, "scheduler_planned_bytes", "scheduler.planned_bytes", "B",   \
           "model", NO_SCHEDULER, "memory for activations that the plan takes")                    \
    MEDIAN(metrics_scheduler_peak, "scheduler_peak_bytes", "scheduler.peak_bytes", "B", "os",      \
           NO_SCHEDULER, "most of it that was in use in a pass")                                   \
    MEDIAN(metrics_scheduler_bound, "scheduler_lower_bound_bytes", "scheduler.lower_bound_bytes",  \
           "B", "model", NO_SCHEDULER, "no plan can need less")                                    \
    MEDIAN(metrics_scheduler_least, "scheduler_least_bytes", "scheduler.least_bytes", "B",         \
           "model", NO_SCHEDULER, "of the plan that needs least")                                  \
    MEDIAN(metrics_scheduler_all, "scheduler_store_all_bytes", "scheduler.store_all_bytes", "B",   \
           "model", NO_SCHEDULER, "where each activation stays as long as a layer needs it")       \
    MEDIAN(metrics_scheduler_again, "scheduler_recomputed", "scheduler.recomputed", "", "os",      \
           NO_SCHEDULER, "layers that ran again in a pass")                                        \
    MEDIAN(metrics_scheduler_planned_again, "scheduler_planned_recomputed",                        \
           "scheduler.planned_recomputed", "", "model", NO_SCHEDULER,                              \
           "layers that the plan runs again")                                                      \
    MEDIAN(metrics_scheduler_spilled, "scheduler_spilled_bytes", "scheduler.spilled_bytes", "B",   \
           "os", NO_SCHEDULER, "written to disk in a pass")                                        \
    MEDIAN(metrics_scheduler_restored, "scheduler_restored_bytes", "scheduler.restored_bytes",     \
           "B", "os", NO_SCHEDULER, "and read back")                                               \
    MEDIAN(metrics_scheduler_predicted, "scheduler_predicted_ns", "scheduler.predicted_time",      \
           "ns", "model", NO_SCHEDULER,                                                            \
           "time of the pass by the times of layers that it was planned with")                     \
    MEDIAN(metrics_scheduler_forward, "scheduler_forward_ns", "scheduler.forward_time", "ns",      \
           "model", NO_SCHEDULER, "of that, running each layer once")                              \
    MEDIAN(metrics_scheduler_layers, "scheduler_layer_ns", "scheduler.layer_time", "ns", "clock",  \
           NO_SCHEDULER, "in one pass, computing")                                                 \
    MEDIAN(metrics_scheduler_transfer, "scheduler_transfer_ns", "scheduler.transfer_time", "ns",   \
           "clock", NO_SCHEDULER, "in one pass, writing to disk and reading back")                 \
    MEDIAN(metrics_scheduler_proved, "scheduler_proved", "scheduler.proved", "", "model",          \
           NO_SCHEDULER, "1: no plan within the cap is faster by these times, proved")             \
    MEDIAN(metrics_scheduler_order, "scheduler_order_proved", "scheduler.order_proved", "",        \
           "model", NO_SCHEDULER,                                                                  \
           "1: no order of the layers has a lower peak where all is stored, proved")

#define MEDIAN(function, metric, source, unit, provenance, missing, help)                          \
    double function(const RunRecord *run, const CellSummary *summary);
METRICS_SCHEDULER_MEDIANS(MEDIAN)
#undef MEDIAN

// ROW(function, metric, unit, provenance, missing, help)
double metrics_scheduler_extra(const RunRecord *run, const CellSummary *summary);
#define METRICS_SCHEDULER_DERIVED(ROW)                                                             \
    ROW(metrics_scheduler_extra, "scheduler_work", "", "model", NO_SCHEDULER,                      \
        "predicted time of the pass over that of running each layer once")

#endif
