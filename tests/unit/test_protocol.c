// SPDX-License-Identifier: Apache-2.0
// test_protocol.c - requests are read back as written; everything else is refused by name.
#define _GNU_SOURCE
#include "run/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

static const char scenario[] = "name: one\nsweeps:\n  - name: all\n    workload: kernel\n"
                               "    axes: {op: gemm, m: 3, n: 4, k: 5, block_size: 64}\n";
static const char *const counters[] = {"PAPI_TOT_INS", "PAPI_L1_DCM", NULL};

static const int cpus[] = {3, 1};

static WorkerRequest make_request(const Plan *plan, SampleTask task)
{
    return (WorkerRequest){
        .task = task,
        .cell = plan->cells[0],
        .seed = UINT64_MAX,
        .cpus = {3, 1},
        .cpu_count = 2,
        .topology = {2, {{32768, 64, 8, 1}, {1048576, 64, 16, 2}}},
        .iterations = 12,
        .repetitions = 4,
        .min_time_ns = 2.5e6,
        .warmup_ns = 0,
        .counters = counters,
    };
}

static void request_is_read_back_as_written(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    Problem problem = {0};
    WorkerRequest request = make_request(plan, SAMPLE_TIME);
    char *text = request_write(&request, &problem);
    ReceivedRequest received = {0};
    if (!text || !request_read(text, strlen(text), &received, &problem)) {
        fail_msg("%s", problem.text);
        return;
    }
    const WorkerRequest *read = &received.request;
    assert_int_equal(read->task, SAMPLE_TIME);
    assert_string_equal(read->cell.id, plan->cells[0].id);
    assert_int_equal(read->cell.values[AXIS_BLOCK_SIZE].integer, 64);
    assert_true(read->seed == UINT64_MAX);
    assert_int_equal(read->cpu_count, 2);
    assert_memory_equal(read->cpus, cpus, sizeof cpus);
    assert_memory_equal(&read->topology, &request.topology, sizeof read->topology);
    assert_int_equal(read->iterations, 12);
    assert_int_equal(read->repetitions, 4);
    assert_true(read->min_time_ns == 2.5e6 && read->warmup_ns == 0);
    assert_string_equal(read->counters[1], "PAPI_L1_DCM");
    assert_null(read->counters[2]);
    request_clear(&received);
    free(text);
    request.cpu_count = 0;
    text = request_write(&request, &problem);
    assert_true(request_read(text, strlen(text), &received, &problem));
    assert_int_equal(received.request.cpu_count, 0);
    request_clear(&received);
    free(text);
    plan_free(plan);
}

// Each: what to put into a good request, and a word that the refusal must say.
static void bad_requests_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const bad[][3] = {
        {"protocol", "1", "protocol version 1"},
        {"protocol", "\"2\"", "protocol"},
        {"task", "\"dance\"", "dance"},
        {"task", "7", "task"},
        {"seed", "7", "seed"},
        {"seed", "\"-7\"", "seed"},
        {"cpus", "[1, -2]", "\"cpus\"[1]"},
        {"cpus", "null", "cpus"},
        {"cpus", "[\"all\"]", "\"cpus\"[0]"},
        {"topology", "7", "topology"},
        {"iterations", "0", "iterations"},
        {"iterations", "-1", "iterations"},
        {"repetitions", "1.5", "repetitions"},
        {"min_time_ns", "null", "min_time_ns"},
        {"warmup_ns", "\"5ms\"", "warmup_ns"},
        {"counters", "null", "counters"},
        {"counters", "[1]", "counters"},
        {"cell", "{}", "workload"},
        {"cell", "null", "cell"},
    };
    Plan *plan = fixture_plan(scenario);
    const WorkerRequest request = make_request(plan, SAMPLE_TIME);
    Problem none = {0};
    char *good = request_write(&request, &none);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Problem problem = {0};
        ReceivedRequest received;
        json_t *json = json_loads(good, 0, NULL);
        (void)json_object_set_new(json, bad[i][0], json_loads(bad[i][1], JSON_DECODE_ANY, NULL));
        char *text = json_dumps(json, 0);
        assert_false(request_read(text, strlen(text), &received, &problem));
        if (!strstr(problem.text, bad[i][2]))
            fail_msg("%s = %s: '%s' says nothing of %s", bad[i][0], bad[i][1], problem.text,
                     bad[i][2]);
        request_clear(&received);
        json_decref(json);
        free(text);
    }
    free(good);
    plan_free(plan);
}

static void text_that_is_no_request_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "[]", "null", "{\"protocol\":1,\"protocol\":1}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Problem problem = {0};
        ReceivedRequest received;
        assert_false(request_read(texts[i], strlen(texts[i]), &received, &problem));
        assert_true(problem.text[0]);
        request_clear(&received);
    }
}

static void answer_to_another_request_is_refused(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    double times[] = {1, 2, 3, 4};
    Sample outcome = sample_empty();
    outcome.ok = true;
    outcome.iterations = 12;
    outcome.real_ns = outcome.cpu_ns = times;
    outcome.real_count = 4;
    char *line = answer_write(&outcome);
    WorkerRequest request = make_request(plan, SAMPLE_TIME);
    Sample sample = sample_empty();
    Problem problem = {0};
    assert_true(answer_read(line, strlen(line), &request, &sample, &problem));
    assert_int_equal(sample.real_count, 4);

    request.repetitions = 5;
    assert_false(answer_read(line, strlen(line), &request, &sample, &problem));
    assert_non_null(strstr(problem.text, "4 loops of 12 iterations, expected 5 of 12"));
    request.repetitions = 4;
    request.iterations = 13;
    problem = (Problem){0};
    assert_false(answer_read(line, strlen(line), &request, &sample, &problem));
    free(line);

    outcome.iterations = 0;
    line = answer_write(&outcome);
    request.task = SAMPLE_PILOT;
    problem = (Problem){0};
    assert_false(answer_read(line, strlen(line), &request, &sample, &problem));
    assert_non_null(strstr(problem.text, "pilot without an iteration count"));
    free(line);
    sample_clear(&sample);
    plan_free(plan);
}

static void request_that_fits_no_pipe_is_refused(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    Problem problem = {0};
    static const char *many[4097];
    for (size_t i = 0; i < 4096; i++)
        many[i] = "a_counter_with_a_long_name";
    WorkerRequest request = make_request(plan, SAMPLE_COUNT);
    request.counters = many;
    assert_null(request_write(&request, &problem));
    assert_non_null(strstr(problem.text, "fit a pipe"));
    plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(request_is_read_back_as_written, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(bad_requests_are_refused_by_name, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test(text_that_is_no_request_is_refused),
        cmocka_unit_test_setup_teardown(answer_to_another_request_is_refused, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(request_that_fits_no_pipe_is_refused, fixture_enter,
                                        fixture_leave),
    };
    return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
