// SPDX-License-Identifier: Apache-2.0
// compare.c - `hyperion compare`: the ratio of the medians of two runs, cell by cell.
#include "cli/command.h"
#include "report/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const CommandOption options[] = {
    {"--format", "text|json|markdown", false, "how to print (default text)"},
    {"--threshold", "PERCENT", false, "change of the median that matters (default 5)"},
    {NULL, NULL, false, NULL},
};

static int run_compare(const CommandArguments *arguments);

const Command command_compare = {
    .name = "compare",
    .operands = "BASE NEW",
    .summary = "verdict per cell and overall: NEW against BASE, two run directories",
    .least_words = 2,
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

static int run_compare(const CommandArguments *arguments)
{
    Problem problem = {0};
    const char *format_name = command_option(&command_compare, arguments, "--format");
    const char *percent = command_option(&command_compare, arguments, "--threshold");
    double threshold = 0.05;
    const ComparisonFormat *format = find_format(format_name ? format_name : "text", &problem);
    if (!format || (percent && !parse_threshold(percent, &threshold, &problem)))
        return command_fail(EXIT_USAGE, &problem);
    RunRecord *base = run_record_load(arguments->words[0], &problem);
    RunRecord *latest = base ? run_record_load(arguments->words[1], &problem) : NULL;
    int code = EXIT_USAGE;
    if (latest)
        code = compare_runs(base, latest, threshold, format, &problem);
    run_record_free(base);
    run_record_free(latest);
    return problem.text[0] ? command_fail(code, &problem) : code;
}
