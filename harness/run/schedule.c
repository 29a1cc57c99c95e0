// SPDX-License-Identifier: Apache-2.0
#include "run/schedule.h"

#include "common/splitmix.h"

#include <stdlib.h>

// Fisher and Yates.
static void shuffle(Job *jobs, size_t count, uint64_t seed)
{
    uint64_t state = seed;
    for (size_t i = count; i > 1; i--) {
        const size_t other = splitmix_below(&state, i);
        const Job job = jobs[i - 1];
        jobs[i - 1] = jobs[other];
        jobs[other] = job;
    }
}

int schedule_rounds(const Plan *plan)
{
    int rounds = 0;
    for (size_t i = 0; i < plan->sweep_count; i++)
        if (plan->sweeps[i].settings.samples > rounds)
            rounds = plan->sweeps[i].settings.samples;
    return rounds;
}

static const SampleTask sample_tasks[MEASURE_KINDS] = {[MEASURE_TIME] = SAMPLE_TIME,
                                                       [MEASURE_INSTRUCTIONS] = SAMPLE_EMULATE,
                                                       [MEASURE_COUNTS] = SAMPLE_COUNT};

// What the samples of a cell are.
static SampleTask find_task(const Cell *cell)
{
    return sample_tasks[cell->sweep->settings.measure];
}

Job *schedule_make(const Plan *plan, size_t *count)
{
    Job *jobs = calloc(plan_worker_count(plan) + 1, sizeof *jobs);
    size_t used = 0;
    if (!jobs)
        return NULL;
    for (size_t i = 0; i < plan->cell_count; i++)
        jobs[used++] = (Job){i, -1, SAMPLE_VERIFY, 0};
    for (size_t i = 0; i < plan->cell_count; i++)
        if (find_task(&plan->cells[i]) == SAMPLE_TIME)
            jobs[used++] = (Job){i, -1, SAMPLE_PILOT, 0};
    for (int round = 0; round < schedule_rounds(plan); round++) {
        const size_t first = used;
        for (size_t i = 0; i < plan->cell_count; i++)
            if (round < plan->cells[i].sweep->settings.samples)
                jobs[used++] = (Job){i, round, find_task(&plan->cells[i]), 0};
        uint64_t seed = plan->seed + (uint64_t)round;
        shuffle(jobs + first, used - first, splitmix_next(&seed));
    }
    for (size_t i = 0; i < plan->cell_count; i++)
        if (settings_workers_after(&plan->cells[i].sweep->settings))
            jobs[used++] = (Job){i, 0, SAMPLE_COUNT, 0};
    *count = used;
    return jobs;
}

size_t schedule_keep_shard(const Plan *plan, Shard shard, Job *jobs, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (shard_holds(shard, plan->cells[jobs[i].cell].id))
            jobs[kept++] = jobs[i];
    return kept;
}

// Place of a job among all that could be: tasks by rounds by cells.
static size_t job_key(const Plan *plan, int rounds, size_t cell, int round, SampleTask task)
{
    const size_t row = (size_t)task * ((size_t)rounds + 1) + (size_t)(round + 1);
    return row * plan->cell_count + cell;
}

// By job key: whether there is an accepted sample, and how many were rejected.
typedef struct Taken {
    bool accepted;
    int rejections;
} Taken;

bool *schedule_done(const Plan *plan, Job *jobs, size_t count, const JournalContent *journal)
{
    const int rounds = schedule_rounds(plan) > 0 ? schedule_rounds(plan) : 1;
    const size_t keys = SAMPLE_TASK_COUNT * ((size_t)rounds + 1) * plan->cell_count;
    Taken *taken = calloc(keys + 1, sizeof *taken);
    bool *failed = calloc(plan->cell_count + 1, 1);
    bool *done = calloc(count + 1, 1);
    const bool complete = taken && failed && done;
    for (size_t i = 0; complete && i < journal->sample_count + journal->rejected_count; i++) {
        const Sample *sample = i < journal->sample_count
                                   ? &journal->samples[i]
                                   : &journal->rejected[i - journal->sample_count];
        failed[sample->cell] |= !sample->ok;
        if (sample->round >= rounds)
            continue;
        Taken *at = &taken[job_key(plan, rounds, sample->cell, sample->round, sample->task)];
        at->accepted |= !sample->rejection[0];
        at->rejections += sample->rejection[0] != '\0';
    }
    for (size_t i = 0; complete && i < count; i++) {
        Job *job = &jobs[i];
        const Taken *at = &taken[job_key(plan, rounds, job->cell, job->round, job->task)];
        job->rejections = at->rejections;
        done[i] = failed[job->cell] || at->accepted ||
                  at->rejections > plan->cells[job->cell].sweep->settings.retries;
    }
    free(taken);
    free(failed);
    if (complete)
        return done;
    free(done);
    return NULL;
}
