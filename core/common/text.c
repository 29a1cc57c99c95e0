// SPDX-License-Identifier: Apache-2.0
#include "common/text.h"

#include "common/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 63 };

char *hyp_text_copy(const char *text)
{
    const size_t size_bytes = strlen(text) + 1;
    char *copy = malloc(size_bytes);
    if (!copy)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "no memory for a text of %zu bytes",
                             size_bytes);
    return memcpy(copy, text, size_bytes);
}

char *hyp_text_join(const char *first, const char *second)
{
    const size_t size_bytes = strlen(first) + strlen(second) + 1;
    char *joined = malloc(size_bytes);
    if (!joined)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "no memory for a text of %zu bytes",
                             size_bytes);
    (void)snprintf(joined, size_bytes, "%s%s", first, second);
    return joined;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    const size_t least = a < b ? a : b;
    return least < c ? least : c;
}

// Wagner and Fischer 1974, one row at a time.
size_t hyp_text_distance(const char *a, const char *b)
{
    const size_t a_length = strlen(a);
    const size_t b_length = strlen(b);
    if (a_length > LONGEST || b_length > LONGEST)
        return a_length > b_length ? a_length : b_length;
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smallest(replaced, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[b_length];
}
