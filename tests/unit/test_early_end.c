// SPDX-License-Identifier: Apache-2.0
// test_early_end.c - runs that take fewer samples than planned: a budget of time, a precision that
// is reached, a most time; and the warm-up that ends when times are stable. With a fake worker and
// clock.
#define _GNU_SOURCE
#include "common/file.h"
#include "run/protocol.h"
#include "run/sweep_run.h"
#include "run/warm_up.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

enum { TIME_MS = 10, OTHER_MS = 1 }; // life of a worker

typedef struct FakeWorld {
    double now_ns;
    size_t launches, stop_after; // 0 = never
    size_t timed[8];             // samples, by m
} FakeWorld;

// A cell of m = 1 is within 0.1 %, one of m = 2 within 30 %.
static double time_of(FakeWorld *world, const WorkerRequest *request)
{
    static const double shape[] = {0, 0.7, -1, 0.3, -0.6, 1, -0.2};
    const size_t m = (size_t)request->cell.values[AXIS_M].integer;
    const double step = shape[world->timed[m]++ % (sizeof shape / sizeof *shape)];
    return 1e5 * (1 + (m == 1 ? 0.001 : 0.3) * step);
}

static void answer(FakeWorld *world, const WorkerRequest *request, WorkerEnd *end)
{
    Sample outcome = sample_empty();
    const bool times = request->task == SAMPLE_TIME || request->task == SAMPLE_PILOT;
    outcome.ok = true;
    outcome.iterations = request->task == SAMPLE_PILOT ? 10 : request->iterations;
    if (sample_task_is_timed(request->task) || times) {
        outcome.real_count = request->task == SAMPLE_PILOT ? 1 : (size_t)request->repetitions;
        outcome.real_ns = calloc(outcome.real_count, sizeof *outcome.real_ns);
        outcome.cpu_ns = calloc(outcome.real_count, sizeof *outcome.cpu_ns);
        assert_true(outcome.real_ns && outcome.cpu_ns);
        const double ns = request->task == SAMPLE_TIME ? time_of(world, request) : 1e5;
        for (size_t i = 0; i < outcome.real_count; i++)
            outcome.real_ns[i] = outcome.cpu_ns[i] = ns;
    }
    end->answer = answer_write(&outcome);
    assert_non_null(end->answer);
    end->answer_length = strlen(end->answer);
    sample_clear(&outcome);
}

static void launch(void *context, const char *text, const LaunchLimits *limits, WorkerEnd *end)
{
    FakeWorld *world = context;
    Problem problem = {0};
    ReceivedRequest received;
    (void)limits;
    if (!request_read(text, strlen(text), &received, &problem))
        fail_msg("%s", problem.text);
    const double life_ns = (received.request.task == SAMPLE_TIME ? TIME_MS : OTHER_MS) * 1e6;
    *end = (WorkerEnd){
        .ending = WORKER_EXITED, .started_unix_s = 1.7e9 + world->now_ns / 1e9, .life_ns = life_ns};
    answer(world, &received.request, end);
    world->now_ns += life_ns;
    world->launches++;
    request_clear(&received);
}

static double read_clock(void *context)
{
    return ((const FakeWorld *)context)->now_ns;
}

static bool is_stopped(void *context)
{
    const FakeWorld *world = context;
    return world->stop_after && world->launches >= world->stop_after;
}

static RunnerOutcome run(const Plan *plan, FakeWorld *world, double budget_ns)
{
    const RunnerTools tools = {launch, read_clock, is_stopped, world};
    Problem problem = {0};
    RunnerOutcome outcome;
    json_t *machine = fixture_machine("here");
    SweepRun sweep = fixture_sweep(plan, machine, true);
    sweep.budget_ns = budget_ns;
    if (!sweep_run(&sweep, &tools, &outcome, &problem))
        fail_msg("%s", problem.text);
    json_decref(machine);
    return outcome;
}

static size_t count_samples(const Plan *plan, size_t cell, SampleTask task)
{
    size_t count = 0;
    JournalContent content = fixture_journal(plan);
    for (size_t i = 0; i < content.sample_count; i++)
        count += content.samples[i].cell == cell && content.samples[i].task == task;
    journal_clear(&content);
    return count;
}

static const char budgeted[] = "name: budget\n"
                               "defaults: {samples: 5, repetitions: 1, warmup: 5ms, counters: "
                               "[PAPI_TOT_INS]}\n"
                               "sweeps:\n  - name: all\n    workload: kernel\n"
                               "    axes: {op: gemm, m: 1..4 +1, n: 1, k: 1}\n";

// Verifications and pilots take 8 ms, a round 41 with its canary, and of the counting passes
// nothing is known but that a worker starts in 15 ms, warms up for 5 and loops for 1: 84 ms in all.
static void budget_ends_between_rounds_and_resume_goes_on(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(budgeted);
    FakeWorld world = {0};
    const RunnerOutcome outcome = run(plan, &world, 250e6);
    assert_true(outcome.out_of_budget);
    assert_false(outcome.interrupted);
    assert_int_equal(outcome.rounds, 3);
    assert_true(outcome.wall_ns <= 250e6);
    for (size_t cell = 0; cell < plan->cell_count; cell++) {
        assert_int_equal(count_samples(plan, cell, SAMPLE_TIME), 3);
        assert_int_equal(count_samples(plan, cell, SAMPLE_COUNT), 1);
    }
    const RunnerOutcome rest = run(plan, &world, 1e9);
    assert_false(rest.out_of_budget);
    fixture_assert_complete(plan);
    plan_free(plan);
}

static void budget_too_small_for_a_worker_starts_none(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(budgeted);
    FakeWorld world = {0};
    const RunnerOutcome outcome = run(plan, &world, 5e6);
    assert_true(outcome.out_of_budget);
    assert_int_equal(outcome.rounds, 0);
    assert_int_equal(world.launches, 0);
    // Enough for what comes before the first round, not for the round: nothing is counted either.
    const RunnerOutcome more = run(plan, &world, 60e6);
    assert_int_equal(more.rounds, 0);
    assert_int_equal(world.launches, 8);
    plan_free(plan);
}

#define EXPLORING(setting)                                                                         \
    "name: explore\ndefaults: {samples: 30, repetitions: 1, counters: none, " setting "}\n"        \
    "sweeps:\n  - name: all\n    workload: kernel\n"                                               \
    "    axes: {op: gemm, m: [1, 2], n: 1, k: 1}\n"

static const SampleValue *find_stop(const JournalContent *content, size_t cell)
{
    const SampleValue *found = NULL;
    for (size_t i = 0; i < content->sample_count; i++) {
        const SampleValue *value = sample_find_value(&content->samples[i], SAMPLE_STOPPED_EARLY);
        if (!value || content->samples[i].cell != cell)
            continue;
        assert_null(found); // said once
        found = value;
    }
    return found;
}

static void precision_ends_a_cell_and_says_so(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(EXPLORING("precision: 2%"));
    FakeWorld world = {0};
    (void)run(plan, &world, 0);
    assert_int_equal(count_samples(plan, 0, SAMPLE_TIME), 6); // the least that have an interval
    assert_int_equal(count_samples(plan, 1, SAMPLE_TIME), 30);
    JournalContent content = fixture_journal(plan);
    const SampleValue *stop = find_stop(&content, 0);
    assert_non_null(stop);
    assert_true(stop->value == 6);
    assert_non_null(strstr(stop->reason, "precision reached after 6 samples"));
    assert_null(find_stop(&content, 1));
    journal_clear(&content);
    Problem problem = {0};
    size_t bytes = 0;
    char *csv = file_read("run/cells.csv", 1 << 20, &bytes, &problem);
    assert_non_null(csv);
    assert_non_null(strstr(csv, ",ok,\"stopped early: precision reached"));
    assert_null(strstr(csv, ",incomplete,"));
    free(csv);
    const size_t launches = world.launches;
    (void)run(plan, &world, 0);
    assert_int_equal(world.launches, launches); // nothing is left to resume
    plan_free(plan);
}

static void resumed_run_stops_where_the_whole_one_does(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(EXPLORING("precision: 2%"));
    for (size_t stop = 6; stop < 20; stop++) {
        FakeWorld world = {.stop_after = stop};
        assert_true(run(plan, &world, 0).interrupted);
        world.stop_after = 0;
        (void)run(plan, &world, 0);
        assert_int_equal(count_samples(plan, 0, SAMPLE_TIME), 6);
        assert_int_equal(count_samples(plan, 1, SAMPLE_TIME), 30);
        fixture_remove("run");
    }
    plan_free(plan);
}

static void most_time_ends_a_cell(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(EXPLORING("precision: 2%, max_time: 35ms"));
    FakeWorld world = {0};
    (void)run(plan, &world, 0);
    JournalContent content = fixture_journal(plan);
    for (size_t cell = 0; cell < 2; cell++) {
        const SampleValue *stop = find_stop(&content, cell);
        assert_non_null(stop);
        assert_true(stop->value == 4);
        assert_non_null(strstr(stop->reason, "max_time of 35ms was over after 4 samples"));
    }
    journal_clear(&content);
    plan_free(plan);
}

static void settings_survive_the_plan_file(void **state)
{
    (void)state;
    Problem problem = {0};
    Plan *plain = fixture_plan(EXPLORING("warmup: 5ms"));
    Plan *plan = fixture_plan(EXPLORING("warmup: auto, precision: 2%, max_time: 35ms"));
    assert_string_not_equal(plain->hash, plan->hash);
    json_t *json = plan_to_json(plan);
    Plan *back = plan_from_json(json, &problem);
    if (!back) {
        fail_msg("%s", problem.text);
        abort(); // does not come here, but the analyzer cannot know
    }
    const SweepSettings *settings = &back->sweeps[0].settings;
    assert_true(settings->warmup_ns == WARMUP_AUTO);
    assert_true(settings->precision == 0.02);
    assert_true(settings->max_time_ns == 35e6);
    json_decref(json);
    // A plan that asks for none of them is as it was before there were any.
    json = plan_to_json(plain);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_null(strstr(text, "precision"));
    assert_null(strstr(text, "max_time"));
    free(text);
    json_decref(json);
    plan_free(plain);
    plan_free(plan);
    plan_free(back);
}

static void bad_settings_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *setting, *words;
    } cases[] = {
        {"precision: 200%", "precision: expected a share such as 2% from 0% to 100%"},
        {"precision: fine", "precision: expected a share"},
        {"max_time: 3", "max_time: expected a time with its unit"},
        {"warmup: automatic", "warmup: expected auto or a time with its unit"},
        {"warmup: -1ns", "warmup: expected auto"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Problem problem = {0};
        FILE *file = fopen("bad.yaml", "we");
        assert_non_null(file);
        (void)fprintf(file,
                      "name: bad\ndefaults: {%s}\nsweeps:\n  - name: all\n    workload: kernel\n"
                      "    axes: {op: gemm, m: 1, n: 1, k: 1}\n",
                      cases[i].setting);
        assert_int_equal(fclose(file), 0);
        assert_null(plan_from_scenario("bad.yaml", NULL, &problem));
        if (!strstr(problem.text, cases[i].words))
            fail_msg("expected '%s' in '%s'", cases[i].words, problem.text);
    }
}

// A subject whose iterations come down from 3 ms to 1, or climb for ever.
static struct {
    double now_ns;
    size_t runs;
    bool climbs;
} subject;

static void run_subject(void *context)
{
    const double jitter = (double)(subject.runs * 7 % 5) * 1e3;
    const double left = subject.runs < 40 ? 1 - (double)subject.runs / 40 : 0;
    (void)context;
    subject.now_ns +=
        subject.climbs ? 1e6 * (1 + 0.02 * (double)subject.runs) : 1e6 * (1 + 2 * left) + jitter;
    subject.runs++;
}

static double read_subject_clock(void)
{
    return subject.now_ns;
}

static void warm_up_ends_when_times_are_stable(void **state)
{
    (void)state;
    const WarmUpSubject tested = {run_subject, NULL, read_subject_clock};
    subject.climbs = false;
    WarmUpResult result = warm_up_until_stable(&tested);
    assert_true(result.stable);
    assert_in_range(subject.runs, 60, 200); // the descent is less than half of it
    assert_true(result.spent_ns == subject.now_ns);
    subject.now_ns = 0;
    subject.runs = 0;
    subject.climbs = true;
    result = warm_up_until_stable(&tested);
    assert_false(result.stable);
    assert_true(result.spent_ns >= WARM_UP_MOST_NS && result.spent_ns < 1.1 * WARM_UP_MOST_NS);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, fixture_enter, fixture_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(budget_ends_between_rounds_and_resume_goes_on),
        IN_FOLDER(budget_too_small_for_a_worker_starts_none),
        IN_FOLDER(precision_ends_a_cell_and_says_so),
        IN_FOLDER(resumed_run_stops_where_the_whole_one_does),
        IN_FOLDER(most_time_ends_a_cell),
        IN_FOLDER(settings_survive_the_plan_file),
        IN_FOLDER(bad_settings_are_refused),
        cmocka_unit_test(warm_up_ends_when_times_are_stable),
    };
    return cmocka_run_group_tests_name("early_end", tests, NULL, NULL);
}
