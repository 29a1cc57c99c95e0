// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "common/json_fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *type_name(const json_t *json)
{
    static const char *const names[] = {"an object", "an array", "text",  "an integer",
                                        "a number",  "true",     "false", "null"};
    return json ? names[json_typeof(json)] : "nothing";
}

static bool refuse_type(const char *key, const char *expected, const json_t *given,
                        Problem *problem)
{
    return problem_set(problem, "\"%s\": expected %s, given %s", key, expected, type_name(given));
}

bool json_read_integer(const json_t *object, const char *key, long long minimum, long long maximum,
                       long long *value, Problem *problem)
{
    const json_t *member = json_object_get(object, key);
    if (!json_is_integer(member))
        return refuse_type(key, "an integer", member, problem);
    const long long given = json_integer_value(member);
    if (given < minimum || given > maximum)
        return problem_set(problem, "\"%s\": expected %lld to %lld, given %lld", key, minimum,
                           maximum, given);
    *value = given;
    return true;
}

bool json_read_number(const json_t *object, const char *key, bool unknown, double *value,
                      Problem *problem)
{
    const json_t *member = json_object_get(object, key);
    if (unknown && json_is_null(member)) {
        *value = NAN;
        return true;
    }
    if (!json_is_number(member))
        return refuse_type(key, unknown ? "a number or null" : "a number", member, problem);
    *value = json_number_value(member);
    return true;
}

bool json_read_flag(const json_t *object, const char *key, bool *value, Problem *problem)
{
    const json_t *member = json_object_get(object, key);
    if (!json_is_boolean(member))
        return refuse_type(key, "true or false", member, problem);
    *value = json_is_true(member);
    return true;
}

bool json_read_text(const json_t *object, const char *key, bool optional, char *buffer,
                    size_t buffer_bytes, Problem *problem)
{
    const json_t *member = json_object_get(object, key);
    if (optional && !member) {
        buffer[0] = '\0';
        return true;
    }
    if (!json_is_string(member))
        return refuse_type(key, "text", member, problem);
    const size_t length = json_string_length(member);
    if (length >= buffer_bytes)
        return problem_set(problem, "\"%s\": expected at most %zu bytes, given %zu", key,
                           buffer_bytes - 1, length);
    memcpy(buffer, json_string_value(member), length + 1);
    return true;
}

bool json_read_numbers(const json_t *object, const char *key, double **values, size_t *count,
                       Problem *problem)
{
    const json_t *member = json_object_get(object, key);
    if (!json_is_array(member))
        return refuse_type(key, "an array", member, problem);
    const size_t size = json_array_size(member);
    double *read = size ? calloc(size, sizeof *read) : NULL;
    if (size && !read)
        return problem_set(problem, "\"%s\": out of memory", key);
    for (size_t i = 0; i < size; i++) {
        const json_t *element = json_array_get(member, i);
        if (!json_is_number(element)) {
            free(read);
            return problem_set(problem, "\"%s\"[%zu]: expected a number, given %s", key, i,
                               type_name(element));
        }
        read[i] = json_number_value(element);
    }
    *values = read;
    *count = size;
    return true;
}

json_t *json_number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_text(const char *text)
{
    json_t *json = json_string(text);
    if (json)
        return json;
    char *plain = strdup(text);
    for (char *at = plain; at && *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    json = plain ? json_string(plain) : NULL;
    free(plain);
    return json;
}

json_t *json_numbers(const double *values, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(array, json_number_or_null(values[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}
