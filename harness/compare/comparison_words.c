// SPDX-License-Identifier: Apache-2.0
#include "compare/comparison_words.h"

#include "cli/command.h"
#include "compare/comparison_along.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *const comparison_side_names[SIDE_COUNT] = {"BASE", "NEW"};

const char *const comparison_column_titles[COMPARISON_COLUMNS] = {
    "verdict",   "metric",      "ratio",      "95 % interval", "p corrected", "effect",
    "could see", "BASE median", "NEW median", "samples",       "CV"};

const char *comparison_overall_name(const Comparison *comparison)
{
    const bool passes = comparison_exit_code(comparison) == EXIT_OK;
    if (comparison->options.along && passes)
        return "monotone";
    return comparison->machines_differ ? "other machine"
                                       : comparison_verdict_name(comparison_overall(comparison));
}

const char *comparison_row_word(const ComparedRow *row)
{
    if (row->metric != COMPARED_TIME && row->verdict == VERDICT_FASTER)
        return "less";
    if (row->metric != COMPARED_TIME && row->verdict == VERDICT_SLOWER)
        return "more";
    return comparison_verdict_name(row->verdict);
}

bool comparison_row_is_shown(const Comparison *comparison, const ComparedRow *row)
{
    const bool time = row->metric == COMPARED_TIME;
    if (comparison->options.along)
        return time ? row->verdict != VERDICT_SAME && row->verdict != VERDICT_FASTER
                    : row->verdict == VERDICT_FASTER;
    return time || row->verdict != VERDICT_SAME;
}

void comparison_print_totals(const Comparison *comparison, FILE *out)
{
    size_t count_of[VERDICT_COUNT] = {0};
    size_t decided = 0;
    size_t hidden = 0;
    for (size_t i = 0; i < comparison->row_count; i++) {
        const ComparedRow *row = &comparison->rows[i];
        hidden += !comparison_row_is_shown(comparison, row);
        if (comparison_row_decides(comparison, row)) {
            decided++;
            count_of[row->verdict]++;
        }
    }
    (void)fprintf(out, "%zu comparisons%s:", decided, comparison->options.along ? " of time" : "");
    const char *separator = " ";
    for (Verdict verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        if (count_of[verdict] == 0)
            continue;
        (void)fprintf(out, "%s%zu %s", separator, count_of[verdict],
                      comparison_verdict_name(verdict));
        separator = ", ";
    }
    if (comparison->options.along)
        (void)fprintf(out, "; shown are times that rise or may, and memory that falls");
    else if (hidden > 0)
        (void)fprintf(out, "; of the same, %zu of metrics other than time are not shown", hidden);
    (void)fputc('\n', out);
}

// What is being printed.
typedef struct Notes {
    const Comparison *comparison;
    const char *prefix, *suffix;
    FILE *out;
} Notes;

__attribute__((format(printf, 2, 3))) static void note(const Notes *notes, const char *format, ...)
{
    va_list arguments;
    (void)fputs(notes->prefix, notes->out);
    va_start(arguments, format);
    (void)vfprintf(notes->out, format, arguments);
    va_end(arguments);
    (void)fputs(notes->suffix, notes->out);
}

static void note_grounds(const Notes *notes)
{
    const Comparison *comparison = notes->comparison;
    char least[FORMAT_BYTES];
    format_percent(comparison_least_effect(comparison, COMPARED_TIME), least);
    if (comparison->by_sessions)
        note(notes, "Method: the unit is the session; Student's t on the logarithms of the "
                    "sessions' medians, variance pooled from both sides.");
    else
        note(notes, "Method: Hodges-Lehmann ratio NEW / BASE with its 95 %% interval, Mann-Whitney "
                    "test, Cliff's delta.");
    note(notes,
         "Slower or faster: the p-values of all %zu tests corrected together (Holm) are at most %g "
         "and the change is at least %s of time, %g %% and %g KiB of peak memory. Of numbers that "
         "are exact it is %g %% of predictions and instructions, %g %% and %g lines of simulated "
         "misses.",
         comparison->test_count, COMPARISON_ALPHA, least,
         comparison_least_effect(comparison, COMPARED_MEMORY) * 100,
         compared_metrics[COMPARED_MEMORY].least_difference,
         comparison_least_effect(comparison, COMPARED_INSTRUCTIONS) * 100,
         comparison_least_effect(comparison, COMPARED_SIMULATED_L1) * 100,
         compared_metrics[COMPARED_SIMULATED_L1].least_difference);
    note(notes,
         "Same: a change below that, or none where one of %d times as much would have been seen. "
         "Everything else is inconclusive.",
         COMPARISON_BLIND);
}

// What each line says.
static void note_along(const Notes *notes)
{
    const Comparison *comparison = notes->comparison;
    AlongReport report;
    note(notes,
         "BASE and NEW are the earlier and the later point along %s, of one run whose cells were "
         "measured turn by turn; all pairs of points that differ in it alone are compared. Times "
         "decide; dominated is a point slower than another and not smaller, by what was planned "
         "where both points have a plan, else by measured peak memory.",
         axis_table[comparison->options.along->axis].key);
    if (!along_report_make(comparison, &report))
        return;
    along_print_notes(comparison, &report, notes->prefix, notes->suffix, notes->out);
    along_report_clear(&report);
}

static void note_sources(const Notes *notes)
{
    const Comparison *comparison = notes->comparison;
    const MeasuredSide *base = comparison->side[SIDE_BASE];
    const MeasuredSide *latest = comparison->side[SIDE_NEW];
    if (base->kind == SIDE_GOOGLE || latest->kind == SIDE_GOOGLE)
        note(notes, "The samples of a Google Benchmark file are the repetitions of one process: "
                    "they are not independent, and differences between processes raise more "
                    "false alarms than stated.");
    if (comparison->by_sessions)
        note(notes, "Sessions: %zu in BASE, %zu in NEW.", base->session_count,
             latest->session_count);
    else if (comparison->options.interleaved)
        note(notes, "BASE and NEW were measured turn by turn, in one session.");
    else
        note(notes, "One session a side, at different times: how much sessions differ on this "
                    "machine is in every ratio and in no interval; a baseline of several sessions "
                    "or --against tells it apart.");
}

static void note_machines(const Notes *notes)
{
    const MeasuredSide *base = notes->comparison->side[SIDE_BASE];
    const MeasuredSide *latest = notes->comparison->side[SIDE_NEW];
    if (notes->comparison->machines_differ)
        note(notes,
             "Another machine: key %s in BASE, %s in NEW. The ratios compare machines as "
             "well as revisions, so there is no verdict.",
             base->machine_key, latest->machine_key);
    else if (!base->machine_key[0] || !latest->machine_key[0])
        note(notes, "Whether both sides are of one machine is unknown.");
    if (base->environment_digest[0] && latest->environment_digest[0] &&
        strcmp(base->environment_digest, latest->environment_digest) != 0)
        note(notes,
             "The environment differs (kernel, microcode, governor, huge pages or "
             "compiler): digest %s in BASE, %s in NEW.",
             base->environment_digest, latest->environment_digest);
}

static int compare_numbers(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;
    return (left > right) - (left < right);
}

static void format_effect(double effect, char *text)
{
    if (isinf(effect))
        (void)snprintf(text, FORMAT_BYTES, "none");
    else
        format_percent(effect, text);
}

// Of the times: the middle one and the largest.
static void note_visible(const Notes *notes)
{
    const Comparison *comparison = notes->comparison;
    double *effects = calloc(comparison->row_count + 1, sizeof *effects);
    size_t count = 0;
    for (size_t i = 0; effects && i < comparison->row_count; i++)
        if (comparison->rows[i].metric == COMPARED_TIME && !isnan(comparison->rows[i].visible))
            effects[count++] = comparison->rows[i].visible;
    if (count > 0) {
        char middle[FORMAT_BYTES];
        char largest[FORMAT_BYTES];
        qsort(effects, count, sizeof *effects, compare_numbers);
        format_effect(effects[(count - 1) / 2], middle);
        format_effect(effects[count - 1], largest);
        note(notes,
             "Smallest slowdown it could have seen (4 of 5 times, after correction): %s in "
             "the middle cell, %s in the noisiest.",
             middle, largest);
    } else {
        note(notes, "Smallest slowdown it could have seen: unknown, no time was tested.");
    }
    free(effects);
}

static void note_alarms(const Notes *notes)
{
    const AlarmKind kind =
        notes->comparison->options.interleaved ? ALARMS_INTERLEAVED : ALARMS_STORED;
    char text[256];
    false_alarms_describe(notes->comparison->options.alarms.counts[kind], kind, text, sizeof text);
    note(notes, "%s.", text);
}

static void note_groups(const Notes *notes)
{
    for (size_t i = 0; i < notes->comparison->group_count; i++) {
        const ComparedGroup *group = &notes->comparison->groups[i];
        char ratio[FORMAT_BYTES];
        format_number(group->ratio, 4, ratio);
        if (isfinite(group->interval.low))
            note(notes,
                 "Geometric mean of %s in %s: %s over %zu cells, 95 %% interval %.4g to "
                 "%.4g.",
                 compared_metrics[group->metric].name, group->name, ratio, group->rows,
                 group->interval.low, group->interval.high);
        else
            note(notes, "Geometric mean of %s in %s: %s over %zu cell%s.",
                 compared_metrics[group->metric].name, group->name, ratio, group->rows,
                 group->rows == 1 ? "" : "s");
    }
    for (size_t i = 0; i < notes->comparison->front_count; i++) {
        const ComparedFront *front = &notes->comparison->fronts[i];
        char lost[FORMAT_BYTES];
        char gained[FORMAT_BYTES];
        format_percent(front->lost, lost);
        format_percent(front->gained, gained);
        note(notes,
             "Memory/time front from %s: %s of BASE's hypervolume lost, %s gained (%zu and "
             "%zu points).",
             front->id, lost, gained, front->points[SIDE_BASE], front->points[SIDE_NEW]);
    }
}

void comparison_print_notes(const Comparison *comparison, const char *prefix, const char *suffix,
                            FILE *out)
{
    const Notes notes = {comparison, prefix, suffix, out};
    if (comparison->options.along)
        note_along(&notes);
    note_groups(&notes);
    note_grounds(&notes);
    if (!comparison->options.along)
        note_sources(&notes);
    note_machines(&notes);
    note_visible(&notes);
    note_alarms(&notes);
}

static void format_median(const ComparedRow *row, ComparedSide side, char *text)
{
    const double median = row->side[side].median;
    if (row->metric == COMPARED_TIME)
        format_time(median, text);
    else
        format_number(median, 6, text);
}

static void format_interval(Interval interval, char *text, size_t text_bytes)
{
    char low[FORMAT_BYTES];
    char high[FORMAT_BYTES];
    format_number(interval.low, 4, low);
    format_number(interval.high, 4, high);
    if (isnan(interval.low))
        (void)snprintf(text, text_bytes, "%s", FORMAT_UNKNOWN);
    else
        (void)snprintf(text, text_bytes, "%s to %s", low, high);
}

static void format_p(double p_value, char *text)
{
    if (isnan(p_value))
        (void)snprintf(text, FORMAT_BYTES, "%s", FORMAT_UNKNOWN);
    else
        (void)snprintf(text, FORMAT_BYTES, "%.2g", p_value);
}

void comparison_row_texts(const ComparedRow *row, ComparisonTexts *texts)
{
    const RowSide *base = &row->side[SIDE_BASE];
    const RowSide *latest = &row->side[SIDE_NEW];
    const ComparedMetric *metric = &compared_metrics[row->metric];
    const bool unit = row->metric != COMPARED_TIME && metric->unit[0];
    char variation[SIDE_COUNT][FORMAT_BYTES];
    (void)snprintf(texts->text[0], sizeof texts->text[0], "%s", comparison_row_word(row));
    (void)snprintf(texts->text[1], sizeof texts->text[1], "%s%s%s%s", metric->name,
                   unit ? " [" : "", unit ? metric->unit : "", unit ? "]" : "");
    format_number(row->ratio.estimate, 4, texts->text[2]);
    format_interval(row->ratio.interval, texts->text[3], sizeof texts->text[3]);
    format_p(row->corrected_p, texts->text[4]);
    format_number(row->effect, 2, texts->text[5]);
    format_effect(row->visible, texts->text[6]);
    format_median(row, SIDE_BASE, texts->text[7]);
    format_median(row, SIDE_NEW, texts->text[8]);
    (void)snprintf(texts->text[9], sizeof texts->text[9], "%zu / %zu", base->samples,
                   latest->samples);
    format_percent(base->variation, variation[SIDE_BASE]);
    format_percent(latest->variation, variation[SIDE_NEW]);
    (void)snprintf(texts->text[10], sizeof texts->text[10], "%s / %s", variation[SIDE_BASE],
                   variation[SIDE_NEW]);
}
