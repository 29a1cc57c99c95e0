// SPDX-License-Identifier: Apache-2.0
// verify.c - `hyperion verify`: every kernel of the table against the reference.
#include "check/check.h"
#include "cli/command.h"
#include "common/quantity.h"
#include "hyperion/simd.h"

#include <stdio.h>
#include <string.h>

static const CommandOption options[] = {
    {"--op", "OP", true, "only this operation"},
    {"--level", "LEVEL", true, "only kernels of this SIMD level"},
    {"--seed", "NUMBER", false, "of the random data (default 1)"},
    {NULL, NULL, false, NULL},
};

static int run_verify(const CommandArguments *arguments);

const Command command_verify = {
    .name = "verify",
    .operands = "",
    .summary = "check every kernel against the reference: tails, misalignments, guards, errors",
    .least_words = 0,
    .most_words = 0,
    .options = options,
    .run = run_verify,
};

typedef struct Tally {
    size_t passed, failed, skipped;
} Tally;

// Each word given must be one of the `known` (NULL-terminated).
static bool check_words(const char *option, const char *const *given, const char *const *known,
                        Problem *problem)
{
    for (; given && *given; given++) {
        bool found = false;
        for (size_t i = 0; known[i] && !found; i++)
            found = strcmp(known[i], *given) == 0;
        if (!found) {
            const char *near = problem_nearest(*given, known);
            return problem_set(problem, "verify: %s: unknown '%.64s'%s%s%s", option, *given,
                               near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
    }
    return true;
}

static bool check_arguments(const CommandArguments *arguments, uint64_t *seed, Problem *problem)
{
    const char *ops[HYP_OP_COUNT + 1] = {NULL};
    const char *levels[HYPERION_SIMD_LEVEL_COUNT + 1] = {NULL};
    for (int i = 0; i < HYP_OP_COUNT; i++)
        ops[i] = hyp_kernel_op_name((HypKernelOp)i);
    for (int i = 0; i < HYPERION_SIMD_LEVEL_COUNT; i++)
        levels[i] = hyperionSIMDLevelName(i);
    const char *text = command_option(&command_verify, arguments, "--seed");
    long long given = 1;
    if (text && (!quantity_parse_integer(text, &given) || given < 0))
        return problem_set(problem, "verify: --seed: expected a whole number from 0; given '%.64s'",
                           text);
    *seed = (uint64_t)given;
    return check_words("--op", arguments->options_of[0], ops, problem) &&
           check_words("--level", arguments->options_of[1], levels, problem);
}

// No list means everything.
static bool is_chosen(const char *const *list, const char *word)
{
    if (!list)
        return true;
    for (; *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

static void verify_kernel(const HypKernelVariant *kernel, uint64_t seed, Tally *tally)
{
    const HyperionSIMDCapabilities machine = hyperionGetSIMDCapabilities();
    if (!(machine.levels >> kernel->level & 1)) {
        printf("skipped  %-32s this CPU, or HYPERION_SIMD, has no %s\n", kernel->name,
               hyperionSIMDLevelName((int)kernel->level));
        tally->skipped++;
        return;
    }
    HypCheckReport report = {0};
    if (hyp_check_variant(kernel, seed, &report)) {
        printf("passed   %-32s %6zu cases, worst error %.2f of its bound\n", kernel->name,
               report.case_count, report.worst);
        tally->passed++;
    } else {
        printf("FAILED   %-32s case %zu: %s\n", kernel->name, report.case_count, report.failure);
        tally->failed++;
    }
    (void)fflush(stdout);
}

static int run_verify(const CommandArguments *arguments)
{
    Problem problem = {0};
    Tally tally = {0};
    uint64_t seed = 0;
    if (!check_arguments(arguments, &seed, &problem))
        return command_fail(EXIT_USAGE, &problem);
    for (size_t i = 0; i < hyp_kernel_count; i++) {
        const HypKernelVariant *kernel = &hyp_kernel_table[i];
        if (is_chosen(arguments->options_of[0], kernel->op_name) &&
            is_chosen(arguments->options_of[1], hyperionSIMDLevelName((int)kernel->level)))
            verify_kernel(kernel, seed, &tally);
    }
    printf("%zu passed, %zu failed, %zu skipped; seed %llu\n", tally.passed, tally.failed,
           tally.skipped, (unsigned long long)seed);
    if (tally.failed)
        return EXIT_CELL;
    if (tally.passed + tally.skipped > 0)
        return EXIT_OK;
    (void)problem_set(&problem, "verify: no kernel is of that operation and level");
    return command_fail(EXIT_USAGE, &problem);
}
