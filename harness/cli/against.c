// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "cli/against.h"

#include "against/pair.h"
#include "against/revision.h"
#include "cli/command.h"
#include "cli/workplace.h"
#include "common/clock.h"
#include "common/json_file.h"
#include "compare/comparison.h"
#include "run/interrupt.h"
#include "run/run_start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// All tests are corrected together, and a cell has two: time and peak memory. Where 3 % matter, 5 %
// slower is to be seen with 95 %.
static const double tests_of_cell = 2;
static const double power = 0.95;
static const double effect_ratio = 5.0 / 3;

// Everything a comparison holds, so that there is one place to free it.
typedef struct Against {
    Plan *plan;
    Workplace place;
    Revision revision;
    json_t *base_machine;
    PairInput input;
    Pair pair;
    char folder[3072];
} Against;

static bool check_measures(const Plan *plan, Problem *problem)
{
    for (size_t i = 0; i < plan->sweep_count; i++)
        if (plan->sweeps[i].settings.measure == MEASURE_COUNTS)
            return problem_set(problem,
                               "sweep %s is `measure: counts`: there is no time to compare; see "
                               "`hyperion cache`",
                               plan->sweeps[i].name);
    return true;
}

static bool load_plan(Against *against, const AgainstOptions *options, Problem *problem)
{
    against->plan = plan_from_scenario(options->scenario, options->set, problem);
    return against->plan && check_measures(against->plan, problem) &&
           (!options->seed || workplace_set_seed(against->plan, options->seed, problem));
}

// The folder must fit with a number and a side behind it.
static bool choose_folder(Against *against, const AgainstOptions *options, Problem *problem)
{
    char usual[2048];
    const char *commit = json_string_value(
        json_object_get(json_object_get(against->place.machine, "build"), "commit"));
    const bool named = run_default_directory(against->plan, clock_unix_s(), against->place.host,
                                             commit, usual, sizeof usual);
    const int length =
        options->out ? snprintf(against->folder, sizeof against->folder, "%s", options->out)
                     : snprintf(against->folder, sizeof against->folder, "%s-against-%.12s", usual,
                                against->revision.commit[0] ? against->revision.commit : "unknown");
    return (named && length > 0 && length < (int)sizeof against->folder) ||
           problem_set(problem, "the name of the run directory is too long");
}

static const char *build_text(const json_t *build, const char *key)
{
    const char *text = json_string_value(json_object_get(build, key));
    return text ? text : "unknown";
}

// Times of two compilers tell of the compilers.
static void warn_of_builds(const json_t *base, const json_t *latest)
{
    static const char *const keys[] = {"compiler", "build_type", "flags"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(build_text(base, keys[i]), build_text(latest, keys[i])) != 0)
            (void)fprintf(stderr, "note: %s of BASE: %s; of NEW: %s\n", keys[i],
                          build_text(base, keys[i]), build_text(latest, keys[i]));
}

static bool make_base(Against *against, const AgainstOptions *options, Problem *problem)
{
    const json_t *own = json_object_get(against->place.machine, "build");
    if (!revision_make(options->revision, own, against->place.worker, stderr, &against->revision,
                       problem))
        return false;
    warn_of_builds(against->revision.build, own);
    against->base_machine = json_deep_copy(against->place.machine);
    return (against->base_machine &&
            json_object_set(against->base_machine, "build", against->revision.build) == 0) ||
           problem_set(problem, "out of memory");
}

static void say_sizes(const Against *against)
{
    for (size_t i = 0; i < against->plan->sweep_count; i++) {
        const SampleSize *size = &against->pair.sizes[i];
        (void)fprintf(stderr, "sweep %s: %zu samples a cell and side",
                      against->plan->sweeps[i].name, size->samples);
        if (!isnan(size->variation))
            (void)fprintf(stderr, "; the pilot varies by up to %.1f %%", 100 * size->variation);
        if (!isnan(size->visible_effect))
            (void)fprintf(stderr, ", %.1f %% slower is seen with %.0f %%",
                          100 * size->visible_effect, 100 * power);
        (void)fputc('\n', stderr);
    }
    for (size_t i = 0; i < against->plan->cell_count; i++)
        if (!against->pair.cells[i].known)
            (void)fprintf(stderr, "only in NEW: %s (BASE says: %s)\n", against->plan->cells[i].id,
                          against->pair.cells[i].reason);
}

// Everything before the first sample that counts; an exit code.
static int prepare(Against *against, const AgainstOptions *options, Problem *problem)
{
    int refusal = EXIT_USAGE;
    if (!load_plan(against, options, problem) || !workplace_find_worker(&against->place, problem) ||
        !workplace_meets_profile(&against->place, against->plan, options->force, &refusal,
                                 problem) ||
        !workplace_describe(&against->place, problem) || !make_base(against, options, problem) ||
        !choose_folder(against, options, problem))
        return refusal;
    const Workplace *place = &against->place;
    against->input = (PairInput){
        .plan = against->plan,
        .tools = {[PAIR_BASE] = workplace_tools(against->revision.worker),
                  [PAIR_NEW] = workplace_tools(against->place.worker)},
        .ground = {against->plan->seed, place->topology, place->cpus, place->cpu_count},
        .goal = {.effect = effect_ratio * options->least_effect,
                 .least_effect = options->least_effect,
                 .probability = power,
                 .alpha = COMPARISON_ALPHA / tests_of_cell,
                 .most = options->most_samples,
                 .seed = against->plan->seed},
        .progress = stderr,
    };
    interrupt_install();
    if (!pair_prepare(&against->input, &against->pair, problem))
        return EXIT_USAGE;
    if (against->pair.interrupted)
        return EXIT_INTERRUPTED;
    say_sizes(against);
    return EXIT_OK;
}

static void clear(Against *against)
{
    pair_clear(&against->pair);
    revision_clear(&against->revision);
    workplace_clear(&against->place);
    json_decref(against->base_machine);
    plan_free(against->plan);
}

// One comparison into <folder>/base and <folder>/new; an exit code.
static int take_pair(Against *against, const char *folder, uint64_t seed, AgainstRuns *runs,
                     Problem *problem)
{
    const PairRecord records[PAIR_SIDES] = {
        [PAIR_BASE] = {runs->base, against->base_machine, against->place.topology_xml},
        [PAIR_NEW] = {runs->latest, against->place.machine, against->place.topology_xml},
    };
    (void)snprintf(runs->base, sizeof runs->base, "%s/base", folder);
    (void)snprintf(runs->latest, sizeof runs->latest, "%s/new", folder);
    if (!pair_take(&against->pair, seed, records, problem))
        return EXIT_USAGE;
    return against->pair.interrupted ? EXIT_INTERRUPTED : EXIT_OK;
}

// <folder>/against.json: what was compared, and why with so many samples.
static bool write_account(const Against *against, const AgainstOptions *options, json_t *alarms,
                          Problem *problem)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/against.json", against->folder);
    json_t *account =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o*}", "schema", "hyperion-against-1", "revision",
                  options->revision, "base_commit", against->revision.commit, "machine_key",
                  json_string_value(json_object_get(against->place.machine, "key")), "sampling",
                  pair_describe(&against->pair), "false_alarms", alarms);
    const bool written = account ? json_file_write(path, account, problem)
                                 : problem_set(problem, "%s: out of memory", path);
    json_decref(account);
    return written;
}

int against_take(const AgainstOptions *options, AgainstRuns *runs, Problem *problem)
{
    static Against against; // a workplace is large
    int code = prepare(&against, options, problem);
    if (code == EXIT_OK)
        code = take_pair(&against, against.folder, against.plan->seed, runs, problem);
    if (code == EXIT_OK && !write_account(&against, options, NULL, problem))
        code = EXIT_USAGE;
    if (code == EXIT_OK || code == EXIT_INTERRUPTED)
        (void)fprintf(stderr, "%s %zu samples; results: %s\n",
                      code == EXIT_OK ? "took" : "interrupted after", against.pair.taken,
                      against.folder);
    clear(&against);
    return code;
}

static bool judge_pairs(Against *against, size_t comparisons, const AgainstOptions *options,
                        AgainstJudge judge, AlarmCount *count, Problem *problem)
{
    for (size_t i = 0; i < comparisons && !against->pair.interrupted; i++) {
        static AgainstRuns runs;
        char folder[3200];
        bool alarm = false;
        (void)snprintf(folder, sizeof folder, "%s/%04zu", against->folder, i);
        const int code = take_pair(against, folder, against->plan->seed + i, &runs, problem);
        if (code == EXIT_USAGE)
            return false;
        if (code == EXIT_INTERRUPTED)
            break;
        if (!judge(&runs, options->least_effect, &alarm, problem))
            return false;
        count->comparisons++;
        count->alarms += alarm;
        (void)fprintf(stderr, "comparison %zu of %zu: %s\n", i + 1, comparisons,
                      alarm ? "alarm" : "no alarm");
    }
    return true;
}

// Also of an interrupted series: what was compared was compared.
static bool record_alarms(const Against *against, const AgainstOptions *options, AlarmCount count,
                          Problem *problem)
{
    const char *key = json_string_value(json_object_get(against->place.machine, "key"));
    const Interval interval = false_alarms_interval(count);
    json_t *alarms =
        json_pack("{s:I, s:I, s:[f,f]}", "comparisons", (json_int_t)count.comparisons, "alarms",
                  (json_int_t)count.alarms, "interval", interval.low, interval.high);
    char text[160];
    if (count.comparisons == 0) {
        json_decref(alarms);
        return true;
    }
    if (!write_account(against, options, alarms, problem) ||
        !false_alarms_add(BASELINE_ROOT, key ? key : "unknown", ALARMS_INTERLEAVED, count, problem))
        return false;
    false_alarms_describe(count, ALARMS_INTERLEAVED, text, sizeof text);
    printf("%s\n", text);
    return true;
}

int against_count_alarms(const AgainstOptions *options, size_t comparisons, AgainstJudge judge,
                         Problem *problem)
{
    static Against against; // a workplace is large
    AlarmCount count = {0};
    int code = prepare(&against, options, problem);
    if (code == EXIT_OK && !against.revision.own) {
        (void)problem_set(problem,
                          "--false-alarms compares a revision with itself, and %s is not what this "
                          "program was built from; --against . is",
                          options->revision);
        code = EXIT_USAGE;
    }
    if (code == EXIT_OK && (!judge_pairs(&against, comparisons, options, judge, &count, problem) ||
                            !record_alarms(&against, options, count, problem)))
        code = EXIT_USAGE;
    if (code == EXIT_OK && against.pair.interrupted)
        code = EXIT_INTERRUPTED;
    clear(&against);
    return code;
}
