// SPDX-License-Identifier: Apache-2.0
// merge.c - `hyperion merge`: the shards of a sweep into one run directory.
#include "cli/command.h"
#include "run/merge_runs.h"

#include <stdio.h>

enum { OPTION_OUT, OPTION_FACET };

static const CommandOption options[] = {
    [OPTION_OUT] = {"--out", "DIR", false, "run directory to write; required"},
    [OPTION_FACET] = {"--facet", NULL, false,
                      "other plans and machines: a run directory each, DIR/<machine key>-<plan>"},
    {NULL, NULL, false, NULL},
};

static int run_merge(const CommandArguments *arguments)
{
    Problem problem = {0};
    MergeOutcome outcome;
    const char *const *out = arguments->options_of[OPTION_OUT];
    if (!out) {
        (void)problem_set(&problem, "merge needs --out: the run directory to write");
        return command_fail(EXIT_USAGE, &problem);
    }
    if (!merge_runs(arguments->words, out[0], arguments->options_of[OPTION_FACET] != NULL, &outcome,
                    &problem))
        return command_fail(EXIT_USAGE, &problem);
    (void)fprintf(stderr, "merged %zu runs: %zu samples", arguments->word_count, outcome.samples);
    if (outcome.duplicates)
        (void)fprintf(stderr, ", %zu more were in several runs", outcome.duplicates);
    if (outcome.directories > 1)
        (void)fprintf(stderr, ", %zu directories", outcome.directories);
    (void)fprintf(stderr, "\n");
    if (outcome.environments > outcome.directories)
        (void)fprintf(stderr,
                      "note: the runs were taken in %zu different environments; `merged` in "
                      "machine.json lists them\n",
                      outcome.environments);
    (void)fprintf(stderr, "results: %s\n", out[0]);
    return EXIT_OK;
}

const Command command_merge = {
    .name = "merge",
    .operands = "RUN...",
    .summary = "the shards of a sweep as one run; the same files in whatever order they are given",
    .least_words = 1,
    .most_words = 1000,
    .options = options,
    .run = run_merge,
};
