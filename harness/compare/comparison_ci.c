// SPDX-License-Identifier: Apache-2.0
// comparison_ci.c - a comparison as build servers read it: JUnit XML, GitHub annotations.
#include "compare/comparison_formats.h"
#include "compare/comparison_words.h"

#include <math.h>
#include <string.h>

// What a build server makes of a verdict.
typedef enum Outcome { OUTCOME_PASSED, OUTCOME_SKIPPED, OUTCOME_FAILED } Outcome;

static Outcome find_outcome(const Comparison *comparison, const ComparedRow *row)
{
    if (!comparison_row_decides(comparison, row))
        return OUTCOME_PASSED;
    switch (row->verdict) {
    case VERDICT_SLOWER:
    case VERDICT_FAILED:
    case VERDICT_MISSING: return OUTCOME_FAILED;
    case VERDICT_INCONCLUSIVE:
    case VERDICT_EXCLUDED: return OUTCOME_SKIPPED;
    default: return OUTCOME_PASSED;
    }
}

static void describe_row(const ComparedRow *row, char *text, size_t text_bytes)
{
    ComparisonTexts texts;
    comparison_row_texts(row, &texts);
    if (isnan(row->ratio.estimate))
        (void)snprintf(text, text_bytes, "%s: %s", comparison_row_word(row), row->reason);
    else
        (void)snprintf(text, text_bytes, "%s: ratio %s (95 %% interval %s, p %s), %s to %s%s%s",
                       comparison_row_word(row), texts.text[2], texts.text[3], texts.text[4],
                       texts.text[7], texts.text[8], row->reason[0] ? ": " : "", row->reason);
}

// XML 1.0 has no control characters but tab and line ends.
static void print_xml(FILE *out, const char *text)
{
    for (; *text; text++) {
        const unsigned char byte = (unsigned char)*text;
        switch (*text) {
        case '&': (void)fputs("&amp;", out); break;
        case '<': (void)fputs("&lt;", out); break;
        case '>': (void)fputs("&gt;", out); break;
        case '"': (void)fputs("&quot;", out); break;
        default: (void)fputc(byte < 32 ? ' ' : byte, out);
        }
    }
}

static void write_case(const Comparison *comparison, const ComparedRow *row, FILE *out)
{
    static const char *const elements[] = {
        [OUTCOME_SKIPPED] = "skipped", [OUTCOME_FAILED] = "failure"};
    const Outcome outcome = find_outcome(comparison, row);
    char text[1024];
    (void)fprintf(out, "  <testcase classname=\"");
    print_xml(out, row->group);
    (void)fprintf(out, "\" name=\"");
    print_xml(out, row->id);
    (void)fprintf(out, " %s\"", compared_metrics[row->metric].name);
    if (outcome == OUTCOME_PASSED) {
        (void)fprintf(out, "/>\n");
        return;
    }
    describe_row(row, text, sizeof text);
    (void)fprintf(out, ">\n    <%s message=\"", elements[outcome]);
    print_xml(out, text);
    (void)fprintf(out, "\"/>\n  </testcase>\n");
}

bool comparison_write_junit(const Comparison *comparison, FILE *out)
{
    size_t count_of[OUTCOME_FAILED + 1] = {0};
    for (size_t i = 0; i < comparison->row_count; i++)
        count_of[find_outcome(comparison, &comparison->rows[i])]++;
    const char *scenario = comparison->side[SIDE_NEW]->scenario;
    (void)fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
    print_xml(out, scenario[0] ? scenario : "hyperion compare");
    (void)fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\" skipped=\"%zu\">\n",
                  comparison->row_count + 1, count_of[OUTCOME_FAILED],
                  (int)comparison->machines_differ, count_of[OUTCOME_SKIPPED]);
    (void)fprintf(out, "  <testcase classname=\"hyperion\" name=\"one machine\"%s",
                  comparison->machines_differ
                      ? ">\n    <error message=\"the machine keys differ\"/>\n  </testcase>\n"
                      : "/>\n");
    for (size_t i = 0; i < comparison->row_count; i++)
        write_case(comparison, &comparison->rows[i], out);
    (void)fprintf(out, "  <system-out><![CDATA[\n");
    comparison_print_notes(comparison, "", "\n", out);
    (void)fprintf(out, "  ]]></system-out>\n</testsuite>\n");
    return true;
}

// Percent and line ends are escaped in messages, colons and commas also in properties.
static void print_command_text(FILE *out, const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (strchr(escaped, *text))
            (void)fprintf(out, "%%%02X", (unsigned char)*text);
        else
            (void)fputc(*text, out);
    }
}

static void write_annotation(const char *level, const char *title, const char *text, FILE *out)
{
    (void)fprintf(out, "::%s title=", level);
    print_command_text(out, title, "%\r\n:,");
    (void)fprintf(out, "::");
    print_command_text(out, text, "%\r\n");
    (void)fputc('\n', out);
}

bool comparison_write_github(const Comparison *comparison, FILE *out)
{
    static const char *const levels[] = {[OUTCOME_SKIPPED] = "warning", [OUTCOME_FAILED] = "error"};
    char text[1024];
    if (comparison->machines_differ)
        write_annotation("error", "another machine",
                         "BASE and NEW are of different machines: there is no verdict", out);
    for (size_t i = 0; i < comparison->row_count; i++) {
        const ComparedRow *row = &comparison->rows[i];
        const Outcome outcome = find_outcome(comparison, row);
        if (outcome == OUTCOME_PASSED)
            continue;
        char title[512];
        (void)snprintf(title, sizeof title, "%s of %.400s", compared_metrics[row->metric].name,
                       row->id);
        describe_row(row, text, sizeof text);
        write_annotation(levels[outcome], title, text, out);
    }
    (void)snprintf(text, sizeof text, "%s (exit code %d), %zu comparisons",
                   comparison_overall_name(comparison), comparison_exit_code(comparison),
                   comparison->row_count);
    write_annotation("notice", "hyperion compare", text, out);
    return true;
}
