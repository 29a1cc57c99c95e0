// SPDX-License-Identifier: Apache-2.0
// test_plan_offsets.c - offsets of buffers: what the planner promises, held against trying
// everything on small instances, and known answers on hard ones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hyperion/error.h"
#include "hyperion/planners.h"
#include "solve/buffer_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 40 };

static const HyperionOffsetRequest proved = {.effort = 1};

static uint64_t state_of_random = 1;

static uint64_t random_below(uint64_t end)
{
    state_of_random = state_of_random * 6364136223846793005U + 1442695040888963407U;
    return (state_of_random >> 33) % end;
}

static void make_instance(HyperionBuffer *buffers, size_t count, bool aligned)
{
    for (size_t i = 0; i < count; i++) {
        const int64_t lower = (int64_t)random_below(count);
        buffers[i] = (HyperionBuffer){.lower = lower,
                                      .upper = lower + (int64_t)random_below(count / 2 + 1),
                                      .size_bytes = (size_t)random_below(12),
                                      .alignment = aligned ? (size_t)1 << random_below(3) : 0};
    }
}

static bool meet(const HyperionBuffer *a, const HyperionBuffer *b)
{
    return a->lower < b->upper && b->lower < a->upper;
}

// The lowest height of all plans that place the buffers in some order, each as low as it goes above
// those before it: among these is a lowest plan.
static void try_all(const HyperionBuffer *buffers, size_t count, unsigned placed, size_t *offsets,
                    size_t height, size_t *least)
{
    if (height >= *least)
        return;
    if (placed + 1U == 1U << count)
        *least = height;
    for (size_t i = 0; i < count; i++) {
        if (placed >> i & 1)
            continue;
        size_t offset = 0;
        for (size_t j = 0; j < count; j++)
            if (placed >> j & 1 && meet(&buffers[i], &buffers[j]) &&
                offsets[j] + buffers[j].size_bytes > offset)
                offset = offsets[j] + buffers[j].size_bytes;
        const size_t step = buffers[i].alignment > 1 ? buffers[i].alignment : 1;
        offsets[i] = (offset + step - 1) / step * step;
        const size_t end = offsets[i] + buffers[i].size_bytes;
        try_all(buffers, count, placed | 1U << i, offsets, end > height ? end : height, least);
    }
}

// Only buffers that are needed and have bytes.
static size_t drop_empty(HyperionBuffer *buffers, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (buffers[i].size_bytes > 0 && buffers[i].lower < buffers[i].upper)
            buffers[kept++] = buffers[i];
    return kept;
}

static void small_instances_get_the_lowest_height_of_all_plans(void **state)
{
    (void)state;
    for (int round = 0; round < 400; round++) {
        HyperionBuffer buffers[7];
        size_t offsets[7] = {0};
        size_t scratch[7] = {0};
        make_instance(buffers, 7, round % 2 == 1);
        const size_t count = drop_empty(buffers, 7);
        size_t least = SIZE_MAX;
        try_all(buffers, count, 0, scratch, 0, &least);
        const HyperionOffsetPlan plan = hyperionPlanOffsets(buffers, count, &proved, offsets);
        assert_true(plan.valid);
        assert_int_equal(plan.height_bytes, least);
        assert_int_equal(plan.status, HYPERION_PLAN_OPTIMAL);
        assert_int_equal(plan.lower_bound_bytes, least);
        assert_true(hyperionCheckOffsets(buffers, count, offsets, least));
        if (least == 0)
            continue;
        const HyperionOffsetRequest tight = {.effort = 1, .capacity_bytes = least - 1};
        const HyperionOffsetPlan none = hyperionPlanOffsets(buffers, count, &tight, offsets);
        assert_int_equal(none.status,
                         least == 1 ? HYPERION_PLAN_OPTIMAL : HYPERION_PLAN_INFEASIBLE);
        assert_int_equal(none.height_bytes, least == 1 ? 1 : 0);
    }
}

static void no_plan_is_above_a_heuristic_and_all_pass_the_check(void **state)
{
    (void)state;
    for (int round = 0; round < 600; round++) {
        HyperionBuffer buffers[MOST];
        size_t offsets[MOST] = {0};
        size_t other[MOST] = {0};
        const size_t count = 1 + (size_t)random_below(MOST);
        make_instance(buffers, count, round % 2 == 1);
        const HyperionOffsetRequest request = {.effort = 0.1F};
        const HyperionOffsetPlan plan = hyperionPlanOffsets(buffers, count, &request, offsets);
        assert_true(plan.valid && plan.height_bytes >= plan.lower_bound_bytes);
        assert_true(hyperionCheckOffsets(buffers, count, offsets, plan.height_bytes));
        for (int i = 0; hyperionPlacementStrategyName(i); i++) {
            const size_t height = hyperionPlaceByStrategy(i, buffers, count, other);
            assert_true(height >= plan.height_bytes);
            assert_true(hyperionCheckOffsets(buffers, count, other, height));
        }
        const HyperionOffsetPlan again = hyperionPlanOffsets(buffers, count, &request, other);
        assert_int_equal(again.nodes, plan.nodes);
        assert_memory_equal(other, offsets, count * sizeof *offsets);
    }
}

static void the_check_finds_what_is_wrong(void **state)
{
    (void)state;
    const HyperionBuffer buffers[] = {{0, 2, 8, 0}, {1, 3, 8, 4}, {2, 4, 8, 0}};
    assert_true(hyperionCheckOffsets(buffers, 3, (size_t[]){0, 8, 0}, 16));
    assert_false(hyperionCheckOffsets(buffers, 3, (size_t[]){0, 4, 16}, 24));
    assert_non_null(strstr(hyperionGetLastError(), "buffers 0 and 1"));
    assert_false(hyperionCheckOffsets(buffers, 3, (size_t[]){0, 10, 0}, 24));
    assert_non_null(strstr(hyperionGetLastError(), "multiple of 4"));
    assert_false(hyperionCheckOffsets(buffers, 3, (size_t[]){0, 8, 0}, 15));
    assert_non_null(strstr(hyperionGetLastError(), "capacity of 15"));
    assert_false(hyperionCheckOffsets(buffers, 3, (size_t[]){0, SIZE_MAX - 3, 0}, SIZE_MAX));
    assert_false(hyperionCheckOffsets(NULL, 3, (size_t[]){0, 8, 0}, 16));
}

static void expect_failure(const HyperionBuffer *buffers, size_t count,
                           const HyperionOffsetRequest *request, const char *words)
{
    size_t offsets[4] = {1, 2, 3, 4};
    const HyperionOffsetPlan plan = hyperionPlanOffsets(buffers, count, request, offsets);
    assert_false(plan.valid);
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
    assert_non_null(strstr(hyperionGetLastError(), words));
    assert_int_equal(offsets[0], 1);
}

static void senseless_calls_fail_and_change_nothing(void **state)
{
    (void)state;
    const HyperionBuffer good = {0, 1, 8, 0};
    const HyperionBuffer backwards = {3, 1, 8, 0};
    const HyperionBuffer huge[] = {{0, 1, SIZE_MAX - 4, 0}, {0, 1, 8, 0}};
    const HyperionBuffer far = {0, 1, SIZE_MAX - 4, 0};
    expect_failure(NULL, 1, &proved, "buffers is NULL");
    expect_failure(&good, 1, NULL, "request is NULL");
    expect_failure(&backwards, 1, &proved, "from step 3 to 1");
    expect_failure(huge, 2, &proved, "do not fit");
    expect_failure(&good, 1, &(HyperionOffsetRequest){.effort = 1.5F}, "expected 0 to 1");
    expect_failure(&good, 1, &(HyperionOffsetRequest){.effort = NAN}, "expected 0 to 1");
    expect_failure(&good, 1, &(HyperionOffsetRequest){.time_limit_s = -1}, "time limit");
    assert_true(hyperionPlanOffsets(&far, 1, &proved, &(size_t){0}).valid);
    assert_int_equal(hyperionPlaceByStrategy(99, &good, 1, &(size_t){0}), SIZE_MAX);
    assert_int_equal(hyperionPlanOffsets(NULL, 0, &proved, NULL).status, HYPERION_PLAN_OPTIMAL);
}

static void little_effort_proves_nothing(void **state)
{
    (void)state;
    BufferFile file = {0};
    Problem problem = {0};
    if (!buffer_file_read(&file, HYPERION_SOURCE_DIR "/../shared/data/minimalloc/A.1048576.csv",
                          &problem)) {
        buffer_file_clear(&file);
        print_message("skipped: no instances beside the project (%s)\n", problem.text);
        skip();
    }
    size_t *offsets = calloc(file.count, sizeof *offsets);
    const HyperionOffsetRequest lazy = {.effort = 0, .capacity_bytes = 1048576};
    const HyperionOffsetPlan plan = hyperionPlanOffsets(file.buffers, file.count, &lazy, offsets);
    assert_int_equal(plan.status, HYPERION_PLAN_NOT_FOUND);
    assert_int_equal(plan.nodes, 0);
    const HyperionOffsetRequest below = {.effort = 0, .capacity_bytes = 1048575};
    assert_int_equal(hyperionPlanOffsets(file.buffers, file.count, &below, offsets).status,
                     HYPERION_PLAN_INFEASIBLE);
    free(offsets);
    buffer_file_clear(&file);
}

// A block of 1 MiB over 1000 steps, cut into pieces, now in time and now in bytes, always the
// largest: they fit it without a byte to spare.
static void cut_block(HyperionBuffer *pieces, size_t count)
{
    pieces[0] = (HyperionBuffer){.lower = 0, .upper = 1000, .size_bytes = 1 << 20};
    for (size_t made = 1; made < count; made++) {
        size_t at = 0;
        for (size_t i = 1; i < made; i++)
            if ((uint64_t)(pieces[i].upper - pieces[i].lower) * pieces[i].size_bytes >
                (uint64_t)(pieces[at].upper - pieces[at].lower) * pieces[at].size_bytes)
                at = i;
        HyperionBuffer *piece = &pieces[at];
        pieces[made] = *piece;
        if (piece->upper - piece->lower > 4 && random_below(2) == 0) {
            piece->upper -= 1 + (int64_t)random_below((uint64_t)(piece->upper - piece->lower) - 1);
            pieces[made].lower = piece->upper;
        } else {
            pieces[made].size_bytes = 1024 * (1 + (size_t)random_below(piece->size_bytes / 1024));
            piece->size_bytes -= pieces[made].size_bytes;
        }
    }
}

static void blocks_cut_into_pieces_are_put_together_again(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        HyperionBuffer pieces[MOST];
        size_t offsets[MOST] = {0};
        cut_block(pieces, MOST);
        const HyperionOffsetRequest request = {.effort = 0.3F, .capacity_bytes = 1 << 20};
        const HyperionOffsetPlan plan = hyperionPlanOffsets(pieces, MOST, &request, offsets);
        assert_int_equal(plan.status, HYPERION_PLAN_OPTIMAL);
        assert_true(hyperionCheckOffsets(pieces, MOST, offsets, 1 << 20));
    }
}

static void hard_instances_fit_their_capacity(void **state)
{
    static const struct {
        const char *name;
        size_t capacity_bytes;
    } known[] = {{"A", 1048576}, {"C", 1039360}, {"E", 1048576}, {"G", 1048576}, {"K", 1048576}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char path[512];
        BufferFile file = {0};
        Problem problem = {0};
        (void)snprintf(path, sizeof path, "%s/../shared/data/minimalloc/%s.1048576.csv",
                       HYPERION_SOURCE_DIR, known[i].name);
        if (!buffer_file_read(&file, path, &problem)) {
            buffer_file_clear(&file);
            print_message("skipped: no instances beside the project (%s)\n", problem.text);
            skip();
        }
        size_t *offsets = calloc(file.count, sizeof *offsets);
        const HyperionOffsetRequest request = {.effort = 1,
                                               .capacity_bytes = known[i].capacity_bytes};
        const HyperionOffsetPlan plan =
            hyperionPlanOffsets(file.buffers, file.count, &request, offsets);
        assert_int_equal(plan.status, HYPERION_PLAN_OPTIMAL);
        assert_true(
            hyperionCheckOffsets(file.buffers, file.count, offsets, known[i].capacity_bytes));
        free(offsets);
        buffer_file_clear(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_instances_get_the_lowest_height_of_all_plans),
        cmocka_unit_test(no_plan_is_above_a_heuristic_and_all_pass_the_check),
        cmocka_unit_test(the_check_finds_what_is_wrong),
        cmocka_unit_test(senseless_calls_fail_and_change_nothing),
        cmocka_unit_test(little_effort_proves_nothing),
        cmocka_unit_test(blocks_cut_into_pieces_are_put_together_again),
        cmocka_unit_test(hard_instances_fit_their_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
