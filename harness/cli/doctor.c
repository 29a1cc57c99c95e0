// SPDX-License-Identifier: Apache-2.0
// doctor.c - `hyperion doctor`: would a timing run here be trustworthy?
#include "machine/doctor.h"
#include "cli/command.h"
#include "common/json_file.h"

#include <stdio.h>

enum { OPTION_PROFILE, OPTION_SYSROOT, OPTION_JSON };

static const CommandOption options[] = {
    [OPTION_PROFILE] = {"--profile", "NAME", false,
                        "what is fatal: laptop (default), ci or lab, from lenient to strict"},
    [OPTION_SYSROOT] = {"--sysroot", "DIR", false, "examine a captured machine: DIR/proc, DIR/sys"},
    [OPTION_JSON] = {"--json", NULL, false, "one JSON document"},
    {NULL, NULL, false, NULL},
};

static int run_doctor(const CommandArguments *arguments)
{
    const char *const *name = arguments->options_of[OPTION_PROFILE];
    const char *const *sysroot = arguments->options_of[OPTION_SYSROOT];
    size_t profile = 0;
    Problem why = {0};
    Problem problem = {0};
    if (name && !doctor_find_profile(name[0], &profile, &why)) {
        (void)problem_set(&problem, "--profile: %s", why.text);
        return command_fail(EXIT_USAGE, &problem);
    }
    if (sysroot && !sysroot[0][0]) {
        (void)problem_set(&problem, "--sysroot: expected a folder, given ''");
        return command_fail(EXIT_USAGE, &problem);
    }
    json_t *examination = doctor_examine(sysroot ? sysroot[0] : "", profile, &problem);
    if (!examination)
        return command_fail(EXIT_USAGE, &problem);
    if (arguments->options_of[OPTION_JSON]) {
        (void)json_dumpf(examination, stdout, JSON_FILE_FLAGS | JSON_INDENT(2));
        (void)putchar('\n');
    } else {
        doctor_print(examination);
    }
    const bool trustworthy = doctor_is_trustworthy(examination);
    json_decref(examination);
    return trustworthy ? EXIT_OK : EXIT_INCONCLUSIVE;
}

const Command command_doctor = {
    .name = "doctor",
    .operands = "",
    .summary = "would a timing run here be trustworthy? Exit 4 if not",
    .options = options,
    .run = run_doctor,
};
