// SPDX-License-Identifier: Apache-2.0
// baseline.c - `hyperion baseline`: what runs of a scenario are compared with.
#define _POSIX_C_SOURCE 200809L
#include "cli/command.h"
#include "compare/baseline_file.h"
#include "compare/session_alarms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const CommandOption options[] = {
    {"--reason", "TEXT", false, "accept: why the numbers change; kept in the file"},
    {NULL, NULL, false, NULL},
};

static int run_baseline(const CommandArguments *arguments);

const Command command_baseline = {
    .name = "baseline",
    .operands = "add|accept RUN",
    .summary =
        "add a run to " BASELINE_ROOT "/<machine-key>/<scenario>.json as a session, or start "
        "the file anew with it: an intended change",
    .least_words = 2,
    .most_words = 2,
    .options = options,
    .run = run_baseline,
};

static int accept_run(const char *path, const RunRecord *run, const char *reason, Problem *problem)
{
    if (access(path, F_OK) != 0) {
        (void)problem_set(problem,
                          "%s: there is no such baseline to accept a change of; "
                          "`hyperion baseline add` makes one",
                          path);
        return EXIT_BASELINE;
    }
    return baseline_accept(path, run, reason, problem) ? EXIT_OK : EXIT_USAGE;
}

// Every session of an unchanged program is an A/A comparison with those before it.
static int add_run(const char *path, const RunRecord *run, const char *key, Problem *problem)
{
    AlarmCount count;
    if (!session_alarms_count(path, run, &count, problem) || !baseline_add(path, run, problem) ||
        (count.comparisons > 0 &&
         !false_alarms_add(BASELINE_ROOT, key, ALARMS_STORED, count, problem)))
        return EXIT_USAGE;
    if (count.comparisons > 0)
        (void)fprintf(
            stderr,
            "the same program as in the sessions before: %s, which counts for the rate of "
            "false alarms\n",
            count.alarms ? "an alarm" : "no alarm");
    return EXIT_OK;
}

static int change_baseline(bool accept, const char *reason, const RunRecord *run, Problem *problem)
{
    const char *key = json_string_value(json_object_get(run->machine, "key"));
    char *path = baseline_path(BASELINE_ROOT, key ? key : "", run->plan->scenario, problem);
    int code = EXIT_USAGE;
    if (path && accept)
        code = accept_run(path, run, reason, problem);
    else if (path)
        code = add_run(path, run, key, problem);
    if (code == EXIT_OK)
        printf("%s\n", path);
    free(path);
    return code;
}

static int run_baseline(const CommandArguments *arguments)
{
    Problem problem = {0};
    const char *reason = command_option(&command_baseline, arguments, "--reason");
    const bool accept = strcmp(arguments->words[0], "accept") == 0;
    if (!accept && strcmp(arguments->words[0], "add") != 0)
        (void)problem_set(&problem, "baseline: expected add or accept; given '%s'",
                          arguments->words[0]);
    else if (accept != (reason && reason[0]))
        (void)problem_set(&problem, "baseline: --reason TEXT belongs to accept, which needs it");
    RunRecord *run = problem.text[0] ? NULL : run_record_load(arguments->words[1], &problem);
    int code = EXIT_USAGE;
    if (run)
        code = change_baseline(accept, reason, run, &problem);
    run_record_free(run);
    return problem.text[0] ? command_fail(code, &problem) : code;
}
