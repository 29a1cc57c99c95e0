// SPDX-License-Identifier: Apache-2.0
// test_profile_report.c - what `hyperion model profile` prints and writes of a profile.
#define _POSIX_C_SOURCE 200809L
#include "hyperion/hyperion.h"

#include "profile/profile_report.h"
#include "workload/model_instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RUNS = 3 };

typedef struct Bench {
    ModelInstance instance;
    HyperionProfile *profile;
} Bench;

// A cnn has a view before its classifier.
static int setup(void **state)
{
    static Bench bench;
    Problem problem = {0};
    bench.instance =
        (ModelInstance){.model = hyperionLoadModel("builtin:cnn:image=8,channels=4,stages=2")};
    assert_true(model_instance_create_tensors(&bench.instance, 1, &problem));
    bench.profile = hyperionCreateProfile(bench.instance.model, RUNS);
    for (int i = 0; i < RUNS; i++)
        assert_true(model_instance_run(&bench.instance));
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    Bench *bench = *state;
    hyperionFreeProfile(bench->profile);
    model_instance_close(&bench->instance);
    return 0;
}

static const json_t *at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!value)
        fail_msg("no %s", key);
    return value;
}

static double real_at(const json_t *object, const char *key)
{
    return json_number_value(at(object, key));
}

static void report_adds_up(void **state)
{
    const Bench *bench = *state;
    json_t *report = profile_report_make(bench->instance.model, bench->profile);
    const json_t *layers = at(report, "layers");
    const json_t *operators = at(report, "operators");
    assert_int_equal(json_array_size(layers), hyperionModelLayerCount(bench->instance.model));
    double share = 0;
    double flops = 0;
    double weight_bytes = 0;
    size_t index;
    const json_t *row;
    json_array_foreach(layers, index, row)
    {
        if (json_integer_value(at(row, "passes")) == 0) {
            assert_null(json_object_get(row, "median_ns"));
            continue;
        }
        share += real_at(row, "share");
        flops += real_at(row, "flops");
        weight_bytes += real_at(row, "weight_bytes");
        assert_true(json_is_null(at(row, "reused")));
    }
    assert_true(share > 0.999 && share < 1.001);
    assert_true(flops == hyperionModelFlops(bench->instance.model));
    assert_true(weight_bytes == (double)hyperionModelWeightBytes(bench->instance.model));
    double operator_flops = 0;
    double before_ns = 1e18;
    json_array_foreach(operators, index, row)
    {
        operator_flops += real_at(row, "flops");
        assert_true(real_at(row, "median_ns") <= before_ns);
        before_ns = real_at(row, "median_ns");
    }
    assert_true(operator_flops == flops);
    assert_true(real_at(at(at(report, "runs"), "first"), "loaded_bytes") == weight_bytes);
    assert_true(real_at(at(report, "memory"), "activation_bytes") ==
                (double)hyperionModelActivationBytes(bench->instance.model));
    json_decref(report);
}

static size_t count_lines(const json_t *report, size_t most_layers, char *text, size_t text_bytes)
{
    FILE *out = fmemopen(text, text_bytes, "w");
    assert_non_null(out);
    assert_true(profile_report_print(report, most_layers, out));
    assert_int_equal(fclose(out), 0);
    size_t lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    return lines;
}

static void table_has_a_line_a_layer_or_only_the_slowest(void **state)
{
    const Bench *bench = *state;
    static char text[1 << 16];
    json_t *report = profile_report_make(bench->instance.model, bench->profile);
    const size_t layer_count = json_array_size(at(report, "layers"));
    const size_t all = count_lines(report, 0, text, sizeof text);
    assert_non_null(strstr(text, "view"));
    assert_non_null(strstr(text, "builtin:cnn:image=8,channels=4,stages=2\ntime: "));
    assert_int_equal(count_lines(report, 2, text, sizeof text), all - layer_count + 2);
    assert_null(strstr(text, "nan"));
    json_decref(report);
}

typedef struct Span {
    double start_us, end_us;
} Span;

// The rules of the Trace Event Format that viewers rely on.
static void trace_nests_layers_in_runs_and_has_every_field(void **state)
{
    const Bench *bench = *state;
    json_t *trace = profile_trace_make(bench->instance.model, bench->profile);
    const json_t *events = at(trace, "traceEvents");
    Span runs[RUNS] = {{0}};
    size_t run_count = 0;
    size_t layer_spans = 0;
    size_t loads = 0;
    size_t index;
    const json_t *event;
    json_array_foreach(events, index, event)
    {
        const char *phase = json_string_value(at(event, "ph"));
        assert_true(strlen(phase) == 1 && strchr("XCM", phase[0]));
        assert_true(json_is_string(at(event, "name")) && json_is_integer(at(event, "pid")) &&
                    json_is_object(at(event, "args")));
        assert_true(phase[0] == 'M' || real_at(event, "ts") >= 0);
        if (phase[0] != 'X')
            continue;
        assert_true(real_at(event, "dur") >= 0 && json_is_integer(at(event, "tid")));
        if (strcmp(json_string_value(at(event, "cat")), "run") == 0) {
            assert_true(run_count < RUNS);
            runs[run_count].start_us = real_at(event, "ts");
            runs[run_count].end_us = real_at(event, "ts") + real_at(event, "dur");
            run_count++;
        }
        loads += strcmp(json_string_value(at(event, "cat")), "load") == 0;
    }
    assert_int_equal(run_count, RUNS);
    assert_true(loads > 0);
    double end_us = 0;
    json_array_foreach(events, index, event)
    {
        const json_t *arguments = json_object_get(event, "args");
        if (!json_object_get(arguments, "layer"))
            continue;
        const Span layer = {real_at(event, "ts"), real_at(event, "ts") + real_at(event, "dur")};
        const Span *run = &runs[layer_spans++ / (size_t)hyperionProfileStepCount(bench->profile)];
        assert_true(layer.start_us >= end_us - 0.001 && layer.start_us >= run->start_us &&
                    layer.end_us <= run->end_us + 0.001);
        end_us = layer.end_us;
    }
    assert_int_equal(layer_spans, RUNS * hyperionProfileStepCount(bench->profile));
    char *text = json_dumps(trace, 0); // fails on numbers that JSON does not have
    assert_non_null(text);
    free(text);
    json_decref(trace);
}

static void nothing_recorded_makes_no_report(void **state)
{
    const Bench *bench = *state;
    assert_true(hyperionClearProfile(bench->profile));
    assert_null(profile_report_make(bench->instance.model, bench->profile));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(report_adds_up),
        TEST(table_has_a_line_a_layer_or_only_the_slowest),
        TEST(trace_nests_layers_in_runs_and_has_every_field),
        TEST(nothing_recorded_makes_no_report),
    };
#undef TEST
    return cmocka_run_group_tests_name("profile_report", tests, NULL, NULL);
}
