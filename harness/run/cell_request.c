// SPDX-License-Identifier: Apache-2.0
#include "run/cell_request.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

WorkerRequest cell_request(const RequestGround *ground, const Cell *cell, SampleTask task,
                           uint64_t iterations)
{
    static const char *const no_counters[] = {NULL};
    const SweepSettings *settings = &cell->sweep->settings;
    const char *binding = axis_table[AXIS_BINDING].words[cell->values[AXIS_BINDING].integer];
    const bool bound = strcmp(binding, "core") == 0;
    const size_t threads = (size_t)cell->values[AXIS_THREADS].integer;
    const bool loops = task == SAMPLE_TIME || task == SAMPLE_COUNT;
    return (WorkerRequest){
        .task = task,
        .cell = *cell,
        .emulated = settings->measure == MEASURE_INSTRUCTIONS,
        .seed = ground->seed,
        .cpus = ground->cpus,
        .cpu_count = bound ? least(threads, ground->cpu_count) : 0,
        .topology = ground->topology,
        .iterations = loops ? iterations : 0,
        .repetitions = settings->repetitions,
        .min_time_ns = settings->min_time_ns,
        .warmup_ns = settings->warmup_ns,
        .counters = settings->counters ? (const char *const *)settings->counters : no_counters,
    };
}
