// SPDX-License-Identifier: Apache-2.0
// compare.c - `hyperion compare`: what changed between two runs, cell by cell.
#define _POSIX_C_SOURCE 200809L
#include "against/sample_size.h"
#include "cli/against.h"
#include "cli/command.h"
#include "common/quantity.h"
#include "compare/baseline_file.h"
#include "compare/comparison_formats.h"
#include "compare/measured_google.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_COUNT = 10000 };

static const CommandOption options[] = {
    {"--format", "text|markdown|json|junit|github", false, "how to print (default text)"},
    {"--along", "AXIS", false,
     "compare the cells of one run that differ in this axis alone: each with all before it"},
    {"--threshold", "PERCENT", false, "change of time that matters (default 3)"},
    {"--against", "REV", false,
     "take both runs now, turn by turn: of git revision REV (built if need be; . is this program) "
     "and of this program"},
    {"--set", "AXIS=VALUES", true, "with --against: replace the values of an axis"},
    {"--samples", "N", false, "with --against: at most N samples a cell and side (default 64)"},
    {"--seed", "S", false, "with --against: of the input data and the order of the rounds"},
    {"--out", "DIR", false, "with --against: where base/ and new/ go"},
    {"--force", NULL, false, "with --against: measure although the doctor refuses"},
    {"--false-alarms", "N", false,
     "with --against . : compare this program N times with itself, record how often that alarms"},
    {NULL, NULL, false, NULL},
};

static int run_compare(const CommandArguments *arguments);

const Command command_compare = {
    .name = "compare",
    .operands = "BASE NEW | RUN --along AXIS | --against REV SCENARIO",
    .summary = "verdict per cell and overall; each a run directory, baseline or Google Benchmark "
               "file, or BASE the word baseline",
    .least_words = 1,
    .most_words = 2,
    .options = options,
    .run = run_compare,
};

static const ComparisonFormat *find_format(const char *name, Problem *problem)
{
    const char *names[8] = {NULL};
    for (size_t i = 0; comparison_formats[i].name; i++) {
        if (strcmp(comparison_formats[i].name, name) == 0)
            return &comparison_formats[i];
        names[i] = comparison_formats[i].name;
    }
    const char *near = problem_nearest(name, names);
    (void)problem_set(problem, "compare: --format: expected %s; given '%s'%s%s%s", options[0].value,
                      name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

static bool parse_threshold(const char *text, double *threshold, Problem *problem)
{
    char *end = NULL;
    const double percent = strtod(text, &end);
    if (end == text || *end || !(percent >= 0 && percent <= 1000))
        return problem_set(problem,
                           "compare: --threshold: expected a percentage from 0 to 1000; given '%s'",
                           text);
    *threshold = percent / 100;
    return true;
}

// Where a baseline would be that BASE means; NULL: BASE is no baseline, or out of memory.
static char *find_baseline_path(const char *word, const MeasuredSide *latest, Problem *problem)
{
    static const char suffix[] = ".json";
    const size_t length = strlen(word);
    if (access(word, F_OK) == 0)
        return NULL;
    if (strcmp(word, "baseline") == 0)
        return baseline_path(BASELINE_ROOT, latest->machine_key, latest->scenario, problem);
    const size_t tail = sizeof suffix - 1;
    const bool named = length > tail && strcmp(word + length - tail, suffix) == 0;
    return named ? strdup(word) : NULL;
}

static MeasuredSide *load_base(const char *word, const MeasuredSide *latest, int *code,
                               Problem *problem)
{
    char *path = find_baseline_path(word, latest, problem);
    MeasuredSide *base = NULL;
    if (path && access(path, F_OK) != 0) {
        *code = EXIT_BASELINE;
        (void)problem_set(
            problem, "%s: there is no such baseline; `hyperion baseline add RUN` makes one", path);
    } else if (!problem->text[0]) {
        base = measured_side_load(path ? path : word, problem);
    }
    free(path);
    if (base && measured_google_is_exploration(base)) {
        (void)problem_set(problem,
                          "%s: written by `hyperion bench`: its cells share one process, so it is "
                          "no base to compare with; expected a run",
                          word);
        measured_side_free(base);
        base = NULL;
    }
    return base;
}

static int compare_sides(const MeasuredSide *base, const MeasuredSide *latest,
                         ComparisonOptions comparison_options, const ComparisonFormat *format,
                         Problem *problem)
{
    int code = EXIT_USAGE;
    if (latest->machine_key[0] &&
        !false_alarms_load(BASELINE_ROOT, latest->machine_key, &comparison_options.alarms, problem))
        return code;
    Comparison *comparison = comparison_make(base, latest, &comparison_options);
    if (comparison && format->write(comparison, stdout))
        code = comparison_exit_code(comparison);
    else
        (void)problem_set(problem, "compare: out of memory");
    comparison_free(comparison);
    return code;
}

static int compare_paths(const char *base_path, const char *new_path,
                         ComparisonOptions comparison_options, const ComparisonFormat *format,
                         Problem *problem)
{
    int code = EXIT_USAGE;
    MeasuredSide *latest = measured_side_load(new_path, problem);
    MeasuredSide *base = latest ? load_base(base_path, latest, &code, problem) : NULL;
    if (base)
        code = compare_sides(base, latest, comparison_options, format, problem);
    measured_side_free(base);
    measured_side_free(latest);
    return code;
}

// Points of one run, which measures its cells turn by turn.
static int compare_along(const char *path, const char *axis, ComparisonOptions comparison_options,
                         const ComparisonFormat *format, Problem *problem)
{
    int code = EXIT_USAGE;
    RunRecord *run = run_record_load(path, problem);
    AlongPairs *pairs = run ? along_pairs_make(run, axis, problem) : NULL;
    if (pairs) {
        comparison_options.interleaved = true;
        comparison_options.along = pairs;
        code = compare_sides(pairs->base, pairs->latest, comparison_options, format, problem);
    }
    along_pairs_free(pairs);
    run_record_free(run);
    return code;
}

static bool judge_runs(const AgainstRuns *runs, double threshold, bool *alarm, Problem *problem)
{
    const ComparisonOptions comparison_options = {.least_time_effect = threshold,
                                                  .interleaved = true};
    MeasuredSide *base = measured_side_load(runs->base, problem);
    MeasuredSide *latest = base ? measured_side_load(runs->latest, problem) : NULL;
    Comparison *comparison = latest ? comparison_make(base, latest, &comparison_options) : NULL;
    if (comparison)
        *alarm = comparison_raises_alarm(comparison);
    const bool judged = comparison || problem_set(problem, "compare: out of memory");
    comparison_free(comparison);
    measured_side_free(latest);
    measured_side_free(base);
    return judged;
}

static bool parse_count(const char *option, const char *text, long long least, size_t *count,
                        Problem *problem)
{
    long long value = 0;
    if (!text)
        return true;
    if (!quantity_parse_integer(text, &value) || value < least || value > MOST_COUNT)
        return problem_set(problem,
                           "compare: %s: expected a whole number from %lld to %d, given '%s'",
                           option, least, MOST_COUNT, text);
    *count = (size_t)value;
    return true;
}

static int compare_against(const CommandArguments *arguments, double threshold,
                           const ComparisonFormat *format, Problem *problem)
{
    static AgainstRuns runs;
    size_t comparisons = 0;
    AgainstOptions against = {
        .revision = command_option(&command_compare, arguments, "--against"),
        .scenario = arguments->words[0],
        .set = command_values(&command_compare, arguments, "--set"),
        .seed = command_option(&command_compare, arguments, "--seed"),
        .out = command_option(&command_compare, arguments, "--out"),
        .most_samples = SAMPLE_SIZE_USUAL_MOST,
        .force = command_option(&command_compare, arguments, "--force") != NULL,
        .least_effect = threshold,
    };
    if (!parse_count("--samples", command_option(&command_compare, arguments, "--samples"),
                     SAMPLE_SIZE_LEAST, &against.most_samples, problem) ||
        !parse_count("--false-alarms",
                     command_option(&command_compare, arguments, "--false-alarms"), 1, &comparisons,
                     problem))
        return EXIT_USAGE;
    if (comparisons > 0)
        return against_count_alarms(&against, comparisons, judge_runs, problem);
    const int code = against_take(&against, &runs, problem);
    const ComparisonOptions comparison_options = {.least_time_effect = threshold,
                                                  .interleaved = true};
    return code == EXIT_OK
               ? compare_paths(runs.base, runs.latest, comparison_options, format, problem)
               : code;
}

// The operands are two runs or, with --along, one run or, with --against, one scenario; the options
// of --against need it.
static bool check_operands(const CommandArguments *arguments, bool against, bool along,
                           Problem *problem)
{
    if (against && along)
        return problem_set(problem, "compare: --along is of one run; --against takes two");
    if (arguments->word_count != (against || along ? 1 : 2))
        return problem_set(problem, "compare: expected %s, given %zu word%s",
                           against ? "one scenario with --against"
                           : along ? "one run with --along"
                                   : "BASE NEW",
                           arguments->word_count, arguments->word_count == 1 ? "" : "s");
    for (size_t i = 0; !against && options[i].name; i++)
        if (arguments->options_of[i] && strncmp(options[i].help, "with --against", 14) == 0)
            return problem_set(problem, "compare: %s needs --against", options[i].name);
    return true;
}

static int run_compare(const CommandArguments *arguments)
{
    Problem problem = {0};
    const char *format_name = command_option(&command_compare, arguments, "--format");
    const char *percent = command_option(&command_compare, arguments, "--threshold");
    const char *axis = command_option(&command_compare, arguments, "--along");
    const bool against = command_option(&command_compare, arguments, "--against") != NULL;
    double threshold = compared_metrics[COMPARED_TIME].least_effect;
    const ComparisonFormat *format = find_format(format_name ? format_name : "text", &problem);
    if (!format || (percent && !parse_threshold(percent, &threshold, &problem)) ||
        !check_operands(arguments, against, axis != NULL, &problem))
        return command_fail(EXIT_USAGE, &problem);
    const ComparisonOptions comparison_options = {.least_time_effect = threshold};
    const int code =
        against ? compare_against(arguments, threshold, format, &problem)
        : axis  ? compare_along(arguments->words[0], axis, comparison_options, format, &problem)
               : compare_paths(arguments->words[0], arguments->words[1], comparison_options, format,
                               &problem);
    return problem.text[0] ? command_fail(code, &problem) : code;
}
