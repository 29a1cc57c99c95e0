// SPDX-License-Identifier: Apache-2.0
// test_cold_copies.c - copies of operands and weights that iterations use in turn: as many as the
// cache demands, all of them once a lap, with the same results.
#include "workload/cold_copies.h"

#include "hyperion/error.h"
#include "hyperion/model.h"
#include "hyperion/tensor.h"
#include "scenario/plan.h"
#include "workload/kernel_operands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LAST_LEVEL_BYTES = 64 << 10 };

static void copies_exceed_twice_the_last_level_without_the_one_in_use(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 64, 4096, 65536, 131072, 131073, 1 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t copies = 0;
        Problem problem = {0};
        assert_true(cold_copies_count(sizes[i], LAST_LEVEL_BYTES, &copies, &problem));
        assert_true((copies - 1) * sizes[i] >= 2 * (size_t)LAST_LEVEL_BYTES);
        assert_true(copies >= 2 && (copies - 2) * sizes[i] < 2 * (size_t)LAST_LEVEL_BYTES);
    }
}

static void unknown_caches_and_nothing_to_copy_are_refused(void **state)
{
    (void)state;
    size_t copies = 0;
    Problem problem = {0};
    assert_false(cold_copies_count(64, 0, &copies, &problem));
    assert_non_null(strstr(problem.text, "size of the last-level cache is unknown"));
    problem = (Problem){0};
    assert_false(cold_copies_count(0, LAST_LEVEL_BYTES, &copies, &problem));
    assert_non_null(strstr(problem.text, "nothing"));
}

static void steps_visit_every_copy_once_a_lap(void **state)
{
    (void)state;
    for (size_t copies = 1; copies < 300; copies++) {
        char seen[300] = {0};
        const size_t step = cold_copies_step(copies);
        for (size_t i = 0, at = 0; i < copies; i++, at = (at + step) % copies) {
            assert_int_equal(seen[at], 0);
            seen[at] = 1;
        }
    }
}

static KernelCase make_case(const char *axes, json_t **json, Cell *cell)
{
    Problem problem = {0};
    *json = json_pack("{s:s, s:o}", "workload", "kernel", "axes", json_loads(axes, 0, NULL));
    if (!cell_from_json(*json, cell, &problem))
        fail_msg("%s", problem.text);
    return kernel_case_make(cell->values);
}

static KernelOperands open_operands(KernelCase *problem, CacheState state)
{
    KernelOperands operands;
    Problem reason = {0};
    const OperandOrder order = {
        .cache_state = state,
        .last_level_bytes = LAST_LEVEL_BYTES,
        .parallel = hyperionThreadPoolParallel(NULL),
        .seed = 3,
    };
    if (!kernel_operands_open(&operands, problem, &order, &reason))
        fail_msg("%s", reason.text);
    return operands;
}

static void weights_move_and_the_rest_stays(void **state)
{
    (void)state;
    json_t *json = NULL;
    Cell cell;
    KernelCase problem =
        make_case("{\"op\": \"layernorm\", \"rows\": 4, \"columns\": 2048}", &json, &cell);
    KernelOperands operands = open_operands(&problem, CACHE_WEIGHTS_COLD);
    const HypLayernormArgs first = problem.args.layernorm;
    // 8 KiB of scale: 16 copies are 128 KiB, and the one in use.
    assert_int_equal(operands.copies, 17);
    for (size_t i = 1; i < operands.copies; i++) {
        kernel_operands_rotate(&operands, &problem.args);
        assert_ptr_not_equal(problem.args.layernorm.scale, first.scale);
        assert_memory_equal(problem.args.layernorm.scale, first.scale, 2048 * sizeof(float));
        assert_ptr_equal(problem.args.layernorm.in, first.in);
        assert_ptr_equal(problem.args.layernorm.out, first.out);
    }
    kernel_operands_rotate(&operands, &problem.args);
    assert_ptr_equal(problem.args.layernorm.scale, first.scale);
    kernel_operands_close(&operands);
    cell_clear(&cell);
    json_decref(json);
}

static void all_operands_move_and_inputs_are_the_same(void **state)
{
    (void)state;
    json_t *json = NULL;
    Cell cell;
    KernelCase problem = make_case("{\"op\": \"binary\", \"size\": 1000}", &json, &cell);
    KernelOperands operands = open_operands(&problem, CACHE_ALL_COLD);
    const HypBinaryArgs first = problem.args.binary;
    assert_true(operands.copies > 2);
    for (size_t i = 1; i < operands.copies; i++) {
        kernel_operands_rotate(&operands, &problem.args);
        const HypBinaryArgs *args = &problem.args.binary;
        assert_true(args->a != first.a && args->b != first.b && args->out != first.out);
        assert_memory_equal(args->a, first.a, 1000 * sizeof(float));
        assert_memory_equal(args->b, first.b, 1000 * sizeof(float));
        memset(args->out, 1, 1000 * sizeof(float)); // its own memory: nobody else's changes
        assert_true(args->out + 1000 <= (const float *)(const void *)(operands.memory.base +
                                                                      operands.memory.size_bytes));
    }
    kernel_operands_close(&operands);
    cell_clear(&cell);
    json_decref(json);
}

static void warm_operands_have_no_copies(void **state)
{
    (void)state;
    json_t *json = NULL;
    Cell cell;
    KernelCase problem = make_case("{\"op\": \"binary\", \"size\": 1000}", &json, &cell);
    KernelOperands operands = open_operands(&problem, CACHE_WARM);
    assert_int_equal(operands.copies, 1);
    kernel_operands_close(&operands);
    cell_clear(&cell);
    json_decref(json);
}

typedef struct Runnable {
    HyperionModel *model;
    HyperionTensor *input, *output;
} Runnable;

static Runnable load(const char *name)
{
    Runnable loaded = {.model = hyperionLoadModel(name)};
    assert_non_null(loaded.model);
    const HyperionTensorInfo in = hyperionModelInput(loaded.model, 0);
    const HyperionTensorInfo out = hyperionModelOutput(loaded.model, 0);
    loaded.input = hyperionCreateTensor(in.type, in.rank, in.dims);
    loaded.output = hyperionCreateTensor(out.type, out.rank, out.dims);
    assert_true(loaded.input && loaded.output);
    float *values = hyperionTensorData(loaded.input);
    for (size_t i = 0; i < hyperionTensorElementCount(loaded.input); i++)
        values[i] = (float)(i % 7) - 3;
    return loaded;
}

static void unload(Runnable *loaded)
{
    hyperionFreeTensor(loaded->input);
    hyperionFreeTensor(loaded->output);
    hyperionFreeModel(loaded->model);
}

static void results_do_not_depend_on_weight_copies(void **state)
{
    (void)state;
    Runnable model = load("builtin:mlp:input=16,hidden=24,output=5");
    float expected[5];
    assert_true(hyperionRunModel(model.model, &model.input, &model.output));
    memcpy(expected, hyperionTensorConstData(model.output), sizeof expected);
    assert_int_equal(hyperionGetWeightCopies(model.model), 1);
    assert_true(hyperionSetWeightCopies(model.model, 4));
    assert_int_equal(hyperionGetWeightCopies(model.model), 4);
    for (int run = 0; run < 9; run++) {
        memset(hyperionTensorData(model.output), 0, sizeof expected);
        assert_true(hyperionRunModel(model.model, &model.input, &model.output));
        assert_memory_equal(hyperionTensorConstData(model.output), expected, sizeof expected);
    }
    assert_true(hyperionSetWeightCopies(model.model, 1));
    assert_int_equal(hyperionGetWeightCopies(model.model), 1);
    assert_true(hyperionRunModel(model.model, &model.input, &model.output));
    assert_memory_equal(hyperionTensorConstData(model.output), expected, sizeof expected);
    unload(&model);
}

static void bad_weight_copies_change_nothing(void **state)
{
    (void)state;
    Runnable model = load("builtin:mlp:input=16,hidden=24,output=5");
    assert_true(hyperionSetWeightCopies(model.model, 3));
    assert_false(hyperionSetWeightCopies(model.model, 0));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
    assert_false(hyperionSetWeightCopies(model.model, SIZE_MAX));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
    assert_int_equal(hyperionGetWeightCopies(model.model), 3);
    assert_false(hyperionSetWeightCopies(NULL, 2));
    assert_int_equal(hyperionGetWeightCopies(NULL), 0);
    unload(&model);
}

static void models_are_cold_by_default_and_kernels_warm(void **state)
{
    (void)state;
    AxisValue value = {0};
    assert_true(workload_fallback(workload_find("model"), AXIS_CACHE_STATE, &value));
    assert_string_equal(axis_word(AXIS_CACHE_STATE, value), "weights-cold");
    assert_true(workload_fallback(workload_find("kernel"), AXIS_CACHE_STATE, &value));
    assert_string_equal(axis_word(AXIS_CACHE_STATE, value), "warm");
    json_t *json = json_pack("{s:s, s:{s:s}}", "workload", "model", "axes", "model", "builtin:mlp");
    Cell cell;
    Problem problem = {0};
    assert_true(cell_from_json(json, &cell, &problem));
    assert_string_equal(cell.id, "model/model:builtin:mlp"); // the default is no part of it
    assert_int_equal(cold_copies_state(cell.values), CACHE_WEIGHTS_COLD);
    cell_clear(&cell);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_exceed_twice_the_last_level_without_the_one_in_use),
        cmocka_unit_test(unknown_caches_and_nothing_to_copy_are_refused),
        cmocka_unit_test(steps_visit_every_copy_once_a_lap),
        cmocka_unit_test(weights_move_and_the_rest_stays),
        cmocka_unit_test(all_operands_move_and_inputs_are_the_same),
        cmocka_unit_test(warm_operands_have_no_copies),
        cmocka_unit_test(results_do_not_depend_on_weight_copies),
        cmocka_unit_test(bad_weight_copies_change_nothing),
        cmocka_unit_test(models_are_cold_by_default_and_kernels_warm),
    };
    return cmocka_run_group_tests_name("cold_copies", tests, NULL, NULL);
}
