// SPDX-License-Identifier: Apache-2.0
// test_pair.c - two workers under one harness: order, iteration counts, one-sided cells, other
// protocols. The workers are functions here.
#define _GNU_SOURCE
#include "against/pair.h"
#include "common/splitmix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

enum { LOG_LIMIT = 4096 };

typedef struct LogEntry {
    PairSide side;
    SampleTask task;
    long long m; // tells the cells apart
    uint64_t iterations;
} LogEntry;

typedef struct Log {
    LogEntry entries[LOG_LIMIT];
    size_t count;
    size_t stop_after; // launches; 0 = never
} Log;

// What a worker is like; m = 0: no such cell.
typedef struct Worker {
    Log *log;
    PairSide side;
    long long unknown_m, failing_m;
    uint64_t pilot_iterations;
    double noise; // of its times, relative
    int protocol;
    uint64_t random;
    long disturbed; // of so many timed samples the first is; 0 = none
    long timed;
} Worker;

static Log shared_log;

static void make_answer(Worker *worker, const WorkerRequest *request, Sample *outcome)
{
    outcome->ok = true;
    outcome->peak_rss_kib = 1000;
    outcome->iterations =
        request->task == SAMPLE_PILOT ? worker->pilot_iterations : request->iterations;
    if (request->task != SAMPLE_TIME)
        return;
    outcome->real_count = (size_t)request->repetitions;
    outcome->real_ns = calloc(outcome->real_count, sizeof *outcome->real_ns);
    outcome->cpu_ns = calloc(outcome->real_count, sizeof *outcome->cpu_ns);
    assert_true(outcome->real_ns && outcome->cpu_ns);
    const bool disturbed = worker->disturbed && worker->timed++ % worker->disturbed == 0;
    outcome->voluntary_switches = disturbed ? 5 : 0;
    const double ns = 1000 * (1 + worker->noise * (splitmix_unit(&worker->random) - 0.5));
    for (size_t i = 0; i < outcome->real_count; i++)
        outcome->real_ns[i] = outcome->cpu_ns[i] = ns;
}

static void do_request(Worker *worker, const WorkerRequest *request, Sample *outcome)
{
    const long long m = request->cell.values[AXIS_M].integer;
    if (m == worker->unknown_m) {
        (void)snprintf(outcome->reason, sizeof outcome->reason, "cell: no such axis value");
        return;
    }
    assert_true(worker->log->count < LOG_LIMIT);
    worker->log->entries[worker->log->count++] =
        (LogEntry){worker->side, request->task, m, request->iterations};
    if (m == worker->failing_m) {
        (void)snprintf(outcome->reason, sizeof outcome->reason, "wrong result");
        outcome->peak_rss_kib = 1000;
        return;
    }
    make_answer(worker, request, outcome);
}

static void launch(void *context, const char *text, const LaunchLimits *limits, WorkerEnd *end)
{
    (void)limits;
    Worker *worker = context;
    ReceivedRequest received = {0};
    Problem problem = {0};
    Sample outcome = sample_empty();
    *end = (WorkerEnd){.ending = WORKER_EXITED, .life_ns = 1e6};
    if (worker->protocol != PROTOCOL_VERSION) {
        assert_true(asprintf(&end->answer, "{\"protocol\":%d,\"ok\":false}\n", worker->protocol) >
                    0);
        end->answer_length = strlen(end->answer);
        return;
    }
    if (request_read(text, strlen(text), &received, &problem))
        do_request(worker, &received.request, &outcome);
    else
        (void)snprintf(outcome.reason, sizeof outcome.reason, "%.500s", problem.text);
    end->answer = answer_write(&outcome);
    assert_non_null(end->answer);
    end->answer_length = strlen(end->answer);
    request_clear(&received);
    sample_clear(&outcome);
}

static double read_clock(void *context)
{
    (void)context;
    return 0;
}

static bool was_interrupted(void *context)
{
    const Worker *worker = context;
    return worker->log->stop_after && worker->log->count >= worker->log->stop_after;
}

static PairInput make_input(const Plan *plan, Worker *workers)
{
    shared_log = (Log){.count = 0};
    PairInput input = {
        .plan = plan,
        .ground = {.seed = plan->seed, .topology = {1, {{32768, 64, 8, 1}}}},
        .goal = {.effect = 0.05,
                 .least_effect = 0.02,
                 .probability = 0.95,
                 .alpha = 0.01,
                 .most = 20,
                 .seed = 1},
    };
    for (PairSide side = 0; side < PAIR_SIDES; side++) {
        workers[side] = (Worker){.log = &shared_log,
                                 .side = side,
                                 .pilot_iterations = side == PAIR_BASE ? 7 : 10,
                                 .noise = 0.001,
                                 .protocol = PROTOCOL_VERSION,
                                 .random = side};
        input.tools[side] = (RunnerTools){launch, read_clock, was_interrupted, &workers[side]};
    }
    return input;
}

static Plan *make_plan(void)
{
    return fixture_plan("name: pair\ndefaults: {samples: 3, repetitions: 2, counters: default}\n"
                        "sweeps:\n  - name: all\n    workload: kernel\n"
                        "    axes: {op: gemm, k: 1, n: 1, m: [1, 2, 3]}\n");
}

static void prepare(const PairInput *input, Pair *pair)
{
    Problem problem = {0};
    if (!pair_prepare(input, pair, &problem))
        fail_msg("%s", problem.text);
}

// Into the directories base and new.
static void take(Pair *pair, uint64_t seed)
{
    Problem problem = {0};
    json_t *machine = fixture_machine("here");
    const PairRecord records[PAIR_SIDES] = {{"base", machine, NULL}, {"new", machine, NULL}};
    if (!pair_take(pair, seed, records, &problem))
        fail_msg("%s", problem.text);
    json_decref(machine);
}

static RunRecord *load(const char *directory)
{
    Problem problem = {0};
    RunRecord *record = run_record_load(directory, &problem);
    if (!record) {
        fail_msg("%s", problem.text);
        abort(); // does not come here, but the analyzer cannot know
    }
    return record;
}

static size_t count_samples(const RunRecord *record, size_t cell, SampleTask task)
{
    size_t count = 0;
    for (size_t i = 0; i < record->sample_count; i++)
        count += record->samples[i].cell == cell && record->samples[i].task == task;
    return count;
}

static void both_workers_take_every_cell_in_every_round(void **state)
{
    (void)state;
    Worker workers[PAIR_SIDES];
    Plan *plan = make_plan();
    const PairInput input = make_input(plan, workers);
    Pair pair;
    size_t base_first = 0;
    prepare(&input, &pair);
    assert_int_equal(pair.sizes[0].samples, SAMPLE_SIZE_LEAST);
    const size_t before = shared_log.count;
    take(&pair, 1);
    const LogEntry *entries = shared_log.entries + before;
    assert_int_equal(shared_log.count - before, SAMPLE_SIZE_LEAST * 3 * PAIR_SIDES);
    for (size_t round = 0; round < SAMPLE_SIZE_LEAST; round++) {
        bool seen[4] = {false};
        for (size_t i = 0; i < 3; i++) {
            const LogEntry *two = entries + (round * 3 + i) * PAIR_SIDES;
            assert_int_equal(two[0].m, two[1].m);
            assert_int_not_equal(two[0].side, two[1].side);
            assert_false(seen[two[0].m]);
            seen[two[0].m] = true;
            base_first += two[0].side == PAIR_BASE;
            // The larger of the two pilots.
            assert_int_equal(two[0].iterations, 10);
            assert_int_equal(two[1].iterations, 10);
        }
    }
    assert_in_range(base_first, 4, 20); // of 24: a fair coin leaves this once in 2000
    pair_clear(&pair);
    plan_free(plan);
}

static void order_is_that_of_the_seed(void **state)
{
    (void)state;
    static LogEntry first[LOG_LIMIT];
    Worker workers[PAIR_SIDES];
    Plan *plan = make_plan();
    const PairInput input = make_input(plan, workers);
    Pair pair;
    prepare(&input, &pair);
    const size_t before = shared_log.count;
    for (uint64_t seed = 5; seed <= 6; seed++) {
        fixture_remove("base");
        fixture_remove("new");
        shared_log.count = before;
        take(&pair, 5);
        memcpy(first, shared_log.entries, sizeof first);
        fixture_remove("base");
        fixture_remove("new");
        shared_log.count = before;
        take(&pair, seed);
        const bool same = memcmp(first, shared_log.entries, sizeof first) == 0;
        assert_int_equal(same, seed == 5);
    }
    pair_clear(&pair);
    plan_free(plan);
}

static void runs_are_complete_and_alike(void **state)
{
    (void)state;
    Worker workers[PAIR_SIDES];
    Plan *plan = make_plan();
    const PairInput input = make_input(plan, workers);
    Pair pair;
    prepare(&input, &pair);
    take(&pair, 1);
    RunRecord *base = load("base");
    RunRecord *latest = load("new");
    assert_string_equal(base->plan->hash, latest->plan->hash);
    assert_null(base->plan->sweeps[0].settings.counters[0]);
    for (size_t i = 0; i < plan->cell_count; i++) {
        assert_int_equal(count_samples(base, i, SAMPLE_VERIFY), 1);
        assert_int_equal(count_samples(base, i, SAMPLE_PILOT), 1);
        assert_int_equal(count_samples(base, i, SAMPLE_TIME), SAMPLE_SIZE_LEAST);
        assert_int_equal(count_samples(latest, i, SAMPLE_TIME), SAMPLE_SIZE_LEAST);
    }
    assert_int_equal(access("new/cells.csv", F_OK), 0);
    run_record_free(base);
    run_record_free(latest);
    pair_clear(&pair);
    plan_free(plan);
}

static void cell_that_base_does_not_know_is_of_new_alone(void **state)
{
    (void)state;
    Worker workers[PAIR_SIDES];
    Plan *plan = make_plan();
    const PairInput input = make_input(plan, workers);
    Pair pair;
    workers[PAIR_BASE].unknown_m = 2;
    prepare(&input, &pair);
    take(&pair, 1);
    assert_false(pair.cells[1].known);
    assert_string_equal(pair.cells[1].reason, "cell: no such axis value");
    RunRecord *base = load("base");
    RunRecord *latest = load("new");
    assert_int_equal(base->plan->cell_count, 2);
    assert_int_equal(latest->plan->cell_count, 3);
    assert_string_equal(base->plan->cells[1].id, plan->cells[2].id);
    assert_int_equal(count_samples(base, 1, SAMPLE_TIME), SAMPLE_SIZE_LEAST);
    assert_int_equal(count_samples(latest, 1, SAMPLE_TIME), SAMPLE_SIZE_LEAST);
    for (size_t i = 0; i < shared_log.count; i++)
        assert_false(shared_log.entries[i].side == PAIR_BASE && shared_log.entries[i].m == 2);
    run_record_free(base);
    run_record_free(latest);
    pair_clear(&pair);
    plan_free(plan);
}

static void base_that_knows_nothing_is_an_error(void **state)
{
    (void)state;
    Worker workers[PAIR_SIDES];
    Plan *plan = fixture_plan("name: pair\ndefaults: {samples: 3, counters: none}\n"
                              "sweeps:\n  - name: all\n    workload: kernel\n"
                              "    axes: {op: gemm, k: 1, n: 1, m: 2}\n");
    const PairInput input = make_input(plan, workers);
    Pair pair;
    Problem problem = {0};
    workers[PAIR_BASE].unknown_m = 2;
    assert_false(pair_prepare(&input, &pair, &problem));
    assert_non_null(strstr(problem.text, "BASE knows none of the cells"));
    assert_non_null(strstr(problem.text, "cell: no such axis value"));
    pair_clear(&pair);
    plan_free(plan);
}

static void failure_on_either_side_ends_the_cell_on_both(void **state)
{
    (void)state;
    for (PairSide side = 0; side < PAIR_SIDES; side++) {
        Worker workers[PAIR_SIDES];
        Plan *plan = make_plan();
        const PairInput input = make_input(plan, workers);
        Pair pair;
        workers[side].failing_m = 3;
        prepare(&input, &pair);
        take(&pair, 1);
        for (size_t i = 0; i < shared_log.count; i++)
            assert_false(shared_log.entries[i].m == 3 &&
                         shared_log.entries[i].task != SAMPLE_VERIFY);
        RunRecord *failed = load(side == PAIR_BASE ? "base" : "new");
        assert_int_equal(count_samples(failed, 2, SAMPLE_VERIFY), 1);
        assert_int_equal(count_samples(failed, 1, SAMPLE_TIME), SAMPLE_SIZE_LEAST);
        run_record_free(failed);
        fixture_remove("base");
        fixture_remove("new");
        pair_clear(&pair);
        plan_free(plan);
    }
}

static void worker_of_another_protocol_is_refused_before_anything_runs(void **state)
{
    (void)state;
    Worker workers[PAIR_SIDES];
    Plan *plan = make_plan();
    const PairInput input = make_input(plan, workers);
    Pair pair;
    Problem problem = {0};
    workers[PAIR_BASE].protocol = 9;
    assert_false(pair_prepare(&input, &pair, &problem));
    assert_non_null(strstr(problem.text, "the worker of BASE cannot be compared"));
    assert_non_null(strstr(problem.text, "protocol version 9, this program speaks"));
    assert_int_equal(shared_log.count, 0);
    pair_clear(&pair);
    plan_free(plan);
}

static void noise_asks_for_more_samples_up_to_the_bound(void **state)
{
    (void)state;
    size_t before = 0;
    static const double noises[] = {0.001, 0.06, 0.8};
    for (size_t i = 0; i < 3; i++) {
        Worker workers[PAIR_SIDES];
        Plan *plan = make_plan();
        const PairInput input = make_input(plan, workers);
        Pair pair;
        workers[PAIR_BASE].noise = workers[PAIR_NEW].noise = noises[i];
        prepare(&input, &pair);
        assert_true(pair.sizes[0].samples > before);
        before = pair.sizes[0].samples;
        assert_int_equal(pair.plans[PAIR_NEW]->sweeps[0].settings.samples, before);
        pair_clear(&pair);
        plan_free(plan);
    }
    assert_int_equal(before, 20);
}

static void sample_beyond_the_limits_is_taken_again_at_once(void **state)
{
    (void)state;
    Worker workers[PAIR_SIDES];
    Plan *plan = fixture_plan(
        "name: pair\ndefaults: {samples: 3, repetitions: 2, counters: none, retries: 2, "
        "limits: {voluntary_switches: 1}}\n"
        "sweeps:\n  - name: all\n    workload: kernel\n"
        "    axes: {op: gemm, k: 1, n: 1, m: [1, 2]}\n");
    const PairInput input = make_input(plan, workers);
    Pair pair;
    workers[PAIR_NEW].disturbed = 2;
    prepare(&input, &pair);
    const size_t before = shared_log.count;
    take(&pair, 1);
    RunRecord *base = load("base");
    RunRecord *latest = load("new");
    assert_int_equal(base->rejected_count, 0);
    assert_true(latest->rejected_count > 0);
    for (size_t i = 0; i < plan->cell_count; i++)
        assert_int_equal(count_samples(latest, i, SAMPLE_TIME), pair.sizes[0].samples);
    for (size_t i = 0; i < latest->sample_count; i++)
        assert_string_equal(latest->samples[i].rejection, "");
    // All of one side stand together, whichever comes first.
    size_t changes = 0;
    for (size_t i = before + 1; i < shared_log.count; i++)
        changes += shared_log.entries[i].m != shared_log.entries[i - 1].m ||
                   shared_log.entries[i].side != shared_log.entries[i - 1].side;
    assert_true(changes < (size_t)2 * 2 * pair.sizes[0].samples);
    assert_int_equal(shared_log.count - before,
                     (size_t)2 * 2 * pair.sizes[0].samples + latest->rejected_count);
    run_record_free(base);
    run_record_free(latest);
    pair_clear(&pair);
    plan_free(plan);
}

static void interruption_keeps_what_was_taken(void **state)
{
    (void)state;
    Worker workers[PAIR_SIDES];
    Plan *plan = make_plan();
    const PairInput input = make_input(plan, workers);
    Pair pair;
    prepare(&input, &pair);
    shared_log.stop_after = shared_log.count + 5;
    take(&pair, 1);
    assert_true(pair.interrupted);
    RunRecord *base = load("base");
    RunRecord *latest = load("new");
    size_t timed = 0;
    for (size_t i = 0; i < plan->cell_count; i++)
        timed += count_samples(base, i, SAMPLE_TIME) + count_samples(latest, i, SAMPLE_TIME);
    assert_int_equal(timed, 5);
    run_record_free(base);
    run_record_free(latest);
    pair_clear(&pair);
    plan_free(plan);
}

int main(void)
{
#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_enter, fixture_leave)
    const struct CMUnitTest tests[] = {
        PAIR_TEST(both_workers_take_every_cell_in_every_round),
        PAIR_TEST(order_is_that_of_the_seed),
        PAIR_TEST(runs_are_complete_and_alike),
        PAIR_TEST(cell_that_base_does_not_know_is_of_new_alone),
        PAIR_TEST(base_that_knows_nothing_is_an_error),
        PAIR_TEST(failure_on_either_side_ends_the_cell_on_both),
        PAIR_TEST(worker_of_another_protocol_is_refused_before_anything_runs),
        PAIR_TEST(noise_asks_for_more_samples_up_to_the_bound),
        PAIR_TEST(sample_beyond_the_limits_is_taken_again_at_once),
        PAIR_TEST(interruption_keeps_what_was_taken),
    };
    return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
