// SPDX-License-Identifier: Apache-2.0
// problem.h - why something failed, filled where the reason is known and handed up to the command.
#ifndef HYP_PROBLEM_H
#define HYP_PROBLEM_H

#include <stdbool.h>

typedef struct Problem {
    char text[2048]; // "" = none; one line, says what, which, expected, given
} Problem;

// Records the reason (the first one stays); always returns false.
__attribute__((format(printf, 2, 3))) bool problem_set(Problem *problem, const char *format, ...);

// The entry of `known` (NULL-terminated) that is nearest to `word` by edit distance, for
// "did you mean"; NULL when none is near.
const char *problem_nearest(const char *word, const char *const *known);

#endif
