// SPDX-License-Identifier: Apache-2.0
// comparison_groups.c - geometric means of the ratios, a metric and sweep each.
#include "compare/comparison_parts.h"
#include "stats/intervals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool belongs(const ComparedRow *row)
{
    return row->ratio.estimate > 0 && row->verdict != VERDICT_EXCLUDED; // NAN is not
}

static int compare_rows(const void *a, const void *b)
{
    const ComparedRow *left = *(const ComparedRow *const *)a;
    const ComparedRow *right = *(const ComparedRow *const *)b;
    const int order = (left->metric > right->metric) - (left->metric < right->metric);
    return order ? order : strcmp(left->group, right->group);
}

static void add_group(Comparison *comparison, const ComparedRow *first, const double *ratios,
                      size_t count)
{
    comparison->groups[comparison->group_count++] =
        (ComparedGroup){.name = first->group,
                        .metric = first->metric,
                        .rows = count,
                        .ratio = stat_geometric_mean(ratios, count),
                        .interval = stat_geometric_interval(ratios, count, COMPARISON_CONFIDENCE)};
}

static void add_groups(Comparison *comparison, const ComparedRow **sorted, size_t count,
                       double *ratios)
{
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        ratios[i] = sorted[i]->ratio.estimate;
        if (i + 1 < count &&
            compare_rows((const void *)&sorted[i], (const void *)&sorted[i + 1]) == 0)
            continue;
        add_group(comparison, sorted[first], ratios + first, i + 1 - first);
        first = i + 1;
    }
}

bool comparison_group(Comparison *comparison)
{
    const size_t room = comparison->row_count + 1;
    const ComparedRow **sorted = calloc(room, sizeof(const ComparedRow *));
    double *ratios = calloc(room, sizeof *ratios);
    comparison->groups = calloc(room, sizeof *comparison->groups);
    const bool grouped = sorted && ratios && comparison->groups;
    if (grouped) {
        size_t count = 0;
        for (size_t i = 0; i < comparison->row_count; i++)
            if (belongs(&comparison->rows[i]))
                sorted[count++] = &comparison->rows[i];
        qsort((void *)sorted, count, sizeof(const ComparedRow *), compare_rows);
        add_groups(comparison, sorted, count, ratios);
    }
    free((void *)sorted);
    free(ratios);
    return grouped;
}
