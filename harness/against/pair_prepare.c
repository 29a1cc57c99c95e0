// SPDX-License-Identifier: Apache-2.0
#include "against/pair_steps.h"

#include "stats/statistics.h"

#include <math.h>
#include <stdlib.h>

// A worker that only says which protocol it speaks takes milliseconds.
static const double handshake_timeout_ns = 20e9;

static const char *const side_names[PAIR_SIDES] = {[PAIR_BASE] = "BASE", [PAIR_NEW] = "NEW"};

// Times of the pilot's samples, SAMPLE_SIZE_PILOT a cell and side.
typedef struct PilotTimes {
    Pair *pair;
    double *ns[PAIR_SIDES];
    size_t *count[PAIR_SIDES];
} PilotTimes;

static bool is_timed(const Cell *cell)
{
    return cell->sweep->settings.measure == MEASURE_TIME;
}

static bool check_protocol(const PairInput *input, PairSide side, Problem *problem)
{
    const RunnerTools *tools = &input->tools[side];
    const LaunchLimits limits = {.timeout_ns = handshake_timeout_ns};
    Problem reason = {0};
    WorkerEnd end = {0};
    char *handshake = handshake_write();
    if (!handshake)
        return problem_set(problem, "out of memory");
    tools->launch(tools->context, handshake, &limits, &end);
    free(handshake);
    const bool speaks =
        end.ending == WORKER_EXITED && answer_check_version(end.answer, end.answer_length, &reason);
    if (!speaks)
        (void)problem_set(problem, "the worker of %s cannot be compared: %s%s%s", side_names[side],
                          reason.text[0] ? reason.text : "it did not end by itself",
                          end.output[0] ? "; it said: " : "", end.output);
    free(end.answer);
    return speaks;
}

static bool hold_sample(PairSamples *held, Sample *sample, Problem *problem)
{
    Sample *grown = realloc(held->samples, (held->count + 1) * sizeof *grown);
    if (!grown) {
        sample_clear(sample);
        return problem_set(problem, "out of memory for %zu samples", held->count + 1);
    }
    held->samples = grown;
    grown[held->count++] = *sample;
    return true;
}

static void note_time(PilotTimes *times, PairSide side, const Sample *sample)
{
    size_t *count = &times->count[side][sample->cell];
    if (!sample->rejection[0] && sample->real_count > 0)
        times->ns[side][sample->cell * SAMPLE_SIZE_PILOT + (*count)++] =
            stat_median(sample->real_ns, sample->real_count);
}

// Verifications and pilots are kept, and every failure; good times only tell the variation.
static bool keep_sample(void *context, PairSide side, Sample *sample, Problem *problem)
{
    PilotTimes *times = context;
    Pair *pair = times->pair;
    PairCell *cell = &pair->cells[sample->cell];
    if (sample->ok && sample->task == SAMPLE_PILOT && sample->iterations > cell->iterations)
        cell->iterations = sample->iterations;
    if (sample->ok && sample->task == SAMPLE_TIME) {
        note_time(times, side, sample);
        sample_clear(sample);
        return true;
    }
    return hold_sample(&pair->held[side], sample, problem);
}

static void add_both(PairSteps *steps, size_t cell, SampleTask task)
{
    const Job job = {.cell = cell, .round = -1, .task = task};
    pair_steps_add(steps, job, PAIR_BASE);
    pair_steps_add(steps, job, PAIR_NEW);
}

static bool is_wanted_in_pilot(const Pair *pair, size_t cell, int round)
{
    (void)round;
    return is_timed(&pair->input->plan->cells[cell]) && pair->cells[cell].known;
}

static bool add_steps(PairSteps *steps, const Pair *pair, Problem *problem)
{
    const Plan *plan = pair->input->plan;
    uint64_t state = plan->seed;
    const size_t most = plan->cell_count * PAIR_SIDES * (2 + SAMPLE_SIZE_PILOT);
    if (!pair_steps_reserve(steps, most, problem))
        return false;
    for (size_t i = 0; i < plan->cell_count; i++)
        add_both(steps, i, SAMPLE_VERIFY);
    for (size_t i = 0; i < plan->cell_count; i++)
        if (is_timed(&plan->cells[i]))
            add_both(steps, i, SAMPLE_PILOT);
    for (int i = 0; i < SAMPLE_SIZE_PILOT; i++)
        if (!pair_steps_add_round(steps, pair, i, is_wanted_in_pilot, &state))
            return problem_set(problem, "out of memory for %zu cells", plan->cell_count);
    return true;
}

static bool do_pilot(Pair *pair, PilotTimes *times, Problem *problem)
{
    PairSteps steps = {0};
    const PairDoer doer = {keep_sample, times};
    const bool done =
        add_steps(&steps, pair, problem) && pair_steps_do(pair, &steps, &doer, problem);
    pair_steps_clear(&steps);
    return done;
}

static bool pilot_times_create(Pair *pair, PilotTimes *times, Problem *problem)
{
    const size_t cells = pair->input->plan->cell_count;
    bool complete = true;
    *times = (PilotTimes){.pair = pair};
    for (int side = 0; side < PAIR_SIDES; side++) {
        times->ns[side] = calloc(cells * SAMPLE_SIZE_PILOT + 1, sizeof *times->ns[side]);
        times->count[side] = calloc(cells + 1, sizeof *times->count[side]);
        complete = complete && times->ns[side] && times->count[side];
    }
    return complete || problem_set(problem, "out of memory for %zu cells", cells);
}

static void pilot_times_free(PilotTimes *times)
{
    for (int side = 0; side < PAIR_SIDES; side++) {
        free(times->ns[side]);
        free(times->count[side]);
    }
}

static void choose_sizes(Pair *pair, const PilotTimes *times)
{
    const Plan *plan = pair->input->plan;
    for (size_t i = 0; i < plan->cell_count; i++)
        pair->cells[i].variation = sample_size_variation(
            times->ns[PAIR_BASE] + i * SAMPLE_SIZE_PILOT, times->count[PAIR_BASE][i],
            times->ns[PAIR_NEW] + i * SAMPLE_SIZE_PILOT, times->count[PAIR_NEW][i]);
    for (size_t i = 0; i < plan->sweep_count; i++) {
        const PlanSweep *sweep = &plan->sweeps[i];
        double variation = NAN;
        for (size_t j = 0; j < sweep->cell_count; j++)
            variation = fmax(variation, pair->cells[sweep->first_cell + j].variation);
        // Of each cell, time and peak memory are tested.
        pair->sizes[i] = sample_size_choose(&pair->input->goal, variation, 2 * plan->cell_count);
        if (sweep->settings.measure != MEASURE_TIME) // the same count every time
            pair->sizes[i].samples = (size_t)sweep->settings.samples;
    }
}

// The plan of a side: its cells, the samples decided on, no counters.
static Plan *make_plan(const Pair *pair, PairSide side, Problem *problem)
{
    const Plan *plan = pair->input->plan;
    json_t *json = plan_to_json(plan);
    Plan *copy = json ? plan_from_json(json, problem) : NULL;
    json_decref(json);
    const char **ids = calloc(plan->cell_count + 1, sizeof *ids);
    size_t count = 0;
    for (size_t i = 0; ids && i < plan->cell_count; i++)
        if (side == PAIR_NEW || pair->cells[i].known)
            ids[count++] = plan->cells[i].id;
    for (size_t i = 0; copy && i < plan->sweep_count; i++)
        plan_set_samples(copy, i, (int)pair->sizes[i].samples);
    bool made = copy && ids;
    if (!made)
        (void)problem_set(problem, "out of memory for %zu cells", plan->cell_count);
    else if (count == 0)
        made = problem_set(problem, "BASE knows none of the cells; of %.512s it says: %.512s",
                           plan->cells[0].id, pair->cells[0].reason);
    else
        made = plan_keep_cells(copy, ids, problem);
    free(ids);
    if (made)
        return copy;
    plan_free(copy);
    return NULL;
}

static bool make_plans(Pair *pair, Problem *problem)
{
    for (PairSide side = 0; side < PAIR_SIDES; side++) {
        pair->plans[side] = make_plan(pair, side, problem);
        if (!pair->plans[side])
            return false;
    }
    return true;
}

bool pair_prepare(const PairInput *input, Pair *pair, Problem *problem)
{
    PilotTimes times = {0};
    const size_t cells = input->plan->cell_count;
    *pair = (Pair){
        .input = input,
        .cells = calloc(cells + 1, sizeof *pair->cells),
        .sizes = calloc(input->plan->sweep_count + 1, sizeof *pair->sizes),
    };
    if (!pair->cells || !pair->sizes)
        return problem_set(problem, "out of memory for %zu cells", cells);
    for (size_t i = 0; i < cells; i++)
        pair->cells[i] = (PairCell){.known = true, .variation = NAN, .highest_ghz = NAN};
    bool ready = check_protocol(input, PAIR_BASE, problem) &&
                 check_protocol(input, PAIR_NEW, problem) &&
                 pilot_times_create(pair, &times, problem) && do_pilot(pair, &times, problem);
    if (ready && !pair->interrupted) {
        choose_sizes(pair, &times);
        ready = make_plans(pair, problem);
    }
    pilot_times_free(&times);
    return ready;
}

void pair_clear(Pair *pair)
{
    for (int side = 0; side < PAIR_SIDES; side++) {
        for (size_t i = 0; i < pair->held[side].count; i++)
            sample_clear(&pair->held[side].samples[i]);
        free(pair->held[side].samples);
        plan_free(pair->plans[side]);
    }
    free(pair->cells);
    free(pair->sizes);
    *pair = (Pair){0};
}
