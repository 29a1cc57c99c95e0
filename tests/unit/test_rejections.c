// SPDX-License-Identifier: Apache-2.0
// test_rejections.c - limits of a scenario: how they are written, which samples are beyond them,
// how often those are taken again, what counts in the end; and the canary of every round.
#define _GNU_SOURCE
#include "run/judge.h"
#include "run/protocol.h"
#include "run/sweep_run.h"
#include "stats/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

static const char scenario[] = "name: limited\n"
                               "defaults: {samples: 2, repetitions: 1, counters: none, retries: 2,"
                               " limits: {other_cpus: 0.5, steal: 2%}}\n"
                               "sweeps:\n"
                               "  - name: all\n"
                               "    workload: kernel\n"
                               "    axes: {op: binary, size: [1000, 2000, 3000]}\n";
enum { CELLS = 3, ROUNDS = 2, RETRIES = 2 };

// Cell 1 is disturbed the first `bad` times of each round, the more the later.
typedef struct FakeWorld {
    const Plan *plan;
    int bad;
    int attempts;
    size_t canaries, launches;
    size_t stop_after; // launches; 0 = never
    char order[256];   // cells of the timed samples; "c" for a canary
} FakeWorld;

static void note(FakeWorld *world, char what)
{
    const size_t used = strlen(world->order);
    assert_true(used + 1 < sizeof world->order);
    world->order[used] = what;
}

static void fill_times(const WorkerRequest *request, double time_ns, Sample *outcome)
{
    outcome->real_count = (size_t)request->repetitions;
    outcome->real_ns = calloc(outcome->real_count, sizeof *outcome->real_ns);
    assert_non_null(outcome->real_ns);
    for (size_t i = 0; i < outcome->real_count; i++)
        outcome->real_ns[i] = time_ns;
}

static void fake_launch(void *context, const char *text, const LaunchLimits *limits, WorkerEnd *end)
{
    (void)limits;
    FakeWorld *world = context;
    ReceivedRequest received;
    Problem problem = {0};
    if (!request_read(text, strlen(text), &received, &problem))
        fail_msg("%s", problem.text);
    const WorkerRequest *request = &received.request;
    Sample outcome = sample_empty();
    outcome.ok = true;
    outcome.iterations = request->task == SAMPLE_PILOT ? 10 : request->iterations;
    *end = (WorkerEnd){.life_ns = 1, .disturbance = {0.1, 0, NAN}};
    if (request->task == SAMPLE_CANARY) {
        fill_times(request, 5e5 + 1000 * (double)world->canaries++, &outcome);
        world->attempts = 0;
        note(world, 'c');
    } else if (request->task == SAMPLE_TIME) {
        const long long cell = request->cell.values[AXIS_SIZE].integer / 1000 - 1;
        note(world, (char)('0' + cell));
        if (cell == 1 && ++world->attempts <= world->bad)
            end->disturbance.other_cpus = 0.5 + world->attempts;
        fill_times(request, 1000 + world->attempts, &outcome);
    }
    end->answer = answer_write(&outcome);
    assert_non_null(end->answer);
    end->answer_length = strlen(end->answer);
    world->launches++;
    sample_clear(&outcome);
    request_clear(&received);
}

static double fake_clock(void *context)
{
    (void)context;
    return 0;
}

static bool fake_interrupt(void *context)
{
    const FakeWorld *world = context;
    return world->stop_after && world->launches >= world->stop_after;
}

static RunnerOutcome run_world(FakeWorld *world, bool resume)
{
    const RunnerTools tools = {fake_launch, fake_clock, fake_interrupt, world};
    Problem problem = {0};
    RunnerOutcome outcome;
    json_t *machine = fixture_machine("here");
    const SweepRun sweep = fixture_sweep(world->plan, machine, resume);
    if (!sweep_run(&sweep, &tools, &outcome, &problem))
        fail_msg("%s", problem.text);
    json_decref(machine);
    return outcome;
}

static size_t count_cells(const char *order, char cell)
{
    size_t count = 0;
    for (; *order; order++)
        count += *order == cell;
    return count;
}

static void rejected_samples_are_taken_again_at_the_end_of_the_round(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    FakeWorld world = {.plan = plan, .bad = 1};
    const RunnerOutcome outcome = run_world(&world, false);
    assert_int_equal(outcome.rejected, ROUNDS);
    assert_int_equal(outcome.beyond, 0);
    // Each round: a canary, three cells in some order, then cell 1 once more.
    assert_int_equal(strlen(world.order), ROUNDS * (1 + CELLS + 1));
    for (int round = 0; round < ROUNDS; round++) {
        const char *at = world.order + (ptrdiff_t)round * (1 + CELLS + 1);
        assert_int_equal(at[0], 'c');
        assert_int_equal(at[CELLS + 1], '1');
    }
    const JournalContent journal = fixture_journal(plan);
    assert_int_equal(journal.rejected_count, ROUNDS);
    assert_int_equal(journal.canary_count, ROUNDS);
    for (size_t i = 0; i < ROUNDS; i++) {
        assert_string_equal(journal.rejected[i].rejection, "other_cpus 1.5 (limit 0.5)");
        assert_true(journal.rejected[i].excess == 3);
    }
    for (size_t i = 0; i < journal.sample_count; i++)
        assert_string_equal(journal.samples[i].rejection, "");
    JournalContent owned = journal;
    journal_clear(&owned);
    plan_free(plan);
}

static void best_of_those_rejected_too_often_counts_and_is_flagged(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    FakeWorld world = {.plan = plan, .bad = 100};
    const RunnerOutcome outcome = run_world(&world, false);
    assert_int_equal(count_cells(world.order, '1'), ROUNDS * (1 + RETRIES));
    assert_int_equal(outcome.rejected, ROUNDS * (1 + RETRIES));
    assert_int_equal(outcome.beyond, ROUNDS);
    assert_int_equal(outcome.failed_cells, 0);
    Problem problem = {0};
    RunRecord *run = run_record_load("run", &problem);
    assert_non_null(run);
    assert_int_equal(run->rejected_count, ROUNDS * RETRIES);
    CellSummary *summaries = metrics_summarise(run);
    assert_non_null(summaries);
    // The first attempt was disturbed least.
    assert_int_equal(summaries[1].sample_count, ROUNDS);
    for (size_t i = 0; i < ROUNDS; i++)
        assert_true(summaries[1].sample_ns[i] == 1001);
    assert_true(metric_value("samples_rejected", run, &summaries[1]) == ROUNDS * RETRIES);
    assert_true(metric_value("samples_flagged", run, &summaries[1]) == ROUNDS);
    assert_true(metric_value("samples_rejected", run, &summaries[0]) == 0);
    assert_true(metric_value("samples_flagged", run, &summaries[0]) == 0);
    metrics_free(summaries, plan->cell_count);
    run_record_free(run);
    plan_free(plan);
}

// Stopped after every possible number of launches, no round has more attempts than one run makes.
static void resumed_run_knows_what_was_rejected_before(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    FakeWorld whole = {.plan = plan, .bad = 100};
    (void)run_world(&whole, false);
    for (size_t stop = 1; stop < whole.launches; stop++) {
        fixture_remove("run");
        FakeWorld world = {.plan = plan, .bad = 100, .stop_after = stop};
        assert_true(run_world(&world, false).interrupted);
        world.stop_after = 0;
        assert_false(run_world(&world, true).interrupted);
        assert_int_equal(strlen(world.order), strlen(whole.order));
        assert_int_equal(world.canaries, ROUNDS);
        assert_int_equal(count_cells(world.order, '1'), ROUNDS * (1 + RETRIES));
        JournalContent journal = fixture_journal(plan);
        assert_int_equal(journal.rejected_count, ROUNDS * RETRIES);
        journal_clear(&journal);
    }
    plan_free(plan);
}

static void canary_lines_name_no_cell(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    FakeWorld world = {.plan = plan};
    (void)run_world(&world, false);
    JournalContent journal = fixture_journal(plan);
    for (size_t i = 0; i < ROUNDS; i++) {
        const Sample *canary = &journal.canaries[i];
        assert_int_equal(canary->round, i);
        assert_true(canary->ok && canary->real_ns[0] == 5e5 + 1000 * (double)i);
        json_t *line = sample_to_json(canary);
        assert_true(json_is_null(json_object_get(line, "cell")));
        Sample read;
        Problem problem = {0};
        assert_int_equal(json_object_set_new(line, "cell", json_integer(0)), 0);
        assert_false(sample_from_json(line, &read, &problem));
        assert_non_null(strstr(problem.text, "canary"));
        json_decref(line);
    }
    journal_clear(&journal);
    plan_free(plan);
}

static Sample timed_sample(void)
{
    Sample sample = sample_empty();
    sample.task = SAMPLE_TIME;
    sample.ok = true;
    return sample;
}

static void every_limit_rejects_what_is_beyond_it_and_nothing_else(void **state)
{
    (void)state;
    for (LimitId id = 0; id < LIMIT_COUNT; id++) {
        for (int beyond = 0; beyond < 2; beyond++) {
            Sample sample = timed_sample();
            SampleLimits limits = limits_none();
            const double share = beyond ? 0.3 : 0.2;
            const long count = beyond ? 3 : 2;
            limits.most[id] = limit_table[id].is_share ? 0.25 : 2;
            sample.voluntary_switches = sample.involuntary_switches = count;
            sample.minor_faults = sample.major_faults = count;
            assert_true(
                sample_add_value(&sample, "other_cpus", (double)count, "", "os", "") &&
                sample_add_value(&sample, "steal", share, "", "os", "") &&
                sample_add_value(&sample, "throttle_events", (double)count, "", "os", "") &&
                sample_add_value(&sample, "frequency_before", 4, "GHz", "clock", "") &&
                sample_add_value(&sample, "frequency_after", 4 * (1 - share), "GHz", "clock", ""));
            judge_sample(&limits, NAN, &sample);
            assert_int_equal(sample.rejection[0] != '\0', beyond);
            assert_int_equal(sample.excess > 1, beyond);
            if (beyond)
                assert_non_null(strstr(sample.rejection, limit_table[id].key));
            sample_clear(&sample);
        }
    }
}

static void unknown_values_and_no_limits_reject_nothing(void **state)
{
    (void)state;
    Sample sample = timed_sample();
    SampleLimits limits = limits_none();
    sample.major_faults = 1000;
    judge_sample(&limits, 4, &sample);
    assert_string_equal(sample.rejection, "");
    for (int i = 0; i < LIMIT_COUNT; i++)
        limits.most[i] = 0;
    sample.major_faults = -1;
    judge_sample(&limits, 4, &sample);
    assert_string_equal(sample.rejection, "");
}

static void frequency_drop_is_below_the_highest_of_the_cell(void **state)
{
    (void)state;
    Sample sample = timed_sample();
    SampleLimits limits = limits_none();
    limits.most[LIMIT_FREQUENCY_DROP] = 0.05;
    assert_true(sample_add_value(&sample, "frequency_before", 3.5, "GHz", "clock", "") &&
                sample_add_value(&sample, "frequency_after", 3.5, "GHz", "clock", ""));
    judge_sample(&limits, 3.6, &sample);
    assert_string_equal(sample.rejection, "");
    judge_sample(&limits, 4, &sample);
    assert_string_equal(sample.rejection, "frequency_drop 12.5% (limit 5%)");
    assert_true(fabs(sample.excess - 2.5) < 1e-9);
    sample_clear(&sample);
}

static void breaches_of_a_limit_of_zero_are_ranked_by_their_number(void **state)
{
    (void)state;
    Sample sample = timed_sample();
    SampleLimits limits = limits_none();
    limits.most[LIMIT_MAJOR_FAULTS] = 0;
    sample.major_faults = 7;
    judge_sample(&limits, NAN, &sample);
    assert_true(sample.excess == 8);
}

static void rejection_is_read_back_as_written(void **state)
{
    (void)state;
    Sample sample = timed_sample();
    Sample read;
    Problem problem = {0};
    sample.round = 1;
    (void)strcpy(sample.rejection, "steal 3% (limit 1%)");
    sample.excess = 3;
    json_t *json = sample_to_json(&sample);
    assert_true(sample_from_json(json, &read, &problem));
    assert_string_equal(read.rejection, sample.rejection);
    assert_true(read.excess == 3);
    sample_clear(&read);
    assert_int_equal(json_object_del(json, "excess"), 0);
    assert_false(sample_from_json(json, &read, &problem));
    assert_non_null(strstr(problem.text, "excess"));
    json_decref(json);
}

static SampleLimits read_limits(const char *limits)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "name: x\ndefaults: {limits: %s}\nsweeps:\n  - name: x\n    workload: kernel\n"
                   "    axes: {op: binary, size: 1}\n",
                   limits);
    Plan *plan = fixture_plan(text);
    const SampleLimits read = plan->sweeps[0].settings.limits;
    // What plan.json says is the same.
    json_t *json = plan_to_json(plan);
    Problem problem = {0};
    Plan *again = plan_from_json(json, &problem);
    if (!again)
        fail_msg("%s", problem.text);
    else
        assert_memory_equal(&again->sweeps[0].settings.limits, &read, sizeof read);
    plan_free(again);
    json_decref(json);
    plan_free(plan);
    return read;
}

static void limits_are_read_with_their_units(void **state)
{
    (void)state;
    const SampleLimits read =
        read_limits("{other_cpus: 0.1, steal: 1%, involuntary_switches: 50, frequency_drop: 0.05}");
    assert_true(read.most[LIMIT_OTHER_CPUS] == 0.1 && read.most[LIMIT_STEAL] == 0.01);
    assert_true(read.most[LIMIT_INVOLUNTARY_SWITCHES] == 50);
    assert_true(read.most[LIMIT_FREQUENCY_DROP] == 0.05);
    assert_true(isnan(read.most[LIMIT_MAJOR_FAULTS]));
    const SampleLimits none = read_limits("none");
    assert_true(limits_are_none(&none));
}

static void bad_limits_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"{stael: 1%}", "did you mean 'steal'"}, {"{steal: 101%}", "steal"},
        {"{other_cpus: -1}", "other_cpus"},      {"{other_cpus: 5%}", "other_cpus"},
        {"{major_faults: [1]}", "major_faults"}, {"{steal: 1%, steal: 2%}", "steal"},
        {"all", "expected none or a map"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Problem problem = {0};
        FILE *file = fopen("bad.yaml", "we");
        assert_non_null(file);
        (void)fprintf(file,
                      "name: x\ndefaults: {limits: %s}\nsweeps:\n  - name: x\n    workload: "
                      "kernel\n    axes: {op: binary, size: 1}\n",
                      bad[i][0]);
        assert_int_equal(fclose(file), 0);
        assert_null(plan_from_scenario("bad.yaml", NULL, &problem));
        if (!strstr(problem.text, bad[i][1]) || !strstr(problem.text, "bad.yaml:2:"))
            fail_msg("limits %s: %s", bad[i][0], problem.text);
    }
}

static void limits_make_another_plan_and_their_absence_does_not(void **state)
{
    (void)state;
    Plan *plain = fixture_plan("name: x\nsweeps:\n  - name: x\n    workload: kernel\n"
                               "    axes: {op: binary, size: 1}\n");
    Plan *retrying = fixture_plan("name: x\ndefaults: {retries: 3}\nsweeps:\n  - name: x\n"
                                  "    workload: kernel\n    axes: {op: binary, size: 1}\n");
    Plan *limited = fixture_plan("name: x\ndefaults: {limits: {steal: 1%}}\nsweeps:\n  - name: x\n"
                                 "    workload: kernel\n    axes: {op: binary, size: 1}\n");
    assert_string_equal(plain->hash, retrying->hash);
    assert_string_not_equal(plain->hash, limited->hash);
    plan_free(plain);
    plan_free(retrying);
    plan_free(limited);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, fixture_enter, fixture_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(rejected_samples_are_taken_again_at_the_end_of_the_round),
        IN_FOLDER(best_of_those_rejected_too_often_counts_and_is_flagged),
        IN_FOLDER(resumed_run_knows_what_was_rejected_before),
        IN_FOLDER(canary_lines_name_no_cell),
        cmocka_unit_test(every_limit_rejects_what_is_beyond_it_and_nothing_else),
        cmocka_unit_test(unknown_values_and_no_limits_reject_nothing),
        cmocka_unit_test(frequency_drop_is_below_the_highest_of_the_cell),
        cmocka_unit_test(breaches_of_a_limit_of_zero_are_ranked_by_their_number),
        cmocka_unit_test(rejection_is_read_back_as_written),
        IN_FOLDER(limits_are_read_with_their_units),
        IN_FOLDER(bad_limits_are_refused_by_name),
        IN_FOLDER(limits_make_another_plan_and_their_absence_does_not),
    };
    return cmocka_run_group_tests_name("rejections", tests, NULL, NULL);
}
