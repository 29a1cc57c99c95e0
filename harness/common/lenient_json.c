// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "common/lenient_json.h"

#include "common/file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Bytes of a number that JSON has no word for, at the start of a value; 0: none stands there.
static size_t measure_word(const char *text)
{
    static const char *const words[] = {"infinity", "inf", "nan"};
    const size_t sign = *text == '-' || *text == '+';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t length = sign + strlen(words[i]);
        if (strncasecmp(text + sign, words[i], length - sign) != 0)
            continue;
        const char *end = text + length;
        end += *end == '(' ? strcspn(end, ")\n") : 0;
        end += *end == ')';
        return isalnum((unsigned char)*end) ? 0 : (size_t)(end - text);
    }
    return 0;
}

// Bytes of the string that starts here, quotes included.
static size_t measure_string(const char *text)
{
    const char *at = text + 1;
    while (*at && *at != '"')
        at += *at == '\\' && at[1] ? 2 : 1;
    return (size_t)(at - text) + (*at == '"');
}

// `out` has room for 4/3 of the text ("nan" becomes "null").
static size_t replace_words(const char *text, char *out)
{
    char *end = out;
    while (*text) {
        const size_t copied = *text == '"' ? measure_string(text) : 1;
        const size_t word = strchr("-+iInN", *text) ? measure_word(text) : 0;
        memcpy(end, word ? "null" : text, word ? 4 : copied);
        end += word ? 4 : copied;
        text += word ? word : copied;
    }
    return (size_t)(end - out);
}

json_t *lenient_json_read(const char *path, Problem *problem)
{
    enum { MOST_BYTES = 1 << 30 };
    size_t size_bytes = 0;
    char *text = file_read(path, MOST_BYTES, &size_bytes, problem);
    if (!text)
        return NULL;
    char *strict = malloc(size_bytes + size_bytes / 3 + 4);
    json_error_t error = {.line = 0};
    json_t *json = NULL;
    if (strict)
        json = json_loadb(strict, replace_words(text, strict), 0, &error);
    if (!json && strict)
        (void)problem_set(problem, "%s:%d:%d: %s", path, error.line, error.column, error.text);
    else if (!json)
        (void)problem_set(problem, "%s: out of memory", path);
    free(strict);
    free(text);
    return json;
}
