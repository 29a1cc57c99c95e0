// SPDX-License-Identifier: Apache-2.0
// test_layer_pipeline.c - times of streamed layers and hits of repeated passes: hand-made cases,
// and every instance of ../shared/data/pipeline.
#include "hyperion/error.h"
#include "hyperion/planners.h"

#include "common/json_fields.h"
#include "common/json_file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char data_path[] = HYPERION_SOURCE_DIR "/../shared/data/pipeline/pipeline.json";

static void windows_hide_loads_behind_computes(void **state)
{
    (void)state;
    const double load[] = {2, 188, 28, 53, 36};
    const double compute[] = {80, 80, 57, 17, 17};
    const size_t bytes[] = {2, 94, 28, 53, 36};
    const HyperionPipeline pipeline = {load, compute, bytes, 5};
    assert_true(hyperionPlanPipeline(&pipeline, 0, 0).makespan == 558);
    assert_true(hyperionPlanPipeline(&pipeline, 1, 0).makespan == 380);
    assert_true(hyperionPlanPipeline(&pipeline, SIZE_MAX, 0).makespan == 361);
    assert_true(hyperionPlanPipeline(&pipeline, 0, 0).bound == 361);
    assert_true(hyperionPlanPipeline(&pipeline, SIZE_MAX, 94).makespan == 488);
    assert_true(isinf(hyperionPlanPipeline(&pipeline, SIZE_MAX, 93).makespan));
    assert_int_equal(hyperionChoosePrefetchWindow(&pipeline, 4, 0), 2);
    assert_int_equal(hyperionChoosePrefetchWindow(&pipeline, 1, 0), 1);
    assert_int_equal(hyperionChoosePrefetchWindow(&pipeline, 4, 94), 1);
    assert_int_equal(hyperionChoosePrefetchWindow(&pipeline, 4, 93), 4);
}

static void no_layers_take_no_time(void **state)
{
    (void)state;
    const HyperionPipeline pipeline = {0};
    const HyperionPipelineTime time = hyperionPlanPipeline(&pipeline, 0, 0);
    assert_true(time.valid && time.makespan == 0 && time.bound == 0);
    assert_int_equal(hyperionChoosePrefetchWindow(&pipeline, 3, 0), 0);
}

static void wrong_pipelines_are_refused(void **state)
{
    (void)state;
    const double good[] = {1, 2};
    const double bad[] = {1, -1};
    const double unknown[] = {NAN, 1};
    const HyperionPipeline cases[] = {{NULL, good, NULL, 2},
                                      {good, NULL, NULL, 2},
                                      {good, bad, NULL, 2},
                                      {unknown, good, NULL, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(hyperionPlanPipeline(&cases[i], 0, 0).valid);
        assert_true(hyperionChoosePrefetchWindow(&cases[i], 1, 0) == SIZE_MAX);
    }
    const HyperionPipeline without_sizes = {good, good, NULL, 2};
    assert_false(hyperionPlanPipeline(&without_sizes, 0, 1).valid);
    assert_non_null(strstr(hyperionGetLastError(), "sizes"));
    assert_false(hyperionPlanPipeline(NULL, 0, 0).valid);
    assert_true(hyperionCountCyclicHits(3, 0, 2) == UINT64_MAX);
}

// Belady's choice by its definition: of the layers in memory, that whose next turn is last.
static uint64_t count_by_definition(size_t layers, size_t capacity, size_t passes)
{
    size_t held[16];
    size_t held_count = 0;
    uint64_t hits = 0;
    for (size_t turn = 0; turn < layers * passes; turn++) {
        const size_t layer = turn % layers;
        size_t victim = 0;
        size_t farthest = 0;
        bool hit = false;
        for (size_t i = 0; i < held_count; i++) {
            size_t next = turn + (held[i] + layers - layer) % layers;
            if (next >= layers * passes)
                next = SIZE_MAX;
            hit |= held[i] == layer;
            if (next > farthest) {
                farthest = next;
                victim = i;
            }
        }
        if (hit)
            hits++;
        else
            held[held_count < capacity ? held_count++ : victim] = layer;
    }
    return hits;
}

static void cyclic_hits_are_beladys(void **state)
{
    (void)state;
    for (size_t layers = 1; layers <= 12; layers++)
        for (size_t capacity = 1; capacity <= 13; capacity++)
            for (size_t passes = 0; passes <= 6; passes++)
                assert_int_equal(hyperionCountCyclicHits(layers, capacity, passes),
                                 count_by_definition(layers, capacity, passes));
}

static void check_times(const HyperionPipeline *pipeline, const json_t *answers, bool are_caps)
{
    const char *key;
    json_t *answer;
    json_object_foreach((json_t *)(uintptr_t)answers, key, answer)
    {
        const size_t limit = strtoull(key, NULL, 10);
        const HyperionPipelineTime time =
            hyperionPlanPipeline(pipeline, are_caps ? SIZE_MAX : limit, are_caps ? limit : 0);
        assert_true(time.valid);
        if (json_is_null(answer))
            assert_true(isinf(time.makespan));
        else
            assert_true(time.makespan == json_number_value(answer));
    }
}

static double *read_numbers(const json_t *instance, const char *key, size_t *count)
{
    double *numbers = NULL;
    Problem problem = {0};
    assert_true(json_read_numbers(instance, key, &numbers, count, &problem));
    return numbers;
}

static void check_instance(const json_t *instance)
{
    size_t count = 0;
    double *load = read_numbers(instance, "load", &count);
    double *compute = read_numbers(instance, "compute", &count);
    double *bytes = read_numbers(instance, "bytes", &count);
    size_t *sizes = calloc(count + 1, sizeof *sizes);
    assert_non_null(sizes);
    for (size_t i = 0; i < count; i++)
        sizes[i] = (size_t)bytes[i];
    const HyperionPipeline pipeline = {load, compute, sizes, count};
    check_times(&pipeline, json_object_get(instance, "makespan_by_window"), false);
    check_times(&pipeline, json_object_get(instance, "makespan_by_byte_cap"), true);
    assert_true(hyperionPlanPipeline(&pipeline, 0, 0).bound ==
                json_number_value(json_object_get(instance, "bound_unlimited")));
    free(sizes);
    free(load);
    free(compute);
    free(bytes);
}

static void known_answers_are_reached(void **state)
{
    (void)state;
    Problem problem = {0};
    json_t *file = json_file_read(data_path, &problem);
    if (!file) {
        print_message("skipped: %s\n", problem.text);
        skip();
    }
    size_t index;
    json_t *instance;
    json_array_foreach(json_object_get(file, "streaming"), index, instance)
        check_instance(instance);
    assert_true(index > 0);
    json_array_foreach(json_object_get(file, "cyclic_cache"), index, instance)
    {
        const size_t layers = (size_t)json_integer_value(json_object_get(instance, "layers"));
        const size_t capacity = (size_t)json_integer_value(json_object_get(instance, "capacity"));
        const size_t passes = (size_t)json_integer_value(json_object_get(instance, "passes"));
        assert_int_equal(hyperionCountCyclicHits(layers, capacity, passes),
                         json_integer_value(json_object_get(instance, "optimal_hits")));
    }
    assert_true(index > 0);
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_hide_loads_behind_computes),
        cmocka_unit_test(no_layers_take_no_time),
        cmocka_unit_test(wrong_pipelines_are_refused),
        cmocka_unit_test(cyclic_hits_are_beladys),
        cmocka_unit_test(known_answers_are_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
