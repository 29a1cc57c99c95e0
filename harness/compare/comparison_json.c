// SPDX-License-Identifier: Apache-2.0
// comparison_json.c - a comparison as one JSON document; what is unknown is null.
#include "compare/comparison_along.h"
#include "compare/comparison_formats.h"
#include "compare/comparison_words.h"

#include "common/json_fields.h"
#include "common/json_file.h"

#include <math.h>

static json_t *text_or_null(const char *text)
{
    return text[0] ? json_text(text) : json_null();
}

static json_t *interval_to_json(Interval interval)
{
    return json_pack("[o, o]", json_number_or_null(interval.low),
                     json_number_or_null(interval.high));
}

static json_t *side_to_json(const MeasuredSide *side)
{
    static const char *const kinds[] = {"run", "baseline", "google_benchmark"};
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:I}", "path", json_text(side->path), "kind",
                     kinds[side->kind], "scenario", text_or_null(side->scenario), "commit",
                     text_or_null(side->commit), "machine_key", text_or_null(side->machine_key),
                     "environment_digest", text_or_null(side->environment_digest), "sessions",
                     (json_int_t)side->session_count);
}

static json_t *row_side_to_json(const RowSide *side)
{
    return json_pack("{s:I, s:I, s:o, s:o}", "samples", (json_int_t)side->samples, "sessions",
                     (json_int_t)side->sessions, "median", json_number_or_null(side->median),
                     "variation", json_number_or_null(side->variation));
}

static json_t *row_to_json(const ComparedRow *row)
{
    return json_pack(
        "{s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "cell",
        json_text(row->id), "sweep", json_text(row->group), "metric",
        compared_metrics[row->metric].name, "unit", compared_metrics[row->metric].unit, "verdict",
        comparison_verdict_name(row->verdict), "ratio", json_number_or_null(row->ratio.estimate),
        "ratio_interval", interval_to_json(row->ratio.interval), "p_value",
        json_number_or_null(row->p_value), "corrected_p", json_number_or_null(row->corrected_p),
        "effect", json_number_or_null(row->effect), "visible_effect",
        json_number_or_null(row->visible), "sees_nothing", (int)isinf(row->visible), "base",
        row_side_to_json(&row->side[SIDE_BASE]), "new", row_side_to_json(&row->side[SIDE_NEW]),
        "reason", json_text(row->reason));
}

static json_t *rows_to_json(const Comparison *comparison)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < comparison->row_count; i++)
        if (json_array_append_new(rows, row_to_json(&comparison->rows[i])) != 0) {
            json_decref(rows);
            return NULL;
        }
    return rows;
}

static json_t *groups_to_json(const Comparison *comparison)
{
    json_t *groups = json_array();
    for (size_t i = 0; i < comparison->group_count; i++) {
        const ComparedGroup *group = &comparison->groups[i];
        (void)json_array_append_new(groups, json_pack("{s:o, s:s, s:I, s:o, s:o}", "sweep",
                                                      json_text(group->name), "metric",
                                                      compared_metrics[group->metric].name, "cells",
                                                      (json_int_t)group->rows, "geometric_mean",
                                                      json_number_or_null(group->ratio), "interval",
                                                      interval_to_json(group->interval)));
    }
    return groups;
}

static json_t *fronts_to_json(const Comparison *comparison)
{
    json_t *fronts = json_array();
    for (size_t i = 0; i < comparison->front_count; i++) {
        const ComparedFront *front = &comparison->fronts[i];
        (void)json_array_append_new(
            fronts, json_pack("{s:o, s:I, s:I, s:o, s:o}", "first_cell", json_text(front->id),
                              "base_points", (json_int_t)front->points[SIDE_BASE], "new_points",
                              (json_int_t)front->points[SIDE_NEW], "hypervolume_lost",
                              json_number_or_null(front->lost), "hypervolume_gained",
                              json_number_or_null(front->gained)));
    }
    return fronts;
}

static json_t *google_to_json(const GoogleReport *report)
{
    static const char *const kinds[] = {"pair", "p_values", "geomean"};
    json_t *rows = report ? json_array() : json_null();
    for (size_t i = 0; report && i < report->row_count; i++) {
        const GoogleReportRow *row = &report->rows[i];
        const bool test = row->kind == GOOGLE_P_VALUES;
        json_t *object =
            test ? json_pack("{s:o, s:s, s:o, s:o, s:I, s:I, s:b}", "name", json_text(row->name),
                             "kind", kinds[row->kind], "time_pvalue",
                             json_number_or_null(row->test.real_p), "cpu_pvalue",
                             json_number_or_null(row->test.cpu_p), "repetitions",
                             (json_int_t)row->base_count, "repetitions_other",
                             (json_int_t)row->latest_count, "enough", (int)row->test.enough)
                 : json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                             json_text(row->name), "kind", kinds[row->kind], "time",
                             json_number_or_null(row->real_change), "cpu",
                             json_number_or_null(row->cpu_change), "real_time",
                             json_number_or_null(row->base_real), "real_time_other",
                             json_number_or_null(row->latest_real), "cpu_time",
                             json_number_or_null(row->base_cpu), "cpu_time_other",
                             json_number_or_null(row->latest_cpu));
        (void)json_array_append_new(rows, object);
    }
    return rows;
}

static json_t *alarms_to_json(const Comparison *comparison)
{
    const AlarmKind kind = comparison->options.interleaved ? ALARMS_INTERLEAVED : ALARMS_STORED;
    const AlarmCount count = comparison->options.alarms.counts[kind];
    const Interval interval = false_alarms_interval(count);
    const bool measured = count.comparisons > 0;
    return json_pack("{s:s, s:I, s:I, s:o}", "kind", false_alarms_kind(kind), "comparisons",
                     (json_int_t)count.comparisons, "alarms", (json_int_t)count.alarms,
                     "rate_interval", measured ? interval_to_json(interval) : json_null());
}

// NULL: out of memory.
static json_t *along_or_null(const Comparison *comparison)
{
    AlongReport report;
    if (!comparison->options.along)
        return json_null();
    if (!along_report_make(comparison, &report))
        return NULL;
    json_t *along = along_to_json(comparison, &report);
    along_report_clear(&report);
    return along;
}

bool comparison_write_json(const Comparison *comparison, FILE *out)
{
    json_t *document = json_pack(
        "{s:s, s:s, s:i, s:s, s:f, s:I, s:f, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "schema", "hyperion-comparison-2", "overall", comparison_overall_name(comparison),
        "exit_code", comparison_exit_code(comparison), "unit",
        comparison->by_sessions ? "session" : "sample", "alpha", COMPARISON_ALPHA, "tests",
        (json_int_t)comparison->test_count, "least_time_effect",
        comparison_least_effect(comparison, COMPARED_TIME), "interleaved",
        (int)comparison->options.interleaved, "machines_differ", (int)comparison->machines_differ,
        "false_alarms", alarms_to_json(comparison), "base",
        side_to_json(comparison->side[SIDE_BASE]), "new", side_to_json(comparison->side[SIDE_NEW]),
        "sweeps", groups_to_json(comparison), "fronts", fronts_to_json(comparison), "rows",
        rows_to_json(comparison), "google_rows", google_to_json(comparison->google), "along",
        along_or_null(comparison));
    const bool written =
        document && json_dumpf(document, out, JSON_FILE_FLAGS | JSON_INDENT(1)) == 0;
    (void)fputc('\n', out);
    json_decref(document);
    return written;
}
