// SPDX-License-Identifier: Apache-2.0
#include "scenario/values.h"

#include "common/quantity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Enough for any sweep, and stops a slip of the keyboard from filling the memory.
enum { MOST_VALUES = 1000000 };

// `first..last *factor` or `first..last +step`, both ends included.
typedef struct Range {
    AxisValue first, last;
    AxisValue step; // for '*' on all but a REAL axis a plain whole number
    char operation; // '*' or '+'
} Range;

// Where a message points and what it is about.
typedef struct Place {
    AxisId id;
    const char *name;
    const TreeNode *node;
    Problem *problem;
} Place;

static bool append_value(const Place *place, ValueList *values, AxisValue value)
{
    if (values->count == MOST_VALUES)
        return tree_fail(place->name, place->node, place->problem, "axis %s: more than %d values",
                         axis_table[place->id].key, MOST_VALUES);
    if (values->count == values->capacity) {
        const size_t capacity = values->capacity ? 2 * values->capacity : 8;
        AxisValue *grown = realloc(values->items, capacity * sizeof *grown);
        if (!grown)
            return problem_set(place->problem, "%s: out of memory", place->name);
        values->items = grown;
        values->capacity = capacity;
    }
    values->items[values->count++] = value;
    return true;
}

static bool parse_scalar(const Place *place, const char *text, AxisValue *value)
{
    Problem reason = {0};
    return axis_parse(place->id, text, value, &reason) ||
           tree_fail(place->name, place->node, place->problem, "%s", reason.text);
}

static bool parse_share(AxisId id, const char *text, long long *share)
{
    AxisValue value = {0};
    Problem unused = {0};
    *share = axis_parse(id, text, &value, &unused) ? axis_cap_share(value) : 0;
    return *share > 0;
}

// The step is a length on the axis, which may exceed its limits; a factor has no unit.
static bool parse_step(AxisId id, const char *text, Range *range)
{
    const bool real = axis_table[id].kind == AXIS_REAL;
    if (real)
        return quantity_parse_real(text, &range->step.real) &&
               range->step.real > (range->operation == '*' ? 1 : 0);
    if (axis_table[id].kind == AXIS_CAP && axis_cap_share(range->first) > 0)
        return range->operation == '+' && parse_share(id, text, &range->step.integer);
    const bool bytes = (axis_table[id].kind == AXIS_BYTES || axis_table[id].kind == AXIS_CAP) &&
                       range->operation == '+';
    return (bytes ? quantity_parse_bytes(text, &range->step.integer)
                  : quantity_parse_integer(text, &range->step.integer)) &&
           range->step.integer > (range->operation == '*' ? 1 : 0);
}

static void trim(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    memmove(text, text + strspn(text, " "), length - strspn(text, " ") + 1);
}

static bool parse_range(const Place *place, const char *text, Range *range)
{
    const char *key = axis_table[place->id].key;
    char first[64];
    char last[64];
    const char *dots = strstr(text, "..");
    const char *step = strpbrk(dots + 2, "*+");
    if (!step)
        return tree_fail(place->name, place->node, place->problem,
                         "axis %s: range '%.64s' has no step; write `%.32s *2` or `%.32s +1`", key,
                         text, text, text);
    (void)snprintf(first, sizeof first, "%.*s", (int)(dots - text < 64 ? dots - text : 63), text);
    (void)snprintf(last, sizeof last, "%.*s", (int)(step - dots < 64 ? step - dots - 2 : 63),
                   dots + 2);
    trim(first);
    trim(last);
    range->operation = *step;
    if (!parse_scalar(place, first, &range->first) || !parse_scalar(place, last, &range->last))
        return false;
    const bool shares = axis_table[place->id].kind == AXIS_CAP && axis_cap_share(range->first) > 0;
    if (axis_table[place->id].kind == AXIS_CAP && shares != (axis_cap_share(range->last) > 0))
        return tree_fail(place->name, place->node, place->problem,
                         "axis %s: range '%.64s' goes from a size to a share or back", key, text);
    if (parse_step(place->id, step + 1 + strspn(step + 1, " "), range))
        return true;
    return tree_fail(place->name, place->node, place->problem,
                     "axis %s: range '%.64s' never ends or its step is no number: expected %s", key,
                     text,
                     shares         ? "a share such as 5% after '+'"
                     : *step == '*' ? "a factor above 1 after '*'"
                                    : "a step above 0 after '+'");
}

// 0.3 and not 0.30000000000000004: what is said of a cell is what it was run with.
static double round_to_written(double value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.12g", value);
    return strtod(text, NULL);
}

static bool append_real_range(const Place *place, const Range *range, ValueList *values)
{
    const double first = range->first.real;
    // The end counts as reached in spite of rounding: 0..1 +0.1 has eleven values.
    const double end = range->last.real + 1e-9 * fabs(range->last.real);
    if (first == 0 && range->operation == '*')
        return tree_fail(place->name, place->node, place->problem,
                         "axis %s: a range from 0 by '*' never ends", axis_table[place->id].key);
    for (int i = 0;; i++) {
        const double at = range->operation == '*' ? first * pow(range->step.real, i)
                                                  : first + i * range->step.real;
        if (!(at <= end))
            return true;
        const AxisValue value = {.real = round_to_written(fmin(at, range->last.real))};
        if (!append_value(place, values, value))
            return false;
    }
}

static bool append_integer_range(const Place *place, const Range *range, ValueList *values)
{
    if (range->first.integer == 0 && range->operation == '*')
        return tree_fail(place->name, place->node, place->problem,
                         "axis %s: a range from 0 by '*' never ends", axis_table[place->id].key);
    long long at = range->first.integer;
    while (at <= range->last.integer) {
        if (!append_value(place, values, (AxisValue){.integer = at}))
            return false;
        const bool overflows = range->operation == '*'
                                   ? __builtin_mul_overflow(at, range->step.integer, &at)
                                   : __builtin_add_overflow(at, range->step.integer, &at);
        if (overflows)
            return true;
    }
    return true;
}

static bool append_range(const Place *place, const char *text, ValueList *values)
{
    Range range = {0};
    if (!parse_range(place, text, &range))
        return false;
    const bool real = axis_table[place->id].kind == AXIS_REAL;
    if (real ? range.first.real > range.last.real : range.first.integer > range.last.integer)
        return tree_fail(place->name, place->node, place->problem,
                         "axis %s: range '%.64s' is empty: its first value is above its last",
                         axis_table[place->id].key, text);
    return real ? append_real_range(place, &range, values)
                : append_integer_range(place, &range, values);
}

static bool append_scalar(const Place *place, ValueList *values)
{
    const AxisKind kind = axis_table[place->id].kind;
    const char *text = place->node->text;
    const bool numeric =
        kind == AXIS_INTEGER || kind == AXIS_BYTES || kind == AXIS_CAP || kind == AXIS_REAL;
    if (numeric && strstr(text, ".."))
        return append_range(place, text, values);
    AxisValue value = {0};
    return parse_scalar(place, text, &value) && append_value(place, values, value);
}

bool values_read(AxisId id, const char *name, const TreeNode *node, ValueList *values,
                 Problem *problem)
{
    if (node->kind == TREE_MAP)
        return tree_fail(name, node, problem, "axis %s: expected a value, a list or a range",
                         axis_table[id].key);
    if (node->kind == TREE_SCALAR)
        return append_scalar(&(Place){id, name, node, problem}, values);
    if (!node->first)
        return tree_fail(name, node, problem, "axis %s: the list is empty", axis_table[id].key);
    for (const TreeNode *item = node->first; item; item = item->next) {
        if (item->kind != TREE_SCALAR)
            return tree_fail(name, item, problem, "axis %s: expected a value or a range",
                             axis_table[id].key);
        if (!append_scalar(&(Place){id, name, item, problem}, values))
            return false;
    }
    return true;
}

bool values_contain(AxisId id, const ValueList *values, AxisValue value)
{
    for (size_t i = 0; i < values->count; i++)
        if (axis_equal(id, values->items[i], value))
            return true;
    return false;
}

void values_clear(ValueList *values)
{
    free(values->items);
    *values = (ValueList){0};
}
