// SPDX-License-Identifier: Apache-2.0
// doctor_checks.c - the checks, one row each, and the examination that walks them.
#include "machine/doctor.h"

#include "machine/facts.h"
#include "machine/host_facts.h"

#include <stdio.h>
#include <string.h>

#define CPU_FOLDER "/sys/devices/system/cpu"

typedef enum Verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FATAL, VERDICT_UNKNOWN } Verdict;

static const char *const verdict_names[] = {"ok", "warn", "fatal", "unknown"};
enum { VERDICT_COUNT = sizeof verdict_names / sizeof verdict_names[0] };

typedef enum Rule {
    RULE_WORD, // one of the words, which blanks separate
    RULE_NOT,  // any text but the word
    RULE_OFF,
    RULE_MOST, // a number, the limit or less
    RULE_LEAST // a number, the limit or more
} Rule;

typedef struct Check {
    const char *name;
    const char *fact; // of the kernel's or the state's facts
    const char *unit;
    const char *words;
    double limit;
    Rule rule;
    Verdict bad[DOCTOR_PROFILES]; // what breaking the rule means
    const char *why;
    const char *remedy; // a command
} Check;

const char *const doctor_profiles[DOCTOR_PROFILES + 1] = {"laptop", "ci", "lab", NULL};

#define WARNS                                                                                      \
    {                                                                                              \
        VERDICT_WARN, VERDICT_WARN, VERDICT_WARN                                                   \
    }
#define FATAL_IN_LAB                                                                               \
    {                                                                                              \
        VERDICT_WARN, VERDICT_WARN, VERDICT_FATAL                                                  \
    }
#define FATAL_BUT_ON_LAPTOPS                                                                       \
    {                                                                                              \
        VERDICT_WARN, VERDICT_FATAL, VERDICT_FATAL                                                 \
    }
#define FATAL_ANYWHERE                                                                             \
    {                                                                                              \
        VERDICT_FATAL, VERDICT_FATAL, VERDICT_FATAL                                                \
    }

// Fatal is what moves a timing by more than its noise; a warning, what hides or limits.
static const Check checks[] = {
    {"governor", "governor", "", "performance", 0, RULE_WORD, FATAL_IN_LAB,
     "any other governor changes the frequency with the load, so timings follow it and not the "
     "code",
     "echo performance | sudo tee " CPU_FOLDER "/cpu*/cpufreq/scaling_governor"},
    {"boost", "boost", "", NULL, 0, RULE_OFF, FATAL_IN_LAB,
     "above the base frequency, speed depends on temperature and on what other cores do",
     "echo 1 | sudo tee " CPU_FOLDER "/intel_pstate/no_turbo || echo 0 | sudo tee " CPU_FOLDER
     "/cpufreq/boost"},
    {"smt", "smt_active", "", NULL, 0, RULE_OFF, FATAL_IN_LAB,
     "two hardware threads share a core's units and caches: whatever runs on the sibling slows a "
     "sample",
     "echo off | sudo tee " CPU_FOLDER "/smt/control"},
    {"aslr", "aslr", "", NULL, 2, RULE_LEAST, WARNS,
     "every sample is a process of its own, so that layouts average out; with one fixed layout "
     "its luck counts as a difference of the code",
     "sudo sysctl kernel.randomize_va_space=2"},
    {"thp", "thp", "", "madvise", 0, RULE_WORD, WARNS,
     "with 'always' cells of 4k pages may get huge ones, with 'never' cells of huge pages fail",
     "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"},
    {"numa_balancing", "numa_balancing", "", NULL, 0, RULE_OFF, FATAL_IN_LAB,
     "the kernel unmaps and moves pages while they are measured",
     "sudo sysctl kernel.numa_balancing=0"},
    {"isolated_cpus", "isolated_cpus", "", "none", 0, RULE_NOT, WARNS,
     "without isolated CPUs the scheduler puts other work beside a sample; with them, start "
     "hyperion by `taskset -c CPUS`",
     "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&isolcpus=1 nohz_full=1 /' /etc/default/grub && sudo "
     "update-grub && sudo reboot"},
    {"cpu_quota", "cpu_quota_cpus", "CPUs", "none", 0, RULE_WORD, FATAL_BUT_ON_LAPTOPS,
     "a group over its quota is stopped for the rest of each period, in the middle of a sample",
     "sudo systemctl set-property --runtime UNIT CPUQuota= (a container: start it without --cpus)"},
    {"swap", "swap_mib", "MiB", NULL, 0, RULE_MOST, FATAL_IN_LAB,
     "a page that was swapped out costs milliseconds when it is touched", "sudo swapoff -a"},
    {"load", "load_1min", "runnable", NULL, 0.5, RULE_MOST, FATAL_IN_LAB,
     "other processes take CPU time, shared cache and memory bandwidth (mean of one minute)",
     "ps -eo pcpu,pid,comm --sort=-pcpu | head"},
    {"steal", "steal_percent", "%", NULL, 0.5, RULE_MOST, FATAL_IN_LAB,
     "the host runs others while this machine believes to run (since boot); a dedicated host "
     "has none",
     "vmstat 1 10"},
    {"nmi_watchdog", "nmi_watchdog", "", NULL, 0, RULE_OFF, WARNS,
     "it holds one hardware counter of each core and interrupts it",
     "sudo sysctl kernel.nmi_watchdog=0"},
    {"perf_event_paranoid", "perf_event_paranoid", "", NULL, 1, RULE_MOST, WARNS,
     "at 2 the kernel's events cannot be counted without privilege, above 2 none at all",
     "sudo sysctl kernel.perf_event_paranoid=1"},
    {"clocksource", "clocksource", "", "tsc kvm-clock hyperv_clocksource_tsc_page arch_sys_counter",
     0, RULE_WORD, FATAL_ANYWHERE,
     "other clocks are read by a system call, a microsecond each, and step coarsely",
     "echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource"},
    {"huge_pages", "huge_pages_free", "of 2 MiB free", NULL, 1, RULE_LEAST, WARNS,
     "cells that ask for pages: hugetlb fail without", "sudo sysctl vm.nr_hugepages=128"},
};
enum { CHECK_COUNT = sizeof checks / sizeof checks[0] };

bool doctor_find_profile(const char *name, size_t *profile, Problem *problem)
{
    for (size_t i = 0; i < DOCTOR_PROFILES; i++)
        if (strcmp(doctor_profiles[i], name) == 0) {
            *profile = i;
            return true;
        }
    return problem_set(problem, "expected laptop, ci or lab, given '%.64s'", name);
}

static bool words_hold(const char *words, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " ");
        if (size == length && strncmp(at, word, size) == 0)
            return true;
        at += size;
    }
    return false;
}

static bool obeys_rule(const Check *check, const json_t *value)
{
    const char *text = json_string_value(value);
    switch (check->rule) {
    case RULE_WORD: return text && words_hold(check->words, text);
    case RULE_NOT: return text && strcmp(text, check->words) != 0;
    case RULE_OFF: return json_is_false(value);
    case RULE_MOST: return json_is_number(value) && json_number_value(value) <= check->limit;
    case RULE_LEAST: return json_is_number(value) && json_number_value(value) >= check->limit;
    }
    return false;
}

// "tsc or kvm-clock"
static json_t *join_words(const char *words)
{
    char text[128] = "";
    size_t length = 0;
    for (const char *at = words; *at && length < sizeof text; at += strspn(at, " ")) {
        const int size = (int)strcspn(at, " ");
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%.*s",
                                   length ? " or " : "", size, at);
        at += size;
    }
    return json_string(text);
}

static json_t *describe_rule(const Check *check)
{
    switch (check->rule) {
    case RULE_WORD: return join_words(check->words);
    case RULE_NOT: return json_sprintf("any but %s", check->words);
    case RULE_OFF: return json_string("off");
    case RULE_MOST: return json_sprintf("at most %g", check->limit);
    case RULE_LEAST: return json_sprintf("at least %g", check->limit);
    }
    return NULL;
}

static json_t *judge(const Check *check, size_t profile, const json_t *facts, Verdict *verdict)
{
    json_t *value = json_object_get(facts, check->fact);
    *verdict = VERDICT_OK;
    if (!value || json_is_null(value))
        *verdict = VERDICT_UNKNOWN;
    else if (!obeys_rule(check, value))
        *verdict = check->bad[profile];
    json_t *row = json_object();
    if (row && fact_set(row, "name", json_string(check->name)) &&
        fact_set(row, "verdict", json_string(verdict_names[*verdict])) &&
        (*verdict == VERDICT_UNKNOWN
             ? fact_unknown(row, "value", "%s", fact_reason(facts, check->fact))
             : fact_set(row, "value", json_incref(value))) &&
        fact_set(row, "unit", json_string(check->unit)) &&
        fact_set(row, "expected", describe_rule(check)) &&
        fact_set(row, "why", json_string(check->why)) &&
        fact_set(row, "remedy", json_string(check->remedy)))
        return row;
    json_decref(row);
    return NULL;
}

static json_t *judge_all(const json_t *facts, size_t profile)
{
    size_t counts[VERDICT_COUNT] = {0};
    json_t *rows = json_array();
    bool ok = rows != NULL;
    for (size_t i = 0; ok && i < CHECK_COUNT; i++) {
        Verdict verdict = VERDICT_OK;
        ok = json_array_append_new(rows, judge(&checks[i], profile, facts, &verdict)) == 0;
        counts[verdict]++;
    }
    json_t *result = json_object();
    ok = ok && result && fact_set(result, "schema", json_string("hyperion-doctor-1")) &&
         fact_set(result, "profile", json_string(doctor_profiles[profile])) &&
         fact_set(result, "trustworthy", json_boolean(counts[VERDICT_FATAL] == 0));
    for (size_t i = 0; ok && i < VERDICT_COUNT; i++)
        ok = fact_set(result, verdict_names[i], json_integer((json_int_t)counts[i]));
    ok = ok && fact_set(result, "checks", json_incref(rows));
    json_decref(rows);
    if (ok)
        return result;
    json_decref(result);
    return NULL;
}

json_t *doctor_examine(const char *root, size_t profile, Problem *problem)
{
    json_t *facts = host_kernel_facts(root);
    json_t *state = host_state_facts(root);
    json_t *result = NULL;
    if (facts && state && json_object_update(facts, state) == 0)
        result = judge_all(facts, profile);
    if (!result)
        (void)problem_set(problem, "out of memory");
    json_decref(state);
    json_decref(facts);
    if (json_integer_value(json_object_get(result, verdict_names[VERDICT_UNKNOWN])) ==
        CHECK_COUNT) {
        (void)problem_set(problem, "%s/proc and %s/sys hold nothing that the checks read", root,
                          root);
        json_decref(result);
        return NULL;
    }
    return result;
}

bool doctor_is_trustworthy(const json_t *examination)
{
    return json_is_true(json_object_get(examination, "trustworthy"));
}
