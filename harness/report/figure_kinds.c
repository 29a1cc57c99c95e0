// SPDX-License-Identifier: Apache-2.0
// figure_kinds.c - the table of figures.
#include "report/figure_parts.h"

const FigureKind figure_kind_table[] = {
    {"gflops-over-block-size", "rate", AXIS_BLOCK_SIZE, "gflops", "throughput over block size",
     figure_has_gflops, figure_define_rate, figure_tabulate_rate, figure_rate_views},
    {"gflops-over-n", "rate", AXIS_N, "gflops", "throughput over size", figure_has_gflops,
     figure_define_rate, figure_tabulate_rate, figure_rate_views},
    {"gflops-over-prefetch-distance", "rate", AXIS_PREFETCH_DISTANCE, "gflops",
     "throughput over prefetch distance", figure_has_gflops, figure_define_rate,
     figure_tabulate_rate, figure_rate_views},
    {"gelements-over-size", "rate", AXIS_SIZE, "gelements_per_s", "throughput over length",
     figure_has_gelements, figure_define_rate, figure_tabulate_rate, figure_rate_views},
    {"misses-over-block-size", "misses", AXIS_BLOCK_SIZE, NULL,
     "predicted and measured cache misses over block size", figure_has_misses, figure_define_misses,
     figure_tabulate_misses, figure_miss_views},
    {"misses-over-n", "misses", AXIS_N, NULL, "predicted and measured cache misses over size",
     figure_has_misses, figure_define_misses, figure_tabulate_misses, figure_miss_views},
    {"gelements-by-function", "categories", AXIS_FUNCTION, "gelements_per_s",
     "throughput by function and SIMD level", figure_has_gelements, figure_define_categories,
     figure_tabulate_categories, figure_rate_views},
    {"time-by-model", "categories", AXIS_MODEL, NULL, "time of one pass by SIMD level",
     figure_has_time, figure_define_categories, figure_tabulate_categories, figure_time_views},
    {"time-over-memory", "front", AXIS_TRADEOFF, NULL, "time over memory by tradeoff",
     figure_has_front, figure_define_front, figure_tabulate_front, figure_time_views},
    {"time-over-memory-budget", "front", AXIS_MEMORY_BUDGET, NULL, "time over memory by budget",
     figure_has_front, figure_define_front, figure_tabulate_front, figure_time_views},
    {"time-over-window", "window", AXIS_PREFETCH_WINDOW, NULL, "time over prefetch window",
     figure_has_window, figure_define_window, figure_tabulate_window, figure_time_views},
    // By SIMD level: each other axis that varies has figures of its own.
    {"arena-layout", "arena", AXIS_SIMD_LEVEL, NULL, "activations in memory over a pass",
     figure_has_arena, figure_define_arena, figure_tabulate_arena, figure_no_views},
    {"timeline", "timeline", AXIS_SIMD_LEVEL, NULL, "loads and computes of one pass",
     figure_has_timeline, figure_define_timeline, figure_tabulate_timeline, figure_no_views},
    {.name = NULL},
};
