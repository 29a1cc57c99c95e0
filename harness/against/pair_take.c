// SPDX-License-Identifier: Apache-2.0
#include "against/pair_steps.h"

#include "common/json_fields.h"
#include "common/splitmix.h"
#include "record/run_directory.h"
#include "record/writers/writer.h"
#include "run/run_start.h"
#include "run/sweep_run.h"

#include <stdlib.h>

typedef struct Taking {
    const Pair *pair;
    RunStart starts[PAIR_SIDES];
    Journal journals[PAIR_SIDES];
    size_t *base_cell; // by cell of input->plan: its place in the plan of BASE
} Taking;

static bool write_sample(Taking *taking, PairSide side, const Sample *sample, Problem *problem)
{
    Sample placed = *sample;
    if (side == PAIR_BASE)
        placed.cell = taking->base_cell[sample->cell];
    return journal_append(&taking->journals[side], &placed, problem);
}

static bool keep_sample(void *context, PairSide side, Sample *sample, Problem *problem)
{
    const bool written = write_sample(context, side, sample, problem);
    sample_clear(sample);
    return written;
}

static bool start_side(Taking *taking, PairSide side, const PairRecord *record, Problem *problem)
{
    const PairSamples *held = &taking->pair->held[side];
    if (!run_start(record->directory, taking->pair->plans[side], false, &taking->starts[side],
                   problem) ||
        !sweep_write_machine(record->directory, record->machine, record->topology_xml, problem))
        return false;
    char *path = run_file_path(record->directory, RUN_JOURNAL);
    bool good = path ? journal_open(&taking->journals[side], path, problem)
                     : problem_set(problem, "%s: out of memory", record->directory);
    free(path);
    for (size_t i = 0; good && i < held->count; i++)
        good = write_sample(taking, side, &held->samples[i], problem);
    return good;
}

static bool is_wanted(const Pair *pair, size_t cell, int round)
{
    const Plan *plan = pair->input->plan;
    const size_t sweep = (size_t)(plan->cells[cell].sweep - plan->sweeps);
    return (size_t)round < pair->sizes[sweep].samples;
}

static bool add_steps(PairSteps *steps, const Pair *pair, uint64_t seed, Problem *problem)
{
    const Plan *plan = pair->input->plan;
    size_t rounds = 0;
    size_t count = 0;
    for (size_t i = 0; i < plan->sweep_count; i++) {
        count += PAIR_SIDES * pair->sizes[i].samples * plan->sweeps[i].cell_count;
        rounds = pair->sizes[i].samples > rounds ? pair->sizes[i].samples : rounds;
    }
    if (!pair_steps_reserve(steps, count, problem))
        return false;
    uint64_t state = seed;
    for (size_t round = 0; round < rounds; round++)
        if (!pair_steps_add_round(steps, pair, (int)round, is_wanted, &state))
            return problem_set(problem, "out of memory for %zu cells", plan->cell_count);
    return true;
}

static bool take_rounds(Pair *pair, Taking *taking, uint64_t seed, Problem *problem)
{
    PairSteps steps = {0};
    const PairDoer doer = {keep_sample, taking};
    const bool taken =
        add_steps(&steps, pair, seed, problem) && pair_steps_do(pair, &steps, &doer, problem);
    pair_steps_clear(&steps);
    return taken;
}

static void find_base_cells(const Pair *pair, size_t *base_cell)
{
    size_t next = 0;
    for (size_t i = 0; i < pair->input->plan->cell_count; i++)
        base_cell[i] = pair->cells[i].known ? next++ : SIZE_MAX;
}

// A cell that fails in one comparison may do better in the next; one that failed before does not.
static bool *save_failures(const Pair *pair)
{
    const size_t count = pair->input->plan->cell_count;
    bool *failed = calloc(count + 1, sizeof *failed);
    for (size_t i = 0; failed && i < count; i++)
        failed[i] = pair->cells[i].failed;
    return failed;
}

static void restore_failures(Pair *pair, const bool *failed)
{
    for (size_t i = 0; i < pair->input->plan->cell_count; i++)
        pair->cells[i].failed = failed[i];
}

bool pair_take(Pair *pair, uint64_t seed, const PairRecord *records, Problem *problem)
{
    Taking taking = {.pair = pair};
    bool good = true;
    for (int side = 0; side < PAIR_SIDES; side++) {
        taking.starts[side].lock = -1;
        taking.journals[side].descriptor = -1;
    }
    taking.base_cell = calloc(pair->input->plan->cell_count + 1, sizeof *taking.base_cell);
    bool *failed = save_failures(pair);
    if (taking.base_cell && failed)
        find_base_cells(pair, taking.base_cell);
    else
        good = problem_set(problem, "out of memory");
    for (PairSide side = 0; good && side < PAIR_SIDES; side++)
        good = start_side(&taking, side, &records[side], problem);
    good = good && take_rounds(pair, &taking, seed, problem);
    for (int side = 0; side < PAIR_SIDES; side++) {
        good = good && journal_flush(&taking.journals[side], problem);
        journal_close(&taking.journals[side]);
        good = good && writers_write_all(records[side].directory, problem);
        run_start_release(&taking.starts[side]);
    }
    if (failed)
        restore_failures(pair, failed);
    free(failed);
    free(taking.base_cell);
    return good;
}

static json_t *describe_cell(const Pair *pair, size_t index)
{
    const Plan *plan = pair->input->plan;
    const Cell *cell = &plan->cells[index];
    const PairCell *state = &pair->cells[index];
    const SampleSize *size = &pair->sizes[cell->sweep - plan->sweeps];
    json_t *json =
        json_pack("{s:s, s:b, s:I, s:I, s:o, s:o}", "id", cell->id, "known_to_base", state->known,
                  "iterations", (json_int_t)state->iterations, "samples", (json_int_t)size->samples,
                  "pilot_variation", json_number_or_null(state->variation), "visible_effect",
                  json_number_or_null(size->visible_effect));
    if (json && !state->known)
        (void)json_object_set_new(json, "reason", json_text(state->reason));
    return json;
}

json_t *pair_describe(const Pair *pair)
{
    const SampleSizeGoal *goal = &pair->input->goal;
    json_t *cells = json_array();
    for (size_t i = 0; i < pair->input->plan->cell_count; i++)
        if (json_array_append_new(cells, describe_cell(pair, i)) != 0) {
            json_decref(cells);
            return NULL;
        }
    return json_pack("{s:f, s:f, s:f, s:f, s:I, s:o}", "effect", goal->effect, "least_effect",
                     goal->least_effect, "probability", goal->probability, "alpha", goal->alpha,
                     "most_samples", (json_int_t)goal->most, "cells", cells);
}
