// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "compare/session_alarms.h"

#include "common/json_file.h"
#include "compare/baseline_file.h"
#include "compare/comparison.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static bool is_of(const json_t *session, const char *name, const char *expected)
{
    const char *given = json_string_value(json_object_get(session, name));
    return given && strcmp(given, expected) == 0;
}

static bool all_are_of(const json_t *sessions, const MeasuredSide *side)
{
    const bool known = side->commit[0] && side->environment_digest[0] &&
                       !strstr(side->commit, "dirty") && json_array_size(sessions) >= 2;
    bool same = known;
    for (size_t i = 0; same && i < json_array_size(sessions); i++) {
        const json_t *session = json_array_get(sessions, i);
        same = is_of(session, "commit", side->commit) &&
               is_of(session, "environment_digest", side->environment_digest);
    }
    return same;
}

static bool compare(const MeasuredSide *base, const MeasuredSide *latest, AlarmCount *count)
{
    const ComparisonOptions options = {.least_time_effect = NAN};
    Comparison *comparison = comparison_make(base, latest, &options);
    if (!comparison)
        return false;
    count->comparisons = 1;
    count->alarms = comparison_raises_alarm(comparison);
    comparison_free(comparison);
    return true;
}

bool session_alarms_count(const char *path, const RunRecord *run, AlarmCount *count,
                          Problem *problem)
{
    *count = (AlarmCount){0};
    if (access(path, F_OK) != 0)
        return true;
    json_t *document = json_file_read(path, problem);
    MeasuredSide *base = document ? measured_side_of_baseline(path, document, problem) : NULL;
    MeasuredSide *latest = base ? measured_side_of_run(run) : NULL;
    bool counted = latest != NULL;
    if (latest && all_are_of(json_object_get(document, "sessions"), latest))
        counted = compare(base, latest, count);
    if (base && !counted)
        (void)problem_set(problem, "%s: out of memory", path);
    measured_side_free(latest);
    measured_side_free(base);
    json_decref(document);
    return counted;
}
