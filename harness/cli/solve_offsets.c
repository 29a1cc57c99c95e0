// SPDX-License-Identifier: Apache-2.0
// solve_offsets.c - `hyperion solve offsets`: where buffers lie in one block of memory.
#include "cli/command.h"
#include "common/clock.h"
#include "common/json_file.h"
#include "common/quantity.h"
#include "hyperion/error.h"
#include "solve/buffer_file.h"

#include <stdio.h>
#include <stdlib.h>

static const CommandOption options[] = {
    {"--capacity", "BYTES", false, "a plan within so many; without it, the lowest that is found"},
    {"--effort", "0..1", false,
     "0: heuristics alone; 1: until the answer is proved (default); between, 20000 x 2500^effort "
     "nodes of the search"},
    {"--time-limit", "S", false, "seconds after which the search ends (default none)"},
    {"--json", NULL, false, "print one JSON document, with the offset of each buffer"},
    {NULL, NULL, false, NULL},
};

static int run_solve_offsets(const CommandArguments *arguments);

const Command command_solve_offsets = {
    .name = "solve offsets",
    .operands = "FILE",
    .summary = "offsets of buffers, given as CSV: id,lower,upper,size[,alignment] in bytes, needed "
               "in the steps lower <= step < upper",
    .least_words = 1,
    .most_words = 1,
    .options = options,
    .run = run_solve_offsets,
};

static const char *const status_names[] = {
    [HYPERION_PLAN_OPTIMAL] = "optimal",
    [HYPERION_PLAN_FEASIBLE] = "feasible",
    [HYPERION_PLAN_INFEASIBLE] = "infeasible",
    [HYPERION_PLAN_NOT_FOUND] = "not-found",
};

static bool read_request(const CommandArguments *arguments, HyperionOffsetRequest *request,
                         Problem *problem)
{
    const char *capacity = command_option(&command_solve_offsets, arguments, "--capacity");
    const char *effort = command_option(&command_solve_offsets, arguments, "--effort");
    const char *limit = command_option(&command_solve_offsets, arguments, "--time-limit");
    long long bytes = 0;
    double share = 1;
    if (capacity && (!quantity_parse_bytes(capacity, &bytes) || bytes == 0))
        return problem_set(problem, "--capacity: expected bytes, at least 1, given '%s'", capacity);
    if (effort && (!quantity_parse_real(effort, &share) || share < 0 || share > 1))
        return problem_set(problem, "--effort: expected 0 to 1, given '%s'", effort);
    if (limit && (!quantity_parse_real(limit, &request->time_limit_s) ||
                  !(request->time_limit_s > 0 && request->time_limit_s <= 1e6)))
        return problem_set(problem, "--time-limit: expected seconds, above 0 to 1e6, given '%s'",
                           limit);
    request->capacity_bytes = (size_t)bytes;
    request->effort = (float)share;
    return true;
}

static bool has_plan(const HyperionOffsetPlan *plan)
{
    return plan->status == HYPERION_PLAN_OPTIMAL || plan->status == HYPERION_PLAN_FEASIBLE;
}

static void print_text(const HyperionOffsetPlan *plan, double seconds)
{
    printf("status       %s\n", status_names[plan->status]);
    if (has_plan(plan))
        printf("height       %zu bytes, found by %s\n", plan->height_bytes, plan->strategy);
    printf("lower bound  %zu bytes\n", plan->lower_bound_bytes);
    printf("search       %llu nodes, %.3g s\n", (unsigned long long)plan->nodes, seconds);
}

static bool print_json(const BufferFile *file, const HyperionOffsetPlan *plan,
                       const size_t *offsets, double seconds)
{
    json_t *places = has_plan(plan) ? json_object() : json_null();
    for (size_t i = 0; has_plan(plan) && i < file->count; i++)
        (void)json_object_set_new(places, file->ids[i], json_integer((json_int_t)offsets[i]));
    json_t *height = has_plan(plan) ? json_integer((json_int_t)plan->height_bytes) : json_null();
    json_t *json = json_pack("{s:o, s:I, s:s, s:o, s:s, s:I, s:f}", "height", height, "lower_bound",
                             (json_int_t)plan->lower_bound_bytes, "status",
                             status_names[plan->status], "offsets", places, "strategy",
                             plan->strategy, "nodes", (json_int_t)plan->nodes, "seconds", seconds);
    const bool printed = json && json_dumpf(json, stdout, JSON_FILE_FLAGS) == 0;
    (void)putchar('\n');
    json_decref(json);
    return printed;
}

static int solve(const BufferFile *file, const HyperionOffsetRequest *request, bool as_json,
                 Problem *problem)
{
    size_t *offsets = calloc(file->count + 1, sizeof *offsets);
    if (!offsets) {
        (void)problem_set(problem, "out of memory for %zu buffers", file->count);
        return EXIT_USAGE;
    }
    const double start_ns = clock_monotonic_ns();
    const HyperionOffsetPlan plan =
        hyperionPlanOffsets(file->buffers, file->count, request, offsets);
    const double seconds = (clock_monotonic_ns() - start_ns) / 1e9;
    if (!plan.valid)
        (void)problem_set(problem, "%s", hyperionGetLastError());
    else if (!as_json)
        print_text(&plan, seconds);
    else if (!print_json(file, &plan, offsets, seconds))
        (void)problem_set(problem, "out of memory");
    free(offsets);
    return problem->text[0] ? EXIT_USAGE : EXIT_OK;
}

static int run_solve_offsets(const CommandArguments *arguments)
{
    Problem problem = {0};
    HyperionOffsetRequest request = {0};
    BufferFile file = {0};
    const bool as_json = command_option(&command_solve_offsets, arguments, "--json") != NULL;
    int code = EXIT_USAGE;
    if (read_request(arguments, &request, &problem) &&
        buffer_file_read(&file, arguments->words[0], &problem))
        code = solve(&file, &request, as_json, &problem);
    buffer_file_clear(&file);
    return problem.text[0] ? command_fail(code, &problem) : code;
}
