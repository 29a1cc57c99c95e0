// SPDX-License-Identifier: Apache-2.0
// test_thread_pool.c - pools run every task once, also nested, shared and after sleep; models give
// the same results on any number of threads.
#define _GNU_SOURCE
#include "hyperion/hyperion.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "small_builtins.h"

enum { MOST_THREADS = 8 };

// What tasks tell: how often each thread index was called, and what was called inside.
typedef struct Calls {
    int by_thread[MOST_THREADS]; // each written by its own task
    const HyperionParallel *parallel;
    atomic_int nested;
} Calls;

static void count_call(void *context, size_t thread)
{
    Calls *calls = context;
    calls->by_thread[thread]++;
}

static void expect_calls(const Calls *calls, size_t count, int expected)
{
    for (size_t i = 0; i < MOST_THREADS; i++)
        assert_int_equal(calls->by_thread[i], i < count ? expected : 0);
}

static void run_counted(HyperionThreadPool *pool, size_t count, int times)
{
    const HyperionParallel parallel = hyperionThreadPoolParallel(pool);
    Calls calls = {.by_thread = {0}};
    for (int i = 0; i < times; i++)
        parallel.run(parallel.pool, count, count_call, &calls);
    expect_calls(&calls, count, times);
}

static void pool_runs_every_task_once_a_hand_off(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads++) {
        HyperionThreadPool *pool = hyperionCreateThreadPool(threads, NULL);
        assert_non_null(pool);
        assert_int_equal(hyperionThreadPoolSize(pool), threads);
        for (size_t count = 0; count <= (size_t)threads; count++)
            run_counted(pool, count, 2500);
        hyperionFreeThreadPool(pool);
    }
}

static void pool_wakes_threads_that_fell_asleep(void **state)
{
    (void)state;
    HyperionThreadPool *pool = hyperionCreateThreadPool(3, NULL);
    const struct timespec pause = {.tv_nsec = 2000000}; // far beyond the spinning
    for (int i = 0; i < 20; i++) {
        (void)nanosleep(&pause, NULL);
        run_counted(pool, 3, 1);
    }
    hyperionFreeThreadPool(pool);
}

static void sleep_a_little(void *context, size_t thread)
{
    count_call(context, thread);
    if (thread > 0)
        (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static void caller_waits_asleep_for_long_tasks(void **state)
{
    (void)state;
    HyperionThreadPool *pool = hyperionCreateThreadPool(3, NULL);
    const HyperionParallel parallel = hyperionThreadPoolParallel(pool);
    Calls calls = {.by_thread = {0}};
    for (int i = 0; i < 20; i++)
        parallel.run(parallel.pool, 3, sleep_a_little, &calls);
    expect_calls(&calls, 3, 20);
    hyperionFreeThreadPool(pool);
}

static void count_nested(void *context, size_t thread)
{
    Calls *calls = context;
    (void)thread;
    atomic_fetch_add(&calls->nested, 1);
}

static void run_nested(void *context, size_t thread)
{
    Calls *calls = context;
    calls->by_thread[thread]++;
    calls->parallel->run(calls->parallel->pool, 3, count_nested, calls);
}

static void nested_run_is_done_by_the_task_that_asked(void **state)
{
    (void)state;
    HyperionThreadPool *pool = hyperionCreateThreadPool(4, NULL);
    const HyperionParallel parallel = hyperionThreadPoolParallel(pool);
    Calls calls = {.by_thread = {0}, .parallel = &parallel};
    for (int i = 0; i < 100; i++)
        parallel.run(parallel.pool, 4, run_nested, &calls);
    expect_calls(&calls, 4, 100);
    assert_int_equal(atomic_load(&calls.nested), 100 * 4 * 3);
    run_counted(pool, 4, 100);
    hyperionFreeThreadPool(pool);
}

static void use_shared_pool(void *pool, size_t thread)
{
    (void)thread;
    run_counted(pool, 3, 1000);
}

// The threads of one pool are the users of another.
static void pool_serves_several_callers_at_a_time(void **state)
{
    (void)state;
    HyperionThreadPool *users = hyperionCreateThreadPool(3, NULL);
    HyperionThreadPool *shared = hyperionCreateThreadPool(3, NULL);
    const HyperionParallel parallel = hyperionThreadPoolParallel(users);
    parallel.run(parallel.pool, 3, use_shared_pool, shared);
    hyperionFreeThreadPool(shared);
    hyperionFreeThreadPool(users);
}

static void note_cpu(void *context, size_t thread)
{
    ((int *)context)[thread] = sched_getcpu();
}

static void threads_run_on_the_cpus_they_are_bound_to(void **state)
{
    (void)state;
    cpu_set_t allowed;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    int cpus[3] = {-1, 0, 0}; // that of the caller is not looked at
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((size_t)cpu, &allowed)) {
            cpus[2] = cpus[1] > 0 ? cpus[1] : cpu;
            cpus[1] = cpu;
        }
    HyperionThreadPool *pool = hyperionCreateThreadPool(3, cpus);
    assert_non_null(pool);
    const HyperionParallel parallel = hyperionThreadPoolParallel(pool);
    for (int i = 0; i < 100; i++) {
        int seen[3] = {0};
        parallel.run(parallel.pool, 3, note_cpu, seen);
        assert_int_equal(seen[1], cpus[1]);
        assert_int_equal(seen[2], cpus[2]);
    }
    hyperionFreeThreadPool(pool);
}

static void expect_refusal(const void *made, const char *part)
{
    assert_null(made);
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
    if (!strstr(hyperionGetLastError(), part))
        fail_msg("'%s' lacks '%s'", hyperionGetLastError(), part);
}

static void impossible_pools_are_refused(void **state)
{
    (void)state;
    expect_refusal(hyperionCreateThreadPool(0, NULL), "1 to 1024 threads, given 0");
    expect_refusal(hyperionCreateThreadPool(1025, NULL), "1 to 1024 threads, given 1025");
    expect_refusal(hyperionCreateThreadPool(2, (int[]){0, -1}), "CPU of thread 1 is -1");
    expect_refusal(hyperionCreateThreadPool(2, (int[]){0, 100000}), "CPU 0 to 1023, given 100000");
    // The first worker starts, the second cannot: no machine here has that many CPUs.
    expect_refusal(hyperionCreateThreadPool(3, (int[]){0, sched_getcpu(), 1023}), "CPU 1023");
    assert_int_equal(hyperionThreadPoolSize(NULL), 0);
    hyperionFreeThreadPool(NULL);
    const HyperionParallel alone = hyperionThreadPoolParallel(NULL);
    assert_int_equal(alone.threads, 1);
}

// --- models

typedef struct Results {
    HyperionTensor *inputs[8];
    HyperionTensor *outputs[8];
} Results;

static HyperionTensor *create_like(HyperionTensorInfo info)
{
    HyperionTensor *tensor = hyperionCreateTensor(info.type, info.rank, info.dims);
    assert_non_null(tensor);
    return tensor;
}

static Results create_results(const HyperionModel *model)
{
    Results results = {{NULL}, {NULL}};
    for (int i = 0; i < hyperionModelInputCount(model); i++) {
        results.inputs[i] = create_like(hyperionModelInput(model, i));
        float *values = hyperionTensorData(results.inputs[i]);
        // Inputs of integers stay 0.
        for (size_t j = 0; j < hyperionTensorElementCount(results.inputs[i]); j++)
            if (hyperionTensorType(results.inputs[i]) == HYPERION_TYPE_F32)
                values[j] = (float)(j * 7919 % 1000) / 500 - 1;
    }
    for (int i = 0; i < hyperionModelOutputCount(model); i++)
        results.outputs[i] = create_like(hyperionModelOutput(model, i));
    return results;
}

static void free_results(Results *results)
{
    for (int i = 0; i < 8; i++) {
        hyperionFreeTensor(results->inputs[i]);
        hyperionFreeTensor(results->outputs[i]);
    }
}

static void expect_same(const Results *a, const Results *b, const char *path, int threads)
{
    for (int i = 0; i < 8 && a->outputs[i]; i++)
        if (memcmp(hyperionTensorData(a->outputs[i]), hyperionTensorData(b->outputs[i]),
                   hyperionTensorBytes(a->outputs[i])) != 0)
            fail_msg("%s: output %d differs with %d threads", path, i, threads);
}

static void expect_same_on_threads(const char *path)
{
    HyperionModel *model = hyperionLoadModel(path);
    if (!model)
        fail_msg("%s", hyperionGetLastError());
    Results serial = create_results(model);
    assert_int_equal(hyperionGetThreadCount(model), 1);
    assert_true(hyperionRunModel(model, serial.inputs, serial.outputs));
    for (int threads = 1; threads <= 4; threads++) {
        Results shared = create_results(model);
        assert_true(hyperionSetThreadCount(model, threads));
        assert_int_equal(hyperionGetThreadCount(model), threads);
        for (int i = 0; i < 2; i++) {
            assert_true(hyperionRunModel(model, shared.inputs, shared.outputs));
            expect_same(&serial, &shared, path, threads);
        }
        free_results(&shared);
    }
    free_results(&serial);
    hyperionFreeModel(model);
}

static void builtins_give_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    for (int i = 0; i < SMALL_BUILTIN_COUNT; i++)
        expect_same_on_threads(small_builtins[i]);
    // Where every layer is worth several threads.
    expect_same_on_threads("builtin:mlp:batch=67");
    expect_same_on_threads("builtin:cnn:batch=2,image=48");
    expect_same_on_threads("builtin:transformer:batch=2,causal=0");
}

static void mnist_gives_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    static const char path[] = HYPERION_SOURCE_DIR "/../shared/models/mnist.onnx";
    if (access(path, R_OK) != 0) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    expect_same_on_threads(path);
}

static void models_share_a_pool_that_its_owner_has_freed(void **state)
{
    (void)state;
    HyperionModel *models[] = {hyperionLoadModel("builtin:mlp"), hyperionLoadModel("builtin:cnn")};
    HyperionThreadPool *pool = hyperionCreateThreadPool(2, NULL);
    for (int i = 0; i < 2; i++)
        assert_true(hyperionSetThreadPool(models[i], pool));
    hyperionFreeThreadPool(pool);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hyperionGetThreadCount(models[i]), 2);
        Results results = create_results(models[i]);
        assert_true(hyperionRunModel(models[i], results.inputs, results.outputs));
        free_results(&results);
    }
    assert_true(hyperionSetThreadPool(models[0], NULL));
    assert_int_equal(hyperionGetThreadCount(models[0]), 1);
    hyperionFreeModel(models[0]);
    hyperionFreeModel(models[1]);
}

static void thread_count_is_checked(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel("builtin:mlp");
    cpu_set_t allowed;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    assert_true(hyperionSetThreadCount(model, 0));
    assert_int_equal(hyperionGetThreadCount(model), CPU_COUNT(&allowed));
    assert_false(hyperionSetThreadCount(model, -1));
    assert_non_null(strstr(hyperionGetLastError(), "0 to 1024, given -1"));
    assert_false(hyperionSetThreadCount(model, 1025));
    assert_int_equal(hyperionGetThreadCount(model), CPU_COUNT(&allowed));
    assert_false(hyperionSetThreadCount(NULL, 2));
    assert_false(hyperionSetThreadPool(NULL, NULL));
    assert_int_equal(hyperionGetThreadCount(NULL), -1);
    hyperionFreeModel(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_runs_every_task_once_a_hand_off),
        cmocka_unit_test(pool_wakes_threads_that_fell_asleep),
        cmocka_unit_test(caller_waits_asleep_for_long_tasks),
        cmocka_unit_test(nested_run_is_done_by_the_task_that_asked),
        cmocka_unit_test(pool_serves_several_callers_at_a_time),
        cmocka_unit_test(threads_run_on_the_cpus_they_are_bound_to),
        cmocka_unit_test(impossible_pools_are_refused),
        cmocka_unit_test(builtins_give_the_same_bits_on_any_number_of_threads),
        cmocka_unit_test(mnist_gives_the_same_bits_on_any_number_of_threads),
        cmocka_unit_test(models_share_a_pool_that_its_owner_has_freed),
        cmocka_unit_test(thread_count_is_checked),
    };
    return cmocka_run_group_tests_name("thread_pool", tests, NULL, NULL);
}
