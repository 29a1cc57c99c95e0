// SPDX-License-Identifier: Apache-2.0
// kernel_facts.c - the settings of the kernel that move timings, one row each.
#define _POSIX_C_SOURCE 200809L
#include "machine/facts.h"
#include "machine/host_facts.h"
#include "machine/sysroot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU_FOLDER "/sys/devices/system/cpu"
#define THP_FOLDER "/sys/kernel/mm/transparent_hugepage"

enum { VALUE_BYTES = 256 };

typedef enum FactForm {
    FORM_TEXT,
    FORM_LIST,     // text; an empty file means none
    FORM_CHOICE,   // "always [madvise] never"
    FORM_INTEGER,  // decimal
    FORM_ON,       // 0 or 1
    FORM_OFF,      // 0 means on
    FORM_EVERY_CPU // text; the path holds "cpu*", which is every CPU in turn
} FactForm;

typedef struct KernelFact {
    const char *name;
    struct {
        const char *path;
        FactForm form;
    } places[2];        // the first that is there counts
    const char *absent; // what it means if none is
} KernelFact;

static const char no_scaling[] = "no frequency scaling visible";
static const char not_told[] = "the kernel does not tell";

static const KernelFact kernel_facts[] = {
    {"release", {{"/proc/sys/kernel/osrelease", FORM_TEXT}}, not_told},
    {"governor", {{CPU_FOLDER "/cpu*/cpufreq/scaling_governor", FORM_EVERY_CPU}}, no_scaling},
    {"scaling_driver", {{CPU_FOLDER "/cpu0/cpufreq/scaling_driver", FORM_TEXT}}, no_scaling},
    {"boost",
     {{CPU_FOLDER "/cpufreq/boost", FORM_ON}, {CPU_FOLDER "/intel_pstate/no_turbo", FORM_OFF}},
     no_scaling},
    {"idle_driver", {{CPU_FOLDER "/cpuidle/current_driver", FORM_TEXT}}, "no idle driver"},
    {"smt", {{CPU_FOLDER "/smt/control", FORM_TEXT}}, not_told},
    {"isolated_cpus", {{CPU_FOLDER "/isolated", FORM_LIST}}, not_told},
    {"thp", {{THP_FOLDER "/enabled", FORM_CHOICE}}, "kernel without transparent huge pages"},
    {"thp_defrag", {{THP_FOLDER "/defrag", FORM_CHOICE}}, "kernel without transparent huge pages"},
    {"huge_pages_2m",
     {{"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", FORM_INTEGER}},
     "kernel without 2 MiB pages"},
    {"numa_balancing",
     {{"/proc/sys/kernel/numa_balancing", FORM_ON}},
     "kernel without NUMA balancing"},
    {"aslr", {{"/proc/sys/kernel/randomize_va_space", FORM_INTEGER}}, not_told},
    {"nmi_watchdog", {{"/proc/sys/kernel/nmi_watchdog", FORM_ON}}, "kernel without NMI watchdog"},
    {"perf_event_paranoid",
     {{"/proc/sys/kernel/perf_event_paranoid", FORM_INTEGER}},
     "kernel without perf events"},
    {"clocksource",
     {{"/sys/devices/system/clocksource/clocksource0/current_clocksource", FORM_TEXT}},
     not_told},
    {"cpu_quota", {{"/sys/fs/cgroup/cpu.max", FORM_TEXT}}, "no cgroup quota visible"},
};

// The word in brackets, cut out in place; NULL if there is none.
static const char *find_choice(char *text)
{
    char *open = strchr(text, '[');
    char *close = open ? strchr(open, ']') : NULL;
    if (!close)
        return NULL;
    *close = '\0';
    return open + 1;
}

static bool set_integer(json_t *facts, const char *name, FactForm form, const char *text)
{
    char *end = NULL;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end)
        return fact_unknown(facts, name, "'%.40s' is no number", text);
    if (form == FORM_INTEGER)
        return fact_set(facts, name, json_integer(value));
    return fact_set(facts, name, json_boolean((value != 0) == (form == FORM_ON)));
}

static bool set_value(json_t *facts, const char *name, FactForm form, char *text)
{
    const char *word = text;
    if (form == FORM_INTEGER || form == FORM_ON || form == FORM_OFF)
        return set_integer(facts, name, form, text);
    if (form == FORM_LIST && !text[0])
        word = "none";
    if (form == FORM_CHOICE) {
        word = find_choice(text);
        if (!word)
            return fact_unknown(facts, name, "no choice in brackets in '%.40s'", text);
    }
    return word[0] ? fact_set_text(facts, name, word) : fact_unknown(facts, name, "empty");
}

// The value all CPUs agree on, or "mixed: a, b" with the first two that differ. CPUs that are
// offline have no setting.
static bool read_every_cpu(const char *root, const char *path, char *text)
{
    const char *star = strchr(path, '*');
    text[0] = '\0';
    for (unsigned cpu = 0;; cpu++) {
        char place[192];
        char value[VALUE_BYTES / 4];
        (void)snprintf(place, sizeof place, "%.*s%u", (int)(star - path), path, cpu);
        if (!sysroot_exists(root, place))
            break;
        const size_t length = strlen(place);
        (void)snprintf(place + length, sizeof place - length, "%s", star + 1);
        if (!sysroot_read(root, place, value, sizeof value) || strcmp(text, value) == 0)
            continue;
        if (text[0]) {
            char first[VALUE_BYTES / 4];
            (void)snprintf(first, sizeof first, "%s", text);
            (void)snprintf(text, VALUE_BYTES, "mixed: %s, %s", first, value);
            return true;
        }
        (void)snprintf(text, VALUE_BYTES, "%s", value);
    }
    return text[0] != '\0';
}

static bool set_fact(json_t *facts, const char *root, const KernelFact *fact)
{
    for (size_t i = 0; i < 2 && fact->places[i].path; i++) {
        char text[VALUE_BYTES];
        const char *path = fact->places[i].path;
        const FactForm form = fact->places[i].form;
        if (form == FORM_EVERY_CPU ? read_every_cpu(root, path, text)
                                   : sysroot_read(root, path, text, sizeof text))
            return set_value(facts, fact->name, form, text);
        if (form != FORM_EVERY_CPU && sysroot_exists(root, path))
            return fact_unknown(facts, fact->name, "%s", text);
    }
    return fact_unknown(facts, fact->name, "%s", fact->absent);
}

// PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
static bool set_os(json_t *facts, const char *root)
{
    static const char key[] = "PRETTY_NAME=";
    char text[4096];
    if (!sysroot_read(root, "/etc/os-release", text, sizeof text))
        return fact_unknown(facts, "os", "%s", text);
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, key, sizeof key - 1) != 0)
            continue;
        char *value = line + sizeof key - 1;
        value += strspn(value, "\"'");
        value[strcspn(value, "\"'")] = '\0';
        return fact_set_text(facts, "os", value);
    }
    return fact_unknown(facts, "os", "/etc/os-release has no PRETTY_NAME");
}

json_t *host_kernel_facts(const char *root)
{
    json_t *facts = json_object();
    bool ok = facts && set_os(facts, root);
    for (size_t i = 0; ok && i < sizeof kernel_facts / sizeof kernel_facts[0]; i++)
        ok = set_fact(facts, root, &kernel_facts[i]);
    if (ok)
        return facts;
    json_decref(facts);
    return NULL;
}
