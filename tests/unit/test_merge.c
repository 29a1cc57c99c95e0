// SPDX-License-Identifier: Apache-2.0
// test_merge.c - shards of a sweep and what `merge` makes of them, with a fake worker whose answers
// depend on the request alone.
#define _GNU_SOURCE
#include "run/merge_runs.h"

#include "common/file.h"
#include "common/json_file.h"
#include "run/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

enum { SHARDS = 4, FILE_LIMIT = 1 << 20 };

static const char scenario[] =
    "name: shards\n"
    "defaults: {seed: 7, samples: 3, repetitions: 2, counters: [PAPI_TOT_INS]}\n"
    "sweeps:\n"
    "  - name: all\n"
    "    workload: kernel\n"
    "    axes: {op: gemm, m: 1..16 +1, n: 1, k: 1}\n";

// The time that passes, and all that was asked for: "cell id task\n".
typedef struct FakeWorld {
    double now_ns;
    size_t launches, stop_after;
    double factor; // on all times
    char *order;
    size_t order_length;
    FILE *order_stream;
} FakeWorld;

static void answer(FakeWorld *world, const WorkerRequest *request, WorkerEnd *end)
{
    Sample outcome = sample_empty();
    outcome.ok = true;
    outcome.iterations = request->task == SAMPLE_PILOT ? 10 : request->iterations;
    if (sample_task_is_timed(request->task)) {
        outcome.real_count = (size_t)request->repetitions;
        outcome.real_ns = calloc(outcome.real_count, sizeof *outcome.real_ns);
        outcome.cpu_ns = calloc(outcome.real_count, sizeof *outcome.cpu_ns);
        assert_true(outcome.real_ns && outcome.cpu_ns);
        for (size_t i = 0; i < outcome.real_count; i++)
            outcome.real_ns[i] = outcome.cpu_ns[i] =
                world->factor * (double)request->cell.values[AXIS_M].integer + (double)i + 1;
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
    const WorkerRequest *request = &received.request;
    if (request->task != SAMPLE_CANARY)
        (void)fprintf(world->order_stream, "%s %s\n", request->cell.id,
                      sample_task_name(request->task));
    *end = (WorkerEnd){
        .ending = WORKER_EXITED, .started_unix_s = 1.7e9 + world->now_ns / 1e9, .life_ns = 1e6};
    answer(world, request, end);
    world->now_ns += 1e6;
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

static void make_world(FakeWorld *world, double start_ns)
{
    *world = (FakeWorld){.now_ns = start_ns, .factor = 1000};
    world->order_stream = open_memstream(&world->order, &world->order_length);
    assert_non_null(world->order_stream);
}

static void clear_world(FakeWorld *world)
{
    (void)fclose(world->order_stream);
    free(world->order);
}

static bool try_run(const Plan *plan, FakeWorld *world, const char *directory, const char *key,
                    Shard shard, Problem *problem)
{
    const RunnerTools tools = {launch, read_clock, is_stopped, world};
    RunnerOutcome outcome;
    json_t *machine = fixture_machine(key);
    SweepRun sweep = fixture_sweep(plan, machine, true);
    sweep.directory = directory;
    sweep.shard = shard;
    const bool good = sweep_run(&sweep, &tools, &outcome, problem);
    json_decref(machine);
    (void)fflush(world->order_stream);
    return good;
}

static void run(const Plan *plan, FakeWorld *world, const char *directory, Shard shard)
{
    Problem problem = {0};
    if (!try_run(plan, world, directory, "here", shard, &problem))
        fail_msg("%s", problem.text);
}

static char *read_text(const char *directory, const char *name)
{
    Problem problem = {0};
    size_t bytes = 0;
    char *path = run_file_path(directory, name);
    char *text = file_read(path, FILE_LIMIT, &bytes, &problem);
    if (!text)
        fail_msg("%s", problem.text);
    free(path);
    return text;
}

static void assert_same_file(const char *a, const char *b, const char *name)
{
    char *first = read_text(a, name);
    char *second = read_text(b, name);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static MergeOutcome merge(const char *const *paths, const char *directory, bool facet)
{
    Problem problem = {0};
    MergeOutcome outcome;
    if (!merge_runs(paths, directory, facet, &outcome, &problem))
        fail_msg("%s", problem.text);
    return outcome;
}

static void expect_refusal(const char *const *paths, const char *directory, const char *words)
{
    Problem problem = {0};
    MergeOutcome outcome;
    assert_false(merge_runs(paths, directory, false, &outcome, &problem));
    if (!strstr(problem.text, words))
        fail_msg("expected '%s' in '%s'", words, problem.text);
}

// Runs s1 .. s4, each from another time on.
static void run_shards(const Plan *plan)
{
    for (int i = 1; i <= SHARDS; i++) {
        char directory[8];
        FakeWorld world;
        make_world(&world, 1e9 * i);
        (void)snprintf(directory, sizeof directory, "s%d", i);
        run(plan, &world, directory, (Shard){i, SHARDS});
        clear_world(&world);
    }
}

static void every_cell_is_in_one_shard_and_every_shard_has_some(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    size_t held[SHARDS] = {0};
    for (size_t i = 0; i < plan->cell_count; i++) {
        size_t holders = 0;
        for (int j = 0; j < SHARDS; j++) {
            const bool holds = shard_holds((Shard){j + 1, SHARDS}, plan->cells[i].id);
            holders += holds;
            held[j] += holds;
        }
        assert_int_equal(holders, 1);
        assert_true(shard_holds((Shard){0, 0}, plan->cells[i].id));
    }
    for (int j = 0; j < SHARDS; j++)
        assert_in_range(held[j], 1, 8);
    // Which shard a cell belongs to must never change, or shards of two versions would not fit.
    assert_true(shard_holds((Shard){2, 4}, "kernel/op:gemm/m:512/n:512/k:512"));
    plan_free(plan);
}

static void bad_shards_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "1",   "0/4",  "5/4",  "-1/4",    "1/0",
                                      "1/4x", "a/4", "1//4", "1/ b", "1/10001", NULL};
    for (size_t i = 0; bad[i]; i++) {
        Shard shard;
        Problem problem = {0};
        assert_false(shard_parse(bad[i], &shard, &problem));
        assert_non_null(strstr(problem.text, "expected I/N"));
    }
    Shard shard;
    Problem problem = {0};
    char text[SHARD_TEXT_BYTES];
    assert_true(shard_parse("10000/10000", &shard, &problem));
    shard_format(shard, text);
    assert_string_equal(text, "10000/10000");
}

// The order of a shard is that of the whole run without the cells of the others.
static void shard_keeps_the_order_of_the_whole_run(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    FakeWorld whole;
    make_world(&whole, 0);
    FakeWorld part;
    make_world(&part, 0);
    const Shard shard = {2, SHARDS};
    run(plan, &whole, "whole", (Shard){0});
    run(plan, &part, "part", shard);
    const char *at = part.order;
    for (const char *line = whole.order; *line; line = strchr(line, '\n') + 1) {
        char id[256];
        assert_int_equal(sscanf(line, "%255s", id), 1);
        if (!shard_holds(shard, id))
            continue;
        const size_t length = (size_t)(strchr(line, '\n') + 1 - line);
        assert_int_equal(strncmp(at, line, length), 0);
        at += length;
    }
    assert_int_equal(*at, '\0');
    char *cells = read_text("part", "cells.csv");
    assert_non_null(strstr(cells, ",other_shard,"));
    assert_non_null(strstr(cells, ",ok,"));
    assert_null(strstr(cells, ",incomplete,"));
    free(cells);
    clear_world(&whole);
    clear_world(&part);
    plan_free(plan);
}

static void run_goes_on_with_the_shard_it_began_with(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    FakeWorld world;
    make_world(&world, 0);
    Problem problem = {0};
    world.stop_after = 3;
    run(plan, &world, "part", (Shard){2, SHARDS});
    world.stop_after = 0;
    assert_false(try_run(plan, &world, "part", "here", (Shard){1, SHARDS}, &problem));
    assert_non_null(strstr(problem.text, "begun as shard 2/4, not as shard 1/4"));
    run(plan, &world, "part", (Shard){0});
    char *cells = read_text("part", "cells.csv");
    assert_non_null(strstr(cells, ",other_shard,"));
    assert_null(strstr(cells, ",incomplete,"));
    free(cells);
    clear_world(&world);
    plan_free(plan);
}

static void four_shards_merge_to_the_samples_of_one_run(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    FakeWorld world;
    make_world(&world, 0);
    run(plan, &world, "run", (Shard){0});
    fixture_assert_complete(plan);
    JournalContent whole = fixture_journal(plan);
    run_shards(plan);
    const MergeOutcome outcome =
        merge((const char *const[]){"s1", "s2", "s3", "s4", NULL}, "merged", false);
    assert_int_equal(outcome.samples, whole.sample_count + SHARDS * whole.canary_count);
    assert_int_equal(outcome.duplicates, 0);
    assert_int_equal(outcome.environments, 1);
    fixture_remove("run");
    assert_int_equal(rename("merged", "run"), 0);
    fixture_assert_complete(plan);
    JournalContent merged = fixture_journal(plan);
    assert_int_equal(merged.canary_count, SHARDS * whole.canary_count);
    for (size_t i = 0; i < whole.sample_count; i++) {
        const Sample *sample = &whole.samples[i];
        size_t found = 0;
        for (size_t j = 0; j < merged.sample_count; j++) {
            const Sample *other = &merged.samples[j];
            found += other->cell == sample->cell && other->task == sample->task &&
                     other->round == sample->round && other->iterations == sample->iterations &&
                     other->real_count == sample->real_count &&
                     (sample->real_count == 0 || other->real_ns[0] == sample->real_ns[0]);
        }
        assert_int_equal(found, 1);
    }
    Problem problem = {0};
    json_t *machine = json_file_read("run/" RUN_MACHINE, &problem);
    const json_t *run_member = json_object_get(machine, "run");
    assert_int_equal(json_array_size(json_object_get(run_member, "merged")), SHARDS);
    assert_null(json_object_get(run_member, "shard"));
    json_decref(machine);
    journal_clear(&whole);
    journal_clear(&merged);
    clear_world(&world);
    plan_free(plan);
}

static void files_do_not_depend_on_the_order_of_runs(void **state)
{
    (void)state;
    static const char *const names[] = {RUN_PLAN, RUN_MACHINE, RUN_TOPOLOGY, RUN_JOURNAL,
                                        "benchmark.json"};
    Plan *plan = fixture_plan(scenario);
    run_shards(plan);
    (void)merge((const char *const[]){"s1", "s2", "s3", "s4", NULL}, "forth", false);
    (void)merge((const char *const[]){"s4", "s2", "s1", "s3", NULL}, "back", false);
    (void)merge((const char *const[]){"s3", "s1", NULL}, "odd", false);
    // Shards may be merged in steps, and one may come in twice.
    const MergeOutcome outcome =
        merge((const char *const[]){"s4", "odd", "s2", "s1", NULL}, "steps", false);
    assert_true(outcome.duplicates > 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_same_file("forth", "back", names[i]);
        assert_same_file("forth", "steps", names[i]);
    }
    plan_free(plan);
}

static void different_samples_of_one_job_are_refused(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    FakeWorld world;
    make_world(&world, 0);
    run(plan, &world, "one", (Shard){1, 2});
    world.factor = 1001;
    run(plan, &world, "two", (Shard){1, 2});
    expect_refusal((const char *const[]){"one", "two", NULL}, "merged",
                   "hold different samples of cell");
    assert_int_equal(access("merged", F_OK), -1);
    clear_world(&world);
    plan_free(plan);
}

static void other_plans_and_machines_are_refused_or_kept_apart(void **state)
{
    (void)state;
    Problem problem = {0};
    Plan *plan = fixture_plan(scenario);
    FakeWorld world;
    make_world(&world, 0);
    run(plan, &world, "one", (Shard){1, 2});
    assert_true(try_run(plan, &world, "there", "there", (Shard){2, 2}, &problem));
    plan_set_seed(plan, 8);
    run(plan, &world, "seed", (Shard){2, 2});
    expect_refusal((const char *const[]){"one", "there", NULL}, "merged",
                   "different machines (key here; key there)");
    expect_refusal((const char *const[]){"one", "seed", NULL}, "merged", "different plans");
    expect_refusal((const char *const[]){"one", "nowhere", NULL}, "merged", "nowhere/plan.json");
    expect_refusal((const char *const[]){"one", NULL}, "one", "holds a run of this plan");
    const MergeOutcome outcome =
        merge((const char *const[]){"there", "one", "seed", NULL}, "merged", true);
    assert_int_equal(outcome.directories, 3);
    char path[64];
    (void)snprintf(path, sizeof path, "merged/here-%s/cells.csv", plan->hash);
    assert_int_equal(access(path, F_OK), 0);
    clear_world(&world);
    plan_free(plan);
}

static void torn_and_bad_journals_are_said(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    FakeWorld world;
    make_world(&world, 0);
    run(plan, &world, "one", (Shard){1, 2});
    FILE *file = fopen("one/" RUN_JOURNAL, "ae");
    assert_non_null(file);
    assert_true(fputs("{\"version\":1,\"cell\"", file) >= 0);
    assert_int_equal(fclose(file), 0);
    (void)merge((const char *const[]){"one", NULL}, "merged", false); // torn: left out
    file = fopen("one/" RUN_JOURNAL, "ae");
    assert_non_null(file);
    assert_true(fputs("!\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    expect_refusal((const char *const[]){"one", NULL}, "again", "one/" RUN_JOURNAL ":");
    assert_int_equal(access("again", F_OK), -1);
    clear_world(&world);
    plan_free(plan);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, fixture_enter, fixture_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(every_cell_is_in_one_shard_and_every_shard_has_some),
        cmocka_unit_test(bad_shards_are_refused),
        IN_FOLDER(shard_keeps_the_order_of_the_whole_run),
        IN_FOLDER(run_goes_on_with_the_shard_it_began_with),
        IN_FOLDER(four_shards_merge_to_the_samples_of_one_run),
        IN_FOLDER(files_do_not_depend_on_the_order_of_runs),
        IN_FOLDER(different_samples_of_one_job_are_refused),
        IN_FOLDER(other_plans_and_machines_are_refused_or_kept_apart),
        IN_FOLDER(torn_and_bad_journals_are_said),
    };
    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
