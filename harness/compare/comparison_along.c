// SPDX-License-Identifier: Apache-2.0
#include "compare/comparison_along.h"

#include "common/json_fields.h"
#include "common/text_table.h"
#include "report/format.h"

#include <math.h>
#include <stdlib.h>

static const double kibibyte = 1024;
static const double mebibyte = 1024.0 * 1024;

// The rows of one pair; NULL: that metric was not compared.
typedef struct PairRows {
    const ComparedRow *time, *memory;
} PairRows;

static double read_planned(const AlongPoint *point)
{
    return point->planned_bytes;
}

// A rise of the time is a fall of this.
static double read_predicted_gain(const AlongPoint *point)
{
    return -point->predicted_ns;
}

// Whether the number ever falls from a point to the next.
static AlongAnswer find_fall(const AlongPoint *points, size_t count,
                             double (*read)(const AlongPoint *point))
{
    AlongAnswer answer = ALONG_NEVER;
    for (size_t i = 0; i < count; i++) {
        if (isnan(read(&points[i])))
            return ALONG_UNKNOWN;
        if (i > 0 && read(&points[i]) < read(&points[i - 1]))
            answer = ALONG_SOMEWHERE;
    }
    return answer;
}

// What the later point's memory is to the earlier's: by the plans of both, which are exact, else by
// the verdict on what was measured.
static Verdict judge_memory(const AlongPairs *pairs, AlongPair pair, const PairRows *rows)
{
    static const double least_change = 0.001;
    const double earlier = pairs->points[pair.earlier].planned_bytes;
    const double later = pairs->points[pair.later].planned_bytes;
    if (isnan(earlier) || isnan(later))
        return rows->memory ? rows->memory->verdict : VERDICT_INCONCLUSIVE;
    if (fabs(later - earlier) < least_change * earlier)
        return VERDICT_SAME;
    return later < earlier ? VERDICT_FASTER : VERDICT_SLOWER;
}

// The point of the pair that is slower and not smaller; else ALONG_UNDOMINATED.
static size_t find_dominated(const AlongPairs *pairs, AlongPair pair, const PairRows *rows)
{
    if (!rows->time)
        return ALONG_UNDOMINATED;
    const Verdict time = rows->time->verdict;
    const Verdict memory = judge_memory(pairs, pair, rows);
    if (time == VERDICT_SLOWER && (memory == VERDICT_SAME || memory == VERDICT_SLOWER))
        return pair.later;
    if (time == VERDICT_FASTER && (memory == VERDICT_SAME || memory == VERDICT_FASTER))
        return pair.earlier;
    return ALONG_UNDOMINATED;
}

static void judge_pair(const AlongPairs *pairs, size_t index, const PairRows *rows,
                       AlongReport *report, AlongFindings *findings)
{
    const AlongPair pair = pairs->pairs[index];
    const double fall =
        pairs->points[pair.earlier].peak_bytes - pairs->points[pair.later].peak_bytes;
    const size_t loser = find_dominated(pairs, pair, rows);
    if (rows->time)
        findings->times[rows->time->verdict]++;
    if (rows->memory)
        findings->peaks[rows->memory->verdict]++;
    if (fall > findings->peak_fall_bytes)
        findings->peak_fall_bytes = fall;
    if (loser != ALONG_UNDOMINATED && report->dominator[loser] == ALONG_UNDOMINATED) {
        report->dominator[loser] = loser == pair.later ? pair.earlier : pair.later;
        findings->dominated++;
    }
}

static void judge_lines(const AlongPairs *pairs, const PairRows *rows, AlongReport *report)
{
    for (size_t i = 0; i < pairs->line_count; i++) {
        const AlongLine *line = &pairs->lines[i];
        const AlongPoint *points = &pairs->points[line->first_point];
        AlongFindings *findings = &report->lines[i];
        findings->planned_falls = find_fall(points, line->point_count, read_planned);
        findings->predicted_rises = find_fall(points, line->point_count, read_predicted_gain);
        for (size_t j = line->first_pair; j < line->first_pair + line->pair_count; j++)
            judge_pair(pairs, j, &rows[j], report, findings);
    }
}

bool along_report_make(const Comparison *comparison, AlongReport *report)
{
    const AlongPairs *pairs = comparison->options.along;
    PairRows *rows = calloc(pairs->pair_count + 1, sizeof *rows);
    *report = (AlongReport){.lines = calloc(pairs->line_count + 1, sizeof *report->lines),
                            .dominator = calloc(pairs->point_count + 1, sizeof(size_t))};
    const bool made = rows && report->lines && report->dominator;
    for (size_t i = 0; made && i < pairs->point_count; i++)
        report->dominator[i] = ALONG_UNDOMINATED;
    for (size_t i = 0; made && i < comparison->row_count; i++) {
        const ComparedRow *row = &comparison->rows[i];
        PairRows *of_pair =
            &rows[measured_cell_find(pairs->latest, row->id) - pairs->latest->cells];
        *(row->metric == COMPARED_TIME ? &of_pair->time : &of_pair->memory) = row;
    }
    if (made)
        judge_lines(pairs, rows, report);
    else
        along_report_clear(report);
    free(rows);
    return made;
}

void along_report_clear(AlongReport *report)
{
    free(report->lines);
    free(report->dominator);
    *report = (AlongReport){.lines = NULL};
}

const char *along_order_name(const AlongFindings *findings)
{
    const size_t *times = findings->times;
    if (times[VERDICT_FAILED] + times[VERDICT_MISSING] > 0)
        return "incomplete";
    if (times[VERDICT_SLOWER] > 0)
        return "slower";
    return times[VERDICT_INCONCLUSIVE] + times[VERDICT_EXCLUDED] > 0 ? "inconclusive" : "monotone";
}

static void add_mebibytes(TextTable *table, double bytes)
{
    char text[FORMAT_BYTES];
    format_number(bytes / mebibyte, 5, text);
    text_table_add(table, text);
}

static void add_time(TextTable *table, double ns)
{
    char text[FORMAT_BYTES];
    format_time(ns, text);
    text_table_add(table, text);
}

static bool print_line(const AlongPairs *pairs, const AlongLine *line, const AlongReport *report,
                       FILE *out)
{
    static const char *const titles[] = {"time", "peak [MiB]", "planned [MiB]", "predicted time",
                                         "dominated by"};
    enum { TITLES = sizeof titles / sizeof *titles };
    TextTable *table = text_table_create(1 + TITLES);
    if (!table)
        return false;
    text_table_add(table, axis_table[pairs->axis].key);
    for (size_t i = 0; i < TITLES; i++)
        text_table_add(table, titles[i]);
    for (size_t i = line->first_point; i < line->first_point + line->point_count; i++) {
        const AlongPoint *point = &pairs->points[i];
        const size_t dominator = report->dominator[i];
        text_table_add(table, point->value);
        add_time(table, point->time_ns);
        add_mebibytes(table, point->peak_bytes);
        add_mebibytes(table, point->planned_bytes);
        add_time(table, point->predicted_ns);
        text_table_add(table,
                       dominator == ALONG_UNDOMINATED ? "none" : pairs->points[dominator].value);
    }
    (void)fprintf(out, "From %s:\n", pairs->points[line->first_point].id);
    const bool printed = text_table_print(table, "  ", out);
    text_table_free(table);
    return printed;
}

bool along_print_points(const Comparison *comparison, const AlongReport *report, FILE *out)
{
    const AlongPairs *pairs = comparison->options.along;
    bool printed = true;
    for (size_t i = 0; printed && i < pairs->line_count; i++) {
        if (i > 0)
            (void)fputc('\n', out);
        printed = print_line(pairs, &pairs->lines[i], report, out);
    }
    return printed;
}

static void print_counts(const size_t *count_of, FILE *out)
{
    const char *separator = "";
    for (Verdict verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        if (count_of[verdict] == 0)
            continue;
        (void)fprintf(out, "%s%zu %s", separator, count_of[verdict],
                      comparison_verdict_name(verdict));
        separator = ", ";
    }
}

// Of the memory that was measured; nothing where none was.
static void print_peaks(const AlongFindings *findings, FILE *out)
{
    const size_t *peaks = findings->peaks;
    size_t count = 0;
    for (Verdict verdict = 0; verdict < VERDICT_COUNT; verdict++)
        count += peaks[verdict];
    if (count == 0)
        return;
    if (peaks[VERDICT_FASTER] > 0)
        (void)fprintf(out, " Peak memory falls in %zu pairs.", peaks[VERDICT_FASTER]);
    else if (peaks[VERDICT_INCONCLUSIVE] > 0)
        (void)fprintf(out, " Whether peak memory ever falls cannot be told in %zu pairs.",
                      peaks[VERDICT_INCONCLUSIVE]);
    else
        (void)fprintf(out, " Peak memory never falls.");
    if (findings->peak_fall_bytes > 0)
        (void)fprintf(out, " The largest fall of its medians is %.0f KiB.",
                      ceil(findings->peak_fall_bytes / kibibyte));
}

static void print_answer(AlongAnswer answer, const char *subject, const char *verb, FILE *out)
{
    if (answer != ALONG_UNKNOWN)
        (void)fprintf(out, " %s %s %s.", subject, answer == ALONG_NEVER ? "never" : "somewhere",
                      verb);
}

void along_print_notes(const Comparison *comparison, const AlongReport *report, const char *prefix,
                       const char *suffix, FILE *out)
{
    const AlongPairs *pairs = comparison->options.along;
    for (size_t i = 0; i < pairs->line_count; i++) {
        const AlongLine *line = &pairs->lines[i];
        const AlongFindings *findings = &report->lines[i];
        (void)fprintf(out,
                      "%sFrom %s, %zu points: %s. Of the times of %zu pairs, later against "
                      "earlier: ",
                      prefix, pairs->points[line->first_point].id, line->point_count,
                      along_order_name(findings), line->pair_count);
        print_counts(findings->times, out);
        (void)fputc('.', out);
        print_peaks(findings, out);
        print_answer(findings->planned_falls, "Planned memory", "falls", out);
        print_answer(findings->predicted_rises, "Predicted time", "rises", out);
        (void)fprintf(out, " Dominated: %zu.%s", findings->dominated, suffix);
    }
}

// Whether the statement "never" holds.
static json_t *answer_to_json(AlongAnswer answer)
{
    return answer == ALONG_UNKNOWN ? json_null() : json_boolean(answer == ALONG_NEVER);
}

static json_t *counts_to_json(const size_t *count_of)
{
    json_t *counts = json_object();
    for (Verdict verdict = 0; verdict < VERDICT_COUNT; verdict++)
        if (count_of[verdict] > 0)
            (void)json_object_set_new(counts, comparison_verdict_name(verdict),
                                      json_integer((json_int_t)count_of[verdict]));
    return counts;
}

static json_t *points_to_json(const AlongPairs *pairs, const AlongLine *line,
                              const AlongReport *report)
{
    json_t *points = json_array();
    for (size_t i = line->first_point; i < line->first_point + line->point_count; i++) {
        const AlongPoint *point = &pairs->points[i];
        const size_t dominator = report->dominator[i];
        (void)json_array_append_new(
            points,
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cell", json_text(point->id), "value",
                      json_text(point->value), "time_ns", json_number_or_null(point->time_ns),
                      "peak_bytes", json_number_or_null(point->peak_bytes), "planned_bytes",
                      json_number_or_null(point->planned_bytes), "predicted_time_ns",
                      json_number_or_null(point->predicted_ns), "dominated_by",
                      dominator == ALONG_UNDOMINATED ? json_null()
                                                     : json_text(pairs->points[dominator].value)));
    }
    return points;
}

json_t *along_to_json(const Comparison *comparison, const AlongReport *report)
{
    const AlongPairs *pairs = comparison->options.along;
    json_t *lines = json_array();
    for (size_t i = 0; i < pairs->line_count; i++) {
        const AlongFindings *findings = &report->lines[i];
        (void)json_array_append_new(
            lines,
            json_pack("{s:s, s:o, s:o, s:f, s:o, s:o, s:I, s:o}", "order",
                      along_order_name(findings), "times", counts_to_json(findings->times), "peaks",
                      counts_to_json(findings->peaks), "peak_fall_bytes", findings->peak_fall_bytes,
                      "planned_never_falls", answer_to_json(findings->planned_falls),
                      "predicted_never_rises", answer_to_json(findings->predicted_rises),
                      "dominated", (json_int_t)findings->dominated, "points",
                      points_to_json(pairs, &pairs->lines[i], report)));
    }
    return json_pack("{s:s, s:o}", "axis", axis_table[pairs->axis].key, "lines", lines);
}
