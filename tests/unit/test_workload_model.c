// SPDX-License-Identifier: Apache-2.0
// test_workload_model.c - built-in models and files run as a workload; what cannot run says why.
#define _POSIX_C_SOURCE 200809L
#include "record/sample.h"
#include "scenario/plan.h"

#include "onnx_writer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const WorkloadMachine machine = {
    .topology = {.level_count = 2, .levels = {{48 << 10, 64, 12, 1}, {1 << 20, 64, 16, 1}}},
    .seed = 7,
};

typedef struct Opened {
    json_t *json;
    Cell cell;
    void *context;
    Problem problem;
} Opened;

static json_t *make_cell(const char *model, const char *level, int batch)
{
    return json_pack("{s:s, s:{s:s, s:s, s:i}}", "workload", "model", "axes", "model", model,
                     "simd_level", level, "batch", batch);
}

static Opened open_cell(const char *model, const char *level, int batch)
{
    Opened opened = {.json = make_cell(model, level, batch)};
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

static WorkloadFacts run_and_describe(const char *model, const char *level, int batch)
{
    Opened opened = open_cell(model, level, batch);
    const Workload *workload = opened.cell.workload;
    if (!opened.context || !workload->verify(opened.context, &opened.problem))
        fail_msg("%s at %s: %s", model, level, opened.problem.text);
    workload->run(opened.context);
    const WorkloadFacts facts = workload->facts(opened.context);
    close_cell(&opened);
    return facts;
}

static void builtin_models_agree_with_scalar_at_every_level_here(void **state)
{
    (void)state;
    static const char *const models[] = {"builtin:mlp:hidden=48,input=33",
                                         "builtin:cnn:image=8,channels=4,stages=2",
                                         "builtin:transformer:seq=9,hidden=32,heads=2"};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        const WorkloadFacts facts = run_and_describe(models[i], "best", 2);
        assert_true(facts.flops > 0);
        assert_true(facts.elements > 0);
        assert_true(facts.operand_bytes > facts.bytes);
        assert_true(facts.predicted.valid || facts.predicted_reason[0]);
        (void)run_and_describe(models[i], "scalar", 1);
    }
}

static void batch_is_passed_to_builtin_models(void **state)
{
    (void)state;
    const WorkloadFacts one = run_and_describe("builtin:mlp:hidden=16", "best", 1);
    const WorkloadFacts four = run_and_describe("builtin:mlp:hidden=16", "best", 4);
    assert_true(four.flops == 4 * one.flops);
    assert_true(four.elements == 4 * one.elements);
}

static void assert_cell_refused(const char *model, int batch, const char *expected)
{
    Cell cell;
    Problem problem = {0};
    json_t *json = make_cell(model, "best", batch);
    assert_false(cell_from_json(json, &cell, &problem));
    if (!strstr(problem.text, expected))
        fail_msg("expected '%s' in '%s'", expected, problem.text);
    cell_clear(&cell);
    json_decref(json);
}

static void sequences_have_the_length_of_the_axis(void **state)
{
    (void)state;
    static const char model[] = "builtin:transformer:hidden=32,heads=2";
    json_t *json = json_pack("{s:s, s:{s:s, s:i, s:i}}", "workload", "model", "axes", "model",
                             model, "batch", 2, "seq", 5);
    Cell cell;
    Problem problem = {0};
    assert_true(cell_from_json(json, &cell, &problem));
    void *context = cell.workload->open(&cell, &machine, &problem);
    assert_non_null(context);
    assert_true(cell.workload->facts(context).elements == 2 * 5 * 32);
    cell.workload->close(context);
    cell_clear(&cell);
    assert_int_equal(
        json_object_set_new(json_object_get(json, "axes"), "model", json_string("builtin:mlp")), 0);
    problem = (Problem){0};
    assert_false(cell_from_json(json, &cell, &problem));
    assert_non_null(strstr(problem.text, "model builtin:mlp has no seq; given 5"));
    cell_clear(&cell);
    assert_int_equal(json_object_set_new(json_object_get(json, "axes"), "model",
                                         json_string("builtin:transformer:seq=4")),
                     0);
    problem = (Problem){0};
    assert_false(cell_from_json(json, &cell, &problem));
    assert_non_null(strstr(problem.text, "builtin:transformer:seq=4: seq is an axis of its own"));
    cell_clear(&cell);
    json_decref(json);
}

// The workload `profile` adds what its layers did to verifications and timed samples.
static void profiles_bring_the_facts_and_times_of_layers(void **state)
{
    (void)state;
    json_t *json = json_pack("{s:s, s:{s:s}}", "workload", "profile", "axes", "model",
                             "builtin:cnn:image=8,channels=4,stages=2");
    Cell cell;
    Problem problem = {0};
    assert_true(cell_from_json(json, &cell, &problem));
    const Workload *workload = cell.workload;
    void *context = workload->open(&cell, &machine, &problem);
    assert_non_null(context);
    assert_true(workload->verify(context, &problem));
    Sample sample = sample_empty();
    sample.task = SAMPLE_VERIFY;
    assert_true(workload->add_values(context, &sample, &problem));
    double flops = 0;
    for (size_t i = 0; i < sample.value_count; i++)
        if (strstr(sample.values[i].name, ".is."))
            flops += sample.values[i].value;
    assert_true(flops == workload->facts(context).flops);
    assert_true(sample_value(&sample, "layer0.bytes") > 0);
    assert_non_null(sample_find_value(&sample, "layer0.is.conv2d.stage0.conv0"));
    sample_clear(&sample);
    for (int i = 0; i < 3; i++)
        workload->run(context);
    sample = sample_empty();
    sample.task = SAMPLE_TIME;
    assert_true(workload->add_values(context, &sample, &problem));
    assert_true(sample_value(&sample, "layer0.time") > 0);
    assert_string_equal(sample_find_value(&sample, "layer0.time")->provenance, "clock");
    assert_true(sample_value(&sample, "layer0.wait") >= 0);
    sample_clear(&sample);
    workload->close(context);
    cell_clear(&cell);
    json_decref(json);
}

static void model_file_runs_where_there_is_one(void **state)
{
    (void)state;
    static const char path[] = HYPERION_SOURCE_DIR "/../shared/models/mnist.onnx";
    if (access(path, R_OK) != 0) {
        print_message("skipped: no %s\n", path);
        skip();
    }
    const WorkloadFacts facts = run_and_describe(path, "best", 1);
    assert_true(facts.elements == 10);
}

static void models_that_cannot_be_planned_are_refused(void **state)
{
    (void)state;
    assert_cell_refused("builtin:nosuch", 1, "no such built-in model");
    assert_cell_refused("builtin:", 1, "no such built-in model");
    assert_cell_refused("builtin:mlp:batch=4", 1, "batch is an axis of its own");
    assert_cell_refused("builtin:mlp:hidden=4,batch=4", 1, "batch is an axis of its own");
}

static void assert_open_refused(const char *model, const char *level, const char *expected)
{
    Opened opened = open_cell(model, level, 1);
    assert_null(opened.context);
    if (!strstr(opened.problem.text, expected))
        fail_msg("expected '%s' in '%s'", expected, opened.problem.text);
    close_cell(&opened);
}

static void file_of_fixed_shapes_takes_no_batch(void **state)
{
    (void)state;
    Opened opened = open_cell(HYPERION_SOURCE_DIR "/tests/data/tiny.onnx", "best", 2);
    assert_null(opened.context);
    assert_non_null(strstr(opened.problem.text, "leaves no size open that is a batch; given 2"));
    close_cell(&opened);
}

// The writer's dimension 0 is open, "batch".
static void open_batch_of_a_file_is_that_of_the_axis(void **state)
{
    (void)state;
    char path[] = "/tmp/hyperion-test-batch-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0 && close(file) == 0);
    Message graph = {.count = 0};
    const Message node = make_node("Relu", NAMES("x"), NAMES("y"));
    put_message(&graph, 1, &node);
    put_value(&graph, 11, "x", 1, DIMS(0, 6));
    put_value(&graph, 12, "y", 1, DIMS(0, 6));
    const Message model = make_model(&graph, 14);
    assert_true(write_file(path, model.bytes, model.count));
    assert_true(run_and_describe(path, "best", 1).elements == 6);
    assert_true(run_and_describe(path, "best", 3).elements == 18);
    assert_int_equal(unlink(path), 0);
}

static void models_that_cannot_be_opened_say_why(void **state)
{
    (void)state;
    assert_open_refused("/nonexistent/model.onnx", "best", "/nonexistent/model.onnx");
    assert_open_refused("builtin:mlp:hiden=4", "best", "hidden");
    assert_open_refused("builtin:mlp:hidden=0", "best", "hidden");
#if defined(__x86_64__)
    assert_open_refused("builtin:mlp:hidden=4", "neon", "cannot run here");
#else
    assert_open_refused("builtin:mlp:hidden=4", "avx2", "cannot run here");
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builtin_models_agree_with_scalar_at_every_level_here),
        cmocka_unit_test(batch_is_passed_to_builtin_models),
        cmocka_unit_test(sequences_have_the_length_of_the_axis),
        cmocka_unit_test(profiles_bring_the_facts_and_times_of_layers),
        cmocka_unit_test(model_file_runs_where_there_is_one),
        cmocka_unit_test(models_that_cannot_be_planned_are_refused),
        cmocka_unit_test(file_of_fixed_shapes_takes_no_batch),
        cmocka_unit_test(open_batch_of_a_file_is_that_of_the_axis),
        cmocka_unit_test(models_that_cannot_be_opened_say_why),
    };
    return cmocka_run_group_tests_name("workload_model", tests, NULL, NULL);
}
