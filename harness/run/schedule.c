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

static int count_rounds(const Plan *plan)
{
    int rounds = 0;
    for (size_t i = 0; i < plan->sweep_count; i++)
        if (plan->sweeps[i].settings.samples > rounds)
            rounds = plan->sweeps[i].settings.samples;
    return rounds;
}

static bool is_timed(const Cell *cell)
{
    return cell->sweep->settings.measure == MEASURE_TIME;
}

Job *schedule_make(const Plan *plan, size_t *count)
{
    Job *jobs = calloc(plan_worker_count(plan) + 1, sizeof *jobs);
    size_t used = 0;
    if (!jobs)
        return NULL;
    for (size_t i = 0; i < plan->cell_count; i++)
        jobs[used++] = (Job){i, -1, SAMPLE_VERIFY};
    for (size_t i = 0; i < plan->cell_count; i++)
        if (is_timed(&plan->cells[i]))
            jobs[used++] = (Job){i, -1, SAMPLE_PILOT};
    for (int round = 0; round < count_rounds(plan); round++) {
        const size_t first = used;
        for (size_t i = 0; i < plan->cell_count; i++)
            if (round < plan->cells[i].sweep->settings.samples)
                jobs[used++] =
                    (Job){i, round, is_timed(&plan->cells[i]) ? SAMPLE_TIME : SAMPLE_EMULATE};
        uint64_t seed = plan->seed + (uint64_t)round;
        shuffle(jobs + first, used - first, splitmix_next(&seed));
    }
    for (size_t i = 0; i < plan->cell_count; i++)
        if (settings_workers_after(&plan->cells[i].sweep->settings))
            jobs[used++] = (Job){i, 0, SAMPLE_COUNT};
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

bool *schedule_done(const Plan *plan, const Job *jobs, size_t count, const Sample *samples,
                    size_t sample_count)
{
    const int rounds = count_rounds(plan) > 0 ? count_rounds(plan) : 1;
    bool *taken = calloc(SAMPLE_TASK_COUNT * ((size_t)rounds + 1) * plan->cell_count + 1, 1);
    bool *failed = calloc(plan->cell_count + 1, 1);
    bool *done = calloc(count + 1, 1);
    for (size_t i = 0; taken && failed && done && i < sample_count; i++) {
        const Sample *sample = &samples[i];
        if (sample->round < rounds)
            taken[job_key(plan, rounds, sample->cell, sample->round, sample->task)] = true;
        failed[sample->cell] |= !sample->ok;
    }
    for (size_t i = 0; taken && failed && done && i < count; i++)
        done[i] = failed[jobs[i].cell] ||
                  taken[job_key(plan, rounds, jobs[i].cell, jobs[i].round, jobs[i].task)];
    if (!taken || !failed) {
        free(done);
        done = NULL;
    }
    free(taken);
    free(failed);
    return done;
}
