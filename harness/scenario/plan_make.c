// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "scenario/plan.h"

#include "common/fnv.h"
#include "hyperion/simd.h"
#include "scenario/plan_build.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct PlanText {
    struct PlanText *next;
    char text[];
};

const char *plan_keep_text(Plan *plan, const char *text)
{
    const size_t bytes = strlen(text) + 1;
    struct PlanText *kept = malloc(sizeof *kept + bytes);
    if (!kept)
        return NULL;
    memcpy(kept->text, text, bytes);
    kept->next = plan->texts;
    plan->texts = kept;
    return kept->text;
}

bool plan_reserve_cells(Plan *plan, size_t count, Problem *problem)
{
    Cell *grown = realloc(plan->cells, (count + 1) * sizeof *grown);
    if (!grown)
        return problem_set(problem, "out of memory for %zu cells", count);
    plan->cells = grown;
    return true;
}

void plan_free(Plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->cell_count; i++)
        free(plan->cells[i].id);
    free(plan->cells);
    for (size_t i = 0; i < plan->sweep_count; i++)
        settings_clear(&plan->sweeps[i].settings);
    free(plan->sweeps);
    while (plan->texts) {
        struct PlanText *next = plan->texts->next;
        free(plan->texts);
        plan->texts = next;
    }
    free(plan->scenario);
    free(plan->description);
    free(plan);
}

void plan_seal(Plan *plan)
{
    char seed[32];
    (void)snprintf(seed, sizeof seed, "%" PRIu64, plan->seed);
    uint64_t hash = fnv_add_text(FNV_START, plan->scenario);
    hash = fnv_add_text(fnv_add_text(hash, plan->description), seed);
    if (plan->required_profile)
        hash = fnv_add_text(fnv_add_text(hash, "require_profile"), plan->required_profile);
    for (size_t i = 0; i < plan->sweep_count; i++) {
        const PlanSweep *sweep = &plan->sweeps[i];
        hash = settings_hash(&sweep->settings, fnv_add_text(hash, sweep->name));
        for (size_t j = 0; j < sweep->cell_count; j++) {
            Cell *cell = &plan->cells[sweep->first_cell + j];
            cell->sweep = sweep;
            hash = fnv_add_text(hash, cell->id);
        }
    }
    (void)snprintf(plan->hash, sizeof plan->hash, "%016" PRIx64, hash);
}

static bool refuse_duplicates(const Plan *plan, const ScenarioSpec *spec, Problem *problem)
{
    size_t duplicate = 0;
    size_t first = 0;
    if (!plan_find_duplicate(plan, &duplicate, &first, problem))
        return false;
    if (duplicate == plan->cell_count)
        return true;
    size_t again = 0;
    size_t before = 0;
    for (size_t i = 0; i < plan->sweep_count; i++) {
        again = plan->sweeps[i].first_cell <= duplicate ? i : again;
        before = plan->sweeps[i].first_cell <= first ? i : before;
    }
    return tree_fail(spec->file, spec->sweeps[again].axes_node, problem,
                     "sweep %s: cell %.512s is there already, in sweep %s",
                     spec->sweeps[again].name, plan->cells[duplicate].id,
                     spec->sweeps[before].name);
}

static bool fill_plan(Plan *plan, ScenarioSpec *spec, Problem *problem)
{
    plan->scenario = strdup(spec->name);
    plan->description = strdup(spec->description);
    plan->seed = (uint64_t)spec->seed;
    plan->required_profile = spec->required_profile;
    plan->sweeps = calloc(spec->sweep_count, sizeof *plan->sweeps);
    if (!plan->scenario || !plan->description || !plan->sweeps)
        return problem_set(problem, "out of memory");
    for (size_t i = 0; i < spec->sweep_count; i++) {
        PlanSweep *sweep = &plan->sweeps[plan->sweep_count++];
        sweep->workload = spec->sweeps[i].workload;
        sweep->name = plan_keep_text(plan, spec->sweeps[i].name);
        if (!sweep->name)
            return problem_set(problem, "out of memory");
        if (!settings_copy(&spec->sweeps[i].settings, &sweep->settings, problem) ||
            !plan_expand_sweep(plan, sweep, &spec->sweeps[i], problem))
            return false;
    }
    return refuse_duplicates(plan, spec, problem);
}

Plan *plan_from_scenario(const char *path, const char *const *settings, Problem *problem)
{
    ScenarioSpec spec = {0};
    Plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        (void)problem_set(problem, "out of memory");
    if (!plan || !scenario_read(path, settings, &spec, problem) ||
        !fill_plan(plan, &spec, problem)) {
        plan_free(plan);
        plan = NULL;
    } else {
        plan_seal(plan);
    }
    scenario_clear(&spec);
    return plan;
}

static size_t count_workers(const PlanSweep *sweep)
{
    const SweepSettings *settings = &sweep->settings;
    return sweep->cell_count * (settings_workers_before(settings) + (size_t)settings->samples +
                                settings_workers_after(settings));
}

// One a round that has a clock.
static size_t count_canaries(const Plan *plan)
{
    int rounds = 0;
    for (size_t i = 0; i < plan->sweep_count; i++) {
        const SweepSettings *settings = &plan->sweeps[i].settings;
        if (settings->measure == MEASURE_TIME && settings->samples > rounds)
            rounds = settings->samples;
    }
    return (size_t)rounds;
}

size_t plan_worker_count(const Plan *plan)
{
    size_t count = count_canaries(plan);
    for (size_t i = 0; i < plan->sweep_count; i++)
        count += count_workers(&plan->sweeps[i]);
    return count;
}

static WorkloadGuess guess_cell(const Cell *cell)
{
    return cell->workload->guess ? cell->workload->guess(cell->values) : (WorkloadGuess){0};
}

// Starting a worker (exec, dynamic linking, request, operands) took 12 to 20 ms in the first runs
// of scenarios/smoke-gemm.yaml, verifying an ordinary cell 50 ms, a large one some iterations.
static const double worker_ns = 15e6;

static double estimate_verification_ns(double start_ns, double iteration_ns)
{
    const double verify_ns = 50e6;
    const double verify_iterations = 4;
    return start_ns + verify_ns + verify_iterations * iteration_ns;
}

static double estimate_emulated_ns(const Cell *cell, double iteration_ns, int samples)
{
    // From scenarios/ci-instructions.yaml: callgrind and a worker start in a second; then a product
    // takes 250 times as long, with the fused multiply-adds of AVX2, which are computed number by
    // number, 5000 times. A warm-up comes first.
    const double callgrind_start_ns = 1e9;
    const bool fused = cell->workload->uses(cell->values, AXIS_SIMD_LEVEL) &&
                       cell->values[AXIS_SIMD_LEVEL].integer >= HYPERION_SIMD_AVX2;
    return samples * (callgrind_start_ns + 2 * (fused ? 5000 : 250) * iteration_ns);
}

static double estimate_cell_ns(const Cell *cell, const SweepSettings *settings)
{
    // The pilot aims a fifth above the least time.
    const double overshoot = 1.2;
    const WorkloadGuess guess = guess_cell(cell);
    const double iteration_ns = guess.iteration_ns;
    const double start_ns = worker_ns + guess.open_ns;
    const double verification_ns = estimate_verification_ns(start_ns, iteration_ns);
    if (settings->measure == MEASURE_INSTRUCTIONS)
        return verification_ns + estimate_emulated_ns(cell, iteration_ns, settings->samples);
    if (settings->measure == MEASURE_COUNTS)
        return verification_ns +
               settings->samples * (start_ns + settings_warmup_guess_ns(settings) + iteration_ns);
    const double loop_ns = fmax(settings->min_time_ns * overshoot, iteration_ns);
    const double warmup_ns = fmax(settings_warmup_guess_ns(settings), iteration_ns);
    const double sample_ns = start_ns + warmup_ns + settings->repetitions * loop_ns;
    const double pilot_ns = start_ns + warmup_ns + 2 * loop_ns;
    const double count_ns = settings_workers_after(settings) ? start_ns + warmup_ns + loop_ns : 0;
    return verification_ns + pilot_ns + count_ns + settings->samples * sample_ns;
}

double plan_estimate_ns(const Plan *plan)
{
    const double canary_ns = worker_ns + 15e6;
    double total_ns = (double)count_canaries(plan) * canary_ns;
    for (size_t i = 0; i < plan->cell_count; i++)
        total_ns += estimate_cell_ns(&plan->cells[i], &plan->cells[i].sweep->settings);
    return total_ns;
}
