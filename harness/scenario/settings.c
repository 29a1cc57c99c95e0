// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "scenario/settings.h"

#include "common/fnv.h"
#include "common/quantity.h"
#include "counters/counters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum SettingKind {
    SETTING_COUNT,  // int
    SETTING_TIME,   // double, nanoseconds
    SETTING_BYTES,  // size_t
    SETTING_WARMUP, // a time or "auto", which is WARMUP_AUTO
    SETTING_SHARE,  // double, "2%" or 0.02
    SETTING_WORD    // an enum: index of one of `words`
} SettingKind;

typedef struct Setting {
    const char *key;      // in a scenario
    const char *json_key; // in plan.json, with its unit
    SettingKind kind;
    bool is_recent; // plans from before it lack it; their hashes stay
    size_t offset;
    double fallback, minimum, maximum;
    const char *const *words; // SETTING_WORD: NULL-terminated
} Setting;

enum { COUNTER_LIMIT = 64, COUNTER_LENGTH = 63 };

// Indices are Measure.
static const char *const measure_words[] = {"time", "instructions", "counts", NULL};

static const Setting setting_table[] = {
    {"measure", "measure", SETTING_WORD, true, offsetof(SweepSettings, measure), MEASURE_TIME, 0,
     MEASURE_COUNTS, measure_words},
    {"samples", "samples", SETTING_COUNT, false, offsetof(SweepSettings, samples), 5, 1, 10000,
     NULL},
    {"repetitions", "repetitions", SETTING_COUNT, false, offsetof(SweepSettings, repetitions), 3, 1,
     1000, NULL},
    {"min_time", "min_time_ns", SETTING_TIME, false, offsetof(SweepSettings, min_time_ns), 20e6,
     1e3, 1e12, NULL},
    {"warmup", "warmup_ns", SETTING_WARMUP, false, offsetof(SweepSettings, warmup_ns), 5e6,
     WARMUP_AUTO, 1e12, NULL},
    {"timeout", "timeout_ns", SETTING_TIME, false, offsetof(SweepSettings, timeout_ns), 60e9, 1e6,
     1e14, NULL},
    {"memory_limit", "memory_limit_bytes", SETTING_BYTES, false,
     offsetof(SweepSettings, memory_limit_bytes), 0, 0, 0x1p50, NULL},
    {"retries", "retries", SETTING_COUNT, true, offsetof(SweepSettings, retries), 3, 0, 100, NULL},
    {"precision", "precision", SETTING_SHARE, true, offsetof(SweepSettings, precision), 0, 0, 1,
     NULL},
    {"max_time", "max_time_ns", SETTING_TIME, true, offsetof(SweepSettings, max_time_ns), 0, 0,
     1e15, NULL},
};
enum { SETTING_TOTAL = sizeof setting_table / sizeof setting_table[0] };

const char *const settings_keys[] = {
    "measure", "samples",   "repetitions", "min_time", "warmup",   "timeout", "memory_limit",
    "retries", "precision", "max_time",    "limits",   "counters", NULL};

static double get_number(const Setting *setting, const SweepSettings *settings)
{
    const char *at = (const char *)settings + setting->offset;
    switch (setting->kind) {
    case SETTING_COUNT: return *(const int *)(const void *)at;
    case SETTING_WARMUP:
    case SETTING_SHARE:
    case SETTING_TIME: return *(const double *)(const void *)at;
    case SETTING_BYTES: return (double)*(const size_t *)(const void *)at;
    case SETTING_WORD: return *(const Measure *)(const void *)at;
    }
    return 0;
}

static void set_number(const Setting *setting, SweepSettings *settings, double value)
{
    char *at = (char *)settings + setting->offset;
    switch (setting->kind) {
    case SETTING_COUNT: *(int *)(void *)at = (int)value; break;
    case SETTING_WARMUP:
    case SETTING_SHARE:
    case SETTING_TIME: *(double *)(void *)at = value; break;
    case SETTING_BYTES: *(size_t *)(void *)at = (size_t)value; break;
    case SETTING_WORD: *(Measure *)(void *)at = (Measure)value; break;
    }
}

static void format_number(const Setting *setting, double value, char *buffer, size_t buffer_bytes)
{
    switch (setting->kind) {
    case SETTING_COUNT: quantity_format_real(value, buffer, buffer_bytes); break;
    case SETTING_SHARE: (void)snprintf(buffer, buffer_bytes, "%g%%", 100 * value); break;
    case SETTING_WARMUP:
    case SETTING_TIME: quantity_format_time(value, buffer, buffer_bytes); break;
    case SETTING_BYTES: quantity_format_bytes((long long)value, buffer, buffer_bytes); break;
    case SETTING_WORD:
        (void)snprintf(buffer, buffer_bytes, "%s", setting->words[(size_t)value]);
        break;
    }
}

static bool find_word(const Setting *setting, const char *text, double *value)
{
    for (size_t i = 0; setting->words[i]; i++)
        if (strcmp(setting->words[i], text) == 0) {
            *value = (double)i;
            return true;
        }
    return false;
}

static bool parse_number(const Setting *setting, const char *text, double *value)
{
    long long whole = 0;
    bool parsed = false;
    switch (setting->kind) {
    case SETTING_COUNT: parsed = quantity_parse_integer(text, &whole); break;
    case SETTING_SHARE: return quantity_parse_share(text, value);
    case SETTING_WARMUP:
        if (strcmp(text, "auto") == 0) {
            *value = WARMUP_AUTO;
            return true;
        }
        return quantity_parse_time(text, value) && *value >= 0;
    case SETTING_TIME: return quantity_parse_time(text, value);
    case SETTING_BYTES: parsed = quantity_parse_bytes(text, &whole); break;
    case SETTING_WORD: return find_word(setting, text, value);
    }
    if (parsed)
        *value = (double)whole;
    return parsed;
}

static bool fail_word(const char *name, const TreeNode *node, const Setting *setting,
                      Problem *problem)
{
    char known[128] = "";
    for (size_t i = 0; setting->words[i]; i++) {
        const size_t used = strlen(known);
        (void)snprintf(known + used, sizeof known - used, "%s%s", i ? " or " : "",
                       setting->words[i]);
    }
    const char *near = problem_nearest(node->text, setting->words);
    return tree_fail(name, node, problem, "%s: expected %s, given '%.64s'%s%s%s", setting->key,
                     known, node->text, near ? ", did you mean '" : "", near ? near : "",
                     near ? "'?" : "");
}

static bool read_number(const char *name, const TreeNode *node, const Setting *setting,
                        SweepSettings *settings, Problem *problem)
{
    static const char *const nouns[] = {
        [SETTING_COUNT] = "a whole number",
        [SETTING_TIME] = "a time with its unit (ns, us, ms, s, m, h)",
        [SETTING_WARMUP] = "auto or a time with its unit (ns, us, ms, s, m, h)",
        [SETTING_SHARE] = "a share such as 2%",
        [SETTING_BYTES] = "a size such as 512MiB",
        [SETTING_WORD] = "a word"};
    if (!tree_expect(name, node, TREE_SCALAR, setting->key, problem))
        return false;
    double value = 0;
    if (!parse_number(setting, node->text, &value) || value < setting->minimum ||
        value > setting->maximum) {
        if (setting->kind == SETTING_WORD)
            return fail_word(name, node, setting, problem);
        char low[40];
        char high[40];
        format_number(setting, fmax(setting->minimum, 0), low, sizeof low);
        format_number(setting, setting->maximum, high, sizeof high);
        return tree_fail(name, node, problem, "%s: expected %s from %s to %s, given '%.64s'",
                         setting->key, nouns[setting->kind], low, high, node->text);
    }
    set_number(setting, settings, value);
    return true;
}

// A list of its own with copies of the names.
static const char **copy_counters(const char *const *names, size_t count)
{
    const char **copy = calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = strdup(names[i]);
        if (!copy[i]) {
            for (size_t j = 0; j < i; j++)
                free((void *)(uintptr_t)copy[j]);
            free((void *)copy);
            return NULL;
        }
    }
    return copy;
}

static size_t count_names(const char *const *names)
{
    size_t count = 0;
    while (names[count])
        count++;
    return count;
}

void settings_drop_counters(SweepSettings *settings)
{
    if (!settings->counters)
        return;
    for (size_t i = 0; settings->counters[i]; i++)
        free((void *)(uintptr_t)settings->counters[i]);
    settings->counters[0] = NULL;
}

static void free_counters(SweepSettings *settings)
{
    settings_drop_counters(settings);
    free((void *)settings->counters);
    settings->counters = NULL;
}

static bool replace_counters(SweepSettings *settings, const char *const *names, size_t count,
                             Problem *problem)
{
    const char **copy = copy_counters(names, count);
    if (!copy)
        return problem_set(problem, "out of memory");
    free_counters(settings);
    settings->counters = copy;
    return true;
}

static bool event_name_is_valid(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_:.=-";
    const size_t length = strlen(text);
    return length > 0 && length <= COUNTER_LENGTH && strspn(text, allowed) == length;
}

static bool read_counters(const char *name, const TreeNode *node, SweepSettings *settings,
                          Problem *problem)
{
    if (node->kind == TREE_SCALAR && strcmp(node->text, "none") == 0)
        return replace_counters(settings, NULL, 0, problem);
    if (node->kind == TREE_SCALAR && strcmp(node->text, "default") == 0)
        return replace_counters(settings, counters_default, count_names(counters_default), problem);
    if (node->kind != TREE_LIST || node->count == 0 || node->count > COUNTER_LIMIT)
        return tree_fail(name, node, problem,
                         "counters: expected default, none or a list of 1 to %d events",
                         COUNTER_LIMIT);
    const char *names[COUNTER_LIMIT];
    size_t count = 0;
    for (const TreeNode *item = node->first; item; item = item->next) {
        if (item->kind != TREE_SCALAR || !event_name_is_valid(item->text))
            return tree_fail(name, item, problem,
                             "counters: expected the name of an event such as PAPI_TOT_INS");
        for (size_t i = 0; i < count; i++)
            if (strcmp(names[i], item->text) == 0)
                return tree_fail(name, item, problem, "counters: %s is given twice", item->text);
        names[count++] = item->text;
    }
    return replace_counters(settings, names, count, problem);
}

bool settings_default(SweepSettings *settings, Problem *problem)
{
    *settings = (SweepSettings){.limits = limits_none()};
    for (size_t i = 0; i < SETTING_TOTAL; i++)
        set_number(&setting_table[i], settings, setting_table[i].fallback);
    return replace_counters(settings, counters_default, count_names(counters_default), problem);
}

bool settings_copy(const SweepSettings *from, SweepSettings *to, Problem *problem)
{
    *to = *from;
    to->counters = NULL;
    return replace_counters(to, from->counters, count_names(from->counters), problem);
}

void settings_clear(SweepSettings *settings)
{
    free_counters(settings);
}

bool settings_read(const char *name, const TreeNode *map, SweepSettings *settings, Problem *problem)
{
    for (size_t i = 0; i < SETTING_TOTAL; i++) {
        const TreeNode *node = tree_find(map, setting_table[i].key);
        if (node && !read_number(name, node, &setting_table[i], settings, problem))
            return false;
    }
    const TreeNode *limits = tree_find(map, "limits");
    const TreeNode *counters = tree_find(map, "counters");
    if (limits && !limits_read(name, limits, &settings->limits, problem))
        return false;
    return !counters || read_counters(name, counters, settings, problem);
}

static json_t *number_to_json(const Setting *setting, double value)
{
    if (setting->kind == SETTING_WORD)
        return json_string(setting->words[(size_t)value]);
    return setting->kind == SETTING_SHARE ? json_real(value) : json_integer((json_int_t)value);
}

json_t *settings_to_json(const SweepSettings *settings)
{
    json_t *json = json_object();
    for (size_t i = 0; i < SETTING_TOTAL; i++) {
        const Setting *setting = &setting_table[i];
        const double value = get_number(setting, settings);
        // 0 means none.
        if (setting->is_recent && setting->kind != SETTING_WORD && setting->fallback == 0 &&
            value == 0)
            continue;
        (void)json_object_set_new(json, setting->json_key, number_to_json(setting, value));
    }
    if (!limits_are_none(&settings->limits))
        (void)json_object_set_new(json, "limits", limits_to_json(&settings->limits));
    json_t *counters = json_array();
    for (size_t i = 0; settings->counters[i]; i++)
        (void)json_array_append_new(counters, json_string(settings->counters[i]));
    if (json_object_set_new(json, "counters", counters) == 0)
        return json;
    json_decref(json);
    return NULL;
}

static bool number_from_json(const json_t *json, const Setting *setting, double *value,
                             Problem *problem)
{
    const json_t *given = json_object_get(json, setting->json_key);
    const char *word = json_string_value(given);
    *value = setting->fallback;
    if (!given && setting->is_recent)
        return true;
    if (setting->kind == SETTING_WORD)
        return (word && find_word(setting, word, value)) ||
               problem_set(problem, "settings: %s: unknown word '%.64s'", setting->json_key,
                           word ? word : "");
    *value = json_number_value(given);
    const bool fits =
        setting->kind == SETTING_SHARE ? json_is_number(given) : json_is_integer(given);
    return (fits && *value >= setting->minimum && *value <= setting->maximum) ||
           problem_set(problem, "settings: %s: expected a %snumber from %.15g to %.15g",
                       setting->json_key, setting->kind == SETTING_SHARE ? "" : "whole ",
                       setting->minimum, setting->maximum);
}

static bool counters_from_json(const json_t *events, SweepSettings *settings, Problem *problem)
{
    const char *names[COUNTER_LIMIT];
    const size_t count = json_array_size(events);
    if (!json_is_array(events) || count > COUNTER_LIMIT)
        return problem_set(problem, "settings: counters: expected a list of at most %d events",
                           COUNTER_LIMIT);
    for (size_t i = 0; i < count; i++) {
        names[i] = json_string_value(json_array_get(events, i));
        if (!names[i] || !event_name_is_valid(names[i]))
            return problem_set(problem, "settings: counters: entry %zu names no event", i);
    }
    return replace_counters(settings, names, count, problem);
}

bool settings_from_json(const json_t *json, SweepSettings *settings, Problem *problem)
{
    size_t keys = 1; // counters
    *settings = (SweepSettings){0};
    for (size_t i = 0; i < SETTING_TOTAL; i++) {
        double value = 0;
        if (!number_from_json(json, &setting_table[i], &value, problem))
            return false;
        keys += json_object_get(json, setting_table[i].json_key) != NULL;
        set_number(&setting_table[i], settings, value);
    }
    const json_t *limits = json_object_get(json, "limits");
    keys += limits != NULL;
    if (json_object_size(json) != keys)
        return problem_set(problem, "settings: expected %zu keys, given %zu", keys,
                           json_object_size(json));
    return limits_from_json(limits, &settings->limits, problem) &&
           counters_from_json(json_object_get(json, "counters"), settings, problem);
}

uint64_t settings_hash(const SweepSettings *settings, uint64_t hash)
{
    for (size_t i = 0; i < SETTING_TOTAL; i++) {
        char text[40];
        const double value = get_number(&setting_table[i], settings);
        if (setting_table[i].is_recent && value == setting_table[i].fallback)
            continue;
        quantity_format_real(value, text, sizeof text);
        hash = fnv_add_text(fnv_add_text(hash, setting_table[i].key), text);
    }
    hash = limits_hash(&settings->limits, hash);
    for (size_t i = 0; settings->counters[i]; i++)
        hash = fnv_add_text(hash, settings->counters[i]);
    return fnv_add_text(hash, "");
}

size_t settings_workers_before(const SweepSettings *settings)
{
    return settings->measure == MEASURE_TIME ? 2 : 1;
}

size_t settings_workers_after(const SweepSettings *settings)
{
    return settings->measure == MEASURE_TIME && settings->counters && settings->counters[0];
}

double settings_warmup_guess_ns(const SweepSettings *settings)
{
    // A worker looks at the times after every ten; ten of a millisecond are the least.
    return settings->warmup_ns < 0 ? 20e6 : settings->warmup_ns;
}
