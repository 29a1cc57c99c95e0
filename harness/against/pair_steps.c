// SPDX-License-Identifier: Apache-2.0
#include "against/pair_steps.h"

#include "common/splitmix.h"
#include "run/judge.h"
#include "run/verdict.h"

#include <math.h>
#include <stdlib.h>

bool pair_steps_reserve(PairSteps *steps, size_t count, Problem *problem)
{
    *steps = (PairSteps){
        .jobs = calloc(count + 1, sizeof *steps->jobs),
        .sides = calloc(count + 1, sizeof *steps->sides),
        .done = calloc(count + 1, sizeof *steps->done),
    };
    return (steps->jobs && steps->sides && steps->done) ||
           problem_set(problem, "out of memory for %zu samples", count);
}

void pair_steps_clear(PairSteps *steps)
{
    free(steps->jobs);
    free(steps->sides);
    free(steps->done);
    *steps = (PairSteps){0};
}

void pair_steps_add(PairSteps *steps, Job job, PairSide side)
{
    steps->jobs[steps->count] = job;
    steps->sides[steps->count++] = side;
}

bool pair_steps_add_round(PairSteps *steps, const Pair *pair, int round,
                          bool (*wanted)(const Pair *pair, size_t cell, int round), uint64_t *state)
{
    const Plan *plan = pair->input->plan;
    size_t *order = calloc(plan->cell_count + 1, sizeof *order);
    size_t count = 0;
    if (!order)
        return false;
    for (size_t i = 0; i < plan->cell_count; i++)
        if (wanted(pair, i, round))
            order[count++] = i;
    for (size_t left = count; left > 0; left--) {
        const size_t chosen = splitmix_below(state, left);
        const size_t cell = order[chosen];
        order[chosen] = order[left - 1];
        const bool timed = plan->cells[cell].sweep->settings.measure == MEASURE_TIME;
        const Job job = {
            .cell = cell, .round = round, .task = timed ? SAMPLE_TIME : SAMPLE_EMULATE};
        const PairSide first = (PairSide)splitmix_below(state, PAIR_SIDES);
        pair_steps_add(steps, job, first);
        pair_steps_add(steps, job, first == PAIR_BASE ? PAIR_NEW : PAIR_BASE);
    }
    free(order);
    return true;
}

// A worker that does not know what it is asked for says so before it takes any memory of its own:
// its answer has no peak. What it could not do for other reasons is a failure.
static bool was_refused(const WorkerEnd *end, const WorkerRequest *request)
{
    Problem ignored = {0};
    Sample answer = sample_empty();
    const bool refused = end->ending == WORKER_EXITED && end->code == 0 &&
                         answer_read(end->answer, end->answer_length, request, &answer, &ignored) &&
                         !answer.ok && answer.peak_rss_kib < 0;
    sample_clear(&answer);
    return refused;
}

static void note_refusal(PairCell *cell, const Sample *sample)
{
    cell->known = false;
    (void)snprintf(cell->reason, sizeof cell->reason, "%s", sample->reason);
}

// One worker process. False: a problem, or an interruption without one. *refused: BASE does not
// know the cell.
static bool ask_worker(Pair *pair, const Job *job, PairSide side, Sample *sample, bool *refused,
                       Problem *problem)
{
    const PairInput *input = pair->input;
    const Cell *cell = &input->plan->cells[job->cell];
    const SweepSettings *settings = &cell->sweep->settings;
    PairCell *state = &pair->cells[job->cell];
    WorkerRequest request;
    Problem refusal = {0};
    *refused = false;
    sample->cell = job->cell;
    sample->round = job->round;
    if (!cell_request(&input->ground, cell, job->task, state->iterations, &request, &refusal)) {
        verdict_refuse(job->task, &refusal, sample);
        return true;
    }
    const LaunchLimits limits = {.timeout_ns = settings->timeout_ns,
                                 .memory_bytes = settings->memory_limit_bytes,
                                 .cpus = request.cpus,
                                 .cpu_count = request.cpu_count};
    char *text = request_write(&request, problem);
    if (!text)
        return false;
    WorkerEnd end = {0};
    input->tools[side].launch(input->tools[side].context, text, &limits, &end);
    free(text);
    sample->task = job->task;
    verdict_take(&end, &request, &limits, sample);
    judge_sample(&settings->limits, state->highest_ghz, sample);
    state->highest_ghz = fmax(state->highest_ghz, judge_highest_ghz(sample));
    pair->interrupted |= end.ending == WORKER_INTERRUPTED;
    *refused = side == PAIR_BASE && job->task == SAMPLE_VERIFY && was_refused(&end, &request);
    free(end.answer);
    return !pair->interrupted;
}

// A sample beyond the scenario's limits is kept, and taken again at once: beside that of the other
// side. False ends everything: a problem, or an interruption without one.
static bool do_step(Pair *pair, const Job *job, PairSide side, const PairDoer *doer,
                    Progress *progress, Problem *problem)
{
    const Cell *cell = &pair->input->plan->cells[job->cell];
    bool again = true;
    for (int rejections = 0; again; rejections++) {
        Sample sample = sample_empty();
        bool refused = false;
        const bool asked = ask_worker(pair, job, side, &sample, &refused, problem);
        if (!asked || refused) {
            if (refused)
                note_refusal(&pair->cells[job->cell], &sample);
            progress_skipped(progress, job);
            sample_clear(&sample);
            return asked;
        }
        pair->cells[job->cell].failed |= !sample.ok;
        pair->taken++;
        again = sample.rejection[0] && rejections < cell->sweep->settings.retries &&
                !pair->input->tools[side].interrupted(pair->input->tools[side].context);
        if (again)
            progress_rejected(progress, job, &sample);
        else
            progress_taken(progress, job, cell->id, &sample);
        if (!doer->keep(doer->context, side, &sample, problem))
            return false;
    }
    return true;
}

bool pair_steps_do(Pair *pair, const PairSteps *steps, const PairDoer *doer, Problem *problem)
{
    const RunnerTools *tools = &pair->input->tools[PAIR_NEW];
    Progress progress;
    progress_begin(&progress, pair->input->progress, steps->jobs, steps->done, steps->count,
                   tools->now_ns(tools->context));
    bool going = true;
    for (size_t i = 0; going && i < steps->count; i++) {
        const Job *job = &steps->jobs[i];
        const PairCell *cell = &pair->cells[job->cell];
        if (tools->interrupted(tools->context)) {
            pair->interrupted = true;
            break;
        }
        if (cell->failed || (!cell->known && steps->sides[i] == PAIR_BASE)) {
            progress_skipped(&progress, job);
            continue;
        }
        progress_show(&progress, job, pair->input->plan->cells[job->cell].id,
                      tools->now_ns(tools->context));
        going = do_step(pair, job, steps->sides[i], doer, &progress, problem);
    }
    progress_end(&progress);
    return problem->text[0] == '\0';
}
