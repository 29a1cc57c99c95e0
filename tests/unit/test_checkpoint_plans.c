// SPDX-License-Identifier: Apache-2.0
// test_checkpoint_plans.c - backward passes of chains within a budget: what the planners promise,
// run on paper, and known answers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/json_file.h"
#include "hyperion/error.h"
#include "hyperion/planners.h"
#include "solve/chain_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 64 };

typedef struct Instance {
    HyperionChain chain;
    size_t sizes[4][MOST + 1];
    double times[2][MOST + 1];
} Instance;

static uint64_t state_of_random = 1;

static size_t random_below(uint64_t end)
{
    state_of_random = state_of_random * 6364136223846793005U + 1442695040888963407U;
    return (size_t)((state_of_random >> 33) % end);
}

static void make_instance(Instance *instance, int length, size_t unit)
{
    instance->chain = (HyperionChain){length,
                                      instance->sizes[0],
                                      instance->sizes[1],
                                      instance->sizes[2],
                                      instance->sizes[3],
                                      instance->times[0],
                                      instance->times[1],
                                      .gradient_bytes = NULL};
    for (int i = 0; i <= length; i++) {
        instance->sizes[0][i] = unit * (1 + random_below(8));
        instance->sizes[1][i] = instance->sizes[0][i] + unit * random_below(8);
        instance->sizes[2][i] = unit * random_below(3);
        instance->sizes[3][i] = unit * random_below(4);
        instance->times[0][i] = (double)(1 + random_below(9));
        instance->times[1][i] = (double)(1 + random_below(14));
    }
}

static double sum_times(const HyperionChain *chain)
{
    double time = 0;
    for (int i = 1; i <= chain->length; i++)
        time += chain->forward_time[i] + chain->backward_time[i];
    return time;
}

// A chain of which every size and time is `size` and 1.
static HyperionChain make_uniform(int length, size_t size)
{
    size_t *sizes = malloc(((size_t)length + 1) * sizeof *sizes);
    double *times = malloc(((size_t)length + 1) * sizeof *times);
    assert_non_null(sizes);
    assert_non_null(times);
    for (int i = 0; i <= length; i++) {
        sizes[i] = size;
        times[i] = 1;
    }
    return (HyperionChain){length, sizes, sizes, sizes,
                           sizes,  times, times, .gradient_bytes = NULL};
}

static void free_uniform(HyperionChain chain)
{
    free((void *)(uintptr_t)chain.activation_bytes);
    free((void *)(uintptr_t)chain.forward_time);
}

// Least extra forward steps by trying every place of the next checkpoint.
static uint64_t try_uniform(int steps, int checkpoints)
{
    static uint64_t least[41][41];
    if (steps <= 1)
        return 0;
    if (checkpoints == 1)
        return (uint64_t)steps * (uint64_t)(steps - 1) / 2;
    uint64_t *answer = &least[steps][checkpoints];
    if (*answer > 0)
        return *answer;
    *answer = UINT64_MAX;
    for (int next = 1; next < steps; next++) {
        const uint64_t with = (uint64_t)next + try_uniform(steps - next, checkpoints - 1) +
                              try_uniform(next, checkpoints);
        *answer = with < *answer ? with : *answer;
    }
    return *answer;
}

static void uniform_plans_run_forward_as_often_as_trying_everything_says(void **state)
{
    (void)state;
    for (int steps = 1; steps <= 40; steps++) {
        const HyperionChain chain = make_uniform(steps, 0);
        for (int checkpoints = 1; checkpoints <= 12; checkpoints++) {
            HyperionChainPlan plan = hyperionPlanUniformCheckpoints(steps, checkpoints);
            assert_true(plan.valid);
            assert_true(plan.optimal);
            const HyperionChainReplay replay =
                hyperionReplayChain(&chain, plan.steps, plan.step_count);
            assert_true(replay.valid);
            assert_int_equal(replay.extra_forwards, try_uniform(steps, checkpoints));
            assert_int_equal(replay.extra_forwards, plan.extra_forwards);
            assert_int_equal(replay.peak_checkpoints, plan.peak_bytes);
            assert_true(replay.peak_checkpoints <= (size_t)checkpoints);
            assert_int_equal(hyperionCountUniformForwards(steps, checkpoints), plan.extra_forwards);
            hyperionFreeChainPlan(&plan);
        }
        free_uniform(chain);
    }
}

static void uniform_plans_are_those_of_the_known_table(void **state)
{
    (void)state;
    FILE *file = fopen(HYPERION_SOURCE_DIR "/../shared/data/checkpoint/revolve.csv", "r");
    if (!file) {
        print_message("skipped: ../shared/data/checkpoint/revolve.csv is absent\n");
        skip();
    }
    char line[128];
    size_t rows = 0;
    assert_non_null(fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file)) {
        char *at = line;
        const int steps = (int)strtol(at, &at, 10);
        const int checkpoints = (int)strtol(at + 1, &at, 10);
        const unsigned long long extra = strtoull(at + 1, &at, 10);
        HyperionChainPlan plan = hyperionPlanUniformCheckpoints(steps, checkpoints);
        const HyperionChain chain = make_uniform(steps, 0);
        const HyperionChainReplay replay = hyperionReplayChain(&chain, plan.steps, plan.step_count);
        assert_true(replay.valid);
        assert_int_equal(replay.extra_forwards, extra);
        assert_int_equal(plan.extra_forwards, extra);
        assert_true(replay.peak_checkpoints <= (size_t)checkpoints);
        free_uniform(chain);
        hyperionFreeChainPlan(&plan);
        rows++;
    }
    (void)fclose(file);
    assert_int_equal(rows, 150);
}

static void plans_keep_within_their_budget_and_time_never_rises_with_it(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        Instance instance;
        make_instance(&instance, 1 + (int)random_below(round < 50 ? 8 : 30),
                      round % 2 ? 1 : 1000003);
        const size_t unit = round % 2 ? 1 : 1000003;
        HyperionChainPlan all = hyperionPlanCheckpoints(&instance.chain, SIZE_MAX);
        assert_true(all.valid);
        assert_true(all.optimal);
        assert_true(all.time == sum_times(&instance.chain));
        double before = -1;
        for (size_t budget = all.least_bytes; budget <= all.peak_bytes; budget += 5 * unit) {
            HyperionChainPlan plan = hyperionPlanCheckpoints(&instance.chain, budget);
            assert_true(plan.valid);
            assert_non_null(plan.steps);
            const HyperionChainReplay replay =
                hyperionReplayChain(&instance.chain, plan.steps, plan.step_count);
            assert_true(replay.valid);
            assert_true(replay.peak_bytes <= budget);
            assert_int_equal(replay.peak_bytes, plan.peak_bytes);
            assert_true(replay.time == plan.time);
            assert_true(before < 0 || plan.time <= before);
            before = plan.time;
            hyperionFreeChainPlan(&plan);
        }
        hyperionFreeChainPlan(&all);
    }
}

// Keeping every checkpoint until its backward step takes 125 at the least, found by trying all.
static void a_checkpoint_is_dropped_and_made_again_where_that_is_faster(void **state)
{
    (void)state;
    const HyperionChain chain = {6,
                                 (const size_t[]){5, 4, 4, 5, 5, 2, 2},
                                 (const size_t[]){0, 4, 8, 8, 8, 7, 7},
                                 (const size_t[]){0, 2, 2, 0, 2, 0, 2},
                                 (const size_t[]){0, 0, 0, 0, 1, 1, 0},
                                 (const double[]){0, 9, 8, 3, 2, 8, 5},
                                 (const double[]){0, 3, 2, 9, 13, 12, 11},
                                 .gradient_bytes = NULL};
    HyperionChainPlan plan = hyperionPlanCheckpoints(&chain, 27);
    assert_true(plan.valid);
    assert_true(plan.optimal);
    assert_true(plan.time == 120);
    assert_true(plan.peak_bytes <= 27);
    hyperionFreeChainPlan(&plan);
    plan = hyperionPlanCheckpoints(&chain, 24);
    assert_true(plan.valid);
    assert_true(plan.optimal);
    assert_null(plan.steps);
    assert_int_equal(plan.least_bytes, 25);
}

static void a_budget_below_the_least_has_no_plan_and_says_what_is_needed(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        Instance instance;
        make_instance(&instance, 1 + (int)random_below(8), 1);
        HyperionChainPlan none = hyperionPlanCheckpoints(&instance.chain, 0);
        assert_true(none.valid);
        assert_null(none.steps);
        HyperionChainPlan below = hyperionPlanCheckpoints(&instance.chain, none.least_bytes - 1);
        assert_true(below.valid);
        // A stage that keeps all before its turn may need less while it runs than at its turn.
        assert_true(!below.steps || below.peak_bytes < none.least_bytes);
        hyperionFreeChainPlan(&below);
        HyperionChainPlan least = hyperionPlanCheckpoints(&instance.chain, none.least_bytes);
        assert_non_null(least.steps);
        assert_true(least.peak_bytes <= none.least_bytes);
        hyperionFreeChainPlan(&least);
    }
}

static HyperionChainReplay replay(const HyperionChain *chain, size_t count,
                                  const HyperionChainStep *steps)
{
    return hyperionReplayChain(chain, steps, count);
}

static void the_replay_refuses_what_is_no_backward_pass(void **state)
{
    (void)state;
    const HyperionChain chain = make_uniform(2, 1);
    const HyperionChainStep good[] = {{HYPERION_CHAIN_FORWARD_KEEP_ALL, 1, 2},
                                      {HYPERION_CHAIN_BACKWARD, 2, 2},
                                      {HYPERION_CHAIN_BACKWARD, 1, 1}};
    assert_true(replay(&chain, 3, good).valid);
    // Input, two stages and the gradient, and what runs: each is 1.
    assert_int_equal(replay(&chain, 3, good).peak_bytes, 5);
    static const struct {
        HyperionChainStep steps[4];
        size_t count;
        const char *reason;
    } bad[] = {
        {{{HYPERION_CHAIN_FORWARD_KEEP_ALL, 1, 2}, {HYPERION_CHAIN_BACKWARD, 2, 2}}, 2, "end"},
        {{{HYPERION_CHAIN_FORWARD_KEEP_ALL, 2, 2}}, 1, "activation 1 is not there"},
        {{{HYPERION_CHAIN_FORWARD_KEEP_ALL, 1, 1}, {HYPERION_CHAIN_BACKWARD, 1, 1}}, 2, "expected"},
        {{{HYPERION_CHAIN_FORWARD, 1, 2}, {HYPERION_CHAIN_BACKWARD, 2, 2}}, 2, "what is saved"},
        {{{HYPERION_CHAIN_FORWARD_KEEP_ALL, 1, 1}, {HYPERION_CHAIN_FORWARD, 1, 1}}, 2, "is there"},
        {{{HYPERION_CHAIN_FORWARD, 1, 3}}, 1, "of a chain of 2"},
        {{{HYPERION_CHAIN_FORWARD, 2, 1}}, 1, "of a chain of 2"},
        {{{HYPERION_CHAIN_FORWARD, 1, 1},
          {HYPERION_CHAIN_FORWARD_KEEP_ALL, 2, 2},
          {HYPERION_CHAIN_DROP, 1, 1},
          {HYPERION_CHAIN_BACKWARD, 2, 2}},
         4,
         "activation 1 is not there"},
        {{{HYPERION_CHAIN_FORWARD_KEEP_ALL, 1, 2},
          {HYPERION_CHAIN_BACKWARD, 2, 2},
          {HYPERION_CHAIN_FORWARD, 2, 2}},
         3,
         "after its backward"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(replay(&chain, bad[i].count, bad[i].steps).valid);
        assert_non_null(strstr(hyperionGetLastError(), bad[i].reason));
    }
    assert_false(replay(NULL, 3, good).valid);
    assert_false(replay(&chain, 3, NULL).valid);
    free_uniform(chain);
}

static void arguments_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    Instance instance;
    make_instance(&instance, 4, 1);
    HyperionChain chain = instance.chain;
    assert_false(hyperionPlanCheckpoints(NULL, 9).valid);
    chain.length = 0;
    assert_false(hyperionPlanCheckpoints(&chain, 9).valid);
    chain.length = 257;
    assert_false(hyperionPlanCheckpoints(&chain, 9).valid);
    assert_non_null(strstr(hyperionGetLastError(), "257"));
    chain = instance.chain;
    chain.backward_time = NULL;
    assert_false(hyperionPlanCheckpoints(&chain, 9).valid);
    instance.times[0][2] = -1;
    assert_false(hyperionPlanCheckpoints(&instance.chain, 9).valid);
    instance.times[0][2] = 1;
    instance.sizes[1][3] = instance.sizes[0][3] - 1;
    assert_false(hyperionPlanCheckpoints(&instance.chain, 9).valid);
    assert_non_null(strstr(hyperionGetLastError(), "stage 3"));
    instance.sizes[1][3] = SIZE_MAX - 1;
    assert_false(hyperionPlanCheckpoints(&instance.chain, 9).valid);
    assert_non_null(strstr(hyperionGetLastError(), "overflow"));
    assert_false(hyperionPlanUniformCheckpoints(0, 1).valid);
    assert_false(hyperionPlanUniformCheckpoints(10000001, 1).valid);
    assert_false(hyperionPlanUniformCheckpoints(4, 0).valid);
    assert_true(hyperionCountUniformForwards(4, 0) == UINT64_MAX);
    hyperionFreeChainPlan(NULL);
}

static void take(size_t *sizes, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        sizes[i] = (size_t)json_integer_value(json_array_get(array, i));
}

static void take_chain(Instance *instance, const json_t *json)
{
    static const char *const names[] = {"a", "abar", "of", "ob", "uf", "ub"};
    make_instance(instance, (int)json_integer_value(json_object_get(json, "n")), 1);
    for (size_t name = 0; name < 6; name++) {
        size_t values[256] = {0};
        assert_true(json_array_size(json_object_get(json, names[name])) <= 256);
        take(values, json_object_get(json, names[name]));
        for (int i = 0; i <= instance->chain.length; i++)
            if (name < 4)
                instance->sizes[name][i] = values[i];
            else
                instance->times[name - 4][i] = (double)values[i];
    }
}

// Each row of the list `rows` of every instance: never above `member`, and equal if `exact`.
static void hold_against(const char *name, const char *rows, const char *member, bool exact)
{
    Problem problem = {0};
    char path[512];
    (void)snprintf(path, sizeof path, "%s/../shared/data/checkpoint/%s", HYPERION_SOURCE_DIR, name);
    if (access(path, R_OK) != 0) {
        print_message("skipped: %s is absent\n", path);
        skip();
    }
    json_t *list = json_file_read(path, &problem);
    assert_non_null(list);
    size_t at;
    json_t *json;
    json_array_foreach(list, at, json)
    {
        static Instance instance;
        const json_t *chain = json_object_get(json, "chain");
        assert_true(json_integer_value(json_object_get(chain, "n")) <= MOST);
        take_chain(&instance, chain);
        size_t index;
        json_t *row;
        json_array_foreach(json_object_get(json, rows), index, row)
        {
            const size_t budget = (size_t)json_integer_value(json_object_get(row, "budget"));
            const json_t *known = json_object_get(row, member);
            HyperionChainPlan plan = hyperionPlanCheckpoints(&instance.chain, budget);
            assert_true(plan.valid);
            assert_true(plan.steps || json_is_null(known));
            assert_true(plan.optimal || !exact);
            if (plan.steps && exact)
                assert_true(plan.time == json_number_value(known));
            else if (plan.steps && json_is_number(known))
                assert_true(plan.time <= json_number_value(known));
            hyperionFreeChainPlan(&plan);
        }
    }
    json_decref(list);
}

static void plans_are_never_above_the_persistent_optimum(void **state)
{
    (void)state;
    hold_against("chains_persistent.json", "rows", "persistent_optimal", false);
}

static void plans_of_small_chains_are_the_known_optimum(void **state)
{
    (void)state;
    hold_against("small_chains_exact.json", "breakpoints", "optimal", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_plans_run_forward_as_often_as_trying_everything_says),
        cmocka_unit_test(uniform_plans_are_those_of_the_known_table),
        cmocka_unit_test(plans_keep_within_their_budget_and_time_never_rises_with_it),
        cmocka_unit_test(a_checkpoint_is_dropped_and_made_again_where_that_is_faster),
        cmocka_unit_test(a_budget_below_the_least_has_no_plan_and_says_what_is_needed),
        cmocka_unit_test(the_replay_refuses_what_is_no_backward_pass),
        cmocka_unit_test(arguments_that_make_no_sense_are_refused),
        cmocka_unit_test(plans_are_never_above_the_persistent_optimum),
        cmocka_unit_test(plans_of_small_chains_are_the_known_optimum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
