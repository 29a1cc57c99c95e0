// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L

#include "report/run_set.h"

#include "report/figure_files.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool load_runs(RunSet *set, const char *const *paths, size_t count, Problem *problem)
{
    for (; set->count < count; set->count++) {
        const size_t i = set->count;
        set->runs[i] = run_record_load(paths[i], problem);
        if (!set->runs[i])
            return false;
        set->summaries[i] = metrics_summarise(set->runs[i]);
        if (!set->summaries[i]) {
            set->count++;
            return problem_set(problem, "out of memory");
        }
    }
    return run_set_arrange(set) || problem_set(problem, "out of memory");
}

bool run_set_arrange(RunSet *set)
{
    for (size_t i = 0; i < set->count; i++) {
        char suffix[32] = "";
        if (i > 0)
            (void)snprintf(suffix, sizeof suffix, "-run%zu", i + 1);
        if (!figures_find(set->runs[i], set->summaries[i], suffix, &set->figures))
            return false;
    }
    return run_machines_find(set->runs, set->count, &set->machines) &&
           facets_find(&set->figures, set->runs, set->count, &set->machines, &set->facets);
}

RunSet *run_set_load(const char *const *paths, size_t count, Problem *problem)
{
    RunSet *set = calloc(1, sizeof *set);
    if (!set) {
        (void)problem_set(problem, "out of memory");
        return NULL;
    }
    set->runs = calloc(count, sizeof(RunRecord *));
    set->summaries = calloc(count, sizeof(CellSummary *));
    if (!set->runs || !set->summaries)
        (void)problem_set(problem, "out of memory");
    else if (load_runs(set, paths, count, problem))
        return set;
    run_set_free(set);
    return NULL;
}

void run_set_free(RunSet *set)
{
    if (!set)
        return;
    facets_clear(&set->facets);
    figures_clear(&set->figures);
    run_machines_clear(&set->machines);
    for (size_t i = 0; i < set->count; i++) {
        metrics_free(set->summaries[i], set->runs[i]->plan->cell_count);
        run_record_free(set->runs[i]);
    }
    free(set->runs);
    free(set->summaries);
    free(set);
}

// Nothing to do without gnuplot.
static bool draw(const char *gnuplot, const char *directory, const char *name, Problem *problem)
{
    return !gnuplot || gnuplot_run(gnuplot, directory, name, problem);
}

static bool plot_run_figures(const RunSet *set, size_t run, const char *gnuplot,
                             const char *directory, Problem *problem)
{
    for (const RunFigureKind *kind = run_figure_table; kind->name; kind++) {
        char name[FIGURE_NAME_BYTES];
        run_figure_name(kind, run, name, sizeof name);
        if (kind->count(set->runs[run], set->summaries[run]) > 0 &&
            !(run_figure_write(kind, name, set->runs[run], set->summaries[run], directory,
                               problem) &&
              draw(gnuplot, directory, name, problem)))
            return false;
    }
    return true;
}

PlotOutcome run_set_plot(const RunSet *set, Problem *problem)
{
    char gnuplot[PATH_MAX];
    const bool can_draw = gnuplot_find(gnuplot, sizeof gnuplot);
    char directory[PATH_MAX];
    (void)snprintf(directory, sizeof directory, "%s/plots", set->runs[0]->path);
    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        (void)problem_set(problem, "create %s: %s", directory, strerror(errno));
        return PLOT_FAILED;
    }
    const char *const drawer = can_draw ? gnuplot : NULL;
    for (size_t i = 0; i < set->facets.count; i++) {
        const Facet *facet = &set->facets.items[i];
        if (!facet_write(facet, directory, problem) ||
            !draw(drawer, directory, facet->name, problem))
            return PLOT_FAILED;
    }
    for (size_t i = 0; i < set->figures.count; i++) {
        const Figure *figure = &set->figures.items[i];
        if (!figure->shared && (!figure_write(figure, directory, problem) ||
                                !draw(drawer, directory, figure->name, problem)))
            return PLOT_FAILED;
    }
    for (size_t i = 0; i < set->count; i++)
        if (!plot_run_figures(set, i, drawer, directory, problem))
            return PLOT_FAILED;
    return can_draw ? PLOT_DRAWN : PLOT_NOT_DRAWN;
}
