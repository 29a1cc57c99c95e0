// SPDX-License-Identifier: Apache-2.0
// figure_cache_errors.c - the distribution of the errors of cache counts: which share of the cells
// lies within how much, a panel a cache level.
#include "report/run_figures.h"

#include "report/figure_script.h"
#include "study/cache_study.h"

#include <math.h>
#include <stdlib.h>

enum { PANELS = 2 }; // L1 and L2, which the model is held to

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

// The errors of one comparison in one level, ascending; the caller frees. NULL: out of memory.
static double *sort_errors(const CacheStudy *study, CacheComparison comparison, int level,
                           size_t *count)
{
    double *errors = calloc(study->row_count + 1, sizeof *errors);
    *count = 0;
    for (size_t i = 0; errors && i < study->row_count; i++) {
        const double error = cache_row_error(&study->rows[i], comparison);
        if (study->rows[i].level == level && !isnan(error))
            errors[(*count)++] = error;
    }
    if (errors)
        qsort(errors, *count, sizeof *errors, compare_doubles);
    return errors;
}

static bool is_of_level(const CacheStudy *study, const CacheRow *row, const void *context)
{
    (void)study;
    return row->level == *(const int *)context;
}

size_t cache_errors_count(const RunRecord *run, const CellSummary *summaries)
{
    CacheStudy study;
    size_t most = 0;
    if (!cache_study_make(run, summaries, &study))
        return 0;
    for (int level = 1; level <= PANELS; level++)
        for (CacheComparison kind = 0; kind < CACHE_COMPARISONS; kind++) {
            CacheErrors errors;
            if (cache_study_errors(&study, kind, is_of_level, &level, &errors) &&
                errors.count > most)
                most = errors.count;
        }
    cache_study_clear(&study);
    return most;
}

void cache_errors_define(const RunRecord *run, const CellSummary *summaries, FILE *script)
{
    static const char *const panels[PANELS] = {"L1", "L2"};
    const char *names[CACHE_COMPARISONS];
    double shown[CACHE_COMPARISONS] = {0};
    CacheStudy study;
    bool measured = false;
    for (CacheComparison kind = 0; kind < CACHE_COMPARISONS; kind++)
        names[kind] = cache_comparisons[kind].help;
    if (cache_study_make(run, summaries, &study)) {
        for (CacheComparison kind = 0; kind < CACHE_COMPARISONS; kind++) {
            CacheErrors errors;
            shown[kind] = cache_study_errors(&study, kind, NULL, NULL, &errors) && errors.count > 0;
        }
        measured = shown[CACHE_HARDWARE_ERROR] > 0;
        cache_study_clear(&study);
    }
    script_number(script, "panel_count", PANELS);
    script_texts(script, "panel_title", panels, PANELS);
    script_number(script, "kind_count", CACHE_COMPARISONS);
    script_texts(script, "kind_label", names, CACHE_COMPARISONS);
    script_numbers(script, "kind_shown", shown, CACHE_COMPARISONS);
    script_text(script, "caption",
                measured ? "Lines brought in during one iteration. Error: |first - second| / "
                           "max(second, 6400 lines), drawn at 0.01 % where it is less."
                         : "Lines brought in during one iteration. Error: |first - second| / "
                           "max(second, 6400 lines), drawn at 0.01 % where it is less.\nNothing "
                           "here was measured on hardware.");
}

// A step up at each error: which share of the cells has at most that.
static void write_block(const CacheStudy *study, CacheComparison comparison, int level, FILE *data)
{
    size_t count = 0;
    double *errors = sort_errors(study, comparison, level, &count);
    (void)fputs(" ? ?\n", data);
    for (size_t i = 0; errors && i < count; i++) {
        data_column(data, 100 * fmax(errors[i], 1e-4));
        data_column(data, 100 * (double)(i + 1) / (double)count);
        (void)fputc('\n', data);
    }
    free(errors);
}

void cache_errors_tabulate(const RunRecord *run, const CellSummary *summaries, FILE *data)
{
    CacheStudy study;
    (void)fprintf(data, "# columns: error [%%], share of cells with at most that [%%]\n");
    if (!cache_study_make(run, summaries, &study))
        return;
    for (int block = 0; block < PANELS * CACHE_COMPARISONS; block++) {
        const CacheComparison kind = (CacheComparison)(block % CACHE_COMPARISONS);
        const int level = block / CACHE_COMPARISONS + 1;
        (void)fprintf(data, "%s# L%d, %s\n", block ? "\n\n" : "", level,
                      cache_comparisons[kind].help);
        write_block(&study, kind, level, data);
    }
    cache_study_clear(&study);
}
