// SPDX-License-Identifier: Apache-2.0
#include "common/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST_WORD = 64 };

bool problem_set(Problem *problem, const char *format, ...)
{
    if (problem->text[0])
        return false;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
    return false;
}

// Levenshtein distance with one row; words longer than LONGEST_WORD are far from everything.
static size_t edit_distance(const char *a, const char *b)
{
    const size_t a_length = strlen(a);
    const size_t b_length = strlen(b);
    if (a_length > LONGEST_WORD || b_length > LONGEST_WORD)
        return LONGEST_WORD;
    size_t row[LONGEST_WORD + 1];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            const size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            const size_t insert = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < insert ? replace : insert;
        }
    }
    return row[b_length];
}

const char *problem_nearest(const char *word, const char *const *known)
{
    const char *best = NULL;
    // Farther than half the word is no likely slip of the keyboard.
    size_t best_distance = strlen(word) / 2 + 1;
    for (size_t i = 0; known[i]; i++) {
        const size_t distance = edit_distance(word, known[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = known[i];
        }
    }
    return best;
}
