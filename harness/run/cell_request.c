// SPDX-License-Identifier: Apache-2.0
#include "run/cell_request.h"

#include "machine/geometry.h"
#include "run/placement.h"

bool cell_request(const RequestGround *ground, const Cell *cell, SampleTask task,
                  uint64_t iterations, WorkerRequest *request, Problem *problem)
{
    static const char *const no_counters[] = {NULL};
    const SweepSettings *settings = &cell->sweep->settings;
    const bool loops = task == SAMPLE_TIME || task == SAMPLE_COUNT;
    // Where no pilot finds the number: one, of a size worth counting.
    if (settings->measure == MEASURE_COUNTS)
        iterations = 1;
    *request = (WorkerRequest){
        .task = task,
        .cell = *cell,
        .emulated = settings->measure == MEASURE_INSTRUCTIONS,
        .seed = ground->seed,
        .topology = ground->topology,
        .iterations = loops ? iterations : 0,
        .repetitions = settings->repetitions,
        .min_time_ns = settings->min_time_ns,
        .warmup_ns = settings->warmup_ns,
        .counters = settings->counters ? (const char *const *)settings->counters : no_counters,
    };
    const char *geometry = cell->values[AXIS_GEOMETRY].text;
    return (!geometry ||
            geometry_choose(geometry, &ground->topology, &request->topology, problem)) &&
           placement_choose(ground->cpus, ground->cpu_count, cell->values, request->cpus,
                            &request->cpu_count, problem);
}
