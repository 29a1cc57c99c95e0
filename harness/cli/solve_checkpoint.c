// SPDX-License-Identifier: Apache-2.0
// solve_checkpoint.c - `hyperion solve checkpoint`: the backward pass of a chain within a budget.
#include "cli/command.h"
#include "common/clock.h"
#include "common/json_file.h"
#include "common/quantity.h"
#include "hyperion/error.h"
#include "solve/chain_file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static const CommandOption options[] = {
    {"--budget", "BYTES", false, "memory there is (default: no limit)"},
    {"--steps", "L", false, "instead of a file: so many equal steps, of which inputs are kept"},
    {"--checkpoints", "C", false, "with --steps: inputs kept at once, the first one's among them"},
    {"--json", NULL, false, "print one JSON document, with the schedule"},
    {NULL, NULL, false, NULL},
};

static int run_solve_checkpoint(const CommandArguments *arguments);

const Command command_solve_checkpoint = {
    .name = "solve checkpoint",
    .operands = "[FILE]",
    .summary = "the fastest backward pass of a chain within a memory budget, from a JSON file with "
               "n, a, abar, of, ob (bytes), uf, ub (times)",
    .least_words = 0,
    .most_words = 1,
    .options = options,
    .run = run_solve_checkpoint,
};

static const char *const op_names[] = {
    [HYPERION_CHAIN_FORWARD] = "forward",
    [HYPERION_CHAIN_FORWARD_KEEP_INPUT] = "forward-keep-input",
    [HYPERION_CHAIN_FORWARD_KEEP_ALL] = "forward-keep-all",
    [HYPERION_CHAIN_BACKWARD] = "backward",
    [HYPERION_CHAIN_DROP] = "drop",
};

typedef struct Question {
    int steps, checkpoints; // 0: the chain of a file
    size_t budget_bytes;
    bool as_json;
} Question;

static bool read_count(const CommandArguments *arguments, const char *option, int *count,
                       Problem *problem)
{
    const char *text = command_option(&command_solve_checkpoint, arguments, option);
    long long value = 0;
    if (text && (!quantity_parse_integer(text, &value) || value < 1 || value > INT_MAX))
        return problem_set(problem, "%s: expected 1 to %d, given '%s'", option, INT_MAX, text);
    *count = (int)value;
    return true;
}

static bool read_question(const CommandArguments *arguments, Question *question, Problem *problem)
{
    const char *budget = command_option(&command_solve_checkpoint, arguments, "--budget");
    long long bytes = 0;
    question->as_json = command_option(&command_solve_checkpoint, arguments, "--json") != NULL;
    question->budget_bytes = SIZE_MAX;
    if (!read_count(arguments, "--steps", &question->steps, problem) ||
        !read_count(arguments, "--checkpoints", &question->checkpoints, problem))
        return false;
    if (!question->steps != !question->checkpoints)
        return problem_set(problem, "--steps and --checkpoints go together");
    if ((arguments->word_count == 1) == (question->steps > 0))
        return problem_set(problem, "expected either a file or --steps and --checkpoints, given %s",
                           question->steps ? "both" : "neither");
    if (budget && question->steps)
        return problem_set(problem, "--budget: goes with a file, not with --steps");
    if (budget && !quantity_parse_bytes(budget, &bytes))
        return problem_set(problem, "--budget: expected bytes, given '%s'", budget);
    if (budget)
        question->budget_bytes = (size_t)bytes;
    return true;
}

static void print_text(const Question *question, const HyperionChainPlan *plan, double seconds)
{
    const char *unit = question->steps ? "checkpoints" : "bytes";
    if (plan->steps) {
        printf("time            %.15g%s\n", plan->time, question->steps ? " forward steps" : "");
        printf("extra forwards  %llu\n", (unsigned long long)plan->extra_forwards);
        printf("peak            %zu %s\n", plan->peak_bytes, unit);
    } else {
        printf("no plan keeps within the budget; at least %zu bytes are needed\n",
               plan->least_bytes);
    }
    printf("optimal         %s\n", plan->optimal ? "yes, proved" : "not proved");
    printf("planned in      %.3g s\n", seconds);
}

static json_t *describe_schedule(const HyperionChainPlan *plan)
{
    json_t *schedule = json_array();
    for (size_t i = 0; i < plan->step_count; i++) {
        const HyperionChainStep step = plan->steps[i];
        char text[64];
        if (step.first == step.last)
            (void)snprintf(text, sizeof text, "%s %d", op_names[step.op], step.first);
        else
            (void)snprintf(text, sizeof text, "%s %d-%d", op_names[step.op], step.first, step.last);
        (void)json_array_append_new(schedule, json_string(text));
    }
    return schedule;
}

static json_t *count_or_null(bool known, uint64_t count)
{
    return known ? json_integer((json_int_t)count) : json_null();
}

static bool print_json(const HyperionChainPlan *plan, double seconds)
{
    const bool found = plan->steps != NULL;
    json_t *json = json_pack("{s:o, s:o, s:o, s:I, s:b, s:o, s:f}", "time",
                             found ? json_real(plan->time) : json_null(), "extra_forwards",
                             count_or_null(found, plan->extra_forwards), "peak",
                             count_or_null(found, plan->peak_bytes), "least",
                             (json_int_t)plan->least_bytes, "optimal", plan->optimal, "schedule",
                             found ? describe_schedule(plan) : json_null(), "seconds", seconds);
    const bool printed = json && json_dumpf(json, stdout, JSON_FILE_FLAGS) == 0;
    (void)putchar('\n');
    json_decref(json);
    return printed;
}

static int solve(const Question *question, const HyperionChain *chain, Problem *problem)
{
    const double start_ns = clock_monotonic_ns();
    HyperionChainPlan plan =
        question->steps ? hyperionPlanUniformCheckpoints(question->steps, question->checkpoints)
                        : hyperionPlanCheckpoints(chain, question->budget_bytes);
    const double seconds = (clock_monotonic_ns() - start_ns) / 1e9;
    if (!plan.valid)
        (void)problem_set(problem, "%s", hyperionGetLastError());
    else if (!question->as_json)
        print_text(question, &plan, seconds);
    else if (!print_json(&plan, seconds))
        (void)problem_set(problem, "out of memory");
    hyperionFreeChainPlan(&plan);
    return problem->text[0] ? EXIT_USAGE : EXIT_OK;
}

static int run_solve_checkpoint(const CommandArguments *arguments)
{
    Problem problem = {0};
    Question question = {0};
    ChainFile file = {0};
    int code = EXIT_USAGE;
    if (read_question(arguments, &question, &problem) &&
        (question.steps > 0 || chain_file_read(&file, arguments->words[0], &problem)))
        code = solve(&question, &file.chain, &problem);
    chain_file_clear(&file);
    return problem.text[0] ? command_fail(code, &problem) : code;
}
