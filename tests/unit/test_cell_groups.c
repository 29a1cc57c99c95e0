// SPDX-License-Identifier: Apache-2.0
// test_cell_groups.c - cells that agree are found together, and which axes follow which, in plans
// of thousands of cells too.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/cell_groups.h"

#include <stdlib.h>

enum { MANY_CELLS = 5000 };

static bool uses_sizes(const AxisValue *values, AxisId axis)
{
    (void)values;
    return axis == AXIS_M || axis == AXIS_N || axis == AXIS_K;
}

static const Workload workload = {.name = "kernel", .uses = uses_sizes};

// m takes `m_count` values, n those of m doubled, k counts the cells.
static Plan make_plan(PlanSweep *sweep, size_t m_count)
{
    Cell *cells = calloc(MANY_CELLS, sizeof *cells);
    assert_non_null(cells);
    *sweep = (PlanSweep){.name = "many", .workload = &workload, .cell_count = MANY_CELLS};
    for (size_t i = 0; i < MANY_CELLS; i++) {
        cells[i].workload = &workload;
        cells[i].sweep = sweep;
        cells[i].values[AXIS_M].integer = (long long)(i % m_count) + 1;
        cells[i].values[AXIS_N].integer = 2 * cells[i].values[AXIS_M].integer;
        cells[i].values[AXIS_K].integer = (long long)i + 1;
    }
    return (Plan){.sweeps = sweep, .sweep_count = 1, .cells = cells, .cell_count = MANY_CELLS};
}

static void cells_that_agree_are_one_group(void **state)
{
    (void)state;
    PlanSweep sweep;
    Plan plan = make_plan(&sweep, 7);
    const AxisList axes = {.axes = {AXIS_M, AXIS_N}, .count = 2};
    CellGroups groups;
    assert_true(cell_groups_find(&plan, &axes, &groups));
    assert_int_equal(groups.count, 7);
    for (size_t i = 0; i < MANY_CELLS; i++)
        assert_int_equal(groups.group_of[i], i % 7);
    for (size_t group = 0; group < groups.count; group++)
        for (size_t i = groups.first[group]; i < groups.first[group + 1]; i++)
            assert_int_equal(groups.members[i], (i - groups.first[group]) * 7 + group);
    assert_int_equal(groups.first[groups.count], MANY_CELLS);
    cell_groups_clear(&groups);
    free(plan.cells);
}

static void without_axes_all_cells_are_one_group(void **state)
{
    (void)state;
    PlanSweep sweep;
    Plan plan = make_plan(&sweep, 7);
    CellGroups groups;
    assert_true(cell_groups_find(&plan, &(AxisList){.count = 0}, &groups));
    assert_int_equal(groups.count, 1);
    assert_int_equal(groups.first[1], MANY_CELLS);
    cell_groups_clear(&groups);
    free(plan.cells);
}

static void axes_follow_whatever_the_number_of_values(void **state)
{
    (void)state;
    static const size_t counts[] = {3, 64, 65, 500, MANY_CELLS / 2};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        PlanSweep sweep;
        Plan plan = make_plan(&sweep, counts[i]);
        assert_true(sweep_axis_follows(&plan, &sweep, AXIS_N, AXIS_M));
        assert_true(sweep_axis_follows(&plan, &sweep, AXIS_M, AXIS_K));
        assert_false(sweep_axis_follows(&plan, &sweep, AXIS_K, AXIS_M));
        plan.cells[MANY_CELLS - 1].values[AXIS_N].integer = 1;
        assert_false(sweep_axis_follows(&plan, &sweep, AXIS_N, AXIS_M));
        free(plan.cells);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_that_agree_are_one_group),
        cmocka_unit_test(without_axes_all_cells_are_one_group),
        cmocka_unit_test(axes_follow_whatever_the_number_of_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
