// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L

#include "report/report_document.h"

#include "machine/facts.h"
#include "report/format.h"
#include "report/report_parts.h"
#include "report/run_figures.h"

#include <math.h>
#include <string.h>
#include <time.h>

static void format_date(double unix_s, char *text)
{
    const time_t seconds = (time_t)unix_s;
    struct tm parts;
    if (!gmtime_r(&seconds, &parts) ||
        strftime(text, FORMAT_BYTES, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        (void)snprintf(text, FORMAT_BYTES, "%s", FORMAT_UNKNOWN);
}

// What the journal holds, in numbers.
typedef struct Totals {
    size_t records, timed, emulated, failed_cells, unmeasured_cells;
    double first_s, last_s; // NAN, NAN without records
} Totals;

static Totals count_totals(const RunRecord *run, const CellSummary *summaries)
{
    Totals totals = {.records = run->sample_count, .first_s = NAN, .last_s = NAN};
    for (size_t i = 0; i < run->sample_count; i++) {
        const Sample *sample = &run->samples[i];
        totals.timed += sample->task == SAMPLE_TIME && sample->ok;
        totals.emulated += sample->task == SAMPLE_EMULATE && sample->ok;
        totals.first_s = fmin(totals.first_s, sample->started_unix_s);
        totals.last_s = fmax(totals.last_s, sample->started_unix_s + sample->worker_ns / 1e9);
    }
    for (size_t i = 0; i < run->plan->cell_count; i++) {
        totals.failed_cells += summaries[i].failed;
        totals.unmeasured_cells +=
            !summaries[i].failed && summaries[i].sample_count + summaries[i].emulated_count == 0;
    }
    return totals;
}

static void write_run_facts(const RunRecord *run, const Totals *totals, FILE *out)
{
    char text[256];
    report_fact(out, "scenario", run->plan->scenario, NULL, "plan.json");
    report_fact(out, "plan hash", run->plan->hash, NULL, "plan.json");
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)run->plan->seed);
    report_fact(out, "seed", text, NULL, "plan.json");
    (void)snprintf(text, sizeof text, "%zu in %zu sweep%s; failed: %zu, not measured: %zu",
                   run->plan->cell_count, run->plan->sweep_count,
                   run->plan->sweep_count == 1 ? "" : "s", totals->failed_cells,
                   totals->unmeasured_cells);
    report_fact(out, "cells", text, NULL, "plan.json, journal.jsonl");
    char emulated[48] = "";
    if (totals->emulated)
        (void)snprintf(emulated, sizeof emulated, ", %zu under callgrind", totals->emulated);
    (void)snprintf(text, sizeof text, "%zu worker processes, %zu of them timed%s%s",
                   totals->records, totals->timed, emulated,
                   run->torn_lines ? "; a torn last line was dropped" : "");
    report_fact(out, "samples", text, NULL, "journal.jsonl");
    char first[FORMAT_BYTES] = "";
    char last[FORMAT_BYTES] = "";
    if (!isnan(totals->first_s)) {
        format_date(totals->first_s, first);
        format_date(totals->last_s, last);
    }
    report_fact(out, "first sample", first, "no sample", "clock");
    report_fact(out, "last sample ended", last, "no sample", "clock");
    const json_t *build = json_object_get(run->machine, "build");
    const char *commit = fact_text(build, "commit");
    (void)snprintf(text, sizeof text, "%s%s", commit ? commit : "",
                   json_is_true(json_object_get(build, "modified"))
                       ? ", with changes that were not committed"
                       : "");
    report_fact(out, "commit", text, fact_reason(build, "commit"), "build");
}

static void write_what_ran(const RunRecord *run, const CellSummary *summaries, FILE *out)
{
    const Totals totals = count_totals(run, summaries);
    (void)fprintf(out, "| what | value | from |\n|---|---|---|\n");
    write_run_facts(run, &totals, out);
    report_machine(run->machine, out);
    report_limits(run->machine, out);
}

void report_figure(const char *title, const char *name, bool drawn, FILE *out)
{
    if (drawn)
        (void)fprintf(out, "\n![%s](plots/%s.png)\n", title, name);
    (void)fprintf(out, "\n*%s.* ", title);
    if (drawn)
        (void)fprintf(out, "[SVG](plots/%s.svg), ", name);
    (void)fprintf(out, "[data](plots/%s.dat), [script](plots/%s.gp)\n", name, name);
}

// What the varying axes are, and in which units.
static void write_axes(const RunRecord *run, const PlanSweep *sweep, FILE *out)
{
    const AxisList varying = sweep_axes_varying(run->plan, sweep);
    const AxisList axes = sweep_axes_titled(run->plan, sweep, &varying);
    for (size_t i = 0; i < axes.count; i++) {
        const Axis *axis = &axis_table[axes.axes[i]];
        char title[128];
        sweep_axis_title(run->plan, sweep, axes.axes[i], title, sizeof title);
        (void)fprintf(out, "%s%s%s%s%s%s%s%s", i ? "; " : "Varied: ", title,
                      axis->unit[0] ? " [" : "", axis->unit, axis->unit[0] ? "]" : "",
                      strcmp(title, axis->key) == 0 ? " (" : "",
                      strcmp(title, axis->key) == 0 ? axis->help : "",
                      strcmp(title, axis->key) == 0 ? ")" : "");
    }
    (void)fputs(axes.count ? ".\n" : "", out);
}

// The cell of the highest believable rate.
static void write_best(const RunRecord *run, const CellSummary *summaries, const PlanSweep *sweep,
                       const char *rate, FILE *out)
{
    double best = NAN;
    size_t best_cell = 0;
    for (size_t i = sweep->first_cell; i < sweep->first_cell + sweep->cell_count; i++) {
        const double value = metric_value(rate, run, &summaries[i]);
        if (isnan(value) || metric_value("above_roof", run, &summaries[i]) == 1 ||
            summaries[i].failed || value <= best)
            continue;
        best = value;
        best_cell = i;
    }
    if (isnan(best))
        return;
    const AxisList varying = sweep_axes_varying(run->plan, sweep);
    char where[2 * AXIS_TEXT_BYTES];
    cell_describe_axes(&run->plan->cells[best_cell], &varying, where, sizeof where);
    char number[FORMAT_BYTES];
    format_number(best, 4, number);
    (void)fprintf(out, "\nHighest rate: %s %s%s", number, metric_find(rate)->unit,
                  where[0] ? " at " : "");
    format_markdown_cell(out, where);
    (void)fputs(".\n", out);
}

static void write_sweep(const RunSet *set, size_t index, const PlanSweep *sweep, bool drawn,
                        FILE *out)
{
    const RunRecord *run = set->runs[index];
    const AxisList fixed = sweep_axes_fixed(run->plan, sweep);
    char text[2 * AXIS_TEXT_BYTES];
    cell_describe_axes(&run->plan->cells[sweep->first_cell], &fixed, text, sizeof text);
    (void)fprintf(out, "\n### Sweep %s\n\nWorkload %s", sweep->name, sweep->workload->name);
    (void)fputs(text[0] ? ", " : "", out);
    format_markdown_cell(out, text);
    (void)fputs(". ", out);
    report_sampling(sweep, out);
    (void)fputs("; axes that are not named have their defaults.\n", out);
    write_axes(run, sweep, out);
    write_best(run, set->summaries[index], sweep, "gflops", out);
    (void)fputc('\n', out);
    report_sweep_tables(run, set->summaries[index], sweep, out);
    report_simulation(set->summaries[index], sweep, out);
    report_layers(run, set->summaries[index], sweep, out);
    report_reads(run, set->summaries[index], sweep, out);
    for (size_t i = 0; i < set->figures.count; i++) {
        const Figure *figure = &set->figures.items[i];
        if (figure->shared)
            continue;
        if (figure->run == run && figure->sweep == sweep)
            report_figure(figure->title, figure->name, drawn, out);
        else if (figure->run == run && figure_takes_sweep(figure, sweep))
            (void)fprintf(out, "\nIn the figure *%s* of sweep %s.\n", figure->title,
                          figure->sweep->name);
    }
}

// The preset that gives the recorded build type.
static const char *find_preset(const json_t *build)
{
    const char *type = fact_text(build, "build_type");
    if (type && strcmp(type, "Release") == 0)
        return "measure";
    return type && strcmp(type, "Debug") == 0 ? "debug" : "release";
}

static void write_commands(const RunRecord *run, FILE *out)
{
    const json_t *build = json_object_get(run->machine, "build");
    const char *commit = fact_text(build, "commit");
    const char *preset = find_preset(build);
    (void)fprintf(out, "```sh\n");
    if (commit)
        (void)fprintf(out, "git checkout %s%s\n", commit,
                      json_is_true(json_object_get(build, "modified"))
                          ? "  # and the changes that were not committed"
                          : "");
    (void)fprintf(out, "cmake --preset %s && cmake --build --preset %s\n", preset, preset);
    (void)fprintf(out,
                  "build/%s/bin/hyperion plan %s.yaml  # ends with hash %s if the scenario and its "
                  "--set are the same\n",
                  preset, run->plan->scenario, run->plan->hash);
    (void)fprintf(out, "build/%s/bin/hyperion run %s.yaml --seed %llu --out again\n", preset,
                  run->plan->scenario, (unsigned long long)run->plan->seed);
    (void)fprintf(out, "build/%s/bin/hyperion compare %s again\n", preset, run->path);
    (void)fprintf(out, "build/%s/bin/hyperion report again  # and its figures\n```\n", preset);
}

// Those over all cells of the run.
static void write_run_figures(const RunSet *set, size_t index, bool drawn, FILE *out)
{
    bool any = false;
    for (const RunFigureKind *kind = run_figure_table; kind->name; kind++) {
        char name[FIGURE_NAME_BYTES];
        if (kind->count(set->runs[index], set->summaries[index]) == 0)
            continue;
        run_figure_name(kind, index, name, sizeof name);
        (void)fputs(any ? "" : "\n### All cells\n", out);
        report_figure(kind->title, name, drawn, out);
        any = true;
    }
}

static void write_run(const RunSet *set, size_t index, bool drawn, FILE *out)
{
    const RunRecord *run = set->runs[index];
    const CellSummary *summaries = set->summaries[index];
    if (set->count > 1)
        (void)fprintf(out, "\n## Run %zu: %s\n", index + 1, run->path);
    else
        (void)fprintf(out, "\n## What ran\n");
    (void)fputc('\n', out);
    write_what_ran(run, summaries, out);
    (void)fprintf(out, "\n%s Conditions\n\n", set->count > 1 ? "###" : "##");
    report_conditions(run, out);
    if (set->count == 1)
        (void)fprintf(out, "\n## Results\n");
    for (size_t i = 0; i < run->plan->sweep_count; i++)
        if (run->plan->sweeps[i].cell_count > 0)
            write_sweep(set, index, &run->plan->sweeps[i], drawn, out);
    write_run_figures(set, index, drawn, out);
}

bool report_write(const RunSet *set, bool drawn, FILE *out)
{
    const Plan *first = set->runs[0]->plan;
    (void)fprintf(out, "# Measurements: %s\n", first->scenario);
    if (first->description[0]) {
        (void)fputc('\n', out);
        format_markdown_cell(out, first->description);
        (void)fputc('\n', out);
    }
    bool complete = true;
    if (set->count > 1) {
        report_runs(set, out);
        complete = report_by_machine(set, drawn, out);
    }
    for (size_t i = 0; i < set->count; i++)
        write_run(set, i, drawn, out);
    if (set->figures.omitted > 0)
        (void)fprintf(out, "\nFigures left out: %zu; a sweep gives at most %d of a kind.\n",
                      set->figures.omitted, FIGURE_MOST_SIBLINGS);
    if (!drawn && set->figures.count > 0)
        (void)fprintf(out,
                      "\nThe figures are not drawn: gnuplot was not there or failed. `cd plots "
                      "&& gnuplot *.gp` draws them.\n");
    (void)fprintf(out, "\n## Where the numbers are from\n\n");
    report_legend(set, out);
    (void)fprintf(out, "\n## To reproduce\n\n");
    for (size_t i = 0; i < set->count; i++)
        write_commands(set->runs[i], out);
    (void)fprintf(out, "\nRaw samples: `journal.jsonl`; every metric of every cell: `cells.csv`; "
                       "the plan: `plan.json`; the machine: `machine.json`, `topology.xml`.\n");
    return complete;
}
