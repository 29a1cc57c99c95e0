// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L

#include "report/figure_files.h"

#include "common/file.h"
#include "common/installation.h"
#include "report/figure_script.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TEMPLATE_LIMIT_BYTES = 1 << 20,
    SUBTITLE_BYTES = 512,
    LONGEST_LINE = 95 // of a subtitle, in bytes, less the hash of the plan
};

static char *read_template(const char *name, Problem *problem)
{
    char folder[PATH_MAX + 32];
    if (!installation_folder("plots", "common.gp", folder, sizeof folder)) {
        (void)problem_set(problem, "the plot templates (plots/common.gp) are not found above this "
                                   "program");
        return NULL;
    }
    char path[PATH_MAX + 128];
    (void)snprintf(path, sizeof path, "%s/%s.gp", folder, name);
    size_t size_bytes = 0;
    return file_read(path, TEMPLATE_LIMIT_BYTES, &size_bytes, problem);
}

// What the files of a figure are made of, be it of one run or of several.
typedef struct Drawing {
    const char *name, *title, *template_name;
    char subtitle[SUBTITLE_BYTES];
    size_t left_out;
    const void *figure; // for the functions
    void (*define)(const void *figure, FILE *script);
    void (*tabulate)(const void *figure, FILE *data);
} Drawing;

static void write_definitions(const Drawing *drawing, FILE *script)
{
    const char *name = drawing->name;
    (void)fprintf(script,
                  "# Written by `hyperion plot`. Run `gnuplot %s.gp` in this folder: it writes\n"
                  "# %s.svg and %s.png from %s.dat.\n\n",
                  name, name, name, name);
    char data[FIGURE_NAME_BYTES + 48];
    (void)snprintf(data, sizeof data, "%s.dat", name);
    script_text(script, "name", name);
    script_text(script, "data", data);
    script_text(script, "heading", drawing->title);
    script_text(script, "subtitle", drawing->subtitle);
    drawing->define(drawing->figure, script);
    if (drawing->left_out > 0)
        (void)fprintf(script,
                      "caption = caption . ' Left out: %zu cell%s that failed or %s no value.'\n",
                      drawing->left_out, drawing->left_out == 1 ? "" : "s",
                      drawing->left_out == 1 ? "has" : "have");
}

static FILE *create_file(const char *directory, const char *name, const char *ending, char *path,
                         size_t path_bytes, Problem *problem)
{
    (void)snprintf(path, path_bytes, "%s/%s.%s", directory, name, ending);
    FILE *file = fopen(path, "w");
    if (!file)
        (void)problem_set(problem, "create %s: %s", path, strerror(errno));
    return file;
}

static bool close_file(FILE *file, const char *path, Problem *problem)
{
    const bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return problem_set(problem, "write %s: %s", path, strerror(errno));
    return true;
}

static bool write_data(const Drawing *drawing, const char *directory, Problem *problem)
{
    char path[PATH_MAX];
    FILE *data = create_file(directory, drawing->name, "dat", path, sizeof path, problem);
    if (!data)
        return false;
    drawing->tabulate(drawing->figure, data);
    return close_file(data, path, problem);
}

static bool write_script(const Drawing *drawing, const char *directory, const char *common,
                         const char *template, Problem *problem)
{
    char path[PATH_MAX];
    FILE *script = create_file(directory, drawing->name, "gp", path, sizeof path, problem);
    if (!script)
        return false;
    write_definitions(drawing, script);
    (void)fprintf(script, "\n%s\n%s", common, template);
    return close_file(script, path, problem);
}

static bool write_drawing(const Drawing *drawing, const char *directory, Problem *problem)
{
    char *common = read_template("common", problem);
    char *template = common ? read_template(drawing->template_name, problem) : NULL;
    const bool written = template && write_data(drawing, directory, problem) &&
                         write_script(drawing, directory, common, template, problem);
    free(common);
    free(template);
    return written;
}

static void define_figure(const void *figure, FILE *script)
{
    ((const Figure *)figure)->kind->define(figure, script);
}

static void tabulate_figure(const void *figure, FILE *data)
{
    ((const Figure *)figure)->kind->tabulate(figure, data);
}

bool figure_write(const Figure *figure, const char *directory, Problem *problem)
{
    Drawing drawing = {.name = figure->name,
                       .title = figure->title,
                       .template_name = figure->kind->template_name,
                       .left_out = figure->left_out,
                       .figure = figure,
                       .define = define_figure,
                       .tabulate = tabulate_figure};
    // "m = n = k = 512 · AMD EPYC (virtual: kvm) · plan 0123456789abcdef"
    char fixed[SUBTITLE_BYTES / 2];
    char machine[MACHINE_TEXT_BYTES];
    figure_describe_fixed(figure, fixed, sizeof fixed);
    run_machine_describe(figure->run->machine, machine, sizeof machine);
    const char *between = strlen(fixed) + strlen(machine) > LONGEST_LINE ? "\n" : " · ";
    (void)snprintf(drawing.subtitle, sizeof drawing.subtitle, "%s%s%s · plan %s", fixed,
                   fixed[0] ? between : "", machine, figure->run->plan->hash);
    return write_drawing(&drawing, directory, problem);
}

typedef struct RunFigure {
    const RunFigureKind *kind;
    const RunRecord *run;
    const CellSummary *summaries;
} RunFigure;

static void define_run_figure(const void *figure, FILE *script)
{
    const RunFigure *drawn = figure;
    drawn->kind->define(drawn->run, drawn->summaries, script);
}

static void tabulate_run_figure(const void *figure, FILE *data)
{
    const RunFigure *drawn = figure;
    drawn->kind->tabulate(drawn->run, drawn->summaries, data);
}

bool run_figure_write(const RunFigureKind *kind, const char *name, const RunRecord *run,
                      const CellSummary *summaries, const char *directory, Problem *problem)
{
    const RunFigure figure = {kind, run, summaries};
    Drawing drawing = {.name = name,
                       .title = kind->title,
                       .template_name = kind->template_name,
                       .figure = &figure,
                       .define = define_run_figure,
                       .tabulate = tabulate_run_figure};
    char machine[MACHINE_TEXT_BYTES];
    run_machine_describe(run->machine, machine, sizeof machine);
    (void)snprintf(drawing.subtitle, sizeof drawing.subtitle, "%s · %zu cells · %s · plan %s",
                   run->plan->scenario, kind->count(run, summaries), machine, run->plan->hash);
    return write_drawing(&drawing, directory, problem);
}

static void define_facet(const void *facet, FILE *script)
{
    facet_define(facet, script);
}

static void tabulate_facet(const void *facet, FILE *data)
{
    facet_tabulate(facet, data);
}

bool facet_write(const Facet *facet, const char *directory, Problem *problem)
{
    Drawing drawing = {.name = facet->name,
                       .title = facet->title,
                       .template_name = "machines",
                       .figure = facet,
                       .define = define_facet,
                       .tabulate = tabulate_facet};
    for (size_t i = 0; i < facet->member_count; i++)
        drawing.left_out += facet->figures[i]->left_out;
    facet_describe(facet, drawing.subtitle, sizeof drawing.subtitle);
    return write_drawing(&drawing, directory, problem);
}
