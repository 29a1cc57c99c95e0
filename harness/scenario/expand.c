// SPDX-License-Identifier: Apache-2.0
#include "common/fnv.h"
#include "hyperion/simd.h"
#include "scenario/plan_build.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CELLS = 1000000 };

// One factor of the product: an axis alone or several walked together, at the place of the first.
typedef struct Factor {
    AxisId leader;
    size_t length;
} Factor;

typedef struct Expansion {
    Plan *plan;
    PlanSweep *sweep;
    SweepSpec *spec;
    Factor factors[AXIS_COUNT];
    size_t factor_count;
    size_t product;
    AxisValue fallbacks[AXIS_COUNT]; // zero where there is none
    Problem *problem;
} Expansion;

static bool list_factors(Expansion *expansion)
{
    SweepSpec *spec = expansion->spec;
    expansion->product = 1;
    for (AxisId id = 0; id < AXIS_COUNT; id++) {
        (void)workload_fallback(spec->workload, id, &expansion->fallbacks[id]);
        const AxisSpec *axis = &spec->axes[id];
        if (axis->values.count == 0 || axis->leader != id)
            continue;
        expansion->factors[expansion->factor_count++] = (Factor){id, axis->values.count};
        // Values are few enough that the product of two factors cannot overflow.
        expansion->product *= axis->values.count;
        if (expansion->product > MOST_CELLS)
            return tree_fail(spec->file, spec->node, expansion->problem,
                             "sweep %s: more than %d cells", spec->name, MOST_CELLS);
    }
    return true;
}

// Index arithmetic: the last factor varies fastest.
static void bind_values(const Expansion *expansion, size_t index, AxisValue *values)
{
    size_t position[AXIS_COUNT] = {0};
    for (size_t i = expansion->factor_count; i-- > 0;) {
        position[expansion->factors[i].leader] = index % expansion->factors[i].length;
        index /= expansion->factors[i].length;
    }
    memcpy(values, expansion->fallbacks, sizeof expansion->fallbacks);
    for (AxisId id = 0; id < AXIS_COUNT; id++) {
        const AxisSpec *axis = &expansion->spec->axes[id];
        if (axis->values.count > 0)
            values[id] = axis->values.items[position[axis->leader]];
    }
}

static bool is_excluded(SweepSpec *spec, const AxisValue *values)
{
    bool excluded = false;
    for (size_t i = 0; i < spec->exclusion_count; i++) {
        Exclusion *exclusion = &spec->exclusions[i];
        bool matches = true;
        for (AxisId id = 0; id < AXIS_COUNT && matches; id++)
            matches = exclusion->values[id].count == 0 ||
                      values_contain(id, &exclusion->values[id], values[id]);
        exclusion->hits += matches;
        excluded = excluded || matches;
    }
    return excluded;
}

// "workload kernel, op softmax" or "workload model".
static void describe_workload(const SweepSpec *spec, const AxisValue *values, char *text,
                              size_t text_bytes)
{
    char op[64] = "";
    if (spec->axes[AXIS_OP].values.count > 0)
        axis_format(AXIS_OP, values[AXIS_OP], op, sizeof op);
    (void)snprintf(text, text_bytes, "workload %s%s%s", spec->workload->name, op[0] ? ", op " : "",
                   op);
}

// What cannot be counted under callgrind is refused before anything runs.
static bool check_measure(const Expansion *expansion, const AxisValue *values)
{
    const SweepSpec *spec = expansion->spec;
    const char *reason = NULL;
    if (spec->settings.measure != MEASURE_INSTRUCTIONS)
        return true;
    if (spec->workload->uses(values, AXIS_SIMD_LEVEL) &&
        values[AXIS_SIMD_LEVEL].integer == HYPERION_SIMD_AVX512)
        reason = "simd_level avx512: callgrind knows AVX2 at most";
    if (spec->workload->uses(values, AXIS_THREADS) && values[AXIS_THREADS].integer > 1)
        reason = "more than one thread: their counts are not the same every time";
    if (spec->workload->prepare)
        reason = "a workload whose iterations are prepared, which would be counted";
    return !reason ||
           tree_fail(spec->file, spec->axes_node, expansion->problem,
                     "sweep %s: instructions cannot be measured at %s", spec->name, reason);
}

static bool check_cell(const Expansion *expansion, const AxisValue *values)
{
    const SweepSpec *spec = expansion->spec;
    char workload[128];
    for (AxisId id = 0; id < AXIS_COUNT; id++) {
        const bool used = spec->workload->uses(values, id);
        const bool given = spec->axes[id].values.count > 0;
        if (given == used || (used && axis_table[id].fallback))
            continue;
        describe_workload(spec, values, workload, sizeof workload);
        if (given)
            return tree_fail_key(spec->axes[id].file, spec->axes[id].node, expansion->problem,
                                 "axis %s is not used by %s", axis_table[id].key, workload);
        return tree_fail(spec->file, spec->axes_node, expansion->problem,
                         "axis %s is missing: %s needs it", axis_table[id].key, workload);
    }
    Problem reason;
    reason.text[0] = '\0'; // two kilobytes of zeros a cell would take longer than the cell
    if (!check_measure(expansion, values))
        return false;
    return spec->workload->check(values, &reason) ||
           tree_fail(spec->file, spec->axes_node, expansion->problem, "sweep %s: %s", spec->name,
                     reason.text);
}

static bool append_cell(const Expansion *expansion, const AxisValue *values)
{
    Plan *plan = expansion->plan;
    Cell *cell = &plan->cells[plan->cell_count];
    *cell = (Cell){.workload = expansion->spec->workload};
    memcpy(cell->values, values, sizeof cell->values);
    if (!cell_build_id(cell, expansion->problem))
        return false;
    plan->cell_count++;
    return true;
}

static bool check_exclusions(const Expansion *expansion)
{
    const SweepSpec *spec = expansion->spec;
    for (size_t i = 0; i < spec->exclusion_count; i++) {
        const Exclusion *exclusion = &spec->exclusions[i];
        // --set may take away what was to be excluded.
        bool set = false;
        for (AxisId id = 0; id < AXIS_COUNT; id++)
            set = set || (exclusion->values[id].count > 0 && spec->axes[id].set);
        if (exclusion->hits == 0 && !set)
            return tree_fail(spec->file, exclusion->node, expansion->problem,
                             "exclude: no cell matches");
    }
    return expansion->sweep->cell_count > 0 ||
           tree_fail(spec->file, spec->node, expansion->problem, "sweep %s: every cell is excluded",
                     spec->name);
}

// Texts of the spec die with it.
static bool keep_texts(Plan *plan, SweepSpec *spec, Problem *problem)
{
    for (AxisId id = 0; id < AXIS_COUNT; id++) {
        ValueList *values = &spec->axes[id].values;
        for (size_t i = 0; axis_table[id].kind == AXIS_TEXT && i < values->count; i++) {
            values->items[i].text = plan_keep_text(plan, values->items[i].text);
            if (!values->items[i].text)
                return problem_set(problem, "out of memory");
        }
    }
    return true;
}

bool plan_expand_sweep(Plan *plan, PlanSweep *sweep, SweepSpec *spec, Problem *problem)
{
    Expansion expansion = {.plan = plan, .sweep = sweep, .spec = spec, .problem = problem};
    sweep->first_cell = plan->cell_count;
    if (!keep_texts(plan, spec, problem) || !list_factors(&expansion) ||
        !plan_reserve_cells(plan, plan->cell_count + expansion.product, problem))
        return false;
    for (size_t i = 0; i < expansion.product; i++) {
        AxisValue values[AXIS_COUNT];
        bind_values(&expansion, i, values);
        if (!is_excluded(spec, values) &&
            (!check_cell(&expansion, values) || !append_cell(&expansion, values)))
            return false;
    }
    sweep->cell_count = plan->cell_count - sweep->first_cell;
    return check_exclusions(&expansion);
}

bool plan_find_duplicate(const Plan *plan, size_t *duplicate, size_t *first, Problem *problem)
{
    size_t slots = 16;
    while (slots < 2 * plan->cell_count)
        slots *= 2;
    size_t *table = calloc(slots, sizeof *table); // cell index + 1; 0 = free
    if (!table)
        return problem_set(problem, "out of memory");
    *duplicate = plan->cell_count;
    for (size_t i = 0; i < plan->cell_count && *duplicate == plan->cell_count; i++) {
        size_t slot = fnv_add_text(FNV_START, plan->cells[i].id) & (slots - 1);
        while (table[slot] && strcmp(plan->cells[table[slot] - 1].id, plan->cells[i].id) != 0)
            slot = (slot + 1) & (slots - 1);
        if (table[slot]) {
            *duplicate = i;
            *first = table[slot] - 1;
        }
        table[slot] = i + 1;
    }
    free(table);
    return true;
}
