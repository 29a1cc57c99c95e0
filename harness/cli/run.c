// SPDX-License-Identifier: Apache-2.0
// run.c - `hyperion run`: the sweep.
#define _GNU_SOURCE
#include "cli/command.h"
#include "common/clock.h"
#include "hyperion/parallel.h"
#include "machine/doctor.h"
#include "machine/machine.h"
#include "record/run_directory.h"
#include "run/interrupt.h"
#include "run/run_start.h"
#include "run/sweep_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTION_SET, OPTION_CELL, OPTION_OUT, OPTION_RESUME, OPTION_SEED, OPTION_FORCE };

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
    {NULL, NULL, false, NULL},
};

// A tenth of a CPU moves medians by more than the differences one looks for; the runner itself and
// the system's own threads stay below.
static const double busy_cpus = 0.1;

// Everything a run holds, so that there is one place to free it.
typedef struct RunCommand {
    Plan *plan;
    json_t *machine;
    json_t *examination; // by the doctor, where the scenario requires a profile
    char *topology_xml;
    char directory[4096];
    char host[256];
    char worker[4096];
    HyperionCacheTopology topology;
    int cpus[HYPERION_MAX_THREADS];
    size_t cpu_count;
} RunCommand;

static bool set_seed(Plan *plan, const char *text, Problem *problem)
{
    char *end = NULL;
    errno = 0;
    const long long seed = strtoll(text, &end, 10);
    if (errno || end == text || *end || seed < 0)
        return problem_set(problem, "--seed: expected an integer from 0 to 2^63 - 1, given '%s'",
                           text);
    plan_set_seed(plan, (uint64_t)seed);
    return true;
}

// A scenario file, or the plan of a run directory.
static bool load_plan(RunCommand *run, const CommandArguments *arguments, Problem *problem)
{
    const char *path = arguments->words[0];
    const char *const *set = arguments->options_of[OPTION_SET];
    const char *const *cells = arguments->options_of[OPTION_CELL];
    const char *const *seed = arguments->options_of[OPTION_SEED];
    struct stat status;
    const bool directory = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    if (arguments->options_of[OPTION_RESUME] && !arguments->options_of[OPTION_OUT] && !directory)
        return problem_set(problem, "--resume needs the directory of the run to complete: as the "
                                    "operand or as --out");
    if (directory && set)
        return problem_set(problem, "--set: the plan of a run directory is fixed; give a scenario");
    run->plan = directory ? run_plan_load(path, problem) : plan_from_scenario(path, set, problem);
    return run->plan && (!cells || plan_keep_cells(run->plan, cells, problem)) &&
           (!seed || set_seed(run->plan, seed[0], problem));
}

// hyperion-worker stands beside this program.
static bool find_worker(RunCommand *run, Problem *problem)
{
    static const char name[] = "hyperion-worker";
    const ssize_t length =
        readlink("/proc/self/exe", run->worker, sizeof run->worker - sizeof name);
    if (length <= 0)
        return problem_set(problem, "cannot find this program's own folder: %s", strerror(errno));
    run->worker[length] = '\0';
    char *slash = strrchr(run->worker, '/');
    memcpy(slash ? slash + 1 : run->worker, name, sizeof name);
    if (access(run->worker, X_OK) != 0)
        return problem_set(problem, "%s: %s", run->worker, strerror(errno));
    return true;
}

// What the scenario demands of the machine. Sets *code when it is refused for that.
static bool meets_profile(RunCommand *run, const CommandArguments *arguments, int *code,
                          Problem *problem)
{
    size_t profile = 0;
    char fatal[1024];
    if (!run->plan->required_profile)
        return true;
    if (!doctor_find_profile(run->plan->required_profile, &profile, problem))
        return false;
    run->examination = doctor_examine("", profile, problem);
    if (!run->examination)
        return false;
    if (doctor_is_trustworthy(run->examination))
        return true;
    doctor_name_fatal(run->examination, fatal, sizeof fatal);
    if (arguments->options_of[OPTION_FORCE]) {
        (void)fprintf(stderr, "measuring although profile %s is not met: %s\n",
                      doctor_profiles[profile], fatal);
        return true;
    }
    *code = EXIT_INCONCLUSIVE;
    return problem_set(problem,
                       "%s requires profile %s, which this machine does not meet: %s; `hyperion "
                       "doctor --profile %s` tells why and what to do, --force measures all the "
                       "same",
                       run->plan->scenario, doctor_profiles[profile], fatal,
                       doctor_profiles[profile]);
}

// Frequency now, of the first CPU that tells; NAN unknown.
static json_t *read_mhz(void)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];
    double mhz = 0;
    while (file && mhz <= 0 && fgets(line, sizeof line, file))
        if (sscanf(line, "cpu MHz : %lf", &mhz) != 1)
            mhz = 0;
    if (file)
        (void)fclose(file);
    return mhz > 0 ? json_integer((json_int_t)(mhz + 0.5)) : json_null();
}

static json_t *describe_start(const RunCommand *run)
{
    double load[3];
    json_t *average = json_null();
    if (getloadavg(load, 3) == 3)
        average = json_pack("[f, f, f]", load[0], load[1], load[2]);
    return json_pack("{s:s, s:f, s:o, s:o, s:s, s:O*}", "host_name", run->host, "started_unix_s",
                     clock_unix_s(), "mhz_per_cpu", read_mhz(), "load_average", average, "worker",
                     "hyperion-worker", "doctor", run->examination);
}

static bool describe_machine(RunCommand *run, Problem *problem)
{
    Problem reason = {0};
    run->machine = machine_describe(&run->topology_xml, problem);
    if (!run->machine || !machine_cache_topology(&run->topology, problem))
        return false;
    if (json_is_null(json_object_get(run->machine, "limits"))) {
        (void)fprintf(stderr, "measuring the peak of one core (once per machine) ...\n");
        json_t *peaks = machine_measure_peaks(true, &reason);
        if (!peaks || !machine_set_peaks(run->machine, peaks))
            (void)fprintf(stderr, "no peaks: %s\n", reason.text);
        json_decref(peaks);
    }
    if (gethostname(run->host, sizeof run->host - 1) != 0)
        run->host[0] = '\0';
    run->cpu_count = machine_worker_cpus(run->cpus, HYPERION_MAX_THREADS);
    return json_object_set_new(run->machine, "run", describe_start(run)) == 0 ||
           problem_set(problem, "out of memory");
}

static bool choose_directory(RunCommand *run, const CommandArguments *arguments, Problem *problem)
{
    const char *const *out = arguments->options_of[OPTION_OUT];
    if (!out && arguments->options_of[OPTION_RESUME])
        out = arguments->words; // the plan came from that directory
    const char *commit =
        json_string_value(json_object_get(json_object_get(run->machine, "build"), "commit"));
    const bool fits = out ? snprintf(run->directory, sizeof run->directory, "%s", out[0]) <
                                (int)sizeof run->directory
                          : run_default_directory(run->plan, clock_unix_s(), run->host, commit,
                                                  run->directory, sizeof run->directory);
    return fits || problem_set(problem, "the name of the run directory is too long");
}

static void launch(void *context, const char *request, const LaunchLimits *limits, WorkerEnd *end)
{
    worker_launch(context, request, limits, end);
}

static double read_clock(void *context)
{
    (void)context;
    return clock_monotonic_ns();
}

static bool was_interrupted(void *context)
{
    (void)context;
    return interrupt_requested();
}

static void say_begin(const RunCommand *run)
{
    char time[32];
    progress_format_time(plan_estimate_ns(run->plan), time, sizeof time);
    (void)fprintf(stderr, "%s: %zu cells, %zu worker processes, about %s; plan %s\n",
                  run->plan->scenario, run->plan->cell_count, plan_worker_count(run->plan), time,
                  run->plan->hash);
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
    if (outcome->other_cpus > busy_cpus)
        (void)fprintf(stderr,
                      "note: other processes kept %.1f CPUs busy meanwhile; the times are worth "
                      "less for that\n",
                      outcome->other_cpus);
    (void)fprintf(stderr, "results: %s\n", run->directory);
    if (outcome->interrupted)
        (void)fprintf(stderr, "hyperion run %s --resume completes it\n", run->directory);
    else
        (void)fprintf(stderr, "next: hyperion report %s\n", run->directory);
}

static int run_sweep(RunCommand *run, const CommandArguments *arguments, Problem *problem)
{
    const RunnerTools tools = {launch, read_clock, was_interrupted, run->worker};
    RunnerOutcome outcome;
    const SweepRun sweep = {
        .plan = run->plan,
        .directory = run->directory,
        .resume = arguments->options_of[OPTION_RESUME] != NULL,
        .machine = run->machine,
        .topology_xml = run->topology_xml,
        .topology = run->topology,
        .cpus = run->cpus,
        .cpu_count = run->cpu_count,
        .progress = stderr,
    };
    say_begin(run);
    interrupt_install();
    if (!sweep_run(&sweep, &tools, &outcome, problem))
        return command_fail(EXIT_USAGE, problem);
    say_end(run, &outcome);
    if (outcome.interrupted)
        return EXIT_INTERRUPTED;
    return outcome.failed_cells ? EXIT_CELL : EXIT_OK;
}

static int run_run(const CommandArguments *arguments)
{
    Problem problem = {0};
    static RunCommand run;
    int refusal = EXIT_USAGE;
    const bool ready = load_plan(&run, arguments, &problem) && find_worker(&run, &problem) &&
                       meets_profile(&run, arguments, &refusal, &problem) &&
                       describe_machine(&run, &problem) &&
                       choose_directory(&run, arguments, &problem);
    const int code = ready ? run_sweep(&run, arguments, &problem) : command_fail(refusal, &problem);
    plan_free(run.plan);
    json_decref(run.machine);
    json_decref(run.examination);
    free(run.topology_xml);
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
