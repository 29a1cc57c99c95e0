// SPDX-License-Identifier: Apache-2.0
#include "model/plane_waves.h"

#include "common/size_math.h"

#include "parallel_for.h"

// Of the result in a wave, for each thread: enough to be worth the two hand-offs, and still in the
// first-level cache when it is copied.
enum { STAGE_BYTES = 16384, LINE_BYTES = 64 };

typedef struct Wave {
    const HypLayerRun *run;
    const HypPlaneWaves *waves;
    size_t length; // planes of a thread
    size_t stage_bytes;
    size_t first; // plane
} Wave;

size_t hyp_plane_waves_length(const HypPlaneWaves *waves)
{
    const size_t length = waves->plane_bytes ? STAGE_BYTES / waves->plane_bytes : 1;
    const size_t most = waves->planes ? waves->planes : 1;
    return length < 1 ? 1 : length > most ? most : length;
}

static size_t count_threads(const HypLayerRun *run, const HypPlaneWaves *waves)
{
    return hyp_parallel_threads(run->parallel, waves->plane_flops * (double)waves->planes);
}

// What a thread has of the workspace: its planes, then the kernel's; false beyond the address
// space.
static bool measure_thread(const HypPlaneWaves *waves, size_t *stage_bytes, size_t *thread_bytes)
{
    return hyp_size_multiply(hyp_plane_waves_length(waves), waves->plane_bytes, stage_bytes) &&
           hyp_size_round_up(*stage_bytes, LINE_BYTES, stage_bytes) &&
           hyp_size_add(*stage_bytes, waves->kernel_bytes, thread_bytes);
}

size_t hyp_plane_waves_workspace_bytes(const HypLayerRun *run, const HypPlaneWaves *waves)
{
    size_t stage_bytes;
    size_t bytes;
    return measure_thread(waves, &stage_bytes, &bytes) &&
                   hyp_size_multiply(bytes, count_threads(run, waves), &bytes)
               ? bytes
               : SIZE_MAX;
}

static HypRange find_planes(const Wave *wave, size_t thread)
{
    const size_t planes = wave->waves->planes;
    const size_t first = wave->first + thread * wave->length;
    const size_t end = first + wave->length;
    return (HypRange){first < planes ? first : planes, end < planes ? end : planes};
}

static char *find_stage(const Wave *wave, size_t thread)
{
    return (char *)wave->run->workspace + thread * (wave->stage_bytes + wave->waves->kernel_bytes);
}

static void compute_part(void *shared, size_t thread)
{
    const Wave *wave = shared;
    const HypRange planes = find_planes(wave, thread);
    char *stage = find_stage(wave, thread);
    if (planes.first < planes.end)
        wave->waves->compute(wave->run, planes.first, planes.end - planes.first,
                             stage + wave->stage_bytes, (float *)(void *)stage);
}

static void copy_part(void *shared, size_t thread)
{
    const Wave *wave = shared;
    const HypRange planes = find_planes(wave, thread);
    const size_t plane_bytes = wave->waves->plane_bytes;
    const uintptr_t out = (uintptr_t)hyp_run_output(wave->run) + planes.first * plane_bytes;
    hyp_run_copy(wave->run, (void *)out, find_stage(wave, thread),
                 (planes.end - planes.first) * plane_bytes);
}

void hyp_plane_waves_run(const HypLayerRun *run, const HypPlaneWaves *waves)
{
    const size_t threads = count_threads(run, waves);
    Wave wave = {.run = run, .waves = waves, .length = hyp_plane_waves_length(waves)};
    size_t thread_bytes;
    if (!measure_thread(waves, &wave.stage_bytes, &thread_bytes))
        return; // there is no such workspace
    for (; wave.first < waves->planes; wave.first += threads * wave.length) {
        hyp_parallel_run(run->parallel, threads, compute_part, &wave);
        hyp_parallel_run(run->parallel, threads, copy_part, &wave);
    }
}
