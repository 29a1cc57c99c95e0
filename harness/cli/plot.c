// SPDX-License-Identifier: Apache-2.0
// plot.c - `hyperion plot`: the figures of runs.
#include "cli/command.h"
#include "report/run_figures.h"
#include "report/run_set.h"

#include <stdio.h>

static int run_plot(const CommandArguments *arguments);

static const CommandOption options[] = {{NULL, NULL, false, NULL}};

const Command command_plot = {
    .name = "plot",
    .operands = "RUN...",
    .summary = "figures of runs as SVG and PNG with their data and gnuplot scripts, in the first "
               "run's plots/; several runs side by side, a panel a machine",
    .least_words = 1,
    .most_words = 64,
    .options = options,
    .run = run_plot,
};

// How many there are.
static size_t print_run_figures(const RunSet *set, const char *ending)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        for (const RunFigureKind *kind = run_figure_table; kind->name; kind++) {
            char name[FIGURE_NAME_BYTES];
            if (kind->count(set->runs[i], set->summaries[i]) == 0)
                continue;
            run_figure_name(kind, i, name, sizeof name);
            printf("%s/plots/%s.%s\n", set->runs[0]->path, name, ending);
            count++;
        }
    return count;
}

static void print_files(const RunSet *set, PlotOutcome outcome)
{
    const char *path = set->runs[0]->path;
    const char *ending = outcome == PLOT_DRAWN ? "png" : "gp";
    for (size_t i = 0; i < set->facets.count; i++)
        printf("%s/plots/%s.%s\n", path, set->facets.items[i].name, ending);
    for (size_t i = 0; i < set->figures.count; i++)
        if (!set->figures.items[i].shared)
            printf("%s/plots/%s.%s\n", path, set->figures.items[i].name, ending);
    const size_t of_runs = print_run_figures(set, ending);
    if (set->figures.omitted > 0)
        (void)fprintf(stderr,
                      "hyperion: left out %zu figures: a sweep gives at most %d of a kind; its "
                      "other cells are in the report\n",
                      set->figures.omitted, FIGURE_MOST_SIBLINGS);
    if (set->figures.count + of_runs == 0)
        (void)fprintf(stderr, "hyperion: nothing to plot: no sweep of this run varies what a "
                              "figure shows\n");
    else if (outcome == PLOT_NOT_DRAWN)
        (void)fprintf(
            stderr,
            "hyperion: gnuplot is not in PATH: wrote data and scripts only; copy %s/plots "
            "to a machine that has it and run `gnuplot *.gp` there\n",
            path);
}

static int run_plot(const CommandArguments *arguments)
{
    Problem problem = {0};
    RunSet *set = run_set_load(arguments->words, arguments->word_count, &problem);
    const PlotOutcome outcome = set ? run_set_plot(set, &problem) : PLOT_FAILED;
    if (outcome != PLOT_FAILED)
        print_files(set, outcome);
    run_set_free(set);
    return outcome == PLOT_FAILED ? command_fail(EXIT_USAGE, &problem) : EXIT_OK;
}
