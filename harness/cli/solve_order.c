// SPDX-License-Identifier: Apache-2.0
// solve_order.c - `hyperion solve order`: the order of nodes that needs least memory.
#include "cli/command.h"
#include "common/clock.h"
#include "common/json_file.h"
#include "common/quantity.h"
#include "hyperion/error.h"
#include "solve/order_file.h"

#include <stdio.h>
#include <stdlib.h>

// Seconds of search: some hundred bytes a state.
static const long long default_states = 2000000;

static const CommandOption options[] = {
    {"--in-place", NULL, false, "nodes marked inplace may take over the memory of an input"},
    {"--states", "N", false, "sets of nodes that the search meets at most (default 2000000)"},
    {"--json", NULL, false, "print one JSON document, with the order"},
    {NULL, NULL, false, NULL},
};

static int run_solve_order(const CommandArguments *arguments);

const Command command_solve_order = {
    .name = "solve order",
    .operands = "FILE",
    .summary = "the order with the least peak of live memory, of a graph given as JSON: "
               "nodes[{id,name,bytes,inplace}], edges[[from,to]]",
    .least_words = 1,
    .most_words = 1,
    .options = options,
    .run = run_solve_order,
};

static void print_text(const HyperionOrderPlan *plan, double seconds)
{
    printf("status       %s\n", plan->status == HYPERION_PLAN_OPTIMAL ? "optimal" : "not proved");
    printf("peak         %zu bytes, found by %s\n", plan->peak_bytes, plan->strategy);
    printf("lower bound  %zu bytes\n", plan->lower_bound_bytes);
    printf("search       %zu states, %.3g s\n", plan->states, seconds);
}

static bool print_json(const OrderFile *file, const HyperionOrderPlan *plan, const int *order,
                       double seconds)
{
    json_t *ids = json_array();
    for (int i = 0; ids && i < file->node_count; i++)
        (void)json_array_append_new(ids, json_integer(file->ids[order[i]]));
    json_t *json =
        json_pack("{s:I, s:b, s:I, s:o, s:s, s:I, s:f}", "peak", (json_int_t)plan->peak_bytes,
                  "optimal", plan->status == HYPERION_PLAN_OPTIMAL, "lower_bound",
                  (json_int_t)plan->lower_bound_bytes, "order", ids, "strategy", plan->strategy,
                  "states", (json_int_t)plan->states, "seconds", seconds);
    const bool printed = json && json_dumpf(json, stdout, JSON_FILE_FLAGS) == 0;
    (void)putchar('\n');
    json_decref(json);
    return printed;
}

static bool solve(const OrderFile *file, const HyperionOrderRequest *request, bool as_json,
                  Problem *problem)
{
    const HyperionOrderGraph graph = {file->nodes, file->edges, file->node_count, file->edge_count};
    int *order = calloc((size_t)file->node_count + 1, sizeof *order);
    if (!order)
        return problem_set(problem, "out of memory for %d nodes", file->node_count);
    const double start_ns = clock_monotonic_ns();
    const HyperionOrderPlan plan = hyperionPlanOrder(&graph, request, order);
    const double seconds = (clock_monotonic_ns() - start_ns) / 1e9;
    if (!plan.valid)
        (void)problem_set(problem, "%s", hyperionGetLastError());
    else if (!as_json)
        print_text(&plan, seconds);
    else if (!print_json(file, &plan, order, seconds))
        (void)problem_set(problem, "out of memory");
    free(order);
    return !problem->text[0];
}

static int run_solve_order(const CommandArguments *arguments)
{
    Problem problem = {0};
    OrderFile file = {0};
    long long states = default_states;
    const char *most = command_option(&command_solve_order, arguments, "--states");
    const bool as_json = command_option(&command_solve_order, arguments, "--json") != NULL;
    bool solved = false;
    if (most && (!quantity_parse_integer(most, &states) || states < 0)) {
        (void)problem_set(&problem,
                          "--states: expected a count, 0 for heuristics alone, given '%s'", most);
    } else if (order_file_read(&file, arguments->words[0], &problem)) {
        const HyperionOrderRequest request = {
            .in_place = command_option(&command_solve_order, arguments, "--in-place") != NULL,
            .most_states = (size_t)states};
        solved = solve(&file, &request, as_json, &problem);
    }
    order_file_clear(&file);
    return solved ? EXIT_OK : command_fail(EXIT_USAGE, &problem);
}
