// SPDX-License-Identifier: Apache-2.0
// doctor_print.c - an examination for people: one line a check, then what to do.
#include "machine/doctor.h"

#include "machine/facts.h"

#include <stdio.h>
#include <string.h>

enum { SCREEN_COLUMNS = 96, VALUE_BYTES = 128 };

// "on", "2.5 %", "unknown: no frequency scaling visible"
static void format_value(const json_t *check, char *text, size_t text_bytes)
{
    const json_t *value = json_object_get(check, "value");
    const char *unit = fact_text(check, "unit");
    const char *space = unit[0] ? " " : "";
    if (json_is_boolean(value))
        (void)snprintf(text, text_bytes, "%s", json_is_true(value) ? "on" : "off");
    else if (json_is_string(value))
        (void)snprintf(text, text_bytes, "%s", json_string_value(value));
    else if (json_is_number(value))
        (void)snprintf(text, text_bytes, "%.3g%s%s", json_number_value(value), space, unit);
    else
        (void)snprintf(text, text_bytes, "%s", fact_reason(check, "value"));
}

static bool has_verdict(const json_t *check, const char *verdict)
{
    return strcmp(fact_text(check, "verdict"), verdict) == 0;
}

static void print_row(const json_t *check)
{
    char value[VALUE_BYTES];
    format_value(check, value, sizeof value);
    printf("  %-8s %-20s %s", has_verdict(check, "fatal") ? "FATAL" : fact_text(check, "verdict"),
           fact_text(check, "name"), value);
    if (has_verdict(check, "warn") || has_verdict(check, "fatal"))
        printf(" (expected %s)", fact_text(check, "expected"));
    printf("\n");
}

// The words of `text` on lines of the screen's width, each after `indent` blanks.
static void print_wrapped(const char *text, int indent)
{
    int column = 0;
    for (const char *at = text; *at; at += strspn(at, " ")) {
        const int length = (int)strcspn(at, " ");
        if (column && column + 1 + length > SCREEN_COLUMNS) {
            printf("\n");
            column = 0;
        }
        column += column ? printf(" %.*s", length, at) : printf("%*s%.*s", indent, "", length, at);
        at += length;
    }
    printf("\n");
}

static void print_advice(const json_t *checks, const char *verdict)
{
    size_t i = 0;
    const json_t *check = NULL;
    json_array_foreach(checks, i, check)
    {
        if (!has_verdict(check, verdict))
            continue;
        printf("\n%s\n", fact_text(check, "name"));
        print_wrapped(fact_text(check, "why"), 4);
        printf("    $ %s\n", fact_text(check, "remedy"));
    }
}

static long long count_of(const json_t *examination, const char *verdict)
{
    return (long long)json_integer_value(json_object_get(examination, verdict));
}

void doctor_print(const json_t *examination)
{
    size_t i = 0;
    const json_t *check = NULL;
    const json_t *checks = json_object_get(examination, "checks");
    json_array_foreach(checks, i, check) print_row(check);
    print_advice(checks, "fatal");
    print_advice(checks, "warn");
    printf("\nprofile %s: %s (%lld fatal, %lld to warn of, %lld unknown, %lld ok)\n",
           fact_text(examination, "profile"),
           doctor_is_trustworthy(examination) ? "no fatal finding"
                                              : "a timing run here would not be trustworthy",
           count_of(examination, "fatal"), count_of(examination, "warn"),
           count_of(examination, "unknown"), count_of(examination, "ok"));
}

void doctor_name_fatal(const json_t *examination, char *text, size_t text_bytes)
{
    size_t i = 0;
    size_t length = 0;
    const json_t *check = NULL;
    text[0] = '\0';
    json_array_foreach(json_object_get(examination, "checks"), i, check)
    {
        char value[VALUE_BYTES];
        if (!has_verdict(check, "fatal") || length >= text_bytes)
            continue;
        format_value(check, value, sizeof value);
        length += (size_t)snprintf(text + length, text_bytes - length, "%s%s (%s)",
                                   length ? ", " : "", fact_text(check, "name"), value);
    }
}
