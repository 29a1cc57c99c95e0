// SPDX-License-Identifier: Apache-2.0
#include "run/runner.h"

#include "run/cell_request.h"
#include "run/verdict.h"

#include <math.h>
#include <stdlib.h>

typedef struct Runner {
    const RunnerInput *input;
    const RunnerTools *tools;
    Progress progress;
    bool *failed;         // by cell
    uint64_t *iterations; // by cell, from its pilot; 0 = none yet
    RunnerOutcome *outcome;
    double timed_ns, other_busy_ns; // life of the timed workers; CPU time of others meanwhile
} Runner;

static void note_sample(Runner *runner, const Sample *sample)
{
    if (!sample->ok && !runner->failed[sample->cell]) {
        runner->failed[sample->cell] = true;
        runner->outcome->failed_cells++;
    }
    if (sample->ok && sample->task == SAMPLE_PILOT)
        runner->iterations[sample->cell] = sample->iterations;
}

static WorkerRequest make_request(const Runner *runner, const Job *job)
{
    const RunnerInput *input = runner->input;
    const RequestGround ground = {input->plan->seed, input->topology, input->cpus,
                                  input->cpu_count};
    return cell_request(&ground, &input->plan->cells[job->cell], job->task,
                        runner->iterations[job->cell]);
}

// False when the sample must not be kept: the runner itself failed, or was asked to stop.
static bool take_sample(Runner *runner, const Job *job, Sample *sample, Problem *problem)
{
    const WorkerRequest request = make_request(runner, job);
    const SweepSettings *settings = &request.cell.sweep->settings;
    const LaunchLimits limits = {settings->timeout_ns, settings->memory_limit_bytes};
    char *text = request_write(&request, problem);
    if (!text)
        return false;
    WorkerEnd end = {0};
    runner->tools->launch(runner->tools->context, text, &limits, &end);
    free(text);
    sample->cell = job->cell;
    sample->round = job->round;
    sample->task = job->task;
    runner->outcome->workers_ns += end.life_ns;
    runner->outcome->interrupted |= end.ending == WORKER_INTERRUPTED;
    if (job->task == SAMPLE_TIME) {
        runner->timed_ns += end.life_ns;
        runner->other_busy_ns += end.other_cpus * end.life_ns;
    }
    verdict_take(&end, &request, &limits, sample);
    free(end.answer);
    return end.ending != WORKER_INTERRUPTED;
}

// False ends the run: interruption (no problem is set) or a failure of the runner itself.
static bool do_job(Runner *runner, const Job *job, Problem *problem)
{
    const char *id = runner->input->plan->cells[job->cell].id;
    if (runner->failed[job->cell]) {
        progress_skipped(&runner->progress, job);
        return true;
    }
    progress_show(&runner->progress, job, id, runner->tools->now_ns(runner->tools->context));
    Sample sample = sample_empty();
    const bool kept = take_sample(runner, job, &sample, problem) &&
                      journal_append(runner->input->journal, &sample, problem);
    if (kept) {
        runner->outcome->taken++;
        note_sample(runner, &sample);
        progress_taken(&runner->progress, job, id, &sample);
    }
    sample_clear(&sample);
    return kept;
}

static void do_jobs(Runner *runner, const Job *jobs, const bool *done, size_t count,
                    Problem *problem)
{
    const RunnerTools *tools = runner->tools;
    progress_begin(&runner->progress, runner->input->progress, jobs, done, count,
                   tools->now_ns(tools->context));
    runner->progress.failed_cells = runner->outcome->failed_cells;
    for (size_t i = 0; i < count; i++) {
        if (tools->interrupted(tools->context)) {
            runner->outcome->interrupted = true;
            break;
        }
        if (!done[i] && !do_job(runner, &jobs[i], problem))
            break;
    }
    progress_end(&runner->progress);
}

bool runner_run(const RunnerInput *input, const RunnerTools *tools, RunnerOutcome *outcome,
                Problem *problem)
{
    const double start_ns = tools->now_ns(tools->context);
    Runner runner = {.input = input, .tools = tools, .outcome = outcome};
    size_t count = 0;
    *outcome = (RunnerOutcome){0};
    Job *jobs = schedule_make(input->plan, &count);
    if (jobs)
        count = schedule_keep_shard(input->plan, input->shard, jobs, count);
    bool *done =
        jobs ? schedule_done(input->plan, jobs, count, input->samples, input->sample_count) : NULL;
    runner.failed = calloc(input->plan->cell_count + 1, sizeof *runner.failed);
    runner.iterations = calloc(input->plan->cell_count + 1, sizeof *runner.iterations);
    if (done && runner.failed && runner.iterations) {
        for (size_t i = 0; i < input->sample_count; i++)
            note_sample(&runner, &input->samples[i]);
        do_jobs(&runner, jobs, done, count, problem);
    } else {
        (void)problem_set(problem, "out of memory for %zu cells", input->plan->cell_count);
    }
    free(jobs);
    free(done);
    free(runner.failed);
    free(runner.iterations);
    outcome->other_cpus =
        runner.timed_ns > 0 ? runner.other_busy_ns / runner.timed_ns : (double)NAN;
    outcome->wall_ns = tools->now_ns(tools->context) - start_ns;
    return problem->text[0] == '\0';
}
