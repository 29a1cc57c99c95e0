// SPDX-License-Identifier: Apache-2.0
#include "machine/bandwidth.h"

#include "hyperion/simd.h"
#include "machine/facts.h"
#include "workload/operand_memory.h"

#include <stdlib.h>
#include <string.h>

enum { RUN_COUNT = 15 };

// Long against reading the clock and starting threads.
static const double run_ns = 1e6;

const char *const bandwidth_pattern_names[STREAM_PATTERN_COUNT] = {"read", "write", "copy",
                                                                   "triad"};
static const size_t pattern_arrays[STREAM_PATTERN_COUNT] = {1, 1, 2, 3};

// Half of a level, or, where the one before is large, three quarters; 0: the two cannot be told
// apart.
static size_t fit_between(size_t own_bytes, size_t before_bytes)
{
    if (own_bytes / 2 >= 2 * before_bytes)
        return own_bytes / 2;
    const size_t most = own_bytes / 4 * 3;
    return most >= before_bytes + before_bytes / 2 ? most : 0;
}

static size_t count_sharers(const HyperionCacheTopology *advertised, int level, size_t threads)
{
    // Siblings of a core share L1; the team has one thread a core.
    const int siblings = advertised->levels[0].sharing_cpus;
    const int sharing = advertised->levels[level].sharing_cpus;
    const size_t cores =
        (size_t)(sharing > 0 ? sharing : 1) / (size_t)(siblings > 0 ? siblings : 1);
    if (cores < 1)
        return 1;
    return cores < threads ? cores : threads;
}

// So large that the caches matter little.
static size_t choose_memory_bytes(size_t last_level_bytes)
{
    const size_t least_bytes = 64 << 20;
    const size_t most_bytes = 1 << 30;
    if (last_level_bytes < least_bytes / 4)
        return least_bytes;
    return last_level_bytes < most_bytes / 4 ? 4 * last_level_bytes : most_bytes;
}

void bandwidth_choose_places(const HyperionCacheTopology *advertised, const size_t *capacities,
                             size_t threads, BandwidthPlace places[BANDWIDTH_MOST_PLACES])
{
    size_t before_bytes = 0;
    size_t sharers = 1;
    for (int i = 0; i < advertised->level_count; i++) {
        const size_t size_bytes = advertised->levels[i].size_bytes;
        const size_t own_bytes =
            capacities[i] && capacities[i] < size_bytes ? capacities[i] : size_bytes;
        sharers = count_sharers(advertised, i, threads);
        places[i] = (BandwidthPlace){.one_bytes = fit_between(own_bytes, before_bytes),
                                     .all_bytes = fit_between(own_bytes / sharers, before_bytes)};
        if (!places[i].one_bytes)
            places[i].reason = "hardly larger than the level before it";
        if (!places[i].all_bytes)
            places[i].all_reason = "a thread's share is hardly larger than the level before it";
        before_bytes = own_bytes;
    }
    const size_t memory_bytes = choose_memory_bytes(before_bytes);
    places[advertised->level_count] =
        (BandwidthPlace){.one_bytes = memory_bytes, .all_bytes = memory_bytes / sharers};
}

// One pattern in one place, by one thread or all.
typedef struct Stream {
    StreamPattern pattern;
    size_t threads;
    size_t working_set_bytes; // of a thread
    size_t count;             // floats of an array
    uint64_t passes;
    double gbytes_per_s[RUN_COUNT];
} Stream;

typedef struct Bench {
    LimitTeam *team;
    const PeakLevel *level; // whose vectors are moved
    OperandMemory *memory;  // of each thread
    bool *short_of_memory;
    size_t first_bytes, other_bytes; // of the first thread, and of each of the others
    const Stream *stream;            // being measured
} Bench;

// Each thread touches its own memory first, so that it lies near.
static void open_memory(void *context, size_t thread)
{
    Bench *bench = context;
    Problem refused = {0};
    OperandMemory *memory = &bench->memory[thread];
    const size_t size_bytes = thread ? bench->other_bytes : bench->first_bytes;
    bench->short_of_memory[thread] =
        !operand_memory_open(memory, size_bytes, OPERAND_PAGES_TRANSPARENT, &refused) &&
        !operand_memory_open(memory, size_bytes, OPERAND_PAGES_BASE, &refused);
    if (!bench->short_of_memory[thread])
        memset(memory->base, 0, memory->size_bytes);
}

static void run_stream(void *context, size_t thread)
{
    const Bench *bench = context;
    const Stream *stream = bench->stream;
    OperandMemory memory = bench->memory[thread];
    memory.used_bytes = 0;
    StreamArrays arrays = {.count = stream->count};
    float **const pointers[] = {&arrays.a, &arrays.b, &arrays.c};
    for (size_t i = 0; i < pattern_arrays[stream->pattern]; i++)
        *pointers[i] = operand_memory_take(&memory, stream->count * sizeof(float));
    bench->level->streams[stream->pattern](&arrays, stream->passes);
}

static double time_passes(Bench *bench, const Stream *stream)
{
    bench->stream = stream;
    return limit_team_time_ns(bench->team, stream->threads, run_stream, bench);
}

static Stream prepare_stream(Bench *bench, StreamPattern pattern, size_t threads,
                             size_t working_set_bytes)
{
    const size_t floats = working_set_bytes / sizeof(float) / pattern_arrays[pattern];
    Stream stream = {.pattern = pattern,
                     .threads = threads,
                     .working_set_bytes = working_set_bytes,
                     .count = floats / STREAM_STEP_FLOATS * STREAM_STEP_FLOATS,
                     .passes = 1};
    // Found by one thread, whose clock stops while another process has the core.
    Stream trial = stream;
    trial.threads = 1;
    while (time_passes(bench, &trial) < run_ns && trial.passes < UINT64_C(1) << 24)
        trial.passes *= 2;
    stream.passes = trial.passes;
    return stream;
}

static double measure_stream(Bench *bench, const Stream *stream)
{
    Stream warm = *stream;
    warm.passes = 1;
    (void)time_passes(bench, &warm);
    const double bytes = (double)stream->count * sizeof(float) *
                         (double)pattern_arrays[stream->pattern] * (double)stream->passes *
                         (double)stream->threads;
    return bytes / time_passes(bench, stream);
}

static bool add_stream(json_t *patterns, const Stream *stream)
{
    json_t *rate = limit_to_json("gbytes_per_s", stream->gbytes_per_s, RUN_COUNT, stream->threads);
    const bool added =
        rate &&
        fact_set(rate, "working_set_bytes", json_integer((json_int_t)stream->working_set_bytes)) &&
        json_object_set(patterns, bandwidth_pattern_names[stream->pattern], rate) == 0;
    json_decref(rate);
    return added;
}

static bool add_streams(json_t *row, const char *name, const Stream *streams, const char *reason)
{
    if (reason)
        return fact_unknown(row, name, "%s", reason);
    json_t *patterns = json_object();
    bool added = patterns != NULL;
    for (size_t i = 0; added && i < STREAM_PATTERN_COUNT; i++)
        added = add_stream(patterns, &streams[i]);
    added = added && json_object_set(row, name, patterns) == 0;
    json_decref(patterns);
    return added;
}

enum { MOST_STREAMS = BANDWIDTH_MOST_PLACES * STREAM_PATTERN_COUNT };

static size_t prepare_streams(Bench *bench, const BandwidthPlace *places, size_t place_count,
                              bool all, Stream *streams)
{
    const size_t threads = all ? limit_team_threads(bench->team) : 1;
    size_t count = 0;
    for (size_t place = 0; place < place_count; place++)
        for (size_t pattern = 0; pattern < STREAM_PATTERN_COUNT; pattern++) {
            const size_t bytes = all ? places[place].all_bytes : places[place].one_bytes;
            if (bytes)
                streams[count++] = prepare_stream(bench, (StreamPattern)pattern, threads, bytes);
        }
    return count;
}

static bool tell_streams(json_t *rows, const BandwidthPlace *places, const Stream *one,
                         const Stream *all, size_t threads)
{
    bool told = true;
    for (size_t place = 0; told && place < json_array_size(rows); place++) {
        json_t *row = json_array_get(rows, place);
        const char *all_reason = threads > 1 ? places[place].all_reason : "there is one core";
        told = add_streams(row, "bandwidth", one, places[place].reason) &&
               add_streams(row, "bandwidth_all", all, all_reason);
        one += places[place].reason ? 0 : STREAM_PATTERN_COUNT;
        all += all_reason ? 0 : STREAM_PATTERN_COUNT;
    }
    return told;
}

// Places and patterns take turns, so that a slow moment of the machine does not fall on one.
static bool measure_all(Bench *bench, const BandwidthPlace *places, json_t *rows)
{
    static Stream one[MOST_STREAMS];
    static Stream all[MOST_STREAMS];
    const size_t threads = limit_team_threads(bench->team);
    const size_t place_count = json_array_size(rows);
    const size_t one_count = prepare_streams(bench, places, place_count, false, one);
    const size_t all_count =
        threads > 1 ? prepare_streams(bench, places, place_count, true, all) : 0;
    for (size_t run = 0; run < RUN_COUNT; run++) {
        for (size_t i = 0; i < one_count; i++)
            one[i].gbytes_per_s[run] = measure_stream(bench, &one[i]);
        for (size_t i = 0; i < all_count; i++)
            all[i].gbytes_per_s[run] = measure_stream(bench, &all[i]);
    }
    return tell_streams(rows, places, one, all, threads);
}

static const PeakLevel *find_best_level(void)
{
    const uint32_t levels = hyperionGetSIMDCapabilities().levels;
    const PeakLevel *best = peak_levels[0];
    for (size_t i = 0; i < peak_level_count; i++)
        if (levels >> peak_levels[i]->level & 1U)
            best = peak_levels[i];
    return best;
}

static void measure_needs(const BandwidthPlace *places, size_t place_count, Bench *bench)
{
    for (size_t i = 0; i < place_count; i++) {
        // Three arrays start at staggered places.
        const size_t one = places[i].one_bytes + 3 * operand_memory_need(4096);
        const size_t all = places[i].all_bytes + 3 * operand_memory_need(4096);
        bench->other_bytes = all > bench->other_bytes ? all : bench->other_bytes;
        bench->first_bytes = one > bench->first_bytes ? one : bench->first_bytes;
    }
    if (bench->other_bytes > bench->first_bytes)
        bench->first_bytes = bench->other_bytes;
}

bool bandwidth_measure(LimitTeam *team, const BandwidthPlace *places, json_t *rows,
                       Problem *problem)
{
    const size_t threads = limit_team_threads(team);
    Bench bench = {.team = team,
                   .level = find_best_level(),
                   .memory = calloc(threads, sizeof *bench.memory),
                   .short_of_memory = calloc(threads, sizeof *bench.short_of_memory)};
    bool enough = bench.memory && bench.short_of_memory;
    measure_needs(places, json_array_size(rows), &bench);
    if (enough)
        (void)limit_team_time_ns(team, threads, open_memory, &bench);
    for (size_t i = 0; enough && i < threads; i++)
        enough = !bench.short_of_memory[i];
    const bool measured = enough && measure_all(&bench, places, rows);
    for (size_t i = 0; bench.memory && i < threads; i++)
        operand_memory_close(&bench.memory[i]);
    free(bench.memory);
    free(bench.short_of_memory);
    return measured || problem_set(problem, "bandwidth: out of memory");
}
