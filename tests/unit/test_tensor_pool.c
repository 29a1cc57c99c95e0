// SPDX-License-Identifier: Apache-2.0
// test_tensor_pool.c - tensors of hyperionExecuteWithTensorReuse: reuse, budget, nesting, threads,
// and what becomes of those that are left over.
#include "hyperion/hyperion.h"

#include "platform/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static HyperionMemoryOptimizer *create_optimizer(size_t budget_bytes, bool reuses)
{
    HyperionMemoryOptimizer *optimizer =
        hyperionCreateMemoryOptimizer(&(HyperionMemoryOptimizerConfig){
            .enable_tensor_reuse = reuses, .max_memory_budget = budget_bytes});
    assert_non_null(optimizer);
    return optimizer;
}

static HyperionTensor *create_bytes(size_t size_bytes)
{
    return hyperionCreateTensor(HYPERION_TYPE_BOOL, 1, (int64_t[]){(int64_t)size_bytes});
}

static HyperionMemoryStats get_stats(const HyperionMemoryOptimizer *optimizer)
{
    const HyperionMemoryStats stats = hyperionGetMemoryOptimizerStats(optimizer);
    assert_true(stats.valid);
    return stats;
}

static bool is_zeros(HyperionTensor *tensor)
{
    const unsigned char *data = hyperionTensorData(tensor);
    for (size_t i = 0; i < hyperionTensorBytes(tensor); i++)
        if (data[i])
            return false;
    return true;
}

// Ten tensors of 1000 bytes, one after the other.
static bool make_ten_in_turn(void *user_data)
{
    (void)user_data;
    for (int i = 0; i < 10; i++) {
        HyperionTensor *tensor = create_bytes(1000);
        assert_int_equal((uintptr_t)hyperionTensorData(tensor) % 64, 0);
        assert_true(is_zeros(tensor));
        memset(hyperionTensorData(tensor), 0xff, 1000);
        hyperionFreeTensor(tensor);
    }
    return true;
}

static void memory_given_back_serves_later_tensors_and_calls(void **state)
{
    (void)state;
    HyperionMemoryOptimizer *optimizer = create_optimizer(0, true);
    for (int round = 1; round <= 2; round++) {
        assert_true(hyperionExecuteWithTensorReuse(optimizer, make_ten_in_turn, NULL));
        const HyperionMemoryStats stats = get_stats(optimizer);
        assert_int_equal(stats.allocation_count, 10 * round);
        assert_int_equal(stats.reuse_count, 10 * round - 1);
        assert_int_equal(stats.current_bytes, 1024);
        assert_int_equal(stats.peak_bytes, 1024);
        assert_int_equal(stats.naive_bytes, 10 * 1024);
    }
    hyperionFreeMemoryOptimizer(optimizer);
}

static void reuse_that_is_off_is_off_in_the_statistics(void **state)
{
    (void)state;
    HyperionMemoryOptimizer *optimizer = create_optimizer(2000, false);
    assert_true(hyperionExecuteWithTensorReuse(optimizer, make_ten_in_turn, NULL));
    const HyperionMemoryStats stats = get_stats(optimizer);
    assert_int_equal(stats.allocation_count, 10);
    assert_int_equal(stats.reuse_count, 0);
    assert_int_equal(stats.current_bytes, 0);
    assert_int_equal(stats.peak_bytes, 1024);
    hyperionFreeMemoryOptimizer(optimizer);
}

typedef struct LeftOver {
    HyperionTensor *tensor;
    bool result;
} LeftOver;

static bool leave_one(void *user_data)
{
    LeftOver *left = user_data;
    left->tensor = create_bytes(100);
    assert_non_null(hyperionTensorData(left->tensor));
    return left->result;
}

static void expect_message(const char *part)
{
    if (!strstr(hyperionGetLastError(), part))
        fail_msg("\"%s\" does not say \"%s\"", hyperionGetLastError(), part);
}

static void expect_invalid(HyperionTensor *tensor)
{
    assert_null(hyperionTensorData(tensor));
    expect_message("outlived");
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
    assert_null(hyperionTensorConstData(tensor));
    assert_null(hyperionTensorDims(tensor));
    assert_int_equal(hyperionTensorType(tensor), HYPERION_TYPE_COUNT);
    assert_int_equal(hyperionTensorBytes(tensor), 0);
}

static void tensor_that_outlives_its_call_is_invalid_and_says_so(void **state)
{
    (void)state;
    HyperionMemoryOptimizer *optimizer = create_optimizer(128, true);
    LeftOver freed = {.result = true};
    LeftOver kept = {.result = true};
    assert_true(hyperionExecuteWithTensorReuse(optimizer, leave_one, &freed));
    expect_invalid(freed.tensor);
    assert_true(hyperionExecuteWithTensorReuse(optimizer, leave_one, &kept)); // its memory is free
    expect_invalid(kept.tensor);
    hyperionFreeTensor(freed.tensor);
    expect_invalid(kept.tensor);
    HyperionModel *model = hyperionLoadModel("builtin:mlp:hidden=4,layers=1");
    assert_false(hyperionRunModel(model, &kept.tensor, &kept.tensor));
    expect_message("outlived");
    hyperionFreeModel(model);
    hyperionFreeMemoryOptimizer(optimizer); // frees what is kept
}

static void failing_function_loses_nothing(void **state)
{
    (void)state;
    HyperionMemoryOptimizer *optimizer = create_optimizer(128, true);
    for (int i = 0; i < 100; i++) {
        LeftOver left = {.result = false};
        assert_false(hyperionExecuteWithTensorReuse(optimizer, leave_one, &left));
        expect_message("the function gave false");
        expect_invalid(left.tensor);
        if (i % 2)
            hyperionFreeTensor(left.tensor);
    }
    assert_int_equal(get_stats(optimizer).current_bytes, 128);
    hyperionFreeMemoryOptimizer(optimizer);
}

static bool exceed_budget(void *user_data)
{
    (void)user_data;
    HyperionTensor *small = create_bytes(600);
    HyperionTensor *tiny = create_bytes(200);
    assert_true(small && tiny);
    assert_null(create_bytes(300)); // 320 of 1088 - 640 - 256
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
    expect_message("320 bytes needed, 192 available, budget 1088");
    hyperionFreeTensor(small);
    hyperionFreeTensor(tiny);
    HyperionTensor *large = create_bytes(1088); // what is kept for others makes room
    assert_non_null(large);
    assert_true(is_zeros(large));
    return create_bytes(1) != NULL;
}

static void budget_is_enforced_with_needed_available_and_budget(void **state)
{
    (void)state;
    HyperionMemoryOptimizer *optimizer = create_optimizer(1088, true);
    assert_false(hyperionExecuteWithTensorReuse(optimizer, exceed_budget, NULL));
    expect_message("64 bytes needed, 0 available, budget 1088"); // the function's own reason
    const HyperionMemoryStats stats = get_stats(optimizer);
    assert_int_equal(stats.peak_bytes, 1088);
    assert_int_equal(stats.current_bytes, 1088);
    assert_int_equal(stats.budget_bytes, 1088);
    hyperionFreeMemoryOptimizer(optimizer);
}

// Four quarters of what was one block; the second and fourth are given back.
static bool make_holes(void *user_data)
{
    const HyperionMemoryOptimizer *optimizer = user_data;
    hyperionFreeTensor(create_bytes(4096));
    HyperionTensor *quarters[4];
    for (int i = 0; i < 4; i++)
        quarters[i] = create_bytes(1024);
    assert_int_equal(get_stats(optimizer).current_bytes, 4096);
    hyperionFreeTensor(quarters[1]);
    hyperionFreeTensor(quarters[3]);
    assert_true(get_stats(optimizer).fragmentation == 0.5);
    hyperionFreeTensor(quarters[2]); // joins both
    assert_true(get_stats(optimizer).fragmentation == 0);
    HyperionTensor *large = create_bytes(3072);
    assert_int_equal(get_stats(optimizer).current_bytes, 4096);
    return large != NULL;
}

static void free_neighbours_join_and_fragmentation_says_when_not(void **state)
{
    (void)state;
    HyperionMemoryOptimizer *optimizer = create_optimizer(0, true);
    assert_true(hyperionExecuteWithTensorReuse(optimizer, make_holes, optimizer));
    assert_true(get_stats(optimizer).fragmentation == 0);
    hyperionFreeMemoryOptimizer(optimizer);
}

typedef struct Nesting {
    HyperionMemoryOptimizer *same, *other;
    HyperionTensor *outer, *freed_inside, *inner, *of_other;
} Nesting;

static bool run_inner(void *user_data)
{
    Nesting *nesting = user_data;
    nesting->inner = create_bytes(64);
    hyperionFreeTensor(nesting->freed_inside);
    return nesting->inner != NULL;
}

static bool run_inner_of_other(void *user_data)
{
    Nesting *nesting = user_data;
    nesting->of_other = create_bytes(64);
    return nesting->of_other != NULL;
}

static bool run_outer(void *user_data)
{
    Nesting *nesting = user_data;
    nesting->outer = create_bytes(64);
    nesting->freed_inside = create_bytes(64);
    assert_true(hyperionExecuteWithTensorReuse(nesting->same, run_inner, nesting));
    expect_invalid(nesting->inner);
    assert_true(hyperionExecuteWithTensorReuse(nesting->other, run_inner_of_other, nesting));
    expect_invalid(nesting->of_other);
    assert_non_null(hyperionTensorData(nesting->outer));
    HyperionTensor *late = create_bytes(64); // of this call again
    assert_int_equal(get_stats(nesting->same).allocation_count, 4);
    assert_int_equal(get_stats(nesting->other).allocation_count, 1);
    hyperionFreeTensor(late);
    hyperionFreeMemoryOptimizer(nesting->same); // refused: it is in use
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_BUSY);
    return true;
}

static void tensors_are_of_the_innermost_call(void **state)
{
    (void)state;
    Nesting nesting = {.same = create_optimizer(0, true), .other = create_optimizer(0, true)};
    assert_true(hyperionExecuteWithTensorReuse(nesting.same, run_outer, &nesting));
    expect_invalid(nesting.outer);
    HyperionTensor *ordinary = create_bytes(64);
    hyperionFreeMemoryOptimizer(nesting.same);
    hyperionFreeMemoryOptimizer(nesting.other);
    assert_non_null(hyperionTensorData(ordinary));
    hyperionFreeTensor(ordinary);
}

enum { THREADS = 4, ROUNDS = 200, TENSORS_A_ROUND = 8 };

typedef struct Worker {
    HyperionMemoryOptimizer *optimizer;
    unsigned char number;
    int wrong_count; // cmocka's assertions are for one thread
} Worker;

// Tensors of several sizes, some given back on the way, some left over; each keeps its bytes.
static bool make_and_mark(void *user_data)
{
    Worker *worker = user_data;
    HyperionTensor *tensors[TENSORS_A_ROUND];
    for (int i = 0; i < TENSORS_A_ROUND; i++) {
        tensors[i] = create_bytes(64 + (size_t)(i * 37 + worker->number * 101) % 900);
        if (!tensors[i])
            return false;
        worker->wrong_count += !is_zeros(tensors[i]);
        memset(hyperionTensorData(tensors[i]), worker->number, hyperionTensorBytes(tensors[i]));
        if (i % 3 == 2) {
            hyperionFreeTensor(tensors[i - 1]);
            tensors[i - 1] = NULL;
        }
    }
    for (int i = 0; i < TENSORS_A_ROUND; i++) {
        const unsigned char *data = tensors[i] ? hyperionTensorData(tensors[i]) : NULL;
        for (size_t j = 0; data && j < hyperionTensorBytes(tensors[i]); j++)
            worker->wrong_count += data[j] != worker->number;
        if (i % 2)
            hyperionFreeTensor(tensors[i]);
    }
    return true;
}

static void run_worker(void *argument)
{
    Worker *worker = argument;
    for (int round = 0; round < ROUNDS; round++) {
        worker->wrong_count +=
            !hyperionExecuteWithTensorReuse(worker->optimizer, make_and_mark, worker);
        worker->wrong_count += !hyperionGetMemoryOptimizerStats(worker->optimizer).valid;
    }
}

static void threads_share_pool_and_budget(void **state)
{
    (void)state;
    const size_t budget_bytes = (size_t)THREADS * TENSORS_A_ROUND * 1024;
    HyperionMemoryOptimizer *optimizer = create_optimizer(budget_bytes, true);
    Worker workers[THREADS];
    HypThread *threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (Worker){.optimizer = optimizer, .number = (unsigned char)(i + 1)};
        threads[i] = hyp_platform_start_thread(run_worker, &workers[i], -1);
        assert_non_null(threads[i]);
    }
    int wrong_count = 0;
    for (int i = 0; i < THREADS; i++) {
        hyp_platform_join_thread(threads[i]);
        wrong_count += workers[i].wrong_count;
    }
    assert_int_equal(wrong_count, 0);
    const HyperionMemoryStats stats = get_stats(optimizer);
    assert_int_equal(stats.allocation_count, THREADS * ROUNDS * TENSORS_A_ROUND);
    assert_true(stats.peak_bytes <= budget_bytes);
    assert_true(stats.reuse_count > stats.allocation_count / 2);
    hyperionFreeMemoryOptimizer(optimizer);
}

static void create_elsewhere(void *argument)
{
    LeftOver *made = argument;
    made->tensor = create_bytes(64);
}

static void free_elsewhere(void *argument)
{
    LeftOver *made = argument;
    hyperionFreeTensor(made->tensor);
}

static bool work_with_threads(void *user_data)
{
    LeftOver *made = user_data;
    hyp_platform_join_thread(hyp_platform_start_thread(create_elsewhere, made, -1));
    LeftOver own = {.tensor = create_bytes(64)};
    hyp_platform_join_thread(hyp_platform_start_thread(free_elsewhere, &own, -1));
    return true;
}

static void threads_of_the_function_create_tensors_as_ever(void **state)
{
    (void)state;
    HyperionMemoryOptimizer *optimizer = create_optimizer(0, true);
    LeftOver made = {.tensor = NULL};
    assert_true(hyperionExecuteWithTensorReuse(optimizer, work_with_threads, &made));
    assert_non_null(hyperionTensorData(made.tensor));
    assert_int_equal(get_stats(optimizer).allocation_count, 1);
    hyperionFreeMemoryOptimizer(optimizer);
    hyperionFreeTensor(made.tensor);
}

static void senseless_calls_fail(void **state)
{
    (void)state;
    HyperionMemoryOptimizer *optimizer = create_optimizer(0, true);
    assert_false(hyperionExecuteWithTensorReuse(NULL, make_ten_in_turn, NULL));
    expect_message("the optimizer is NULL");
    assert_false(hyperionExecuteWithTensorReuse(optimizer, NULL, NULL));
    expect_message("the function is NULL");
    hyperionFreeMemoryOptimizer(optimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_given_back_serves_later_tensors_and_calls),
        cmocka_unit_test(reuse_that_is_off_is_off_in_the_statistics),
        cmocka_unit_test(tensor_that_outlives_its_call_is_invalid_and_says_so),
        cmocka_unit_test(failing_function_loses_nothing),
        cmocka_unit_test(budget_is_enforced_with_needed_available_and_budget),
        cmocka_unit_test(free_neighbours_join_and_fragmentation_says_when_not),
        cmocka_unit_test(tensors_are_of_the_innermost_call),
        cmocka_unit_test(threads_share_pool_and_budget),
        cmocka_unit_test(threads_of_the_function_create_tensors_as_ever),
        cmocka_unit_test(senseless_calls_fail),
    };
    return cmocka_run_group_tests_name("tensor_pool", tests, NULL, NULL);
}
