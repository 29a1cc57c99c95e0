// SPDX-License-Identifier: Apache-2.0
// test_workload_memory.c - cells that ask for a memory optimizer run with one and say what it
// planned; the offset planner as a workload.
#define _POSIX_C_SOURCE 200809L
#include "record/sample.h"
#include "scenario/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

// Takes over `axes`. Without context where the cell or its opening is refused.
static Opened open_cell(const char *workload, json_t *axes)
{
    Opened opened = {.json = json_pack("{s:s, s:o}", "workload", workload, "axes", axes)};
    assert_non_null(opened.json);
    if (cell_from_json(opened.json, &opened.cell, &opened.problem))
        opened.context = opened.cell.workload->open(&opened.cell, &machine, &opened.problem);
    return opened;
}

static void close_cell(Opened *opened)
{
    if (opened->context)
        opened->cell.workload->close(opened->context);
    cell_clear(&opened->cell);
    json_decref(opened->json);
}

static Sample take_values(const Opened *opened, SampleTask task)
{
    Sample sample = sample_empty();
    sample.task = task;
    Problem problem = {0};
    assert_true(opened->cell.workload->add_values(opened->context, &sample, &problem));
    return sample;
}

// Verified, run and described.
static Sample measure(const char *workload, const char *axes_text, SampleTask task)
{
    Opened opened = open_cell(workload, json_loads(axes_text, 0, NULL));
    Problem problem = {0};
    if (!opened.context || !opened.cell.workload->verify(opened.context, &problem))
        fail_msg("%s: %s%s", axes_text, opened.problem.text, problem.text);
    opened.cell.workload->run(opened.context);
    const Sample sample = take_values(&opened, task);
    close_cell(&opened);
    return sample;
}

static void assert_refused(const char *workload, const char *axes_text, const char *expected)
{
    Opened opened = open_cell(workload, json_loads(axes_text, 0, NULL));
    assert_null(opened.context);
    if (!strstr(opened.problem.text, expected))
        fail_msg("expected '%s' in '%s'", expected, opened.problem.text);
    close_cell(&opened);
}

#define CNN "\"model\": \"builtin:cnn:image=16,channels=8,stages=2\""

static void reuse_plans_less_than_memory_for_each(void **state)
{
    (void)state;
    Sample shared = measure("model", "{" CNN ", \"tensor_reuse\": \"true\"}", SAMPLE_TIME);
    Sample apart = measure("model", "{" CNN ", \"tensor_reuse\": \"false\"}", SAMPLE_TIME);
    assert_true(sample_value(&shared, "memory.activation_bytes") <
                sample_value(&apart, "memory.activation_bytes"));
    assert_true(sample_value(&shared, "memory.activation_bytes") > 0);
    assert_true(sample_value(&shared, "memory.lower_bound_bytes") <=
                sample_value(&shared, "memory.planned_bytes"));
    assert_true(sample_value(&shared, "memory.weight_bytes") > 0);
    assert_string_equal(sample_find_value(&shared, "memory.planned_bytes")->provenance, "model");
    sample_clear(&shared);
    sample_clear(&apart);
}

// Without an axis of the optimizer there is none, and its numbers are not there either.
static void models_run_without_optimizer_unless_asked(void **state)
{
    (void)state;
    Sample plain = measure("model", "{" CNN "}", SAMPLE_TIME);
    assert_null(sample_find_value(&plain, "memory.planned_bytes"));
    assert_non_null(sample_find_value(&plain, "memory.peak_bytes"));
    assert_string_equal(sample_find_value(&plain, "memory.peak_bytes")->provenance, "os");
    Sample dialled = measure("model", "{" CNN ", \"tradeoff\": 0.0}", SAMPLE_TIME);
    assert_non_null(sample_find_value(&dialled, "memory.planned_bytes"));
    sample_clear(&plain);
    sample_clear(&dialled);
}

static size_t count_places(const Sample *sample)
{
    size_t count = 0;
    for (size_t i = 0; i < sample->value_count; i++)
        if (strncmp(sample->values[i].name, "place", 5) == 0 && sample->values[i].value > 0)
            count++;
    return count;
}

static void profiles_bring_the_places_of_activations(void **state)
{
    (void)state;
    Sample sample = measure("profile", "{" CNN ", \"tensor_reuse\": \"true\"}", SAMPLE_VERIFY);
    assert_true(count_places(&sample) > 2);
    sample_clear(&sample);
}

static void optimizer_axes_that_contradict_are_refused(void **state)
{
    (void)state;
    assert_refused("model", "{" CNN ", \"tradeoff\": 1.0, \"layout\": \"packed\"}",
                   "the memory optimizer");
    assert_refused("model", "{" CNN ", \"tradeoff\": -0.5}", "tradeoff -0.5: expected 0 to 1");
}

static void write_instance(char *path)
{
    const int file = mkstemp(path);
    assert_true(file >= 0);
    static const char text[] = "id,lower,upper,size\na,0,2,64\nb,1,3,32\nc,2,4,64\n";
    const bool written = write(file, text, sizeof text - 1) == (ssize_t)(sizeof text - 1);
    assert_true(written);
    assert_int_equal(close(file), 0);
}

static void planner_finds_and_proves_the_lowest_plan(void **state)
{
    (void)state;
    char path[] = "/tmp/hyperion-test-planner-XXXXXX";
    char axes[128];
    write_instance(path);
    (void)snprintf(axes, sizeof axes, "{\"file\": \"%s\", \"effort\": 1.0}", path);
    Sample sample = measure("planner", axes, SAMPLE_VERIFY);
    assert_true(sample_value(&sample, "planner.height_bytes") == 96);
    assert_true(sample_value(&sample, "planner.lower_bound_bytes") == 96);
    assert_true(sample_value(&sample, "planner.proved") == 1);
    assert_true(sample_value(&sample, "planner.nodes") >= 0); // known
    sample_clear(&sample);
    (void)snprintf(axes, sizeof axes, "{\"file\": \"%s\", \"capacity\": 95}", path);
    Opened opened = open_cell("planner", json_loads(axes, 0, NULL));
    Problem problem = {0};
    assert_false(opened.cell.workload->verify(opened.context, &problem));
    assert_non_null(strstr(problem.text, "no plan within 95 bytes: proved"));
    close_cell(&opened);
    assert_int_equal(unlink(path), 0);
}

static void activations_of_a_model_are_an_instance(void **state)
{
    (void)state;
    Sample sample = measure("planner", "{\"file\": \"builtin:cnn:image=16,channels=8,stages=2\"}",
                            SAMPLE_VERIFY);
    Sample planned = measure(
        "model", "{" CNN ", \"tensor_reuse\": \"true\", \"in_place\": \"false\"}", SAMPLE_TIME);
    assert_true(sample_value(&sample, "planner.proved") == 1);
    assert_true(sample_value(&sample, "planner.height_bytes") ==
                sample_value(&planned, "memory.activation_bytes"));
    sample_clear(&sample);
    sample_clear(&planned);
    assert_refused("planner", "{\"file\": \"builtin:nosuch\"}", "nosuch");
}

static void planner_without_an_instance_is_refused(void **state)
{
    (void)state;
    assert_refused("planner", "{}", "file");
    assert_refused("planner", "{\"file\": \"/nonexistent/file.csv\"}", "/nonexistent/file.csv");
}

// Times of layers are kept there, not in the user's folder.
int main(void)
{
    char folder[] = "/tmp/hyperion-test-times-XXXXXX";
    if (!mkdtemp(folder) || setenv("XDG_CACHE_HOME", folder, 1) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reuse_plans_less_than_memory_for_each),
        cmocka_unit_test(models_run_without_optimizer_unless_asked),
        cmocka_unit_test(profiles_bring_the_places_of_activations),
        cmocka_unit_test(optimizer_axes_that_contradict_are_refused),
        cmocka_unit_test(planner_finds_and_proves_the_lowest_plan),
        cmocka_unit_test(activations_of_a_model_are_an_instance),
        cmocka_unit_test(planner_without_an_instance_is_refused),
    };
    return cmocka_run_group_tests_name("workload_memory", tests, NULL, NULL);
}
