// SPDX-License-Identifier: Apache-2.0
// report.c - `hyperion report`: report.md with its figures.
#include "cli/command.h"
#include "report/report_document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_report(const CommandArguments *arguments);

static const CommandOption options[] = {{NULL, NULL, false, NULL}};

const Command command_report = {
    .name = "report",
    .operands = "RUN...",
    .summary = "a Markdown report of runs with its figures: report.md in the first run's folder; "
               "several runs side by side, a column a machine",
    .least_words = 1,
    .most_words = 64,
    .options = options,
    .run = run_report,
};

static bool write_document(const RunSet *set, bool drawn, const char *path, Problem *problem)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return problem_set(problem, "create %s: %s", path, strerror(errno));
    const bool complete = report_write(set, drawn, out);
    const bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed)
        return problem_set(problem, "write %s: %s", path, strerror(errno));
    if (!complete)
        return problem_set(problem, "write %s: out of memory", path);
    printf("%s\n", path);
    return true;
}

static bool write_file(const RunSet *set, bool drawn, Problem *problem)
{
    char *path = run_file_path(set->runs[0]->path, "report.md");
    const bool written =
        path ? write_document(set, drawn, path, problem) : problem_set(problem, "out of memory");
    free(path);
    return written;
}

static int run_report(const CommandArguments *arguments)
{
    Problem problem = {0};
    RunSet *set = run_set_load(arguments->words, arguments->word_count, &problem);
    if (!set)
        return command_fail(EXIT_USAGE, &problem);
    // A report without figures is better than none: what went wrong with them is said afterwards.
    const PlotOutcome outcome = run_set_plot(set, &problem);
    Problem unwritten = {0};
    const bool written = write_file(set, outcome == PLOT_DRAWN, &unwritten);
    run_set_free(set);
    if (!written)
        return command_fail(EXIT_USAGE, &unwritten);
    return outcome == PLOT_FAILED ? command_fail(EXIT_USAGE, &problem) : EXIT_OK;
}
