// SPDX-License-Identifier: Apache-2.0
// test_replay_against_sim.c - predictions by replay against the real accesses of the kernels, fed
// to the same simulator at the same addresses: random operations, shapes, blockings, levels and
// geometries. At the first and the second level of caches, half of the fills are within 0.1 % of
// what is simulated and all are within 1 %.
// Arguments: the number of cells of each operation, their seed.
#include "common/splitmix.h"
#include "hyperion/error.h"
#include "hyperion/simd.h"
#include "hyperion/simulate.h"
#include "machine/geometry.h"
#include "scenario/plan.h"
#include "trace/kernel_trace.h"
#include "workload/workloads.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t cells_of_each;
static uint64_t seed;

enum { LEVELS = 2, AXES_BYTES = 512 };
static const double median_limit = 0.001;
static const double limit = 0.01;
static const double least_lines = 6400;

static size_t between(uint64_t *random, size_t least, size_t most)
{
    return least + splitmix_below(random, most - least + 1);
}

// The axes of one cell but for level and geometry: JSON.
typedef void MakeShape(uint64_t *random, char shape[AXES_BYTES]);

static void add_blocking(uint64_t *random, char shape[AXES_BYTES])
{
    const size_t used = strlen(shape);
    const bool prefetch = splitmix_below(random, 2);
    const size_t block = splitmix_below(random, 2) ? between(random, 16, 320) : 0;
    (void)snprintf(shape + used, AXES_BYTES - used, ", \"block_size\": %zu, \"prefetch\": %s%s",
                   block, prefetch ? "true" : "false",
                   prefetch && splitmix_below(random, 2) ? ", \"prefetch_distance\": 4" : "");
}

static void make_gemm(uint64_t *random, char shape[AXES_BYTES])
{
    const size_t m = between(random, 8, 280);
    const size_t n = between(random, 8, 280);
    const size_t k = between(random, 8, 280);
    (void)snprintf(shape, AXES_BYTES,
                   "\"op\": \"gemm\", \"m\": %zu, \"n\": %zu, \"k\": %zu, \"transpose_b\": %s, "
                   "\"bias\": %s",
                   m, n, k, splitmix_below(random, 2) ? "true" : "false",
                   splitmix_below(random, 2) ? "true" : "false");
    add_blocking(random, shape);
}

static void make_conv2d(uint64_t *random, char shape[AXES_BYTES])
{
    const size_t groups = between(random, 1, 2);
    const size_t channels = groups * between(random, 2, 24);
    const size_t out_channels = groups * between(random, 4, 40);
    const size_t height = between(random, 7, 30);
    const size_t width = between(random, 7, 30);
    const size_t window = splitmix_below(random, 3) ? 3 : 1;
    (void)snprintf(shape, AXES_BYTES,
                   "\"op\": \"conv2d\", \"channels\": %zu, \"height\": %zu, \"width\": %zu, "
                   "\"out_channels\": %zu, \"groups\": %zu, \"window\": %zu, \"stride\": %zu, "
                   "\"padding\": %zu, \"batch\": %zu",
                   channels, height, width, out_channels, groups, window, between(random, 1, 2),
                   window > 1 ? splitmix_below(random, 2) : 0, between(random, 1, 2));
    add_blocking(random, shape);
}

static void make_attention(uint64_t *random, char shape[AXES_BYTES])
{
    const size_t heads = between(random, 1, 5);
    const size_t queries = between(random, 8, 200);
    const bool causal = splitmix_below(random, 3) == 0;
    const size_t keys = between(random, causal ? queries : 8, 260);
    (void)snprintf(shape, AXES_BYTES,
                   "\"op\": \"attention\", \"heads\": %zu, \"queries\": %zu, \"keys\": %zu, "
                   "\"dim\": %zu, \"causal\": %s",
                   heads, queries, keys,
                   splitmix_below(random, 2) ? 16 * between(random, 1, 6) : between(random, 8, 96),
                   causal ? "true" : "false");
}

static void make_activation(uint64_t *random, char shape[AXES_BYTES])
{
    static const char *const functions[] = {"relu", "gelu", "sigmoid", "tanh"};
    (void)snprintf(shape, AXES_BYTES, "\"op\": \"activation\", \"function\": \"%s\", \"size\": %zu",
                   functions[splitmix_below(random, 4)], between(random, 500, 600000));
}

static const struct {
    const char *name;
    MakeShape *make;
} operations[] = {
    {"gemm", make_gemm},
    {"conv2d", make_conv2d},
    {"attention", make_attention},
    {"activation", make_activation},
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static const char *pick_level(uint64_t *random)
{
    static const char *const names[] = {"scalar", "sse41", "avx2", "avx512"};
    const unsigned best = (unsigned)hyperionGetSIMDCapabilities().best_level;
    return names[splitmix_below(random, best + 1)];
}

static void make_cell(uint64_t *random, size_t operation, char axes[2 * AXES_BYTES])
{
    static const char *const geometries[] = {
        "32KiB:8:64+256KiB:8:64",  "48KiB:12:64+1MiB:16:64",  "64KiB:8:64+512KiB:8:64",
        "48KiB:12:64+2MiB:16:64",  "32KiB:8:64+1MiB:16:64",   "32KiB:8:64+512KiB:8:64",
        "64KiB:16:64+256KiB:4:64", "64KiB:16:128+1MiB:8:128",
    };
    char shape[AXES_BYTES];
    operations[operation].make(random, shape);
    const char *level = pick_level(random);
    (void)snprintf(axes, (size_t)2 * AXES_BYTES,
                   "{%s, \"simd_level\": \"%s\", \"geometry\": \"%s\"}", shape, level,
                   geometries[splitmix_below(random, sizeof geometries / sizeof geometries[0])]);
}

static void touch(void *simulator, uintptr_t address, size_t bytes, HyperionTouch kind)
{
    hyperionSimulatorTouch(simulator, address, bytes, kind);
}

static HyperionCacheStats simulate(const Workload *workload, void *opened,
                                   HyperionSimulator *simulator)
{
    hyp_trace_begin(&(HypTraceSink){touch, simulator});
    workload->run(opened);
    hyp_trace_end();
    return hyperionSimulatorStats(simulator);
}

// Of the fills of both levels from empty caches.
static void compare_cell(const char *axes, double errors[LEVELS])
{
    Problem problem = {0};
    Cell cell;
    HyperionCacheTopology topology;
    json_t *json = json_pack("{s:s, s:o}", "workload", "kernel", "axes", json_loads(axes, 0, NULL));
    if (!json || !cell_from_json(json, &cell, &problem) ||
        !geometry_choose(cell.values[AXIS_GEOMETRY].text, NULL, &topology, &problem))
        fail_msg("%s: %s", axes, problem.text);
    HyperionSimulator *simulator = hyperionCreateSimulator(&topology, 1, NULL);
    assert_non_null(simulator);
    const HyperionParallel parallel = hyperionSimulatorParallel(simulator);
    const WorkloadMachine machine = {.topology = topology, .seed = 1, .parallel = &parallel};
    void *opened = cell.workload->open(&cell, &machine, &problem);
    if (!opened)
        fail_msg("%s: %s", axes, problem.text);
    const HyperionPredictionConfig config = {.tier = HYPERION_CACHE_TIER_REPLAY};
    const HyperionCacheStats predicted = cell.workload->predict(opened, &config);
    if (!predicted.valid)
        fail_msg("%s: %s", axes, hyperionGetLastError());
    const HyperionCacheStats simulated = simulate(cell.workload, opened, simulator);
    for (int i = 0; i < LEVELS; i++) {
        const double told = (double)predicted.levels[i].fills;
        const double seen = (double)simulated.levels[i].fills;
        errors[i] = fabs(told - seen) / fmax(seen, least_lines);
        if (errors[i] > limit)
            print_message("%s: L%d: %.0f fills, simulated %.0f: %.2f %%\n", axes, i + 1, told, seen,
                          100 * errors[i]);
    }
    cell.workload->close(opened);
    hyperionFreeSimulator(simulator);
    cell_clear(&cell);
    json_decref(json);
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

// Sorts the errors; false where they are beyond the limits.
static bool judge(const char *name, int level, double *errors, size_t count)
{
    qsort(errors, count, sizeof *errors, compare_doubles);
    const double median = errors[count / 2];
    const double most = errors[count - 1];
    print_message("%-10s L%d: %zu cells, median %.3f %%, p90 %.3f %%, max %.3f %%\n", name, level,
                  count, 100 * median, 100 * errors[count * 9 / 10], 100 * most);
    return median <= median_limit && most <= limit;
}

static void replay_agrees_with_the_accesses_of_kernels(void **state)
{
    (void)state;
    uint64_t random = seed;
    bool good = true;
    double *errors = calloc(LEVELS * cells_of_each, sizeof *errors);
    assert_non_null(errors);
    for (size_t operation = 0; operation < OPERATIONS; operation++) {
        for (size_t i = 0; i < cells_of_each; i++) {
            char axes[2 * AXES_BYTES];
            double of_cell[LEVELS];
            make_cell(&random, operation, axes);
            compare_cell(axes, of_cell);
            for (size_t level = 0; level < LEVELS; level++)
                errors[level * cells_of_each + i] = of_cell[level];
        }
        for (int level = 0; level < LEVELS; level++)
            good = judge(operations[operation].name, level + 1,
                         errors + (size_t)level * cells_of_each, cells_of_each) &&
                   good;
    }
    free(errors);
    assert_true(good);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_agrees_with_the_accesses_of_kernels),
    };
    if (argc != 3)
        return EXIT_FAILURE;
    cells_of_each = strtoull(argv[1], NULL, 10);
    seed = strtoull(argv[2], NULL, 10);
    if (cells_of_each == 0)
        return EXIT_FAILURE;
    return cmocka_run_group_tests_name("replay_against_sim", tests, NULL, NULL);
}
