// SPDX-License-Identifier: Apache-2.0
// doctor.h - would a timing run on this machine be trustworthy? One table of checks, judged by
// profile.
#ifndef HYP_DOCTOR_H
#define HYP_DOCTOR_H

#include "common/problem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { DOCTOR_PROFILES = 3 };

// "laptop", "ci", "lab", from lenient to strict; NULL-terminated.
extern const char *const doctor_profiles[DOCTOR_PROFILES + 1];

// The index of a profile. False, and the problem names the known ones, if there is none such.
bool doctor_find_profile(const char *name, size_t *profile, Problem *problem);

// Judges the machine that `root` was captured from ("" = this one): {"schema", "profile",
// "trustworthy": no check is fatal, "fatal", "warn", "unknown", "ok": how many, "checks": [{"name",
// "verdict": "ok", "warn", "fatal" or "unknown", "value", "unit", "expected", "why", "remedy"}]}.
// An unknown value is null beside a "value_reason", and fails no profile. NULL on failure: no
// check can be read, or no memory.
json_t *doctor_examine(const char *root, size_t profile, Problem *problem);

bool doctor_is_trustworthy(const json_t *examination);

// "governor (powersave), swap (1048576 bytes)": the fatal checks; cut off where the text ends.
void doctor_name_fatal(const json_t *examination, char *text, size_t text_bytes);

// Prints it for people.
void doctor_print(const json_t *examination);

#endif
