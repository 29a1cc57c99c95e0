// SPDX-License-Identifier: Apache-2.0
// test_workload_kernel.c - every operation opens, verifies, runs and tells its facts; what cannot
// run says why.
#define _GNU_SOURCE
#include "scenario/plan.h"

#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const WorkloadMachine machine = {
    .topology = {.level_count = 2, .levels = {{48 << 10, 64, 12, 1}, {1 << 20, 64, 16, 1}}},
    .seed = 7,
};

static int count_cpus(void)
{
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
}

typedef struct Opened {
    json_t *json;
    Cell cell;
    void *context;
    Problem problem;
} Opened;

// The cell whose axes are JSON text; context is NULL where the workload refuses it.
static Opened open_cell(const char *axes)
{
    Opened opened = {
        .json = json_pack("{s:s, s:o}", "workload", "kernel", "axes", json_loads(axes, 0, NULL))};
    assert_non_null(opened.json);
    if (!cell_from_json(opened.json, &opened.cell, &opened.problem))
        fail_msg("%s", opened.problem.text);
    opened.context = opened.cell.workload->open(&opened.cell, &machine, &opened.problem);
    return opened;
}

static void close_cell(Opened *opened)
{
    opened->cell.workload->close(opened->context);
    cell_clear(&opened->cell);
    json_decref(opened->json);
}

static void every_operation_opens_verifies_and_runs(void **state)
{
    (void)state;
    static const char *const cells[] = {
        "{\"op\": \"gemm\", \"m\": 33, \"n\": 35, \"k\": 37, \"bias\": true, \"function\": "
        "\"relu\"}",
        "{\"op\": \"gemm\", \"m\": 1, \"n\": 1, \"k\": 1, \"transpose_b\": true}",
        "{\"op\": \"conv2d\", \"channels\": 4, \"height\": 9, \"width\": 8, \"out_channels\": 6, "
        "\"padding\": 1, \"groups\": 2, \"batch\": 2, \"bias\": true}",
        "{\"op\": \"activation\", \"function\": \"gelu\", \"size\": 1001}",
        "{\"op\": \"max_pool2d\", \"channels\": 3, \"height\": 9, \"width\": 8, \"window\": 2, "
        "\"stride\": 2}",
        "{\"op\": \"binary\", \"size\": 1001}",
        "{\"op\": \"softmax\", \"rows\": 7, \"columns\": 65}",
        "{\"op\": \"layernorm\", \"rows\": 7, \"columns\": 65, \"bias\": true}",
        "{\"op\": \"layernorm\", \"rows\": 7, \"columns\": 65}",
        "{\"op\": \"attention\", \"heads\": 2, \"queries\": 5, \"keys\": 9, \"dim\": 16, "
        "\"causal\": true}",
    };
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        Opened opened = open_cell(cells[i]);
        const Workload *workload = opened.cell.workload;
        if (!opened.context || !workload->verify(opened.context, &opened.problem))
            fail_msg("%s: %s", cells[i], opened.problem.text);
        workload->run(opened.context);
        workload->run(opened.context);
        const WorkloadFacts facts = workload->facts(opened.context);
        assert_true(facts.elements > 0);
        assert_true(facts.bytes >= 4 * facts.elements);
        assert_true(facts.operand_bytes >= facts.bytes);
        assert_string_not_equal(facts.kernel, "");
        assert_true(facts.predicted.valid || facts.predicted_reason[0]);
        close_cell(&opened);
    }
}

static void facts_of_gemm_are_its_nominal_costs_and_blocking(void **state)
{
    (void)state;
    Opened opened = open_cell("{\"op\": \"gemm\", \"m\": 64, \"n\": 48, \"k\": 32, "
                              "\"block_size\": 16, \"simd_level\": \"scalar\", "
                              "\"prefetch_distance\": 3}");
    assert_non_null(opened.context);
    const WorkloadFacts facts = opened.cell.workload->facts(opened.context);
    assert_true(facts.flops == 2.0 * 64 * 48 * 32);
    assert_true(facts.bytes == 4.0 * (64 * 32 + 32 * 48 + 64 * 48));
    assert_true(facts.elements == 64 * 48);
    assert_true(strncmp(facts.kernel, "gemm_f32_scalar_", 16) == 0);
    assert_true(facts.has_blocking);
    assert_int_equal(facts.blocking.kc, 16);
    assert_int_equal(facts.blocking.prefetch_lines, 3);
    assert_true(facts.predicted.valid);
    assert_true(facts.predicted.levels[0].misses > 0);
    close_cell(&opened);
}

static void facts_of_causal_attention_count_visible_pairs(void **state)
{
    (void)state;
    Opened opened = open_cell("{\"op\": \"attention\", \"heads\": 3, \"queries\": 4, \"keys\": 6, "
                              "\"dim\": 8, \"causal\": true}");
    assert_non_null(opened.context);
    // Query i sees keys 0 to i + 2: 3 + 4 + 5 + 6 pairs, two products of 2 x 8 operations, 3 heads.
    assert_true(opened.cell.workload->facts(opened.context).flops == 18.0 * 2 * 16 * 3);
    close_cell(&opened);
}

static void every_kernel_is_predicted_by_formula_and_by_replay(void **state)
{
    (void)state;
    static const char *const cells[] = {
        "{\"op\": \"binary\", \"size\": 1600}",
        "{\"op\": \"conv2d\", \"channels\": 4, \"height\": 9, \"width\": 8, \"out_channels\": 6}",
        "{\"op\": \"attention\", \"queries\": 20, \"keys\": 20, \"dim\": 16}",
        "{\"op\": \"softmax\", \"rows\": 8, \"columns\": 64}",
    };
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        Opened opened = open_cell(cells[i]);
        const Workload *workload = opened.cell.workload;
        const HyperionPredictionConfig replay = {.tier = HYPERION_CACHE_TIER_REPLAY};
        const HyperionCacheStats formula = workload->facts(opened.context).predicted;
        const HyperionCacheStats replayed = workload->predict(opened.context, &replay);
        assert_true(formula.valid && formula.tier == HYPERION_CACHE_TIER_CLOSED_FORM);
        assert_true(replayed.valid && replayed.tier == HYPERION_CACHE_TIER_REPLAY);
        assert_true(formula.levels[0].fills > 0 && replayed.levels[0].fills > 0);
        close_cell(&opened);
    }
}

static void level_that_is_not_here_is_refused(void **state)
{
    (void)state;
#if defined(__x86_64__)
    Opened opened = open_cell("{\"op\": \"binary\", \"size\": 16, \"simd_level\": \"neon\"}");
#else
    Opened opened = open_cell("{\"op\": \"binary\", \"size\": 16, \"simd_level\": \"avx2\"}");
#endif
    assert_null(opened.context);
    assert_non_null(strstr(opened.problem.text, "cannot run here"));
    close_cell(&opened);
}

static void operands_past_any_memory_fail_with_the_reason(void **state)
{
    (void)state;
    json_t *json = json_pack("{s:s, s:{s:s, s:i, s:i, s:i, s:i, s:i}}", "workload", "kernel",
                             "axes", "op", "conv2d", "batch", 65536, "channels", 65536, "height",
                             65536, "width", 65536, "out_channels", 65536);
    Cell cell;
    Problem problem = {0};
    assert_false(cell_from_json(json, &cell, &problem));
    assert_non_null(strstr(problem.text, "more than any memory"));
    cell_clear(&cell);
    json_decref(json);
}

static void cell_of_several_threads_verifies_and_has_no_prediction(void **state)
{
    (void)state;
    static const char *const cells[] = {
        "{\"op\": \"gemm\", \"m\": 90, \"n\": 100, \"k\": 80, \"threads\": 2}",
        "{\"op\": \"softmax\", \"rows\": 70, \"columns\": 650, \"threads\": 2}",
        "{\"op\": \"attention\", \"queries\": 90, \"keys\": 90, \"dim\": 40, \"threads\": 2}",
    };
    if (count_cpus() < 2) {
        print_message("skipped: this process may use one CPU only\n");
        skip();
    }
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        Opened opened = open_cell(cells[i]);
        const Workload *workload = opened.cell.workload;
        if (!opened.context || !workload->verify(opened.context, &opened.problem))
            fail_msg("%s: %s", cells[i], opened.problem.text);
        workload->run(opened.context);
        const WorkloadFacts facts = workload->facts(opened.context);
        assert_true(facts.predicted.valid || facts.predicted_reason[0]);
        close_cell(&opened);
    }
}

static void more_threads_than_cpus_are_refused(void **state)
{
    (void)state;
    static const int cpus[] = {0};
    Opened opened = open_cell("{\"op\": \"binary\", \"size\": 9, \"threads\": 1024}");
    assert_null(opened.context);
    assert_non_null(strstr(opened.problem.text, "CPUs that this process may use"));
    WorkloadMachine bound = machine;
    bound.cpus = cpus;
    bound.cpu_count = 1;
    opened.cell.values[AXIS_THREADS].integer = 2;
    opened.problem = (Problem){0};
    assert_null(opened.cell.workload->open(&opened.cell, &bound, &opened.problem));
    assert_string_equal(opened.problem.text,
                        "threads 2: there are 1 CPUs, one a core, to bind them to");
    close_cell(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_opens_verifies_and_runs),
        cmocka_unit_test(facts_of_gemm_are_its_nominal_costs_and_blocking),
        cmocka_unit_test(facts_of_causal_attention_count_visible_pairs),
        cmocka_unit_test(every_kernel_is_predicted_by_formula_and_by_replay),
        cmocka_unit_test(level_that_is_not_here_is_refused),
        cmocka_unit_test(cell_of_several_threads_verifies_and_has_no_prediction),
        cmocka_unit_test(more_threads_than_cpus_are_refused),
        cmocka_unit_test(operands_past_any_memory_fail_with_the_reason),
    };
    return cmocka_run_group_tests_name("workload_kernel", tests, NULL, NULL);
}
