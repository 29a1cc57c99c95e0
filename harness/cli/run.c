// SPDX-License-Identifier: Apache-2.0
// run.c - `hyperion run`: the sweep.
#include "cli/command.h"
#include "cli/workplace.h"
#include "common/clock.h"
#include "common/quantity.h"
#include "record/run_directory.h"
#include "run/interrupt.h"
#include "run/run_start.h"
#include "run/schedule.h"
#include "run/sweep_run.h"

#include <string.h>
#include <sys/stat.h>

extern const Command command_report;

enum {
    OPTION_SET,
    OPTION_CELL,
    OPTION_OUT,
    OPTION_RESUME,
    OPTION_SEED,
    OPTION_FORCE,
    OPTION_BUDGET,
    OPTION_SHARD
};

static const CommandOption options[] = {
    [OPTION_SET] = {"--set", "AXIS=VALUES", true, "replace the values of an axis"},
    [OPTION_CELL] = {"--cell", "ID", true, "only the cell of that identity"},
    [OPTION_OUT] = {"--out", "DIR", false,
                    "run directory (default results/<scenario>/<date>-<host>-<commit>)"},
    [OPTION_RESUME] = {"--resume", NULL, false,
                       "complete the run in DIR, or the one given instead of a scenario"},
    [OPTION_SEED] = {"--seed", "S", false, "of the input data and the order of the rounds"},
    [OPTION_FORCE] = {"--force", NULL, false,
                      "measure although the doctor refuses the scenario's profile"},
    [OPTION_BUDGET] = {"--budget", "TIME", false,
                       "begin no round that would not end in time (30m); --resume goes on"},
    [OPTION_SHARD] = {"--shard", "I/N", false,
                      "only the I-th of N parts of the cells; `hyperion merge` joins them"},
    {NULL, NULL, false, NULL},
};

// A tenth of a CPU moves medians by more than the differences one looks for; the runner itself and
// the system's own threads stay below.
static const double busy_cpus = 0.1;

// Everything a run holds, so that there is one place to free it.
typedef struct RunCommand {
    Plan *plan;
    Workplace place;
    Shard shard;
    double budget_ns; // 0 = no limit
    char directory[4096];
} RunCommand;

static bool set_budget(RunCommand *run, const char *text, Problem *problem)
{
    return (quantity_parse_time(text, &run->budget_ns) && run->budget_ns > 0) ||
           problem_set(problem, "--budget: expected a time with its unit (s, m, h), given '%s'",
                       text);
}

// A scenario file, or the plan of a run directory.
static bool load_plan(RunCommand *run, const CommandArguments *arguments, Problem *problem)
{
    const char *path = arguments->words[0];
    const char *const *set = arguments->options_of[OPTION_SET];
    const char *const *cells = arguments->options_of[OPTION_CELL];
    const char *const *seed = arguments->options_of[OPTION_SEED];
    const char *const *budget = arguments->options_of[OPTION_BUDGET];
    const char *const *shard = arguments->options_of[OPTION_SHARD];
    struct stat status;
    const bool directory = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    if (arguments->options_of[OPTION_RESUME] && !arguments->options_of[OPTION_OUT] && !directory)
        return problem_set(problem, "--resume needs the directory of the run to complete: as the "
                                    "operand or as --out");
    if (directory && set)
        return problem_set(problem, "--set: the plan of a run directory is fixed; give a scenario");
    run->plan = directory ? run_plan_load(path, problem) : plan_from_scenario(path, set, problem);
    return run->plan && (!cells || plan_keep_cells(run->plan, cells, problem)) &&
           (!seed || workplace_set_seed(run->plan, seed[0], problem)) &&
           (!shard || shard_parse(shard[0], &run->shard, problem)) &&
           (!budget || set_budget(run, budget[0], problem));
}

static bool choose_directory(RunCommand *run, const CommandArguments *arguments, Problem *problem)
{
    const char *const *out = arguments->options_of[OPTION_OUT];
    if (!out && arguments->options_of[OPTION_RESUME])
        out = arguments->words; // the plan came from that directory
    const char *commit =
        json_string_value(json_object_get(json_object_get(run->place.machine, "build"), "commit"));
    const bool fits = out ? snprintf(run->directory, sizeof run->directory, "%s", out[0]) <
                                (int)sizeof run->directory
                          : run_default_directory(run->plan, clock_unix_s(), run->place.host,
                                                  commit, run->directory, sizeof run->directory);
    const size_t length = strlen(run->directory);
    const bool named =
        out || !run->shard.count ||
        snprintf(run->directory + length, sizeof run->directory - length, "-%dof%d",
                 run->shard.index, run->shard.count) < (int)(sizeof run->directory - length);
    return (fits && named) || problem_set(problem, "the name of the run directory is too long");
}

static void say_begin(const RunCommand *run)
{
    char time[32];
    char shard[SHARD_TEXT_BYTES];
    progress_format_time(plan_estimate_ns(run->plan), time, sizeof time);
    shard_format(run->shard, shard);
    (void)fprintf(stderr, "%s: %zu cells, %zu worker processes, about %s; plan %s%s%s\n",
                  run->plan->scenario, run->plan->cell_count, plan_worker_count(run->plan), time,
                  run->plan->hash, shard[0] ? ", of which shard " : "", shard);
}

static void say_end(const RunCommand *run, const RunnerOutcome *outcome)
{
    char time[32];
    progress_format_time(outcome->wall_ns, time, sizeof time);
    (void)fprintf(stderr, "%s %zu samples in %s",
                  outcome->interrupted ? "interrupted after" : "took", outcome->taken, time);
    if (outcome->taken && outcome->wall_ns > 0)
        (void)fprintf(stderr, " (%.1f %% of it outside the workers)",
                      100 * (1 - outcome->workers_ns / outcome->wall_ns));
    (void)fprintf(stderr, "; %zu of %zu cells failed\n", outcome->failed_cells,
                  run->plan->cell_count);
    if (outcome->rejected)
        (void)fprintf(stderr,
                      "%zu samples beyond the limits of the scenario were rejected; %zu times no "
                      "retry was left and the best one was kept\n",
                      outcome->rejected, outcome->beyond);
    if (outcome->other_cpus > busy_cpus)
        (void)fprintf(stderr,
                      "note: other processes kept %.1f CPUs busy meanwhile; the times are worth "
                      "less for that\n",
                      outcome->other_cpus);
    (void)fprintf(stderr, "results: %s\n", run->directory);
    if (outcome->out_of_budget)
        (void)fprintf(stderr, "the budget is over: %d of %d rounds are complete\n", outcome->rounds,
                      schedule_rounds(run->plan));
    if (outcome->interrupted || outcome->out_of_budget)
        (void)fprintf(stderr, "hyperion run %s --resume completes it\n", run->directory);
    else
        (void)fprintf(stderr, "next: hyperion report %s\n", run->directory);
}

// What there is of it: the figures too, as `hyperion report` makes them.
static void report_interrupted(const RunCommand *run)
{
    const char *const words[] = {run->directory, NULL};
    const CommandArguments arguments = {.words = words, .word_count = 1};
    (void)command_report.run(&arguments);
}

static int run_sweep(RunCommand *run, const CommandArguments *arguments, Problem *problem)
{
    const RunnerTools tools = workplace_tools(run->place.worker);
    RunnerOutcome outcome;
    const SweepRun sweep = {
        .plan = run->plan,
        .directory = run->directory,
        .resume = arguments->options_of[OPTION_RESUME] != NULL,
        .machine = run->place.machine,
        .topology_xml = run->place.topology_xml,
        .topology = run->place.topology,
        .cpus = run->place.cpus,
        .cpu_count = run->place.cpu_count,
        .shard = run->shard,
        .budget_ns = run->budget_ns,
        .progress = stderr,
    };
    say_begin(run);
    interrupt_install();
    if (!sweep_run(&sweep, &tools, &outcome, problem))
        return command_fail(EXIT_USAGE, problem);
    say_end(run, &outcome);
    if (outcome.interrupted) {
        report_interrupted(run);
        return EXIT_INTERRUPTED;
    }
    if (outcome.failed_cells)
        return EXIT_CELL;
    return outcome.out_of_budget && outcome.rounds == 0 ? EXIT_INCONCLUSIVE : EXIT_OK;
}

static int run_run(const CommandArguments *arguments)
{
    Problem problem = {0};
    static RunCommand run;
    int refusal = EXIT_USAGE;
    const bool force = arguments->options_of[OPTION_FORCE] != NULL;
    const bool ready =
        load_plan(&run, arguments, &problem) && workplace_find_worker(&run.place, &problem) &&
        workplace_meets_profile(&run.place, run.plan, force, &refusal, &problem) &&
        workplace_describe(&run.place, &problem) && choose_directory(&run, arguments, &problem);
    const int code = ready ? run_sweep(&run, arguments, &problem) : command_fail(refusal, &problem);
    plan_free(run.plan);
    workplace_clear(&run.place);
    return code;
}

const Command command_run = {
    .name = "run",
    .operands = "SCENARIO|RUN",
    .summary = "take the samples of a scenario (or of a run directory's plan)",
    .least_words = 1,
    .most_words = 1,
    .options = options,
    .run = run_run,
};
