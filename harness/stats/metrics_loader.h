// SPDX-License-Identifier: Apache-2.0
// metrics_loader.h - what a progressive loader did in the timed passes; rows of metric_table, NAN =
// unknown.
#ifndef HYP_METRICS_LOADER_H
#define HYP_METRICS_LOADER_H

#include "stats/metrics.h"

#define NO_LOADER "no timed sample with a progressive loader"

// Medians over the timed samples: MEDIAN(function, metric, source, unit, provenance, missing, help)
#define METRICS_LOADER_MEDIANS(MEDIAN)                                                             \
    MEDIAN(metrics_loader_load, "loader_load_ns", "loader.load_time", "ns", "clock", NO_LOADER,    \
           "in one pass, time in which a layer was being loaded")                                  \
    MEDIAN(metrics_loader_compute, "loader_compute_ns", "loader.compute_time", "ns", "clock",      \
           NO_LOADER, "in one pass, time in which a layer was being computed")                     \
    MEDIAN(metrics_loader_stall, "loader_stall_ns", "loader.stall_time", "ns", "clock", NO_LOADER, \
           "in one pass, time in which layers waited for their weights")                           \
    MEDIAN(metrics_loader_read, "loader_read_bytes", "loader.read_bytes", "B", "os", NO_LOADER,    \
           "weights that were loaded in one pass")                                                 \
    MEDIAN(metrics_loader_hits, "loader_hits", "loader.hits", "", "os", NO_LOADER,                 \
           "layers whose weights were there since an earlier pass")                                \
    MEDIAN(metrics_loader_prefetched, "loader_prefetched", "loader.prefetched", "", "os",          \
           NO_LOADER, "layers whose weights came before they were needed")                         \
    MEDIAN(metrics_loader_waits, "loader_waits", "loader.waits", "", "os", NO_LOADER,              \
           "layers that waited for their weights")                                                 \
    MEDIAN(metrics_loader_wasted, "loader_wasted", "loader.wasted", "", "os", NO_LOADER,           \
           "layers that were loaded and left memory unused")                                       \
    MEDIAN(metrics_loader_finished, "loader_finished_reads", "loader.finished_reads", "", "os",    \
           NO_LOADER, "reads that were short, interrupted or put off, and finished")               \
    MEDIAN(metrics_loader_window, "loader_window", "loader.window", "layers", "os", NO_LOADER,     \
           "prefetch window in force: the one asked for, or chosen below it")                      \
    MEDIAN(                                                                                        \
        metrics_loader_predicted, "loader_predicted_ns", "loader.predicted_time", "ns", "model",   \
        NO_LOADER,                                                                                 \
        "time of one pass with that window and cap by hyperionPlanPipeline, from the loads and "   \
        "computes measured in it")                                                                 \
    MEDIAN(metrics_loader_excess, "loader_over_predicted", "loader.over_predicted", "", "clock",   \
           NO_LOADER, "time of a pass over what is predicted for it")                              \
    MEDIAN(metrics_loader_bound, "loader_bound_ns", "loader.bound_time", "ns", "model", NO_LOADER, \
           "what no window and no cap can be below, with these loads and computes")                \
    MEDIAN(metrics_loader_peak, "loader_peak_bytes", "loader.peak_bytes", "B", "os", NO_LOADER,    \
           "most memory for weights, blocks kept for other layers and those being read included")  \
    MEDIAN(metrics_loader_before, "loader_cached_before", "loader.cached_before", "", "os",        \
           NO_LOADER, "share of the model's file in the page cache before a pass (mincore)")       \
    MEDIAN(metrics_loader_after, "loader_cached_after", "loader.cached_after", "", "os",           \
           NO_LOADER, "and after it")

#define MEDIAN(function, metric, source, unit, provenance, missing, help)                          \
    double function(const RunRecord *run, const CellSummary *summary);
METRICS_LOADER_MEDIANS(MEDIAN)
#undef MEDIAN

double metrics_loader_throughput(const RunRecord *run, const CellSummary *summary);

// ROW(function, metric, unit, provenance, missing, help)
#define METRICS_LOADER_DERIVED(ROW)                                                                \
    ROW(metrics_loader_throughput, "loader_gbytes_per_s", "GB/s", "clock",                         \
        NO_LOADER ", or nothing was loaded", "loader_read_bytes / loader_load_ns, GB = 1e9 bytes")

// As they were recorded: READ(function, metric, source, unit, missing, help)
#define METRICS_LOADER_READ(READ)                                                                  \
    READ(read_loader_cap, "loader_cap_bytes", "loader.cap_bytes", "B", NO_LOADER,                  \
         "cap on the memory for weights")                                                          \
    READ(read_loader_weights, "loader_weight_bytes", "loader.weight_bytes", "B", NO_LOADER,        \
         "all weights, in whole pages by layer")                                                   \
    READ(read_loader_least, "loader_least_bytes", "loader.least_bytes", "B", NO_LOADER,            \
         "the largest layer: no cap can be less")                                                  \
    READ(read_loader_block, "loader_block_bytes", "loader.block_bytes", "B", NO_LOADER,            \
         "of one read, in force")                                                                  \
    READ(read_loader_depth, "loader_queue_depth", "loader.queue_depth", "", NO_LOADER,             \
         "reads under way at a time, in force")

// The back end and the mode that were used, "uring", "direct", with the reason where that is not
// what was asked for ("" where it is); "" unknown.
const char *metrics_loader_backend(const CellSummary *summary, const char **reason);
const char *metrics_loader_mode(const CellSummary *summary, const char **reason);

#endif
