// SPDX-License-Identifier: Apache-2.0
// test_sim_against_callgrind.c - the counter source sim against an independent simulator of caches,
// through the worker programs: within 2 % of callgrind's misses in the first level and 2.5 % in the
// second, for working sets of at most 75 % of the level.
// Arguments: the worker, the number of random cells, their seed.
#define _POSIX_C_SOURCE 200809L
#include "common/splitmix.h"
#include "hyperion/simd.h"
#include "hyperion/simulate.h"
#include "machine/geometry.h"
#include "run/launch.h"
#include "run/verdict.h"
#include "workload/kernel_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *worker;
static size_t random_cells;
static uint64_t seed;

enum { LEVELS = 2, AXES_BYTES = 512 };
static const double tolerance[LEVELS] = {0.02, 0.025};
static const double least_lines = 6400;
static const double most_of_level = 0.75;

static const char *const starts[] = {"cold.", ""};
enum { STARTS = sizeof starts / sizeof starts[0] };

// {"sim.cold.L1.access_fills", "callgrind.cold.L1.misses"}, ...: callgrind has no prefetch, whose
// lines are fills as well.
static const char *const counters[] = {
    "sim.cold.L1.access_fills", "callgrind.cold.L1.misses", "sim.cold.L2.access_fills",
    "callgrind.cold.L2.misses", "sim.L1.access_fills",      "callgrind.L1.misses",
    "sim.L2.access_fills",      "callgrind.L2.misses",      NULL};

typedef struct Compared {
    size_t count; // values compared
    double worst[LEVELS];
} Compared;

static void ask(const WorkerRequest *request, Sample *answer)
{
    Problem problem = {0};
    const LaunchLimits limits = {.timeout_ns = 300e9};
    WorkerEnd end = {0};
    char *text = request_write(request, &problem);
    assert_non_null(text);
    worker_launch(worker, text, &limits, &end);
    free(text);
    *answer = sample_empty();
    answer->task = SAMPLE_COUNT;
    verdict_take(&end, request, &limits, answer);
    free(end.answer);
}

// What is used again only after all of `set` was: it counts unless it is so much larger than the
// level that nothing of it is still there then.
static double count_reused(double set_bytes, size_t level_bytes)
{
    return set_bytes < 2 * (double)level_bytes ? set_bytes : 0;
}

// Bytes that have to stay in the first level from one use to the next.
static double first_working_set(const KernelCase *problem, const HyperionGemmBlocking *blocking,
                                const HyperionCacheLevel *level)
{
    const size_t line_bytes = level->line_bytes > 0 ? (size_t)level->line_bytes : 64;
    if (problem->has_product) {
        // A sliver of B, this and the next panel of A, a tile of C; and between two uses of a panel
        // the whole block of A and as many rows of C, which begin anywhere in a line.
        const size_t row_lines = (4 * blocking->nr + line_bytes - 1) / line_bytes + 1;
        return 4.0 * (double)(blocking->kc * (blocking->nr + 2 * blocking->mr) +
                              blocking->mr * blocking->nr) +
               count_reused((double)(blocking->mc * (4 * blocking->kc + row_lines * line_bytes)),
                            level->size_bytes);
    }
    if (problem->op != HYP_OP_ATTENTION)
        return 0; // streams
    // A block of keys and of values with each group of queries, all of the workspace with each
    // block of keys, and all keys and values of a head, of which a row begins anywhere in a line,
    // with each block of queries.
    const HypAttentionArgs *args = &problem->args.attention;
    const size_t row_lines = (4 * args->dim + line_bytes - 1) / line_bytes + 1;
    const double block_bytes = 4.0 * (2 * 64 + 4) * (double)args->dim;
    const double workspace_bytes = (double)hyp_attention_workspace_bytes(args);
    return fmax(block_bytes, count_reused(workspace_bytes, level->size_bytes)) +
           count_reused(2.0 * (double)(args->keys * row_lines * line_bytes), level->size_bytes);
}

static double second_working_set(const KernelCase *problem, const HyperionGemmBlocking *blocking)
{
    KernelCase sized = *problem;
    size_t workspace_bytes = 0;
    if (problem->has_product) {
        if (problem->op == HYP_OP_CONV2D)
            sized.args.conv2d.blocking = *blocking;
        else
            sized.args.gemm.blocking = *blocking;
    }
    (void)hyp_kernel_workspace(problem->op, &sized.args, &workspace_bytes);
    return kernel_case_bytes(problem) + (double)workspace_bytes;
}

static void compare_level(const Sample *answer, const char *id, const char *start, int level,
                          Compared *compared)
{
    char name[64];
    (void)snprintf(name, sizeof name, "sim.%sL%d.access_fills", start, level);
    const double simulated = sample_value(answer, name);
    (void)snprintf(name, sizeof name, "callgrind.%sL%d.misses", start, level);
    const double other = sample_value(answer, name);
    if (isnan(simulated) || isnan(other)) {
        const SampleValue *value = sample_find_value(answer, name);
        fail_msg("%s: %s is unknown: %s", id, name, value ? value->reason : "not told");
    }
    const double error = fabs(simulated - other) / fmax(other, least_lines);
    compared->count++;
    compared->worst[level - 1] = fmax(compared->worst[level - 1], error);
    if (error > tolerance[level - 1])
        fail_msg("%s: %sL%d: %.0f lines, callgrind %.0f: %.2f %% apart", id, start, level,
                 simulated, other, 100 * error);
}

static void resolve(const KernelCase *problem, const AxisValue *values,
                    const HyperionCacheTopology *topology, HyperionGemmBlocking *blocking)
{
    const HyperionCacheConfig config = {.block_size = (int)values[AXIS_BLOCK_SIZE].integer};
    *blocking = (HyperionGemmBlocking){0};
    if (problem->has_product)
        assert_true(hyperionResolveGemmBlocking(&problem->product, &config, topology,
                                                (int)values[AXIS_SIMD_LEVEL].integer, blocking));
}

// The cell whose axes are JSON with ' for ".
static void compare_cell(const char *axes, Compared *compared)
{
    char text[AXES_BYTES];
    Problem problem = {0};
    WorkerRequest request = {
        .task = SAMPLE_COUNT, .seed = 1, .iterations = 1, .counters = counters};
    (void)snprintf(text, sizeof text, "%s", axes);
    for (char *at = text; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_t *json = json_pack("{s:s, s:o}", "workload", "kernel", "axes", json_loads(text, 0, NULL));
    if (!json || !cell_from_json(json, &request.cell, &problem) ||
        !geometry_choose(request.cell.values[AXIS_GEOMETRY].text, &request.topology,
                         &request.topology, &problem))
        fail_msg("%s: %s", axes, problem.text);
    const KernelCase kernel_case = kernel_case_make(request.cell.values);
    HyperionGemmBlocking blocking;
    resolve(&kernel_case, request.cell.values, &request.topology, &blocking);
    const double sets[LEVELS] = {
        first_working_set(&kernel_case, &blocking, &request.topology.levels[0]),
        second_working_set(&kernel_case, &blocking)};
    Sample answer;
    ask(&request, &answer);
    if (!answer.ok)
        fail_msg("%s: %s", request.cell.id, answer.reason);
    for (int level = 1; level <= LEVELS; level++)
        for (size_t i = 0; i < STARTS; i++)
            if (sets[level - 1] <=
                most_of_level * (double)request.topology.levels[level - 1].size_bytes)
                compare_level(&answer, request.cell.id, starts[i], level, compared);
    sample_clear(&answer);
    cell_clear(&request.cell);
    json_decref(json);
}

static void skip_without_level(const char *level)
{
    if (hyperionGetSIMDCapabilities().best_level < HYPERION_SIMD_AVX2) {
        print_message("skipped: this CPU has no %s\n", level);
        skip();
    }
}

#define SMALL "'geometry': '48KiB:12:64+512KiB:8:64'"

static void every_kind_of_operation_agrees(void **state)
{
    (void)state;
    static const char *const cells[] = {
        "{'op': 'gemm', 'm': 100, 'n': 90, 'k': 130, 'prefetch': false, 'simd_level': "
        "'avx2', " SMALL "}",
        "{'op': 'conv2d', 'channels': 9, 'height': 14, 'width': 15, 'out_channels': 20, "
        "'padding': 1, 'prefetch': false, 'simd_level': 'avx2', " SMALL "}",
        "{'op': 'attention', 'heads': 2, 'queries': 70, 'keys': 70, 'dim': 48, "
        "'simd_level': 'avx2', " SMALL "}",
        "{'op': 'activation', 'function': 'gelu', 'size': 30001, 'simd_level': 'avx2', " SMALL "}",
    };
    Compared compared = {0};
    skip_without_level("AVX2");
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        compare_cell(cells[i], &compared);
    assert_true(compared.count >= 8);
    print_message("worst: L1 %.2f %%, L2 %.2f %%\n", 100 * compared.worst[0],
                  100 * compared.worst[1]);
}

static size_t between(uint64_t *random, size_t least, size_t most)
{
    return least + splitmix_below(random, most - least + 1);
}

static void make_cell(uint64_t *random, char *axes)
{
    static const char *const levels[] = {"scalar", "sse41", "avx2"};
    static const char *const geometries[] = {
        "32KiB:8:64+256KiB:8:64", "48KiB:12:64+1MiB:16:64", "64KiB:8:64+512KiB:8:64",
        "48KiB:12:64+2MiB:16:64", "32KiB:8:64+1MiB:16:64",  "64KiB:16:128+1MiB:8:128",
    };
    char shape[256];
    const size_t block = splitmix_below(random, 2) ? between(random, 24, 200) : 0;
    switch (splitmix_below(random, 4)) {
    case 0:
        (void)snprintf(shape, sizeof shape,
                       "'op': 'gemm', 'm': %zu, 'n': %zu, 'k': %zu, 'transpose_b': %s, "
                       "'prefetch': false, 'block_size': %zu",
                       between(random, 20, 260), between(random, 20, 260), between(random, 20, 260),
                       splitmix_below(random, 2) ? "true" : "false", block);
        break;
    case 1:
        (void)snprintf(shape, sizeof shape,
                       "'op': 'conv2d', 'channels': %zu, 'height': %zu, 'width': %zu, "
                       "'out_channels': %zu, 'padding': 1, 'prefetch': false, 'block_size': %zu",
                       between(random, 3, 48), between(random, 7, 40), between(random, 7, 40),
                       between(random, 8, 80), block);
        break;
    case 2:
        (void)snprintf(shape, sizeof shape,
                       "'op': 'attention', 'heads': %zu, 'queries': %zu, 'keys': %zu, 'dim': %zu",
                       between(random, 1, 5), between(random, 10, 150), between(random, 10, 200),
                       between(random, 8, 80));
        break;
    default:
        (void)snprintf(shape, sizeof shape, "'op': 'activation', 'function': '%s', 'size': %zu",
                       splitmix_below(random, 2) ? "relu" : "gelu", between(random, 500, 400000));
    }
    (void)snprintf(axes, AXES_BYTES, "{%s, 'simd_level': '%s', 'geometry': '%s'}", shape,
                   levels[splitmix_below(random, 3)], geometries[splitmix_below(random, 6)]);
}

static void random_cells_agree(void **state)
{
    (void)state;
    Compared compared = {0};
    uint64_t random = seed;
    if (random_cells == 0)
        skip();
    skip_without_level("AVX2");
    for (size_t i = 0; i < random_cells; i++) {
        char axes[AXES_BYTES];
        make_cell(&random, axes);
        compare_cell(axes, &compared);
    }
    print_message("%zu cells, seed %llu: %zu values; worst: L1 %.2f %%, L2 %.2f %%\n", random_cells,
                  (unsigned long long)seed, compared.count, 100 * compared.worst[0],
                  100 * compared.worst[1]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_operation_agrees),
        cmocka_unit_test(random_cells_agree),
    };
    if (argc != 4)
        return EXIT_FAILURE;
    worker = argv[1];
    random_cells = strtoull(argv[2], NULL, 10);
    seed = strtoull(argv[3], NULL, 10);
    if (system("command -v valgrind >/dev/null") != 0) {
        print_message("skipped: valgrind is not installed\n");
        return 77;
    }
    return cmocka_run_group_tests_name("sim_against_callgrind", tests, NULL, NULL);
}
