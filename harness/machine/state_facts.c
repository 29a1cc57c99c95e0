// SPDX-License-Identifier: Apache-2.0
// state_facts.c - what the kernel tells of the moment and of what this process is allowed: load,
// steal, swap, free huge pages, SMT, CPU quota.
#include "machine/facts.h"
#include "machine/host_facts.h"
#include "machine/sysroot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU_FOLDER "/sys/devices/system/cpu"
#define CGROUP_FOLDER "/sys/fs/cgroup"

enum { TEXT_BYTES = 512 };

static bool set_smt(json_t *facts, const char *root)
{
    static const char name[] = "smt_active";
    char text[TEXT_BYTES];
    if (sysroot_read(root, CPU_FOLDER "/smt/active", text, sizeof text))
        return fact_set(facts, name, json_boolean(strcmp(text, "0") != 0));
    if (sysroot_read(root, CPU_FOLDER "/cpu0/topology/thread_siblings_list", text, sizeof text))
        return fact_set(facts, name, json_boolean(strpbrk(text, ",-") != NULL));
    if (sysroot_read(root, CPU_FOLDER "/smt/control", text, sizeof text))
        return fact_set(facts, name, json_boolean(strcmp(text, "on") == 0));
    return fact_unknown(facts, name, "the kernel does not tell");
}

// Free pages of 2 MiB; /proc/meminfo counts those of the default size, which is that on x86.
static bool set_huge_pages(json_t *facts, const char *root)
{
    static const char name[] = "huge_pages_free";
    char text[TEXT_BYTES];
    if (!sysroot_read(root, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", text,
                      sizeof text) &&
        !sysroot_read_field(root, "/proc/meminfo", "HugePages_Free", text, sizeof text))
        return fact_unknown(facts, name, "%s", text);
    return fact_set(facts, name, json_integer(strtoll(text, NULL, 10)));
}

static bool set_swap(json_t *facts, const char *root)
{
    static const char name[] = "swap_mib";
    char text[TEXT_BYTES];
    if (!sysroot_read_field(root, "/proc/meminfo", "SwapTotal", text, sizeof text))
        return fact_unknown(facts, name, "%s", text);
    // "2097148 kB"
    return fact_set(facts, name, json_integer((strtoll(text, NULL, 10) + 1023) / 1024));
}

static bool set_load(json_t *facts, const char *root)
{
    static const char name[] = "load_1min";
    char text[TEXT_BYTES];
    double load = 0;
    if (!sysroot_read(root, "/proc/loadavg", text, sizeof text))
        return fact_unknown(facts, name, "%s", text);
    if (sscanf(text, "%lf", &load) != 1 || !isfinite(load))
        return fact_unknown(facts, name, "/proc/loadavg: '%.40s' is no load", text);
    return fact_set(facts, name, json_real(load));
}

// The first line of /proc/stat: "cpu user nice system idle iowait irq softirq steal ..." in ticks
// since boot; guest time, further on, is part of user.
static bool set_steal(json_t *facts, const char *root)
{
    static const char name[] = "steal_percent";
    enum { FIELDS = 8, STEAL = 7 };
    char text[TEXT_BYTES];
    if (!sysroot_read_line(root, "/proc/stat", text, sizeof text))
        return fact_unknown(facts, name, "%s", text);
    double ticks[FIELDS];
    double total = 0;
    const char *at = strncmp(text, "cpu ", 4) == 0 ? text + 4 : "";
    for (size_t i = 0; i < FIELDS; i++) {
        char *end = NULL;
        ticks[i] = strtod(at, &end);
        if (end == at)
            return fact_unknown(facts, name, "/proc/stat does not tell");
        total += ticks[i];
        at = end;
    }
    if (total <= 0)
        return fact_unknown(facts, name, "/proc/stat counts no time");
    return fact_set(facts, name, json_real(100 * ticks[STEAL] / total));
}

typedef struct Hierarchy {
    const char *mount;
    const char *controller; // its word in /proc/self/cgroup
    const char *quota;      // "150000 100000", "max 100000", "-1"
    const char *period;     // NULL: beside the quota
} Hierarchy;

static const Hierarchy hierarchies[] = {
    {CGROUP_FOLDER, "", "cpu.max", NULL},
    {CGROUP_FOLDER "/unified", "", "cpu.max", NULL},
    {CGROUP_FOLDER "/cpu", "cpu", "cpu.cfs_quota_us", "cpu.cfs_period_us"},
    {CGROUP_FOLDER "/cpu,cpuacct", "cpu", "cpu.cfs_quota_us", "cpu.cfs_period_us"},
};

static bool list_holds(const char *list, size_t length, const char *word)
{
    const size_t word_length = strlen(word);
    for (const char *at = list; at <= list + length;) {
        const size_t size = strcspn(at, ",:");
        if (size == word_length && strncmp(at, word, size) == 0)
            return true;
        at += size + 1;
    }
    return false;
}

// This process's group below the mount, "/user.slice/..."; "" for the mount itself.
static void find_group(const char *root, const char *controller, char *group, size_t group_bytes)
{
    char text[4096];
    group[0] = '\0';
    if (!sysroot_read(root, "/proc/self/cgroup", text, sizeof text))
        return;
    // Lines are "4:cpu,cpuacct:/path"; the unified hierarchy's is "0::/path".
    for (const char *line = text; *line;) {
        const size_t length = strcspn(line, "\n");
        const char *list = memchr(line, ':', length);
        const char *path = list ? memchr(list + 1, ':', length - (size_t)(list + 1 - line)) : NULL;
        if (path && list_holds(list + 1, (size_t)(path - list - 1), controller)) {
            const size_t path_length = length - (size_t)(path + 1 - line);
            (void)snprintf(group, group_bytes, "%.*s", (int)path_length, path + 1);
            return;
        }
        line += length + (line[length] == '\n');
    }
}

// The quota of one group in CPUs, INFINITY for none. False if the group has no such file.
static bool read_quota(const char *root, const Hierarchy *hierarchy, const char *group,
                       double *cpus)
{
    char path[2 * TEXT_BYTES];
    char text[TEXT_BYTES];
    char *end = NULL;
    (void)snprintf(path, sizeof path, "%s%s/%s", hierarchy->mount, group, hierarchy->quota);
    if (!sysroot_read(root, path, text, sizeof text))
        return false;
    const double quota = strtod(text, &end);
    if (hierarchy->period) {
        (void)snprintf(path, sizeof path, "%s%s/%s", hierarchy->mount, group, hierarchy->period);
        if (!sysroot_read(root, path, text, sizeof text))
            return false;
        end = text;
    }
    const double period = strtod(end, NULL);
    *cpus = quota > 0 && period > 0 ? quota / period : INFINITY;
    return true;
}

// The least quota of this process's group and those above it. Where no file is, as in a root group,
// there is no quota.
static double find_quota(const char *root, const Hierarchy *hierarchy)
{
    char group[TEXT_BYTES];
    double least = INFINITY;
    find_group(root, hierarchy->controller, group, sizeof group);
    for (;;) {
        double cpus = INFINITY;
        if (read_quota(root, hierarchy, strcmp(group, "/") == 0 ? "" : group, &cpus) &&
            cpus < least)
            least = cpus;
        char *slash = strrchr(group, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

static bool set_quota(json_t *facts, const char *root)
{
    static const char name[] = "cpu_quota_cpus";
    double least = INFINITY;
    if (!sysroot_exists(root, CGROUP_FOLDER))
        return fact_unknown(facts, name, "no cgroups visible");
    for (size_t i = 0; i < sizeof hierarchies / sizeof hierarchies[0]; i++)
        least = fmin(least, find_quota(root, &hierarchies[i]));
    return fact_set(facts, name, isfinite(least) ? json_real(least) : json_string("none"));
}

json_t *host_state_facts(const char *root)
{
    json_t *facts = json_object();
    if (facts && set_smt(facts, root) && set_huge_pages(facts, root) && set_swap(facts, root) &&
        set_load(facts, root) && set_steal(facts, root) && set_quota(facts, root))
        return facts;
    json_decref(facts);
    return NULL;
}
