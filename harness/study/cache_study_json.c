// SPDX-License-Identifier: Apache-2.0
#include "study/cache_study.h"

#include "common/json_fields.h"

#include <math.h>
#include <stdlib.h>

static const char *const way_names[CACHE_WAYS] = {
    [CACHE_FORMULA] = "predicted",   [CACHE_REPLAY] = "replayed",
    [CACHE_SIMULATED] = "simulated", [CACHE_ACCESSES] = "simulated_accesses",
    [CACHE_CALLGRIND] = "callgrind", [CACHE_MEASURED] = "measured",
};

static json_t *count_to_json(const CacheCountFound *count)
{
    if (isnan(count->lines))
        return json_pack("{s:n, s:s, s:s}", "lines", "provenance", "unavailable", "reason",
                         count->reason);
    return json_pack("{s:f, s:s, s:s}", "lines", count->lines, "provenance", count->provenance,
                     "source", count->source);
}

static json_t *row_to_json(const CacheRow *row)
{
    json_t *level = json_pack("{s:i}", "level", row->level);
    json_t *errors = json_object();
    bool told = level && errors;
    for (CacheWay way = 0; told && way < CACHE_WAYS; way++)
        told = json_object_set_new(level, way_names[way], count_to_json(&row->counts[way])) == 0;
    json_t *predicted = json_object_get(level, way_names[CACHE_FORMULA]);
    told = told && json_object_set_new(predicted, "low", json_number_or_null(row->low)) == 0 &&
           json_object_set_new(predicted, "high", json_number_or_null(row->high)) == 0;
    for (CacheComparison kind = 0; told && kind < CACHE_COMPARISONS; kind++)
        told = json_object_set_new(errors, cache_comparisons[kind].name,
                                   json_number_or_null(cache_row_error(row, kind))) == 0;
    told = told && json_object_set(level, "errors", errors) == 0;
    json_decref(errors);
    if (told)
        return level;
    json_decref(level);
    return NULL;
}

static bool add_cells(const CacheStudy *study, json_t *cells)
{
    json_t *levels = NULL;
    for (size_t i = 0; i < study->row_count; i++) {
        const CacheRow *row = &study->rows[i];
        if (i == 0 || row->cell != study->rows[i - 1].cell) {
            json_t *cell =
                json_pack("{s:s, s:s, s:s, s:b, s:[]}", "id", study->run->plan->cells[row->cell].id,
                          "op", cache_study_op(study, row), "simd_level",
                          metrics_level(study->run, &study->summaries[row->cell]),
                          "automatic_blocks", (int)cache_study_is_automatic(study, row), "levels");
            if (json_array_append_new(cells, cell) != 0)
                return false;
            levels = json_object_get(cell, "levels");
        }
        if (json_array_append_new(levels, row_to_json(row)) != 0)
            return false;
    }
    return true;
}

static bool add_groups(const CacheStudy *study, json_t *list)
{
    size_t count = 0;
    CacheGroup *groups = cache_study_groups(study, &count);
    bool told = groups != NULL;
    for (CacheComparison kind = 0; kind < CACHE_COMPARISONS; kind++)
        for (size_t i = 0; told && i < count; i++) {
            const CacheErrors *errors = &groups[i].errors[kind];
            told = errors->count == 0 ||
                   json_array_append_new(
                       list, json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:f}", "comparison",
                                       cache_comparisons[kind].name, "op", groups[i].op,
                                       "simd_level", groups[i].simd, "level", groups[i].level,
                                       "count", (int)errors->count, "median", errors->median, "p90",
                                       errors->p90, "largest", errors->most)) == 0;
        }
    free(groups);
    return told;
}

bool cache_study_to_json(const CacheStudy *study, json_t *document)
{
    json_t *cells = json_array();
    json_t *groups = json_array();
    const bool told = cells && groups && add_cells(study, cells) && add_groups(study, groups) &&
                      json_object_set(document, "cells", cells) == 0 &&
                      json_object_set(document, "groups", groups) == 0;
    json_decref(cells);
    json_decref(groups);
    return told;
}
