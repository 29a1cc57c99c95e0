// SPDX-License-Identifier: Apache-2.0
#include "compare/google_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Rows of one file by name, those of one name in their order.
typedef struct NameOrder {
    const GoogleRow **rows;
    size_t count;
} NameOrder;

static int compare_names(const void *a, const void *b)
{
    const GoogleRow *left = *(const GoogleRow *const *)a;
    const GoogleRow *right = *(const GoogleRow *const *)b;
    const int order = strcmp(left->name, right->name);
    return order ? order : (left > right) - (left < right);
}

static bool order_names(const GoogleFile *file, NameOrder *order)
{
    *order = (NameOrder){calloc(file->row_count + 1, sizeof(const GoogleRow *)), file->row_count};
    if (!order->rows)
        return false;
    for (size_t i = 0; i < file->row_count; i++)
        order->rows[i] = &file->rows[i];
    qsort((void *)order->rows, order->count, sizeof(const GoogleRow *), compare_names);
    return true;
}

static size_t find_first(const NameOrder *order, const char *name)
{
    size_t low = 0;
    size_t high = order->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(order->rows[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Times of one benchmark in one file, with room for a whole file.
typedef struct Times {
    double *real, *cpu;
    size_t count;
} Times;

static bool make_times(const GoogleFile *file, Times *times)
{
    *times = (Times){calloc(file->row_count + 1, sizeof *times->real),
                     calloc(file->row_count + 1, sizeof *times->cpu), 0};
    return times->real && times->cpu;
}

static void free_times(Times *times)
{
    free(times->real);
    free(times->cpu);
}

static void take_partition(const NameOrder *order, const char *name, const char *unit, Times *times)
{
    times->count = 0;
    for (size_t i = find_first(order, name);
         i < order->count && strcmp(order->rows[i]->name, name) == 0; i++) {
        const GoogleRow *row = order->rows[i];
        if (!row->timed || strcmp(row->unit, unit) != 0)
            continue;
        times->real[times->count] = row->real;
        times->cpu[times->count++] = row->cpu;
    }
}

static GoogleTimes view(const Times *times)
{
    return (GoogleTimes){times->real, times->cpu, times->count};
}

static void add_partition(GoogleReport *report, const char *name, const Times *base,
                          const Times *latest)
{
    const size_t pairs = base->count < latest->count ? base->count : latest->count;
    for (size_t i = 0; i < pairs; i++)
        report->rows[report->row_count++] =
            (GoogleReportRow){.kind = GOOGLE_PAIR,
                              .name = name,
                              .real_change = google_change(base->real[i], latest->real[i]),
                              .cpu_change = google_change(base->cpu[i], latest->cpu[i]),
                              .base_real = base->real[i],
                              .latest_real = latest->real[i],
                              .base_cpu = base->cpu[i],
                              .latest_cpu = latest->cpu[i]};
    const GoogleUTest test = google_u_test(view(base), view(latest));
    // A p-value of 0 is none to compare.py either.
    if (pairs > 0 && test.made && test.real_p > 0 && test.cpu_p > 0)
        report->rows[report->row_count++] = (GoogleReportRow){.kind = GOOGLE_P_VALUES,
                                                              .name = name,
                                                              .test = test,
                                                              .base_count = base->count,
                                                              .latest_count = latest->count};
}

// In seconds, of all rows that are no aggregates.
static void take_seconds(const GoogleFile *file, Times *times)
{
    times->count = 0;
    for (size_t i = 0; i < file->row_count; i++) {
        const GoogleRow *row = &file->rows[i];
        if (row->aggregate)
            continue;
        const double seconds = (row->unit ? google_unit_ns(row->unit) : 1e9) / 1e9;
        times->real[times->count] = row->real * seconds;
        times->cpu[times->count++] = row->cpu * seconds;
    }
}

static void add_overall(GoogleReport *report, const GoogleFile *base, const GoogleFile *latest,
                        Times *old, Times *now)
{
    take_seconds(base, old);
    take_seconds(latest, now);
    const GoogleOverall overall = google_overall(view(old), view(now));
    if (overall.made)
        report->rows[report->row_count++] = (GoogleReportRow){.kind = GOOGLE_GEOMEAN,
                                                              .name = "OVERALL_GEOMEAN",
                                                              .real_change = overall.real_change,
                                                              .cpu_change = overall.cpu_change,
                                                              .base_real = overall.base_real,
                                                              .latest_real = overall.latest_real,
                                                              .base_cpu = overall.base_cpu,
                                                              .latest_cpu = overall.latest_cpu};
}

// A benchmark is compared where its first row stands, in the unit of its first row with a time.
static void add_partitions(GoogleReport *report, const GoogleFile *base, const NameOrder *old_rows,
                           const NameOrder *new_rows, Times *old, Times *now)
{
    for (size_t i = 0; i < base->row_count; i++) {
        const char *name = base->rows[i].name;
        const size_t first = find_first(old_rows, name);
        const char *unit = NULL;
        if (old_rows->rows[first] != &base->rows[i])
            continue;
        for (size_t j = first; !unit && j < old_rows->count; j++) {
            if (strcmp(old_rows->rows[j]->name, name) != 0)
                break;
            unit = old_rows->rows[j]->timed ? old_rows->rows[j]->unit : NULL;
        }
        if (!unit)
            continue;
        take_partition(old_rows, name, unit, old);
        take_partition(new_rows, name, unit, now);
        add_partition(report, name, old, now);
    }
}

GoogleReport *google_report_make(const GoogleFile *base, const GoogleFile *latest)
{
    GoogleReport *report = calloc(1, sizeof *report);
    NameOrder old_rows = {0};
    NameOrder new_rows = {0};
    Times old = {0};
    Times now = {0};
    // A pair takes a row of each file, a test is one for a name.
    if (report)
        report->rows = calloc(2 * base->row_count + 2, sizeof *report->rows);
    const bool room = report && report->rows && order_names(base, &old_rows) &&
                      order_names(latest, &new_rows) && make_times(base, &old) &&
                      make_times(latest, &now);
    if (room) {
        add_partitions(report, base, &old_rows, &new_rows, &old, &now);
        add_overall(report, base, latest, &old, &now);
    } else {
        google_report_free(report);
        report = NULL;
    }
    free((void *)old_rows.rows);
    free((void *)new_rows.rows);
    free_times(&old);
    free_times(&now);
    return report;
}

void google_report_free(GoogleReport *report)
{
    if (!report)
        return;
    free(report->rows);
    free(report);
}

static void print_change(FILE *out, double change)
{
    if (isfinite(change))
        (void)fprintf(out, "%+16.4f", change);
    else
        (void)fprintf(out, "%16s", "-");
}

static void print_time(FILE *out, double time)
{
    if (isfinite(time))
        (void)fprintf(out, "%14.0f", time);
    else
        (void)fprintf(out, "%14s", "-");
}

static void print_test(const GoogleReportRow *row, int width, FILE *out)
{
    (void)fprintf(out, "%s_pvalue%*s%16.4f%16.4f      U Test, Repetitions: %zu vs %zu", row->name,
                  width - (int)strlen(row->name) - 7, "", row->test.real_p, row->test.cpu_p,
                  row->base_count, row->latest_count);
    if (!row->test.enough)
        (void)fprintf(out, ". WARNING: Results unreliable! %d+ repetitions recommended.",
                      GOOGLE_ENOUGH_REPETITIONS);
    (void)fputc('\n', out);
}

static void print_row(const GoogleReportRow *row, int width, FILE *out)
{
    if (row->kind == GOOGLE_P_VALUES) {
        print_test(row, width, out);
        return;
    }
    (void)fprintf(out, "%-*s", width, row->name);
    print_change(out, row->real_change);
    print_change(out, row->cpu_change);
    print_time(out, row->base_real);
    print_time(out, row->latest_real);
    print_time(out, row->base_cpu);
    print_time(out, row->latest_cpu);
    (void)fputc('\n', out);
}

void google_report_print(const GoogleReport *report, FILE *out)
{
    static const char heads[] = "Time             CPU      Time Old      Time New       CPU Old"
                                "       CPU New";
    size_t longest = strlen("Benchmark");
    for (size_t i = 0; i < report->row_count; i++) {
        const size_t length = strlen(report->rows[i].name);
        longest = length > longest ? length : longest;
    }
    const int width = (int)(longest < 1024 ? longest : 1024) + 7; // "_pvalue"
    (void)fprintf(out, "%-*s%s\n", 12 + width, "Benchmark", heads);
    for (size_t i = 0; i < 12 + (size_t)width + sizeof heads - 1; i++)
        (void)fputc('-', out);
    (void)fputc('\n', out);
    for (size_t i = 0; i < report->row_count; i++)
        print_row(&report->rows[i], width, out);
}
