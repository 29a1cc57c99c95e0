// SPDX-License-Identifier: Apache-2.0
#include "run/runner.h"

#include "run/budget.h"
#include "run/cell_request.h"
#include "run/early_stop.h"
#include "run/judge.h"
#include "run/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A canary's loops are a millisecond each.
enum { CANARY_LOOPS = 15 };
static const double canary_timeout_ns = 60e9;

typedef struct Runner {
    const RunnerInput *input;
    const RunnerTools *tools;
    Progress progress;
    bool *failed;         // by cell
    uint64_t *iterations; // by cell, from its pilot; 0 = none yet
    double *highest_ghz;  // by cell, of its samples so far; NAN = none yet
    Job *waiting, *batch; // jobs of this round whose samples were rejected; those taken again now
    size_t waiting_count;
    Budget budget;
    EarlyStop early;
    int canary_round; // the last that has one; -1 = none yet
    RunnerOutcome *outcome;
    double timed_ns, other_busy_ns; // life of the timed workers; CPU time of others meanwhile
} Runner;

static const SweepSettings *settings_of(const Runner *runner, const Job *job)
{
    return &runner->input->plan->cells[job->cell].sweep->settings;
}

static void note_sample(Runner *runner, const Sample *sample)
{
    if (!sample->ok && !runner->failed[sample->cell]) {
        runner->failed[sample->cell] = true;
        runner->outcome->failed_cells++;
    }
    if (sample->ok && sample->task == SAMPLE_PILOT)
        runner->iterations[sample->cell] = sample->iterations;
    budget_note(&runner->budget, sample);
    if (early_stop_reached(&runner->early, sample->cell))
        budget_end_cell(&runner->budget, sample->cell);
    runner->highest_ghz[sample->cell] =
        fmax(runner->highest_ghz[sample->cell], judge_highest_ghz(sample));
}

// False when the sample must not be kept: the runner itself failed, or was asked to stop.
static bool ask_worker(Runner *runner, const WorkerRequest *request, LaunchLimits limits,
                       Sample *sample, Problem *problem)
{
    limits.cpus = request->cpus;
    limits.cpu_count = request->cpu_count;
    char *text = request_write(request, problem);
    if (!text)
        return false;
    WorkerEnd end = {0};
    runner->tools->launch(runner->tools->context, text, &limits, &end);
    free(text);
    runner->outcome->workers_ns += end.life_ns;
    runner->outcome->interrupted |= end.ending == WORKER_INTERRUPTED;
    if (request->task == SAMPLE_TIME) {
        runner->timed_ns += end.life_ns;
        runner->other_busy_ns += end.disturbance.other_cpus * end.life_ns;
    }
    sample->task = request->task;
    verdict_take(&end, request, &limits, sample);
    free(end.answer);
    return end.ending != WORKER_INTERRUPTED;
}

static bool keep_sample(Runner *runner, const Sample *sample, Problem *problem)
{
    if (!journal_append(runner->input->journal, sample, problem))
        return false;
    runner->outcome->taken++;
    return true;
}

// A round without a canary is worth no less; the next one has its own.
static bool take_canary(Runner *runner, int round, Problem *problem)
{
    static const char *const no_counters[] = {NULL};
    const RunnerInput *input = runner->input;
    const WorkerRequest request = {
        .task = SAMPLE_CANARY,
        .cell = {.workload = workload_find("canary")},
        .cpus = {input->cpu_count ? input->cpus[0].cpu : 0},
        .cpu_count = input->cpu_count > 0,
        .topology = input->topology,
        .iterations = 1,
        .repetitions = CANARY_LOOPS,
        .warmup_ns = 1e6,
        .counters = no_counters,
    };
    for (size_t i = 0; i < input->before->canary_count; i++)
        if (input->before->canaries[i].round == round)
            return true;
    Sample sample = sample_empty();
    sample.round = round;
    const bool kept = ask_worker(runner, &request, (LaunchLimits){.timeout_ns = canary_timeout_ns},
                                 &sample, problem) &&
                      keep_sample(runner, &sample, problem);
    sample_clear(&sample);
    return kept;
}

// One that is refused before a worker starts has failed.
static bool take_sample(Runner *runner, const Job *job, Sample *sample, Problem *problem)
{
    const RunnerInput *input = runner->input;
    const SweepSettings *settings = settings_of(runner, job);
    const RequestGround ground = {input->plan->seed, input->topology, input->cpus,
                                  input->cpu_count};
    const LaunchLimits limits = {.timeout_ns = settings->timeout_ns,
                                 .memory_bytes = settings->memory_limit_bytes};
    WorkerRequest request;
    Problem refusal = {0};
    sample->cell = job->cell;
    sample->round = job->round;
    if (cell_request(&ground, &input->plan->cells[job->cell], job->task,
                     runner->iterations[job->cell], &request, &refusal))
        return ask_worker(runner, &request, limits, sample, problem);
    verdict_refuse(job->task, &refusal, sample);
    return true;
}

// After a sample that is in the journal: whether the job is to be done once more.
static bool take_again(Runner *runner, const Job *job, const Sample *sample)
{
    if (!sample->rejection[0])
        return false;
    runner->outcome->rejected++;
    if (job->rejections >= settings_of(runner, job)->retries) {
        runner->outcome->beyond++;
        return false;
    }
    runner->waiting[runner->waiting_count] = *job;
    runner->waiting[runner->waiting_count++].rejections++;
    return true;
}

// Nothing more is to be learned by the job.
static bool is_over(const Runner *runner, const Job *job)
{
    return runner->failed[job->cell] ||
           (job->task == SAMPLE_TIME && early_stop_reached(&runner->early, job->cell));
}

// What the sample is worth, before it is recorded.
static bool judge(Runner *runner, const Job *job, Sample *sample, Problem *problem)
{
    judge_sample(&settings_of(runner, job)->limits, runner->highest_ghz[job->cell], sample);
    return sample->rejection[0] || early_stop_note(&runner->early, sample) ||
           problem_set(problem, "out of memory");
}

// False ends the run: interruption (no problem is set) or a failure of the runner itself.
static bool do_job(Runner *runner, const Job *job, Problem *problem)
{
    const char *id = runner->input->plan->cells[job->cell].id;
    if (is_over(runner, job)) {
        progress_skipped(&runner->progress, job);
        return true;
    }
    progress_show(&runner->progress, job, id, runner->tools->now_ns(runner->tools->context));
    Sample sample = sample_empty();
    const bool kept = take_sample(runner, job, &sample, problem) &&
                      judge(runner, job, &sample, problem) && keep_sample(runner, &sample, problem);
    if (kept) {
        note_sample(runner, &sample);
        if (take_again(runner, job, &sample))
            progress_rejected(&runner->progress, job, &sample);
        else
            progress_taken(&runner->progress, job, id, &sample);
    }
    sample_clear(&sample);
    return kept;
}

static bool was_interrupted(Runner *runner)
{
    if (!runner->tools->interrupted(runner->tools->context))
        return false;
    runner->outcome->interrupted = true;
    return true;
}

// At the end of a round: what disturbed a sample has had time to pass.
static bool do_waiting(Runner *runner, Problem *problem)
{
    while (runner->waiting_count > 0) {
        const size_t count = runner->waiting_count;
        memcpy(runner->batch, runner->waiting, count * sizeof *runner->batch);
        runner->waiting_count = 0;
        for (size_t i = 0; i < count; i++)
            if (was_interrupted(runner) || !do_job(runner, &runner->batch[i], problem))
                return false;
    }
    return true;
}

// A round has a canary where it has a clock.
static bool prepare_job(Runner *runner, const Job *last, const Job *job, Problem *problem)
{
    const bool begins_round = last && (last->round != job->round || job->task == SAMPLE_COUNT);
    if (begins_round && !do_waiting(runner, problem))
        return false;
    if (was_interrupted(runner))
        return false;
    if (job->task != SAMPLE_TIME || is_over(runner, job) || job->round == runner->canary_round)
        return true;
    runner->canary_round = job->round;
    return take_canary(runner, job->round, problem) && !was_interrupted(runner);
}

// Whether the budget lets the job be done. A round that was begun is finished; when one does not
// fit, only the counting passes come after it.
static bool fits(Runner *runner, const Job *jobs, const bool *done, size_t next, const Job *last,
                 size_t count)
{
    RunnerOutcome *outcome = runner->outcome;
    const Job *job = &jobs[next];
    const bool counts = job->task == SAMPLE_COUNT;
    const bool in_round = last && job->round >= 0 && job->round == last->round && !counts;
    if (isinf(runner->budget.end_ns))
        return true;
    if (outcome->out_of_budget && (!counts || outcome->rounds == 0))
        return false;
    if (in_round || is_over(runner, job) ||
        budget_allows(&runner->budget, jobs, done, next, count,
                      runner->tools->now_ns(runner->tools->context)))
        return true;
    if (!outcome->out_of_budget && !counts)
        outcome->rounds = job->round > 0 ? job->round : 0;
    else if (!outcome->out_of_budget)
        outcome->rounds = schedule_rounds(runner->input->plan);
    outcome->out_of_budget = true;
    return false;
}

static void do_jobs(Runner *runner, const Job *jobs, const bool *done, size_t count,
                    Problem *problem)
{
    const RunnerTools *tools = runner->tools;
    progress_begin(&runner->progress, runner->input->progress, jobs, done, count,
                   tools->now_ns(tools->context));
    runner->progress.failed_cells = runner->outcome->failed_cells;
    const Job *last = NULL;
    bool going = true;
    for (size_t i = 0; going && i < count; i++) {
        if (done[i] || !fits(runner, jobs, done, i, last, count))
            continue;
        going = prepare_job(runner, last, &jobs[i], problem) && do_job(runner, &jobs[i], problem);
        last = &jobs[i];
    }
    if (going)
        (void)do_waiting(runner, problem);
    progress_end(&runner->progress);
}

// False: out of memory.
static bool note_before(Runner *runner)
{
    const JournalContent *before = runner->input->before;
    for (size_t i = 0; i < runner->input->plan->cell_count; i++)
        runner->highest_ghz[i] = NAN;
    bool recalled = true;
    for (size_t i = 0; i < before->sample_count; i++) {
        recalled = recalled && (before->samples[i].rejection[0] ||
                                early_stop_recall(&runner->early, &before->samples[i]));
        note_sample(runner, &before->samples[i]);
    }
    for (size_t i = 0; i < before->rejected_count; i++)
        note_sample(runner, &before->rejected[i]);
    return recalled;
}

static bool begin(Runner *runner, double end_ns)
{
    const Plan *plan = runner->input->plan;
    const size_t cells = plan->cell_count;
    const bool judged = budget_begin(&runner->budget, plan, end_ns);
    runner->failed = calloc(cells + 1, sizeof *runner->failed);
    runner->iterations = calloc(cells + 1, sizeof *runner->iterations);
    runner->highest_ghz = calloc(cells + 1, sizeof *runner->highest_ghz);
    runner->waiting = calloc(cells + 1, sizeof *runner->waiting);
    runner->batch = calloc(cells + 1, sizeof *runner->batch);
    return early_stop_begin(&runner->early, plan) && judged && runner->failed &&
           runner->iterations && runner->highest_ghz && runner->waiting && runner->batch &&
           note_before(runner);
}

static void end(Runner *runner)
{
    budget_clear(&runner->budget);
    early_stop_clear(&runner->early);
    free(runner->failed);
    free(runner->iterations);
    free(runner->highest_ghz);
    free(runner->waiting);
    free(runner->batch);
}

bool runner_run(const RunnerInput *input, const RunnerTools *tools, RunnerOutcome *outcome,
                Problem *problem)
{
    const double start_ns = tools->now_ns(tools->context);
    const double end_ns = input->budget_ns > 0 ? start_ns + input->budget_ns : (double)INFINITY;
    Runner runner = {.input = input, .tools = tools, .outcome = outcome, .canary_round = -1};
    size_t count = 0;
    *outcome = (RunnerOutcome){0};
    Job *jobs = schedule_make(input->plan, &count);
    if (jobs)
        count = schedule_keep_shard(input->plan, input->shard, jobs, count);
    bool *done = jobs ? schedule_done(input->plan, jobs, count, input->before) : NULL;
    if (begin(&runner, end_ns) && done)
        do_jobs(&runner, jobs, done, count, problem);
    else
        (void)problem_set(problem, "out of memory for %zu cells", input->plan->cell_count);
    end(&runner);
    free(jobs);
    free(done);
    outcome->other_cpus =
        runner.timed_ns > 0 ? runner.other_busy_ns / runner.timed_ns : (double)NAN;
    outcome->wall_ns = tools->now_ns(tools->context) - start_ns;
    return problem->text[0] == '\0';
}
