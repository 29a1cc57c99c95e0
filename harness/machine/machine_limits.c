// SPDX-License-Identifier: Apache-2.0
#include "machine/machine_limits.h"

#include "machine/bandwidth.h"
#include "machine/chase.h"
#include "machine/facts.h"
#include "machine/machine.h"
#include "machine/peaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool set_nanoseconds(json_t *row, const char *name, double ns)
{
    return isnan(ns) ? fact_unknown(row, name, "the size of the level is not known")
                     : fact_set(row, name, json_real(ns));
}

static bool set_bytes(json_t *row, const char *name, size_t bytes, const char *reason)
{
    return bytes ? fact_set(row, name, json_integer((json_int_t)bytes))
                 : fact_unknown(row, name, "%s", reason);
}

static json_t *level_to_json(const HyperionCacheTopology *advertised, int level,
                             const ObservedLevel *observed)
{
    char name[16] = "memory";
    json_t *row = json_object();
    const bool cache = level < advertised->level_count;
    if (cache)
        (void)snprintf(name, sizeof name, "L%d", level + 1);
    const bool told =
        row && fact_set(row, "name", json_string(name)) &&
        (!cache ||
         (set_bytes(row, "advertised_bytes", advertised->levels[level].size_bytes, "not told") &&
          set_bytes(row, "observed_bytes", observed->capacity_bytes, observed->reason))) &&
        set_nanoseconds(row, "latency_ns", observed->median_ns) &&
        set_nanoseconds(row, "latency_least_ns", observed->least_ns) &&
        set_nanoseconds(row, "latency_high_ns", observed->high_ns);
    if (told)
        return row;
    json_decref(row);
    return NULL;
}

static json_t *levels_to_json(const HyperionCacheTopology *advertised,
                              const ObservedLevel *observed)
{
    json_t *rows = json_array();
    for (int level = 0; rows && level <= advertised->level_count; level++)
        if (json_array_append_new(rows, level_to_json(advertised, level, &observed[level])) != 0) {
            json_decref(rows);
            return NULL;
        }
    return rows;
}

static json_t *curve_to_json(const ChaseCurve *curve)
{
    json_t *points = json_array();
    bool ok = points != NULL;
    for (size_t i = 0; ok && i < curve->count; i++) {
        const ChasePoint *point = &curve->points[i];
        ok = json_array_append_new(points, json_pack("[I, f, f, f]", (json_int_t)point->array_bytes,
                                                     point->least_ns, point->median_ns,
                                                     point->high_ns)) == 0;
    }
    json_t *chase = ok ? json_pack("{s:O, s:I}", "points", points, "memory_bytes",
                                   (json_int_t)curve->memory_bytes)
                       : NULL;
    json_decref(points);
    const bool told =
        chase &&
        (isnan(curve->huge_bytes)
             ? fact_unknown(chase, "huge_page_bytes", "the kernel does not tell")
             : fact_set(chase, "huge_page_bytes", json_integer((json_int_t)curve->huge_bytes)));
    if (told)
        return chase;
    json_decref(chase);
    return NULL;
}

// The chase first: it tells how much of a level there really is to stream through.
static json_t *measure_levels(LimitTeam *team, const HyperionCacheTopology *advertised,
                              ChaseCurve *curve, Problem *problem)
{
    ObservedLevel observed[HYPERION_MAX_CACHE_LEVELS + 1];
    BandwidthPlace places[BANDWIDTH_MOST_PLACES];
    size_t capacities[HYPERION_MAX_CACHE_LEVELS] = {0};
    const int count = advertised->level_count;
    if (!chase_measure(count ? advertised->levels[count - 1].size_bytes : 0, curve, problem))
        return NULL;
    chase_find_levels(curve, advertised, observed);
    for (int i = 0; i < count; i++)
        capacities[i] = observed[i].capacity_bytes;
    bandwidth_choose_places(advertised, capacities, limit_team_threads(team), places);
    json_t *rows = levels_to_json(advertised, observed);
    if (!rows)
        (void)problem_set(problem, "out of memory measuring memory");
    else if (bandwidth_measure(team, places, rows, problem))
        return rows;
    json_decref(rows);
    return NULL;
}

static bool measure_memory(LimitTeam *team, json_t *limits, Problem *problem)
{
    HyperionCacheTopology advertised;
    ChaseCurve *curve = malloc(sizeof *curve);
    bool measured = false;
    if (!curve)
        return problem_set(problem, "out of memory measuring memory");
    if (machine_cache_topology(&advertised, problem)) {
        json_t *rows = measure_levels(team, &advertised, curve, problem);
        measured = rows && (json_object_set(limits, "memory", rows) == 0 &&
                                    fact_set(limits, "chase", curve_to_json(curve))
                                ? true
                                : problem_set(problem, "out of memory measuring memory"));
        json_decref(rows);
    }
    free(curve);
    return measured;
}

json_t *limits_measure(LimitsScope scope, Problem *problem)
{
    LimitTeam *team = limit_team_open(problem);
    if (!team)
        return NULL;
    json_t *limits = peaks_measure(team, problem);
    bool measured = limits != NULL;
    if (limits && scope == LIMITS_ALL)
        measured = measure_memory(team, limits, problem);
    else if (limits)
        measured = fact_unknown(limits, "memory",
                                "not measured yet in this environment: `hyperion "
                                "machine --measure` does") ||
                   problem_set(problem, "out of memory measuring peaks");
    limit_team_close(team);
    if (measured)
        return limits;
    json_decref(limits);
    return NULL;
}
