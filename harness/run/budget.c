// SPDX-License-Identifier: Apache-2.0
#include "run/budget.h"

#include <stdlib.h>

// Start of a worker, as in plan_estimate_ns; what the runner itself does between two of them.
static const double start_ns = 15e6;
static const double between_share = 1.03;

bool budget_begin(Budget *budget, const Plan *plan, double end_ns)
{
    *budget = (Budget){
        .end_ns = end_ns,
        .plan = plan,
        .loop_ns = calloc(plan->cell_count + 1, sizeof *budget->loop_ns),
        .sample_ns = calloc(plan->cell_count + 1, sizeof *budget->sample_ns),
        .ended = calloc(plan->cell_count + 1, sizeof *budget->ended),
    };
    return budget->loop_ns && budget->sample_ns && budget->ended;
}

void budget_clear(Budget *budget)
{
    free(budget->loop_ns);
    free(budget->sample_ns);
    free(budget->ended);
    *budget = (Budget){0};
}

static bool belongs_to_round(SampleTask task)
{
    return task == SAMPLE_TIME || task == SAMPLE_EMULATE;
}

void budget_note(Budget *budget, const Sample *sample)
{
    if (!sample->ok)
        budget->ended[sample->cell] = true;
    else if (sample->task == SAMPLE_PILOT && sample->real_count > 0)
        budget->loop_ns[sample->cell] = (double)sample->iterations * sample->real_ns[0];
    else if (belongs_to_round(sample->task))
        budget->sample_ns[sample->cell] = sample->worker_ns;
}

void budget_end_cell(Budget *budget, size_t cell)
{
    budget->ended[cell] = true;
}

static double estimate_ns(const Budget *budget, const Job *job)
{
    const SweepSettings *settings = &budget->plan->cells[job->cell].sweep->settings;
    const double loop_ns = budget->loop_ns[job->cell];
    if (belongs_to_round(job->task) && budget->sample_ns[job->cell] > 0)
        return budget->sample_ns[job->cell];
    if (job->task == SAMPLE_TIME)
        return start_ns + settings_warmup_guess_ns(settings) + settings->repetitions * loop_ns;
    return job->task == SAMPLE_COUNT ? start_ns + settings_warmup_guess_ns(settings) + loop_ns
                                     : start_ns;
}

bool budget_allows(const Budget *budget, const Job *jobs, const bool *done, size_t next,
                   size_t count, double now_ns)
{
    const Job *first = &jobs[next];
    double needed_ns = belongs_to_round(first->task) ? 0 : estimate_ns(budget, first);
    for (size_t i = next; i < count && belongs_to_round(first->task); i++) {
        const Job *job = &jobs[i];
        const bool in_round =
            belongs_to_round(job->task) && job->round == first->round && !budget->ended[job->cell];
        if (!done[i] && (in_round || job->task == SAMPLE_COUNT))
            needed_ns += estimate_ns(budget, job);
    }
    return now_ns + between_share * needed_ns <= budget->end_ns;
}
