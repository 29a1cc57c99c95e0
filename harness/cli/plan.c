// SPDX-License-Identifier: Apache-2.0
// plan.c - `hyperion plan`: every cell of a scenario and what a run will cost; nothing is run.
#include "scenario/plan.h"
#include "cli/command.h"
#include "common/quantity.h"
#include "common/text_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const CommandOption options[] = {
    {"--set", "AXIS=VALUES", true, "replace an axis in every sweep that uses it"},
    {"--json", NULL, false, "print one JSON document"},
    {NULL, NULL, false, NULL},
};

static int run_plan(const CommandArguments *arguments);

const Command command_plan = {
    .name = "plan",
    .operands = "SCENARIO",
    .summary = "print every cell of a scenario and the estimated duration; nothing is run",
    .least_words = 1,
    .most_words = 1,
    .options = options,
    .run = run_plan,
};

// Axes in the identity of a cell of the sweep: a default tells nothing.
static void find_shown_axes(const Plan *plan, const PlanSweep *sweep, bool *shown)
{
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++) {
        AxisValue fallback;
        const bool has_fallback = workload_fallback(sweep->workload, axis, &fallback);
        shown[axis] = false;
        for (size_t i = 0; i < sweep->cell_count && !shown[axis]; i++) {
            const Cell *cell = &plan->cells[sweep->first_cell + i];
            shown[axis] = cell->workload->uses(cell->values, axis) &&
                          !(has_fallback && axis_equal(axis, fallback, cell->values[axis]));
        }
    }
}

static void add_cell_row(TextTable *table, const Plan *plan, size_t index, const bool *shown)
{
    const Cell *cell = &plan->cells[index];
    char text[AXIS_TEXT_BYTES + 1];
    (void)snprintf(text, sizeof text, "%zu", index);
    text_table_add(table, text);
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++) {
        if (!shown[axis])
            continue;
        if (cell->workload->uses(cell->values, axis))
            axis_format(axis, cell->values[axis], text, sizeof text);
        else
            (void)snprintf(text, sizeof text, "-");
        text_table_add(table, text);
    }
}

static bool print_cells(const Plan *plan, const PlanSweep *sweep)
{
    bool shown[AXIS_COUNT];
    size_t column_count = 1;
    find_shown_axes(plan, sweep, shown);
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++)
        column_count += shown[axis];
    TextTable *table = text_table_create(column_count);
    if (!table)
        return false;
    text_table_add(table, "cell");
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++)
        if (shown[axis])
            text_table_add(table, axis_table[axis].key);
    for (size_t i = 0; i < sweep->cell_count; i++)
        add_cell_row(table, plan, sweep->first_cell + i, shown);
    const bool printed = text_table_print(table, "  ", stdout);
    text_table_free(table);
    return printed;
}

// What may end a cell before its last sample.
static void print_early_end(const SweepSettings *settings)
{
    char most[48];
    quantity_format_time(settings->max_time_ns, most, sizeof most);
    if (settings->precision > 0)
        printf("  fewer samples where the median is known to +-%g %%\n", 100 * settings->precision);
    if (settings->max_time_ns > 0)
        printf("  no further sample of a cell after %s\n", most);
}

static void print_counters(const SweepSettings *settings)
{
    printf("  counters");
    for (size_t i = 0; settings->counters[i]; i++)
        printf(" %s", settings->counters[i]);
    printf("%s\n", settings->counters[0] ? "" : " none");
}

static void print_settings(const SweepSettings *settings)
{
    char min_time[48];
    char warmup[48];
    char timeout[48];
    char memory[48] = "none";
    quantity_format_time(settings->min_time_ns, min_time, sizeof min_time);
    if (settings->warmup_ns == WARMUP_AUTO)
        (void)snprintf(warmup, sizeof warmup, "until stable");
    else
        quantity_format_time(settings->warmup_ns, warmup, sizeof warmup);
    quantity_format_time(settings->timeout_ns, timeout, sizeof timeout);
    if (settings->memory_limit_bytes)
        quantity_format_bytes((long long)settings->memory_limit_bytes, memory, sizeof memory);
    if (settings->measure == MEASURE_INSTRUCTIONS) {
        printf("  instructions: %d samples of one iteration under callgrind, timeout %s, memory "
               "limit %s\n",
               settings->samples, timeout, memory);
        return;
    }
    if (settings->measure == MEASURE_COUNTS) {
        printf("  counts: %d samples of one iteration, warmup %s, timeout %s, memory limit %s\n",
               settings->samples, warmup, timeout, memory);
        print_counters(settings);
        return;
    }
    printf("  %d samples of %d x %s, warmup %s, timeout %s, memory limit %s\n", settings->samples,
           settings->repetitions, min_time, warmup, timeout, memory);
    print_early_end(settings);
    print_counters(settings);
}

static void print_duration(double ns)
{
    const double seconds = ceil(ns / 1e9);
    if (seconds < 120)
        printf("about %.0f s", seconds);
    else if (seconds < 7200)
        printf("about %.0f min", ceil(seconds / 60));
    else
        printf("about %.1f h", seconds / 3600);
}

static bool print_plan(const Plan *plan)
{
    printf("scenario %s%s%s\nseed %llu\n", plan->scenario, plan->description[0] ? ": " : "",
           plan->description, (unsigned long long)plan->seed);
    if (plan->required_profile)
        printf("requires profile %s: `hyperion doctor --profile %s`\n", plan->required_profile,
               plan->required_profile);
    for (size_t i = 0; i < plan->sweep_count; i++) {
        const PlanSweep *sweep = &plan->sweeps[i];
        printf("\nsweep %s: workload %s, %zu cell%s\n", sweep->name, sweep->workload->name,
               sweep->cell_count, sweep->cell_count == 1 ? "" : "s");
        print_settings(&sweep->settings);
        if (!print_cells(plan, sweep))
            return false;
    }
    printf("\n%zu cell%s, %zu worker processes, ", plan->cell_count,
           plan->cell_count == 1 ? "" : "s", plan_worker_count(plan));
    print_duration(plan_estimate_ns(plan));
    printf("\nhash %s\n", plan->hash);
    return true;
}

static int run_plan(const CommandArguments *arguments)
{
    Problem problem = {0};
    Plan *plan = plan_from_scenario(arguments->words[0], arguments->options_of[0], &problem);
    if (!plan)
        return command_fail(EXIT_USAGE, &problem);
    const bool printed = command_option(&command_plan, arguments, "--json")
                             ? plan_write(plan, stdout)
                             : print_plan(plan);
    plan_free(plan);
    if (printed)
        return EXIT_OK;
    (void)problem_set(&problem, "plan: out of memory");
    return command_fail(EXIT_USAGE, &problem);
}
