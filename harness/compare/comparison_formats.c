// SPDX-License-Identifier: Apache-2.0
#include "compare/comparison_formats.h"

#include "compare/comparison_along.h"
#include "compare/comparison_words.h"

#include <stdlib.h>

static const char *known(const char *text)
{
    return text[0] ? text : "unknown";
}

// Columns on the terminal, not bytes: UTF-8 continuation bytes take none.
static int text_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void print_padded(FILE *out, const char *text, int width)
{
    (void)fprintf(out, "%s%*s  ", text, width - text_width(text), "");
}

// Along an axis both sides are one run.
static size_t count_sides(const Comparison *comparison)
{
    return comparison->options.along ? 1 : SIDE_COUNT;
}

static const char *name_side(const Comparison *comparison, size_t side)
{
    return comparison->options.along ? "RUN" : comparison_side_names[side];
}

static void print_sides(const Comparison *comparison, FILE *out)
{
    for (size_t i = 0; i < count_sides(comparison); i++) {
        const MeasuredSide *side = comparison->side[i];
        (void)fprintf(out, "%-4s  %s\n      scenario %s, commit %s, machine %s\n",
                      name_side(comparison, i), side->path, known(side->scenario),
                      known(side->commit), known(side->machine_key));
    }
}

static void print_table(const Comparison *comparison, ComparisonTexts *rows, FILE *out)
{
    int widths[COMPARISON_COLUMNS];
    for (size_t column = 0; column < COMPARISON_COLUMNS; column++) {
        widths[column] = text_width(comparison_column_titles[column]);
        for (size_t i = 0; i < comparison->row_count; i++) {
            const int width = text_width(rows[i].text[column]);
            if (comparison_row_is_shown(comparison, &comparison->rows[i]) && width > widths[column])
                widths[column] = width;
        }
    }
    for (size_t column = 0; column < COMPARISON_COLUMNS; column++)
        print_padded(out, comparison_column_titles[column], widths[column]);
    (void)fprintf(out, "cell\n");
    for (size_t i = 0; i < comparison->row_count; i++) {
        const ComparedRow *row = &comparison->rows[i];
        if (!comparison_row_is_shown(comparison, row))
            continue;
        for (size_t column = 0; column < COMPARISON_COLUMNS; column++)
            print_padded(out, rows[i].text[column], widths[column]);
        (void)fprintf(out, "%s%s%s\n", row->id, row->reason[0] ? "  # " : "", row->reason);
    }
}

// The points along an axis, between `before` and `after`. False: out of memory.
static bool print_points(const Comparison *comparison, const char *before, const char *after,
                         FILE *out)
{
    AlongReport report;
    if (!comparison->options.along)
        return true;
    if (!along_report_make(comparison, &report))
        return false;
    (void)fputs(before, out);
    const bool printed = along_print_points(comparison, &report, out);
    (void)fputs(after, out);
    along_report_clear(&report);
    return printed;
}

static size_t count_shown(const Comparison *comparison)
{
    size_t count = 0;
    for (size_t i = 0; i < comparison->row_count; i++)
        count += comparison_row_is_shown(comparison, &comparison->rows[i]);
    return count;
}

bool comparison_write_text(const Comparison *comparison, FILE *out)
{
    ComparisonTexts *rows = calloc(comparison->row_count + 1, sizeof *rows);
    if (!rows)
        return false;
    for (size_t i = 0; i < comparison->row_count; i++)
        comparison_row_texts(&comparison->rows[i], &rows[i]);
    print_sides(comparison, out);
    (void)fputc('\n', out);
    const bool printed = print_points(comparison, "", "\n", out);
    if (count_shown(comparison) > 0) {
        print_table(comparison, rows, out);
        (void)fputc('\n', out);
    }
    free(rows);
    comparison_print_totals(comparison, out);
    comparison_print_notes(comparison, "", "\n", out);
    if (comparison->google) {
        (void)fprintf(out, "\ncompare.py's rows:\n");
        google_report_print(comparison->google, out);
    }
    (void)fprintf(out, "\noverall: %s (exit code %d)\n", comparison_overall_name(comparison),
                  comparison_exit_code(comparison));
    return printed;
}

static void write_markdown_row(const ComparedRow *row, FILE *out)
{
    ComparisonTexts texts;
    comparison_row_texts(row, &texts);
    (void)fprintf(out, "| ");
    format_markdown_cell(out, row->id);
    for (size_t column = 0; column < COMPARISON_COLUMNS; column++)
        (void)fprintf(out, " | %s", texts.text[column]);
    (void)fprintf(out, " | ");
    format_markdown_cell(out, row->reason);
    (void)fprintf(out, " |\n");
}

static void write_markdown_table(const Comparison *comparison, FILE *out)
{
    (void)fprintf(out, "\n| cell |");
    for (size_t column = 0; column < COMPARISON_COLUMNS; column++)
        (void)fprintf(out, " %s |", comparison_column_titles[column]);
    (void)fprintf(out, " remark |\n|---|---|---|");
    for (size_t column = 2; column < COMPARISON_COLUMNS; column++)
        (void)fprintf(out, "---:|");
    (void)fprintf(out, "---|\n");
    for (size_t i = 0; i < comparison->row_count; i++)
        if (comparison_row_is_shown(comparison, &comparison->rows[i]))
            write_markdown_row(&comparison->rows[i], out);
}

bool comparison_write_markdown(const Comparison *comparison, FILE *out)
{
    (void)fprintf(out, "## Comparison: %s\n\n", comparison_overall_name(comparison));
    for (size_t i = 0; i < count_sides(comparison); i++) {
        const MeasuredSide *side = comparison->side[i];
        (void)fprintf(out, "- %s: `%s`, scenario %s, commit `%s`, machine `%s`\n",
                      name_side(comparison, i), side->path, known(side->scenario),
                      known(side->commit), known(side->machine_key));
    }
    const bool printed = print_points(comparison, "\n```\n", "```\n", out);
    if (count_shown(comparison) > 0)
        write_markdown_table(comparison, out);
    (void)fputc('\n', out);
    comparison_print_totals(comparison, out);
    (void)fputc('\n', out);
    comparison_print_notes(comparison, "- ", "\n", out);
    if (comparison->google) {
        (void)fprintf(out, "\ncompare.py's rows:\n\n```\n");
        google_report_print(comparison->google, out);
        (void)fprintf(out, "```\n");
    }
    return printed;
}

const ComparisonFormat comparison_formats[] = {
    {"text", comparison_write_text},     {"markdown", comparison_write_markdown},
    {"json", comparison_write_json},     {"junit", comparison_write_junit},
    {"github", comparison_write_github}, {NULL, NULL}};
