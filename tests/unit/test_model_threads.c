// SPDX-License-Identifier: Apache-2.0
// test_model_threads.c - one model runs in one thread at a time, different models side by side.
#include "hyperion/hyperion.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RUN_COUNT = 200, BATCH = 4, INPUT = 32, OUTPUT = 8 };
static const char specification[] = "builtin:mlp:batch=4,input=32,hidden=64,output=8";

// What one thread does and finds.
typedef struct Worker {
    HyperionModel *model;
    float expected[BATCH * OUTPUT];
    int ran_count;
    int busy_count;
    int wrong_count;
} Worker;

static void fill_input(float *x)
{
    for (int i = 0; i < BATCH * INPUT; i++)
        x[i] = (float)(i % 7) - 3.0F;
}

static bool run_once(HyperionModel *model, float *y)
{
    float x[BATCH * INPUT];
    fill_input(x);
    HyperionTensor *in = hyperionWrapTensor(HYPERION_TYPE_F32, 2, (int64_t[]){BATCH, INPUT}, x);
    HyperionTensor *out = hyperionWrapTensor(HYPERION_TYPE_F32, 2, (int64_t[]){BATCH, OUTPUT}, y);
    const bool ran = in && out && hyperionRunModel(model, &in, &out);
    hyperionFreeTensor(in);
    hyperionFreeTensor(out);
    return ran;
}

static void *work(void *argument)
{
    Worker *worker = argument;
    for (int i = 0; i < RUN_COUNT; i++) {
        float y[BATCH * OUTPUT];
        if (run_once(worker->model, y)) {
            worker->ran_count++;
            for (size_t j = 0; j < sizeof y / sizeof y[0]; j++)
                worker->wrong_count += y[j] != worker->expected[j];
        } else {
            worker->busy_count += hyperionGetLastErrorKind() == HYPERION_ERROR_BUSY;
        }
    }
    return NULL;
}

static void run_side_by_side(Worker *workers)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void second_caller_of_a_model_is_told_it_is_busy(void **state)
{
    (void)state;
    Worker workers[2] = {{0}, {0}};
    workers[0].model = workers[1].model = hyperionLoadModel(specification);
    assert_true(run_once(workers[0].model, workers[0].expected));
    memcpy(workers[1].expected, workers[0].expected, sizeof workers[0].expected);
    run_side_by_side(workers);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(workers[i].ran_count + workers[i].busy_count, RUN_COUNT);
        assert_int_equal(workers[i].wrong_count, 0);
    }
    hyperionFreeModel(workers[0].model);
}

static void different_models_run_side_by_side(void **state)
{
    (void)state;
    Worker workers[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) {
        workers[i].model = hyperionLoadModel(specification);
        assert_true(run_once(workers[i].model, workers[i].expected));
    }
    run_side_by_side(workers);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(workers[i].ran_count, RUN_COUNT);
        assert_int_equal(workers[i].wrong_count, 0);
        hyperionFreeModel(workers[i].model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_caller_of_a_model_is_told_it_is_busy),
        cmocka_unit_test(different_models_run_side_by_side),
    };
    return cmocka_run_group_tests_name("model_threads", tests, NULL, NULL);
}
