// SPDX-License-Identifier: Apache-2.0
// test_random_plans.c - COUNT random instances of many kinds through every planner of offsets, and
// the plans through the checker. test_random_plans COUNT [SEED]
#include "hyperion/error.h"
#include "hyperion/planners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST_BUFFERS = 120 };

static long instance_count = 100;
static uint64_t first_seed = 1;
static uint64_t random_state;

static uint64_t draw(uint64_t end)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (random_state >> 33) % end;
}

// Sizes spread over all magnitudes up to 2^bits.
static size_t draw_size(unsigned bits)
{
    return (size_t)draw((uint64_t)1 << draw(bits + 1));
}

// What the buffers of an instance have in common.
typedef struct Kind {
    int64_t steps;           // buffers begin at one of them
    int64_t longest;         // steps that most buffers are needed
    unsigned size_bits;      // up to 31
    unsigned alignment_bits; // alignments are powers of two up to it; 0: any
    bool round_sizes;        // to few different sizes, so that many orders are equal
    bool long_lived;         // some are needed from first to last step
} Kind;

static Kind draw_kind(void)
{
    return (Kind){.steps = 1 + (int64_t)draw(100),
                  .longest = 1 + (int64_t)draw(draw(2) ? 6 : 60),
                  .size_bits = (unsigned)draw(32),
                  .alignment_bits = draw(2) ? (unsigned)draw(13) : 0,
                  .round_sizes = draw(3) == 0,
                  .long_lived = draw(3) == 0};
}

static void make_instance(const Kind *kind, HyperionBuffer *buffers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const int64_t lower = (int64_t)draw((uint64_t)kind->steps) - 20;
        const bool all_the_time = kind->long_lived && draw(8) == 0;
        size_t size_bytes = draw_size(kind->size_bits);
        if (kind->round_sizes)
            size_bytes = (size_bytes >> kind->size_bits / 2) << kind->size_bits / 2;
        buffers[i] = (HyperionBuffer){
            .lower = all_the_time ? -20 : lower,
            .upper =
                all_the_time ? kind->steps : lower + (int64_t)draw((uint64_t)kind->longest + 1),
            .size_bytes = size_bytes,
            .alignment = kind->alignment_bits ? (size_t)1 << draw(kind->alignment_bits + 1) : 0};
    }
}

// The bytes needed at the fullest step.
static size_t find_fullest(const HyperionBuffer *buffers, size_t count)
{
    size_t fullest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t sum = 0;
        for (size_t j = 0; j < count; j++)
            if (buffers[j].lower <= buffers[i].lower && buffers[i].lower < buffers[j].upper)
                sum += buffers[j].size_bytes;
        fullest = sum > fullest ? sum : fullest;
    }
    return fullest;
}

static void expect_checked(const HyperionBuffer *buffers, size_t count, const size_t *offsets,
                           size_t height_bytes, const char *what, uint64_t seed)
{
    if (!hyperionCheckOffsets(buffers, count, offsets, height_bytes))
        fail_msg("seed %llu, %s: %s", (unsigned long long)seed, what, hyperionGetLastError());
}

static size_t check_strategies(const HyperionBuffer *buffers, size_t count, uint64_t seed)
{
    size_t offsets[MOST_BUFFERS] = {0};
    size_t least = SIZE_MAX;
    for (int i = 0; hyperionPlacementStrategyName(i); i++) {
        const size_t height = hyperionPlaceByStrategy(i, buffers, count, offsets);
        expect_checked(buffers, count, offsets, height, hyperionPlacementStrategyName(i), seed);
        least = height < least ? height : least;
    }
    return least;
}

// Asks for a plan within some capacity, which may be less than any plan needs.
static void check_capacity(const HyperionBuffer *buffers, size_t count, size_t by_heuristics,
                           size_t lowest_known, size_t fullest, uint64_t seed)
{
    size_t offsets[MOST_BUFFERS] = {0};
    const size_t capacity = 1 + fullest / 2 + (size_t)draw(lowest_known + 1);
    const HyperionOffsetRequest request = {.effort = (float)draw(40) / 100,
                                           .capacity_bytes = capacity};
    const HyperionOffsetPlan plan = hyperionPlanOffsets(buffers, count, &request, offsets);
    assert_true(plan.valid);
    const bool found =
        plan.status == HYPERION_PLAN_OPTIMAL || plan.status == HYPERION_PLAN_FEASIBLE;
    if (found)
        expect_checked(buffers, count, offsets, capacity, "within a capacity", seed);
    if ((found && capacity < fullest) || (!found && capacity >= by_heuristics) ||
        (plan.status == HYPERION_PLAN_INFEASIBLE && capacity >= lowest_known))
        fail_msg("seed %llu: status %d at capacity %zu, fullest step %zu, known height %zu",
                 (unsigned long long)seed, (int)plan.status, capacity, fullest, lowest_known);
}

static void check_instance(uint64_t seed)
{
    random_state = seed * 0x9e3779b97f4a7c15U;
    HyperionBuffer buffers[MOST_BUFFERS];
    size_t offsets[MOST_BUFFERS] = {0};
    const Kind kind = draw_kind();
    const size_t count = (size_t)draw(draw(4) ? 40 : MOST_BUFFERS + 1);
    make_instance(&kind, buffers, count);
    const size_t fullest = find_fullest(buffers, count);
    const size_t least = check_strategies(buffers, count, seed);
    const HyperionOffsetRequest request = {.effort = (float)draw(40) / 100};
    const HyperionOffsetPlan plan = hyperionPlanOffsets(buffers, count, &request, offsets);
    assert_true(plan.valid);
    expect_checked(buffers, count, offsets, plan.height_bytes, plan.strategy, seed);
    if (plan.height_bytes > least || plan.height_bytes < plan.lower_bound_bytes ||
        plan.lower_bound_bytes < fullest)
        fail_msg("seed %llu: height %zu, lower bound %zu, best heuristic %zu, fullest step %zu",
                 (unsigned long long)seed, plan.height_bytes, plan.lower_bound_bytes, least,
                 fullest);
    check_capacity(buffers, count, least, plan.height_bytes, fullest, seed);
}

static void plans_of_random_instances_pass_the_check(void **state)
{
    (void)state;
    for (long i = 0; i < instance_count; i++)
        check_instance(first_seed + (uint64_t)i);
    print_message("%ld instances from seed %llu\n", instance_count, (unsigned long long)first_seed);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        instance_count = strtol(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_of_random_instances_pass_the_check),
    };
    return cmocka_run_group_tests_name("random_plans", tests, NULL, NULL);
}
