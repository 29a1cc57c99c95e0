// SPDX-License-Identifier: Apache-2.0
// cache.c - `hyperion cache`: predicted, simulated and measured cache counts side by side.
#include "cli/command.h"
#include "cli/workplace.h"
#include "common/clock.h"
#include "common/json_file.h"
#include "run/interrupt.h"
#include "run/run_start.h"
#include "run/sweep_run.h"
#include "study/cache_gate.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { OPTION_SET, OPTION_OUT, OPTION_JSON, OPTION_GATE };

static const CommandOption options[] = {
    [OPTION_SET] = {"--set", "AXIS=VALUES", true, "replace the values of an axis"},
    [OPTION_OUT] = {"--out", "DIR", false,
                    "run directory (default results/<scenario>/<date>-<host>-<commit>)"},
    [OPTION_JSON] = {"--json", NULL, false, "print one JSON document"},
    [OPTION_GATE] = {"--gate", NULL, false,
                     "exit 3 where an error is beyond its tolerance, 4 where none can be judged"},
    {NULL, NULL, false, NULL},
};

// Everything the command holds, so that there is one place to free it.
typedef struct CacheCommand {
    Plan *plan;
    Workplace place;
    char directory[4096];
    size_t failed_cells;
    bool interrupted;
} CacheCommand;

static bool choose_directory(CacheCommand *command, const char *const *out, Problem *problem)
{
    const Workplace *place = &command->place;
    const char *commit =
        json_string_value(json_object_get(json_object_get(place->machine, "build"), "commit"));
    const bool fits =
        out ? snprintf(command->directory, sizeof command->directory, "%s", out[0]) <
                  (int)sizeof command->directory
            : run_default_directory(command->plan, clock_unix_s(), place->host, commit,
                                    command->directory, sizeof command->directory);
    return fits || problem_set(problem, "the name of the run directory is too long");
}

static bool run_plan(CacheCommand *command, Problem *problem)
{
    const Workplace *place = &command->place;
    const RunnerTools tools = workplace_tools(command->place.worker);
    RunnerOutcome outcome;
    const SweepRun sweep = {.plan = command->plan,
                            .directory = command->directory,
                            .machine = place->machine,
                            .topology_xml = place->topology_xml,
                            .topology = place->topology,
                            .cpus = place->cpus,
                            .cpu_count = place->cpu_count,
                            .progress = stderr};
    interrupt_install();
    if (!sweep_run(&sweep, &tools, &outcome, problem))
        return false;
    command->interrupted = outcome.interrupted;
    (void)fprintf(stderr, "results: %s\n", command->directory);
    return true;
}

static bool run_scenario(CacheCommand *command, const CommandArguments *arguments, int *code,
                         Problem *problem)
{
    command->plan =
        plan_from_scenario(arguments->words[0], arguments->options_of[OPTION_SET], problem);
    return command->plan && workplace_find_worker(&command->place, problem) &&
           workplace_meets_profile(&command->place, command->plan, false, code, problem) &&
           workplace_describe(&command->place, problem) &&
           choose_directory(command, arguments->options_of[OPTION_OUT], problem) &&
           run_plan(command, problem);
}

// A run directory as it is, or a scenario that is run first.
static bool find_run(CacheCommand *command, const CommandArguments *arguments, int *code,
                     Problem *problem)
{
    struct stat status;
    if (stat(arguments->words[0], &status) != 0 || !S_ISDIR(status.st_mode))
        return run_scenario(command, arguments, code, problem);
    if (arguments->options_of[OPTION_SET] || arguments->options_of[OPTION_OUT])
        return problem_set(problem, "--set and --out are of a scenario; a run directory is read as "
                                    "it is");
    return snprintf(command->directory, sizeof command->directory, "%s", arguments->words[0]) <
               (int)sizeof command->directory ||
           problem_set(problem, "the name of the run directory is too long");
}

static json_t *make_document(const CacheStudy *study, const CacheGateRow *gate,
                             CacheGateOutcome outcome)
{
    const json_t *machine = study->run->machine;
    json_t *document =
        json_pack("{s:s, s:s, s:s, s:O?, s:O?}", "schema", "hyperion-cache-1", "scenario",
                  study->run->plan->scenario, "run", study->run->path, "machine_key",
                  json_object_get(machine, "key"), "cpu", json_object_get(machine, "cpu"));
    if (document && cache_study_to_json(study, document) &&
        cache_gate_to_json(gate, outcome, document))
        return document;
    json_decref(document);
    return NULL;
}

static bool print_document(const CacheStudy *study, const CacheGateRow *gate,
                           CacheGateOutcome outcome)
{
    json_t *document = make_document(study, gate, outcome);
    if (!document)
        return false;
    (void)json_dumpf(document, stdout, JSON_FILE_FLAGS | JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(document);
    return true;
}

static int choose_code(const CacheCommand *command, bool gate, CacheGateOutcome outcome)
{
    if (command->interrupted)
        return EXIT_INTERRUPTED;
    if (command->failed_cells)
        return EXIT_CELL;
    if (gate && outcome == CACHE_GATE_BROKEN)
        return EXIT_REGRESSION;
    return gate && outcome == CACHE_GATE_UNJUDGED ? EXIT_INCONCLUSIVE : EXIT_OK;
}

static void say_failures(CacheCommand *command, const RunRecord *run, const CellSummary *summaries)
{
    for (size_t i = 0; i < run->plan->cell_count; i++) {
        if (!summaries[i].failed)
            continue;
        command->failed_cells++;
        (void)fprintf(stderr, "failed: %s: %s\n", run->plan->cells[i].id, summaries[i].reason);
    }
}

static bool show(CacheCommand *command, const CommandArguments *arguments, const RunRecord *run,
                 const CellSummary *summaries, CacheGateOutcome *outcome)
{
    const bool gated = arguments->options_of[OPTION_GATE] != NULL;
    CacheStudy study;
    CacheGateRow *gate = calloc(cache_tolerance_count, sizeof *gate);
    say_failures(command, run, summaries);
    bool shown =
        cache_study_make(run, summaries, &study) && gate && cache_gate_judge(&study, gate, outcome);
    if (shown && arguments->options_of[OPTION_JSON])
        shown = print_document(&study, gate, *outcome);
    else if (shown)
        shown = cache_study_print(&study, stdout) &&
                (!gated || cache_gate_print(gate, *outcome, stdout));
    cache_study_clear(&study);
    free(gate);
    return shown;
}

static int judge_run(CacheCommand *command, const CommandArguments *arguments, Problem *problem)
{
    CacheGateOutcome outcome = CACHE_GATE_UNJUDGED;
    RunRecord *run = run_record_load(command->directory, problem);
    if (!run)
        return EXIT_USAGE;
    CellSummary *summaries = metrics_summarise(run);
    const bool shown = summaries && show(command, arguments, run, summaries, &outcome);
    metrics_free(summaries, run->plan->cell_count);
    run_record_free(run);
    if (shown)
        return choose_code(command, arguments->options_of[OPTION_GATE] != NULL, outcome);
    (void)problem_set(problem, "cache: out of memory");
    return EXIT_USAGE;
}

static int run_cache(const CommandArguments *arguments)
{
    static CacheCommand command;
    Problem problem = {0};
    int code = EXIT_USAGE;
    if (find_run(&command, arguments, &code, &problem))
        code = judge_run(&command, arguments, &problem);
    plan_free(command.plan);
    workplace_clear(&command.place);
    return problem.text[0] ? command_fail(code, &problem) : code;
}

const Command command_cache = {
    .name = "cache",
    .operands = "SCENARIO|RUN",
    .summary = "predicted against simulated and measured cache counts, by level",
    .least_words = 1,
    .most_words = 1,
    .options = options,
    .run = run_cache,
};
