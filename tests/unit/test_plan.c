// SPDX-License-Identifier: Apache-2.0
// test_plan.c - a scenario becomes the cells it says, in order, and survives JSON.
#define _POSIX_C_SOURCE 200809L
#include "scenario/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char scenario_path[] = "/tmp/hyperion-plan-XXXXXX";

static int create_file(void **state)
{
    (void)state;
    const int descriptor = mkstemp(scenario_path);
    return descriptor < 0 || close(descriptor) != 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(scenario_path);
}

static void write_scenario(const char *text)
{
    FILE *file = fopen(scenario_path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static Plan *make_plan(const char *text, const char *const *settings)
{
    Problem problem = {0};
    write_scenario(text);
    Plan *plan = plan_from_scenario(scenario_path, settings, &problem);
    if (!plan)
        print_error("%s\n", problem.text);
    assert_non_null(plan);
    return plan;
}

static void assert_ids(const Plan *plan, const char *const *ids, size_t count)
{
    assert_int_equal(plan->cell_count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(plan->cells[i].id, ids[i]);
}

#define SWEEP(axes) "name: t\nsweeps:\n  - name: s\n    workload: kernel\n    axes: " axes "\n"

static void plan_varies_the_last_axis_fastest(void **state)
{
    (void)state;
    static const char *const ids[] = {
        "kernel/op:softmax/rows:1/columns:8", "kernel/op:softmax/rows:1/columns:9",
        "kernel/op:softmax/rows:2/columns:8", "kernel/op:softmax/rows:2/columns:9"};
    Plan *plan = make_plan(SWEEP("{columns: [8, 9], rows: [1, 2], op: softmax}"), NULL);
    assert_ids(plan, ids, 4);
    plan_free(plan);
}

static void plan_ids_leave_out_defaults(void **state)
{
    (void)state;
    static const char *const ids[] = {"kernel/op:binary/size:5",
                                      "kernel/op:binary/simd_level:avx2/size:5"};
    Plan *plan =
        make_plan(SWEEP("{op: binary, simd_level: [best, avx2], size: 5, pages: 4k}"), NULL);
    assert_ids(plan, ids, 2);
    plan_free(plan);
}

static void plan_ranges_include_their_end(void **state)
{
    (void)state;
    static const char *const ids[] = {"kernel/op:binary/size:32",  "kernel/op:binary/size:64",
                                      "kernel/op:binary/size:128", "kernel/op:binary/size:1",
                                      "kernel/op:binary/size:4",   "kernel/op:binary/size:7"};
    Plan *plan = make_plan(SWEEP("{op: binary, size: [32..128 *2, 1 .. 8 + 3]}"), NULL);
    assert_ids(plan, ids, 6);
    plan_free(plan);
}

static void plan_ranges_of_caps_step_in_bytes_or_shares(void **state)
{
    (void)state;
    static const char *const ids[] = {
        "loader/model:builtin:mlp/memory_cap:10%", "loader/model:builtin:mlp/memory_cap:15%",
        "loader/model:builtin:mlp/memory_cap:20%", "loader/model:builtin:mlp/memory_cap:1MiB",
        "loader/model:builtin:mlp/memory_cap:2MiB"};
    Plan *plan =
        make_plan("name: caps\ndescription: d\nsweeps:\n  - name: s\n    workload: loader\n"
                  "    axes: {model: 'builtin:mlp', memory_cap: [10%..20% +5%, 1MiB..2MiB *2]}\n",
                  NULL);
    assert_ids(plan, ids, 5);
    plan_free(plan);
}

static void plan_zips_lists_of_equal_length(void **state)
{
    (void)state;
    static const char *const ids[] = {"kernel/op:gemm/m:1/n:3/k:5", "kernel/op:gemm/m:1/n:3/k:6",
                                      "kernel/op:gemm/m:2/n:4/k:5", "kernel/op:gemm/m:2/n:4/k:6"};
    Plan *plan =
        make_plan(SWEEP("{op: gemm, m: [1, 2], n: [3, 4], k: [5, 6]}\n    zip: [[n, m]]"), NULL);
    assert_ids(plan, ids, 4);
    plan_free(plan);
}

static void plan_excludes_matching_cells(void **state)
{
    (void)state;
    static const char *const ids[] = {"kernel/op:softmax/rows:1/columns:1",
                                      "kernel/op:softmax/rows:2/columns:1",
                                      "kernel/op:softmax/rows:2/columns:2"};
    Plan *plan = make_plan(SWEEP("{op: softmax, rows: [1, 2], columns: [1, 2, 3]}\n"
                                 "    exclude: [{columns: 3}, {rows: 1, columns: [2, 7]}]"),
                           NULL);
    assert_ids(plan, ids, 3);
    plan_free(plan);
}

static void plan_set_replaces_axes_even_in_zip_and_exclude(void **state)
{
    (void)state;
    static const char *const settings[] = {"k=7..8 +1", "m=9", "simd_level=scalar,avx2", NULL};
    static const char *const ids[] = {"kernel/op:gemm/simd_level:scalar/m:9/n:3/k:7",
                                      "kernel/op:gemm/simd_level:scalar/m:9/n:3/k:8",
                                      "kernel/op:gemm/simd_level:scalar/m:9/n:4/k:7",
                                      "kernel/op:gemm/simd_level:scalar/m:9/n:4/k:8",
                                      "kernel/op:gemm/simd_level:avx2/m:9/n:3/k:7",
                                      "kernel/op:gemm/simd_level:avx2/m:9/n:3/k:8",
                                      "kernel/op:gemm/simd_level:avx2/m:9/n:4/k:7",
                                      "kernel/op:gemm/simd_level:avx2/m:9/n:4/k:8"};
    Plan *plan = make_plan(SWEEP("{op: gemm, m: [1, 2], n: [3, 4], k: 5}\n    zip: [[m, n]]\n"
                                 "    exclude: [{m: 1}]"),
                           settings);
    assert_ids(plan, ids, 8);
    plan_free(plan);
}

static void assert_set_refused(const char *setting, const char *expected)
{
    Problem problem = {0};
    const char *const settings[] = {setting, NULL};
    write_scenario(SWEEP("{op: binary, size: [1, 2]}"));
    assert_null(plan_from_scenario(scenario_path, settings, &problem));
    if (!strstr(problem.text, expected))
        fail_msg("expected '%s' in '%s'", expected, problem.text);
}

static void plan_set_refuses_what_it_cannot_use(void **state)
{
    (void)state;
    assert_set_refused("size", "expected axis=values");
    assert_set_refused("=4", "expected axis=values");
    assert_set_refused("sizes=4", "unknown axis 'sizes', did you mean 'size'?");
    assert_set_refused("rows=4", "no sweep of");
    assert_set_refused("size=1,x", "size=1,x:1:8: axis size: expected a whole number");
    assert_set_refused("size=", "size=:1:5: axis size: the list is empty");
    assert_set_refused("size=[1", "size=[1:2:1: while parsing a flow sequence");
    assert_set_refused("prefetch_window=2", "no sweep of");
    assert_set_refused("size=4..1 +1", "is empty");
}

static void plan_settings_come_from_defaults_and_sweeps(void **state)
{
    (void)state;
    Plan *plan = make_plan(
        "name: t\ndescription: two sweeps\n"
        "defaults: {samples: 7, min_time: 1.5ms, counters: [PAPI_TOT_INS], seed: 42}\n"
        "sweeps:\n"
        "  - {name: a, workload: kernel, axes: {op: binary, size: 1}}\n"
        "  - {name: b, workload: kernel, axes: {op: binary, size: 2}, samples: 2, timeout: 1m,\n"
        "     memory_limit: 1.5GiB, counters: none, warmup: 0ms, repetitions: 9}\n",
        NULL);
    assert_int_equal(plan->seed, 42);
    assert_string_equal(plan->description, "two sweeps");
    const SweepSettings *a = &plan->sweeps[0].settings;
    assert_int_equal(a->samples, 7);
    assert_int_equal(a->repetitions, 3);
    assert_true(a->min_time_ns == 1.5e6);
    assert_true(a->warmup_ns == 5e6);
    assert_true(a->timeout_ns == 60e9);
    assert_int_equal(a->memory_limit_bytes, 0);
    assert_string_equal(a->counters[0], "PAPI_TOT_INS");
    assert_null(a->counters[1]);
    const SweepSettings *b = &plan->sweeps[1].settings;
    assert_int_equal(b->samples, 2);
    assert_int_equal(b->repetitions, 9);
    assert_true(b->timeout_ns == 60e9);
    assert_int_equal(b->memory_limit_bytes, 3ULL << 29);
    assert_null(b->counters[0]);
    assert_ptr_equal(plan->cells[1].sweep, &plan->sweeps[1]);
    assert_int_equal(plan_worker_count(plan), (2 + 7 + 1) + (2 + 2) + 7); // 7 canaries
    assert_true(plan_estimate_ns(plan) > 0);
    plan_free(plan);
}

static void plan_survives_json_and_keeps_its_hash(void **state)
{
    (void)state;
    Plan *plan = make_plan(SWEEP("{op: gemm, m: 3, n: [4, 5], k: 6, function: [none, relu],\n"
                                 "           prefetch: [true, false]}\n"
                                 "    samples: 2"),
                           NULL);
    json_t *json = plan_to_json(plan);
    Problem problem = {0};
    Plan *back = plan_from_json(json, &problem);
    assert_string_equal(problem.text, "");
    assert_non_null(back);
    assert_string_equal(plan->hash, back->hash);
    assert_int_equal(plan->cell_count, back->cell_count);
    for (size_t i = 0; i < plan->cell_count; i++)
        assert_string_equal(plan->cells[i].id, back->cells[i].id);
    json_t *again = plan_to_json(back);
    assert_true(json_equal(json, again));
    json_decref(again);
    plan_free(back);

    // What `hyperion plan --json` writes is the same plan.
    char *text = NULL;
    size_t text_bytes = 0;
    FILE *stream = open_memstream(&text, &text_bytes);
    assert_non_null(stream);
    assert_true(plan_write(plan, stream));
    assert_int_equal(fclose(stream), 0);
    json_t *written = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    Plan *third = plan_from_json(written, &problem);
    assert_string_equal(problem.text, "");
    assert_non_null(third);
    plan_free(third);
    json_decref(written);
    free(text);

    json_t *cells = json_object_get(json_array_get(json_object_get(json, "sweeps"), 0), "cells");
    assert_int_equal(json_array_remove(cells, 3), 0);
    assert_null(plan_from_json(json, &problem));
    assert_non_null(strstr(problem.text, "hash"));
    json_decref(json);
    plan_free(plan);
}

static void plan_hash_follows_every_setting(void **state)
{
    (void)state;
    static const char *const variants[] = {
        "name: t\nsweeps: [{name: s, workload: kernel, axes: {op: binary, size: 1}}]",
        "name: u\nsweeps: [{name: s, workload: kernel, axes: {op: binary, size: 1}}]",
        "name: t\nsweeps: [{name: r, workload: kernel, axes: {op: binary, size: 1}}]",
        "name: t\nsweeps: [{name: s, workload: kernel, axes: {op: binary, size: 2}}]",
        "name: t\nsweeps: [{name: s, samples: 9, workload: kernel, axes: {op: binary, size: 1}}]",
        "name: t\nsweeps: [{name: s, measure: instructions, workload: kernel, axes: {op: binary, "
        "size: "
        "1}}]",
        "name: t\nsweeps: [{name: s, counters: none, workload: kernel, axes: {op: binary, size: "
        "1}}]",
        "name: t\ndefaults: {seed: 2}\n"
        "sweeps: [{name: s, workload: kernel, axes: {op: binary, size: 1}}]",
        "name: t\ndescription: d\n"
        "sweeps: [{name: s, workload: kernel, axes: {op: binary, size: 1}}]",
        "name: t\nrequire_profile: ci\n"
        "sweeps: [{name: s, workload: kernel, axes: {op: binary, size: 1}}]",
        "name: t\nrequire_profile: lab\n"
        "sweeps: [{name: s, workload: kernel, axes: {op: binary, size: 1}}]",
    };
    enum { VARIANTS = sizeof variants / sizeof variants[0] };
    char hashes[VARIANTS][17];
    for (size_t i = 0; i < VARIANTS; i++) {
        Plan *plan = make_plan(variants[i], NULL);
        (void)snprintf(hashes[i], sizeof hashes[i], "%s", plan->hash);
        plan_free(plan);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(hashes[i], hashes[j]);
    }
    // Of the plan without counters, as computed on x86-64; another machine must agree.
    assert_string_equal(hashes[6], "bba845264dd6bd5e");
}

static void plan_json_keeps_the_required_profile(void **state)
{
    (void)state;
    Problem problem = {0};
    Plan *plan = make_plan("require_profile: ci\n" SWEEP("{op: binary, size: 1}"), NULL);
    assert_string_equal(plan->required_profile, "ci");
    json_t *json = plan_to_json(plan);
    Plan *back = plan_from_json(json, &problem);
    assert_non_null(back);
    assert_string_equal(back->required_profile, "ci");
    assert_string_equal(back->hash, plan->hash);
    json_decref(json);
    plan_free(back);
    plan_free(plan);
}

static void plan_json_that_was_tampered_with_is_refused(void **state)
{
    (void)state;
    static const char *const patches[] = {
        "{\"schema\": \"hyperion-plan-0\"}",
        "{\"schema\": 3}",
        "{\"seed\": -1}",
        "{\"seed\": 99}",
        "{\"hash\": \"0000000000000000\"}",
        "{\"sweeps\": {}}",
        "{\"sweeps\": [{}]}",
        "{\"sweeps\": []}",
        "{\"scenario\": \"other\"}",
        "{\"require_profile\": \"lab\"}",
        "{\"require_profile\": \"server\"}",
        "{\"require_profile\": 3}",
        "{\"sweeps\": [{\"name\": \"s\", \"workload\": \"nosuch\", \"cells\": []}]}",
        "{\"sweeps\": [{\"name\": \"s\", \"workload\": \"kernel\", \"cells\": []}]}",
    };
    Plan *plan = make_plan(SWEEP("{op: binary, size: 1}"), NULL);
    for (size_t i = 0; i < sizeof patches / sizeof patches[0]; i++) {
        Problem problem = {0};
        json_t *json = plan_to_json(plan);
        json_t *patch = json_loads(patches[i], 0, NULL);
        assert_non_null(patch);
        assert_int_equal(json_object_update(json, patch), 0);
        assert_null(plan_from_json(json, &problem));
        assert_string_not_equal(problem.text, "");
        json_decref(patch);
        json_decref(json);
    }
    plan_free(plan);
}

static void cell_survives_json_alone(void **state)
{
    (void)state;
    Plan *plan = make_plan(SWEEP("{op: softmax, rows: 2, columns: 3, simd_level: scalar}"), NULL);
    json_t *json = cell_to_json(&plan->cells[0]);
    Cell cell;
    Problem problem = {0};
    assert_true(cell_from_json(json, &cell, &problem));
    assert_string_equal(cell.id, plan->cells[0].id);
    assert_ptr_equal(cell.workload, plan->cells[0].workload);
    assert_null(cell.sweep);
    for (AxisId id = 0; id < AXIS_COUNT; id++)
        assert_true(axis_equal(id, cell.values[id], plan->cells[0].values[id]));
    cell_clear(&cell);
    json_decref(json);
    plan_free(plan);
}

static void cell_json_that_is_wrong_is_refused(void **state)
{
    (void)state;
    static const char *const cells[] = {
        "{}",
        "[]",
        "{\"workload\": \"kernel\"}",
        "{\"workload\": \"nosuch\", \"axes\": {}}",
        "{\"workload\": \"kernel\", \"axes\": {\"op\": \"binary\"}}",
        "{\"workload\": \"kernel\", \"axes\": {\"size\": 4}}",
        "{\"workload\": \"kernel\", \"axes\": {\"op\": \"binary\", \"size\": 4, \"rows\": 1}}",
        "{\"workload\": \"kernel\", \"axes\": {\"op\": \"binary\", \"size\": 4, \"nosuch\": 1}}",
        "{\"workload\": \"kernel\", \"axes\": {\"op\": \"binary\", \"size\": 0}}",
        "{\"workload\": \"kernel\", \"axes\": {\"op\": \"activation\", \"size\": 1}}",
    };
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        Cell cell;
        Problem problem = {0};
        json_t *json = json_loads(cells[i], 0, NULL);
        assert_false(cell_from_json(json, &cell, &problem));
        assert_string_not_equal(problem.text, "");
        cell_clear(&cell);
        json_decref(json);
    }
}

static void plan_of_a_hundred_thousand_cells_takes_less_than_a_second(void **state)
{
    (void)state;
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    Plan *plan = make_plan(SWEEP("{op: gemm, simd_level: [scalar, avx2], m: 1..100 +1,\n"
                                 "           n: 1..100 +1, k: 1..5 +1}"),
                           NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    assert_int_equal(plan->cell_count, 100000);
    plan_free(plan);
    const double seconds =
        (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    print_message("100000 cells: %.3f s\n", seconds);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(seconds < 1);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_varies_the_last_axis_fastest),
        cmocka_unit_test(plan_ids_leave_out_defaults),
        cmocka_unit_test(plan_ranges_include_their_end),
        cmocka_unit_test(plan_ranges_of_caps_step_in_bytes_or_shares),
        cmocka_unit_test(plan_zips_lists_of_equal_length),
        cmocka_unit_test(plan_excludes_matching_cells),
        cmocka_unit_test(plan_set_replaces_axes_even_in_zip_and_exclude),
        cmocka_unit_test(plan_set_refuses_what_it_cannot_use),
        cmocka_unit_test(plan_settings_come_from_defaults_and_sweeps),
        cmocka_unit_test(plan_survives_json_and_keeps_its_hash),
        cmocka_unit_test(plan_hash_follows_every_setting),
        cmocka_unit_test(plan_json_keeps_the_required_profile),
        cmocka_unit_test(plan_json_that_was_tampered_with_is_refused),
        cmocka_unit_test(cell_survives_json_alone),
        cmocka_unit_test(cell_json_that_is_wrong_is_refused),
        cmocka_unit_test(plan_of_a_hundred_thousand_cells_takes_less_than_a_second),
    };
    return cmocka_run_group_tests_name("plan", tests, create_file, remove_file);
}
