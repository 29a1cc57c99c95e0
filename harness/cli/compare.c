// SPDX-License-Identifier: Apache-2.0
// compare.c - `hyperion compare`: the ratio of the medians of two runs, cell by cell.
#include "against/sample_size.h"
#include "cli/against.h"
#include "cli/command.h"
#include "common/quantity.h"
#include "report/comparison.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_COUNT = 10000 };

static const CommandOption options[] = {
    {"--format", "text|json|markdown", false, "how to print (default text)"},
    {"--threshold", "PERCENT", false, "change of the median that matters (default 5)"},
    {"--against", "REV", false,
     "take both runs now, turn by turn: of git revision REV, which is built if need be, and of "
     "this "
     "program"},
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
    .operands = "BASE NEW | --against REV SCENARIO",
    .summary = "verdict per cell and overall: NEW against BASE, two run directories",
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

static int compare_runs(const RunRecord *base, const RunRecord *latest, double threshold,
                        const ComparisonFormat *format, Problem *problem)
{
    Comparison *comparison = comparison_make(base, latest, threshold);
    int code = EXIT_USAGE;
    if (comparison && format->write(comparison, stdout))
        code = comparison_exit_code(comparison);
    else
        (void)problem_set(problem, "compare: out of memory");
    comparison_free(comparison);
    return code;
}

static int compare_directories(const char *base_path, const char *new_path, double threshold,
                               const ComparisonFormat *format, Problem *problem)
{
    RunRecord *base = run_record_load(base_path, problem);
    RunRecord *latest = base ? run_record_load(new_path, problem) : NULL;
    int code = EXIT_USAGE;
    if (latest)
        code = compare_runs(base, latest, threshold, format, problem);
    run_record_free(base);
    run_record_free(latest);
    return code;
}

// Any cell called faster or slower.
static bool judge_runs(const AgainstRuns *runs, double threshold, bool *alarm, Problem *problem)
{
    RunRecord *base = run_record_load(runs->base, problem);
    RunRecord *latest = base ? run_record_load(runs->latest, problem) : NULL;
    Comparison *comparison = latest ? comparison_make(base, latest, threshold) : NULL;
    if (comparison)
        *alarm = comparison->count_of[VERDICT_FASTER] || comparison->count_of[VERDICT_SLOWER];
    const bool judged = comparison || problem_set(problem, "compare: out of memory");
    comparison_free(comparison);
    run_record_free(base);
    run_record_free(latest);
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
    return code == EXIT_OK ? compare_directories(runs.base, runs.latest, threshold, format, problem)
                           : code;
}

// The operands are two runs or, with --against, one scenario; its options need it.
static bool check_operands(const CommandArguments *arguments, bool against, Problem *problem)
{
    if (arguments->word_count != (against ? 1 : 2))
        return problem_set(problem, "compare: expected %s, given %zu word%s",
                           against ? "one scenario with --against" : "BASE NEW",
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
    const bool against = command_option(&command_compare, arguments, "--against") != NULL;
    double threshold = 0.05;
    const ComparisonFormat *format = find_format(format_name ? format_name : "text", &problem);
    if (!format || (percent && !parse_threshold(percent, &threshold, &problem)) ||
        !check_operands(arguments, against, &problem))
        return command_fail(EXIT_USAGE, &problem);
    const int code = against ? compare_against(arguments, threshold, format, &problem)
                             : compare_directories(arguments->words[0], arguments->words[1],
                                                   threshold, format, &problem);
    return problem.text[0] ? command_fail(code, &problem) : code;
}
