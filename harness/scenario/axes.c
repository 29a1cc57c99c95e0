// SPDX-License-Identifier: Apache-2.0
#include "scenario/axes.h"

#include "common/quantity.h"
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OP(name, args_type, ENUM) #name,
static const char *const axis_words_op[] = {HYP_KERNEL_OPS(OP) NULL}; // indices are HypKernelOp
#undef OP
// The first four are HyperionSIMDLevel; neon is level 1 of Arm machines.
static const char *const axis_words_simd[] = {"scalar", "sse41", "avx2", "avx512",
                                              "neon",   "best",  NULL};
static const char *const axis_words_binding[] = {"core", "none", "smt", "scatter", "numa:", NULL};
static const char *const axis_words_mem_policy[] = {"local", "interleave", "bind:", NULL};
// Indices are OperandPages.
static const char *const axis_words_pages[] = {"4k", "thp", "hugetlb", NULL};
// Indices are CacheState.
static const char *const axis_words_layout[] = {"plain", "packed", NULL};
static const char *const axis_words_cache_state[] = {"warm", "weights-cold", "all-cold", NULL};
// Indices are HyperionLoaderBackend and HyperionLoaderMode.
static const char *const axis_words_backend[] = {"auto", "uring", "threads", NULL};
static const char *const axis_words_io_mode[] = {"buffered", "direct", "dontneed", NULL};
static const char *const axis_words_priority[] = {"equal", "first:", "largest:", NULL};
// Indices are PageCacheState.
static const char *const axis_words_page_cache[] = {"cold", "warm", NULL};
// Indices are HyperionPassDirection, HyperionCheckpointStrategy, HyperionScheduleOrder.
static const char *const axis_words_pass[] = {"forward", "backward", NULL};
static const char *const axis_words_strategy[] = {"auto", "store", "recompute", "spill", NULL};
static const char *const axis_words_order[] = {"least-memory", "given", NULL};
// Indices are LayerTimes.
static const char *const axis_words_layer_times[] = {"measured", "guessed", NULL};
// Flags that can be left to the workload. Indices are AxisAuto.
static const char *const axis_words_auto[] = {"auto", "true", "false", NULL};
// Indices are HyperionActivation.
static const char *const axis_words_function[] = {
    "none", "relu",         "gelu",       "silu",      "tanh", "sigmoid", "leaky_relu",
    "clip", "hard_sigmoid", "hard_swish", "gelu_tanh", "erf",  "exp",     "log",
    "sqrt", "reciprocal",   "neg",        "abs",       NULL};
// Indices are HyperionReduce.
static const char *const axis_words_reduction[] = {"mean", "sum", "max", "min", "prod", NULL};
// Indices are HyperionBinary, those of arithmetic.
static const char *const axis_words_binary[] = {"add", "sub", "mul",   "div", "max",
                                                "min", "pow", "prelu", NULL};

#define AXIS(ID, key_, kind_, unit_, fallback_, minimum_, maximum_, words_, help_)                 \
    [AXIS_##ID] = {.key = (key_),                                                                  \
                   .kind = (kind_),                                                                \
                   .unit = (unit_),                                                                \
                   .fallback = (fallback_),                                                        \
                   .minimum = (minimum_),                                                          \
                   .maximum = (maximum_),                                                          \
                   .words = (words_),                                                              \
                   .help = (help_)},
const Axis axis_table[AXIS_COUNT] = {
#include "scenario/axes.def"
};
#undef AXIS

// A word's number is kept above its index.
enum { WORD_STEP = 64 };

static bool takes_number(const char *word)
{
    return word[strlen(word) - 1] == ':';
}

const char *axis_word(AxisId id, AxisValue value)
{
    return axis_table[id].words[value.integer % WORD_STEP];
}

int axis_word_parameter(AxisValue value)
{
    return (int)(value.integer / WORD_STEP);
}

// Shares count hundredths of a per cent from here on: more than any number of bytes.
enum { WHOLE_SHARE = 10000 };
static const long long share_base = 1LL << 60;

long long axis_cap_share(AxisValue value)
{
    return value.integer > share_base ? value.integer - share_base : 0;
}

size_t axis_cap_bytes(AxisValue value, size_t whole_bytes)
{
    const size_t share = (size_t)axis_cap_share(value);
    if (share == 0)
        return (size_t)value.integer;
    return whole_bytes / WHOLE_SHARE * share + whole_bytes % WHOLE_SHARE * share / WHOLE_SHARE;
}

AxisId axis_find(const char *key)
{
    for (AxisId id = 0; id < AXIS_COUNT; id++)
        if (strcmp(axis_table[id].key, key) == 0)
            return id;
    return AXIS_COUNT;
}

const char *axis_nearest(const char *key)
{
    const char *keys[AXIS_COUNT + 1] = {NULL};
    for (AxisId id = 0; id < AXIS_COUNT; id++)
        keys[id] = axis_table[id].key;
    return problem_nearest(key, keys);
}

// Says what the axis takes, for messages.
static void describe_expected(const Axis *axis, char *text, size_t text_bytes)
{
    static const char *const nouns[] = {[AXIS_INTEGER] = "a whole number",
                                        [AXIS_BYTES] = "a size such as 64KiB",
                                        [AXIS_CAP] = "a share such as 25%, or a size",
                                        [AXIS_REAL] = "a number"};
    switch (axis->kind) {
    case AXIS_INTEGER:
    case AXIS_BYTES:
    case AXIS_CAP:
    case AXIS_REAL:
        (void)snprintf(text, text_bytes, "%s from %.15g to %.15g", nouns[axis->kind], axis->minimum,
                       axis->maximum);
        break;
    case AXIS_FLAG: (void)snprintf(text, text_bytes, "true or false"); break;
    case AXIS_TEXT:
        (void)snprintf(text, text_bytes, "printable text of 1 to %d bytes", AXIS_TEXT_BYTES);
        break;
    case AXIS_WORD: {
        size_t used = (size_t)snprintf(text, text_bytes, "one of");
        for (size_t i = 0; axis->words[i] && used < text_bytes; i++)
            used += (size_t)snprintf(text + used, text_bytes - used, "%s %s%s", i ? "," : "",
                                     axis->words[i], takes_number(axis->words[i]) ? "N" : "");
        break;
    }
    }
}

static bool refuse_value(const Axis *axis, const char *text, Problem *problem)
{
    char expected[256];
    describe_expected(axis, expected, sizeof expected);
    const char *near = axis->kind == AXIS_WORD ? problem_nearest(text, axis->words) : NULL;
    return problem_set(problem, "axis %s: expected %s; given '%.64s'%s%s%s", axis->key, expected,
                       text, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bool text_is_valid(const char *text)
{
    const size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return length > 0 && length <= AXIS_TEXT_BYTES;
}

static bool find_word(const Axis *axis, const char *text, AxisValue *value)
{
    for (size_t i = 0; axis->words[i]; i++) {
        const char *word = axis->words[i];
        long long number = 0;
        const bool found = takes_number(word)
                               ? strncmp(word, text, strlen(word)) == 0 &&
                                     quantity_parse_integer(text + strlen(word), &number) &&
                                     (double)number >= axis->minimum &&
                                     (double)number <= axis->maximum
                               : strcmp(word, text) == 0;
        if (found) {
            value->integer = (long long)i + WORD_STEP * number;
            return true;
        }
    }
    return false;
}

bool axis_in_range(AxisId id, AxisValue value)
{
    const Axis *axis = &axis_table[id];
    if (axis->kind == AXIS_CAP && axis_cap_share(value) > 0)
        return axis_cap_share(value) <= WHOLE_SHARE;
    const double number = axis->kind == AXIS_REAL ? value.real : (double)value.integer;
    return number >= axis->minimum && number <= axis->maximum;
}

static bool parse_cap(const char *text, long long *value)
{
    double share = 0;
    if (!strchr(text, '%'))
        return quantity_parse_bytes(text, value);
    if (!quantity_parse_share(text, &share) || !(share >= 0.5 / WHOLE_SHARE && share <= 1))
        return false;
    *value = share_base + (long long)(share * WHOLE_SHARE + 0.5);
    return true;
}

static void format_cap(AxisValue value, char *buffer, size_t buffer_bytes)
{
    const long long share = axis_cap_share(value);
    if (share > 0)
        (void)snprintf(buffer, buffer_bytes, "%.10g%%", (double)share * 100 / WHOLE_SHARE);
    else
        quantity_format_bytes(value.integer, buffer, buffer_bytes);
}

bool axis_parse(AxisId id, const char *text, AxisValue *value, Problem *problem)
{
    const Axis *axis = &axis_table[id];
    AxisValue parsed = {0};
    bool ok = false;
    switch (axis->kind) {
    case AXIS_INTEGER:
        ok = quantity_parse_integer(text, &parsed.integer) && axis_in_range(id, parsed);
        break;
    case AXIS_BYTES:
        ok = quantity_parse_bytes(text, &parsed.integer) && axis_in_range(id, parsed);
        break;
    case AXIS_CAP: ok = parse_cap(text, &parsed.integer) && axis_in_range(id, parsed); break;
    case AXIS_REAL:
        ok = quantity_parse_real(text, &parsed.real) && axis_in_range(id, parsed);
        break;
    case AXIS_FLAG:
        parsed.integer = strcmp(text, "true") == 0;
        ok = parsed.integer || strcmp(text, "false") == 0;
        break;
    case AXIS_WORD: ok = find_word(axis, text, &parsed); break;
    case AXIS_TEXT:
        parsed.text = text;
        ok = text_is_valid(text);
        break;
    }
    if (!ok)
        return refuse_value(axis, text, problem);
    *value = parsed;
    return true;
}

static bool parse_fallback(AxisId id, AxisValue *value)
{
    if (!axis_table[id].fallback)
        return false;
    Problem unused = {0};
    return axis_parse(id, axis_table[id].fallback, value, &unused);
}

// Every cell of a plan asks for every axis: the texts are read once a thread.
bool axis_fallback(AxisId id, AxisValue *value)
{
    static _Thread_local AxisValue known[AXIS_COUNT];
    static _Thread_local bool is_known[AXIS_COUNT];
    if (!is_known[id])
        is_known[id] = parse_fallback(id, &known[id]);
    if (is_known[id])
        *value = known[id];
    return is_known[id];
}

void axis_format(AxisId id, AxisValue value, char *buffer, size_t buffer_bytes)
{
    const Axis *axis = &axis_table[id];
    switch (axis->kind) {
    case AXIS_INTEGER: (void)snprintf(buffer, buffer_bytes, "%lld", value.integer); break;
    case AXIS_BYTES: quantity_format_bytes(value.integer, buffer, buffer_bytes); break;
    case AXIS_CAP: format_cap(value, buffer, buffer_bytes); break;
    case AXIS_REAL: quantity_format_real(value.real, buffer, buffer_bytes); break;
    case AXIS_FLAG:
        (void)snprintf(buffer, buffer_bytes, "%s", value.integer ? "true" : "false");
        break;
    case AXIS_WORD: {
        const char *word = axis_word(id, value);
        (void)snprintf(buffer, buffer_bytes, takes_number(word) ? "%s%d" : "%s", word,
                       axis_word_parameter(value));
        break;
    }
    case AXIS_TEXT: (void)snprintf(buffer, buffer_bytes, "%s", value.text); break;
    }
}

bool axis_equal(AxisId id, AxisValue a, AxisValue b)
{
    switch (axis_table[id].kind) {
    case AXIS_REAL: return a.real == b.real;
    case AXIS_TEXT: return a.text == b.text || (a.text && b.text && strcmp(a.text, b.text) == 0);
    default: return a.integer == b.integer;
    }
}

json_t *axis_to_json(AxisId id, AxisValue value)
{
    const Axis *axis = &axis_table[id];
    char text[64];
    switch (axis->kind) {
    case AXIS_REAL: return json_real(value.real);
    case AXIS_FLAG: return json_boolean(value.integer);
    case AXIS_CAP:
        if (axis_cap_share(value) == 0)
            return json_integer(value.integer);
        axis_format(id, value, text, sizeof text);
        return json_string(text);
    case AXIS_WORD:
        if (!takes_number(axis_word(id, value)))
            return json_string(axis_word(id, value));
        axis_format(id, value, text, sizeof text);
        return json_string(text);
    case AXIS_TEXT: return json_string(value.text);
    default: return json_integer(value.integer);
    }
}

bool axis_from_json(AxisId id, const json_t *json, AxisValue *value, Problem *problem)
{
    const Axis *axis = &axis_table[id];
    AxisValue read = {0};
    bool ok = false;
    switch (axis->kind) {
    case AXIS_INTEGER:
    case AXIS_BYTES:
    case AXIS_CAP:
        if (axis->kind == AXIS_CAP && json_is_string(json))
            return axis_parse(id, json_string_value(json), value, problem);
        read.integer = json_integer_value(json);
        ok = json_is_integer(json) && axis_in_range(id, read);
        break;
    case AXIS_REAL:
        read.real = json_number_value(json);
        ok = json_is_number(json) && axis_in_range(id, read);
        break;
    case AXIS_FLAG:
        read.integer = json_is_true(json);
        ok = json_is_boolean(json);
        break;
    case AXIS_WORD:
    case AXIS_TEXT:
        if (json_is_string(json))
            return axis_parse(id, json_string_value(json), value, problem);
        break;
    }
    if (!ok) {
        char *given = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
        (void)refuse_value(axis, given ? given : "nothing", problem);
        free(given);
        return false;
    }
    *value = read;
    return true;
}
