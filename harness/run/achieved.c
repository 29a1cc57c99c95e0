// SPDX-License-Identifier: Apache-2.0
#include "run/achieved.h"

#include "machine/sysroot.h"
#include "run/page_facts.h"
#include "workload/thread_team.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool add_value(Sample *sample, const char *name, double value, const char *unit,
                      const char *missing)
{
    return sample_add_value(sample, name, value, unit, "os", isnan(value) ? missing : "");
}

static bool add_cpus(const WorkloadPlacement *placement, Sample *sample)
{
    int cpus[HYPERION_MAX_THREADS];
    const size_t threads = thread_team_cpus(placement->pool, cpus);
    for (size_t i = 0; i < threads; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "thread%zu.cpu", i);
        if (!add_value(sample, name, cpus[i] < 0 ? (double)NAN : cpus[i], "", "not told"))
            return false;
    }
    return true;
}

static bool add_nodes(const PageFacts *facts, Sample *sample)
{
    if (!facts->knows_nodes)
        return add_value(sample, "node0.bytes", NAN, "B", "the kernel does not tell nodes");
    for (int node = 0; node < MEMORY_MOST_NODES; node++) {
        char name[32];
        (void)snprintf(name, sizeof name, "node%d.bytes", node);
        if (facts->node_bytes[node] > 0 &&
            !add_value(sample, name, facts->node_bytes[node], "B", ""))
            return false;
    }
    return true;
}

static bool add_copies(const WorkloadPlacement *placement, Sample *sample)
{
    return placement->copies <= 1 ||
           (add_value(sample, "cold_copies", (double)placement->copies, "", "") &&
            add_value(sample, "cold_copy_bytes", (double)placement->copy_bytes, "B", ""));
}

// Transparent huge pages are the kernel's favour: a cell that got none is not what it says.
static bool check_pages(const Cell *cell, const PageFacts *facts, Problem *problem)
{
    const AxisValue *values = cell->values;
    if (!cell->workload->uses(values, AXIS_PAGES) ||
        strcmp(axis_word(AXIS_PAGES, values[AXIS_PAGES]), "thp") != 0 ||
        facts->anonymous_huge_bytes != 0)
        return true;
    char setting[128];
    (void)sysroot_read("", "/sys/kernel/mm/transparent_hugepage/enabled", setting, sizeof setting);
    return problem_set(problem,
                       "pages thp: no memory came to lie on huge pages; "
                       "transparent_hugepage/enabled: %s",
                       setting);
}

bool achieved_record(const Cell *cell, void *context, Sample *sample, Problem *problem)
{
    if (!cell->workload->placement)
        return true;
    const WorkloadPlacement placement = cell->workload->placement(context);
    static PageFacts facts; // too large for a stack of threads; one cell a process
    page_facts_read(placement.data, placement.data_bytes, NULL, &facts);
    if (!check_pages(cell, &facts, problem))
        return false;
    return (add_cpus(&placement, sample) && add_nodes(&facts, sample) &&
            add_value(sample, "anonymous_huge_bytes", facts.anonymous_huge_bytes, "B",
                      "/proc/self/smaps does not tell") &&
            add_value(sample, "hugetlb_bytes", facts.hugetlb_bytes, "B",
                      "/proc/self/smaps does not tell") &&
            add_copies(&placement, sample)) ||
           problem_set(problem, "placement: out of memory");
}
