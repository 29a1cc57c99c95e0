// SPDX-License-Identifier: Apache-2.0
// test_workload_scheduler.c - cells whose activations a scheduler keeps within a cap: to the bit,
// as planned, forward and backward.
#define _POSIX_C_SOURCE 200809L
#include "record/sample.h"
#include "scenario/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

#define TRANSFORMER "\"model\": \"builtin:transformer:seq=16,hidden=32,heads=2,layers=4\""
#define UNET "\"model\": \"builtin:unet:image=44,width=4,depth=2\""
// The same plan wherever it is made.
#define GUESSED ", \"layer_times\": \"guessed\""

static Opened open_cell(const char *axes)
{
    char text[512];
    (void)snprintf(text, sizeof text, "{\"workload\": \"scheduler\", \"axes\": {%s}}", axes);
    Opened opened = {.json = json_loads(text, 0, NULL)};
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
    Problem problem = {0};
    Sample sample = sample_empty();
    sample.task = task;
    if (!opened->cell.workload->add_values(opened->context, &sample, &problem))
        fail_msg("%s", problem.text);
    return sample;
}

// Verified, run and described.
static Sample measure(const char *axes, SampleTask task)
{
    Problem problem = {0};
    Opened opened = open_cell(axes);
    if (!opened.context || !opened.cell.workload->verify(opened.context, &problem))
        fail_msg("%s: %s%s", axes, opened.problem.text, problem.text);
    opened.cell.workload->run(opened.context);
    const Sample sample = take_values(&opened, task);
    close_cell(&opened);
    return sample;
}

static void assert_refused(const char *axes, const char *expected)
{
    Opened opened = open_cell(axes);
    assert_null(opened.context);
    if (!strstr(opened.problem.text, expected))
        fail_msg("expected '%s' in '%s'", expected, opened.problem.text);
    close_cell(&opened);
}

static void assert_as_planned(const Sample *sample)
{
    const double peak = sample_value(sample, "scheduler.peak_bytes");
    const double cap = sample_value(sample, "scheduler.cap_bytes");
    assert_true(peak == sample_value(sample, "scheduler.planned_bytes"));
    assert_true(isnan(cap) || peak <= cap);
    assert_true(peak >= sample_value(sample, "scheduler.lower_bound_bytes"));
    assert_true(sample_value(sample, "scheduler.recomputed") ==
                sample_value(sample, "scheduler.planned_recomputed"));
    assert_true(sample_value(sample, "scheduler.spilled_bytes") ==
                sample_value(sample, "scheduler.planned_spilled_bytes"));
    assert_true(sample_value(sample, "scheduler.layer_time") > 0);
}

static void passes_do_what_is_planned_within_the_cap(void **state)
{
    (void)state;
    static const char *const cells[] = {
        TRANSFORMER,
        TRANSFORMER ", \"activation_cap\": \"90%\"" GUESSED,
        TRANSFORMER ", \"activation_cap\": \"90%\", \"recompute\": false" GUESSED,
        TRANSFORMER ", \"order\": \"given\"",
        TRANSFORMER ", \"pass\": \"backward\", \"activation_cap\": \"40%\"",
        UNET ", \"pass\": \"backward\", \"tradeoff\": 0.25"};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        Sample sample = measure(cells[i], SAMPLE_TIME);
        assert_as_planned(&sample);
        sample_clear(&sample);
    }
}

static void a_share_is_of_storing_all(void **state)
{
    (void)state;
    Sample sample = measure(
        TRANSFORMER ", \"pass\": \"backward\", \"activation_cap\": \"50%\"" GUESSED, SAMPLE_TIME);
    const double all = sample_value(&sample, "scheduler.store_all_bytes");
    assert_true(sample_value(&sample, "scheduler.cap_bytes") == floor(all / 2));
    assert_true(sample_value(&sample, "scheduler.recomputed") > 0);
    assert_true(sample_value(&sample, "scheduler.predicted_time") >
                sample_value(&sample, "scheduler.forward_time"));
    assert_string_equal(sample_find_value(&sample, "scheduler.peak_bytes")->provenance, "os");
    assert_string_equal(sample_find_value(&sample, "scheduler.planned_bytes")->provenance, "model");
    sample_clear(&sample);
    sample = measure(TRANSFORMER GUESSED, SAMPLE_TIME);
    assert_true(isnan(sample_value(&sample, "scheduler.cap_bytes")));
    assert_string_equal(sample_find_value(&sample, "scheduler.cap_bytes")->reason,
                        "there is no cap");
    sample_clear(&sample);
}

// The greatest of them is no more than what the plan takes.
static void verification_tells_what_is_live_after_each_step(void **state)
{
    (void)state;
    Opened opened = open_cell(TRANSFORMER ", \"pass\": \"backward\"" GUESSED);
    if (!opened.context)
        fail_msg("%s", opened.problem.text);
    Sample sample = take_values(&opened, SAMPLE_VERIFY);
    opened.cell.workload->run(opened.context);
    Sample timed = take_values(&opened, SAMPLE_TIME);
    double most = 0;
    size_t visits = 0;
    for (size_t i = 0; i < sample.value_count; i++) {
        assert_true(strncmp(sample.values[i].name, "live", 4) == 0);
        most = fmax(most, sample.values[i].value);
        visits += strstr(sample.values[i].name, ".visit.") != NULL;
    }
    assert_true(most > 0 && most <= sample_value(&timed, "scheduler.planned_bytes"));
    assert_true(visits > 20);
    sample_clear(&sample);
    sample_clear(&timed);
    close_cell(&opened);
}

static void caps_below_the_least_say_what_is_needed(void **state)
{
    (void)state;
    assert_refused(TRANSFORMER ", \"activation_cap\": \"1%\"" GUESSED, "needs");
    assert_refused(TRANSFORMER ", \"tradeoff\": -0.5", "tradeoff -0.5: expected 0 to 1");
    assert_refused("\"model\": \"builtin:nosuch\"", "nosuch");
    assert_refused("\"model\": \"/nonexistent/model.onnx\"", "/nonexistent/model.onnx");
}

// The dial of this axis is the scheduler's: no memory optimizer is made for it.
static void tradeoff_is_that_of_the_scheduler(void **state)
{
    (void)state;
    Sample least =
        measure(TRANSFORMER ", \"pass\": \"backward\", \"tradeoff\": 0.0" GUESSED, SAMPLE_TIME);
    Sample most =
        measure(TRANSFORMER ", \"pass\": \"backward\", \"tradeoff\": 1.0" GUESSED, SAMPLE_TIME);
    assert_true(sample_value(&least, "scheduler.planned_bytes") <
                sample_value(&most, "scheduler.planned_bytes"));
    assert_true(sample_value(&least, "scheduler.predicted_time") >=
                sample_value(&most, "scheduler.predicted_time"));
    assert_null(sample_find_value(&least, "memory.planned_bytes"));
    assert_non_null(sample_find_value(&least, "memory.peak_bytes"));
    sample_clear(&least);
    sample_clear(&most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_do_what_is_planned_within_the_cap),
        cmocka_unit_test(a_share_is_of_storing_all),
        cmocka_unit_test(verification_tells_what_is_live_after_each_step),
        cmocka_unit_test(caps_below_the_least_say_what_is_needed),
        cmocka_unit_test(tradeoff_is_that_of_the_scheduler),
    };
    return cmocka_run_group_tests_name("workload_scheduler", tests, NULL, NULL);
}
