// SPDX-License-Identifier: Apache-2.0
// describe.c - puts together what the other files of this folder know of the machine.
#include "machine/machine.h"

#include "counters/counters.h"
#include "machine/build_facts.h"
#include "machine/facts.h"
#include "machine/fingerprint.h"
#include "machine/host_facts.h"
#include "machine/simd_facts.h"
#include "machine/topology.h"

#include <stdlib.h>

static const char schema[] = "hyperion-machine-1";
static const char captured[] = "described from files, not on the machine itself";

// What the keys are made of, and all that files and hwloc tell.
static json_t *collect_facts(const char *root, const Topology *topology)
{
    json_t *facts = json_object();
    if (facts && fact_set(facts, "schema", json_string(schema)) &&
        fact_set(facts, "cpu", host_cpu_facts(root)) &&
        fact_set(facts, "topology", topology_counts(topology)) &&
        fact_set(facts, "caches", topology_caches(topology)) &&
        fact_set(facts, "simd", simd_facts(root)) &&
        fact_set(facts, "virtualisation", host_virtualisation(root)) &&
        fact_set(facts, "kernel", host_kernel_facts(root)) &&
        fact_set(facts, "build", build_facts()))
        return facts;
    json_decref(facts);
    return NULL;
}

static bool set_fingerprints(json_t *machine)
{
    char key[FINGERPRINT_BYTES];
    char digest[FINGERPRINT_BYTES];
    return fact_set(machine, "key_facts", fingerprint_key(machine, key)) &&
           fact_set(machine, "key", json_string(key)) &&
           fact_set(machine, "environment", fingerprint_environment(machine, digest)) &&
           fact_set(machine, "environment_digest", json_string(digest));
}

// Null with the reason for a captured machine and where nothing was measured yet.
static bool set_limits(json_t *machine, const char *root)
{
    Problem problem = {0};
    if (root[0])
        return fact_unknown(machine, "limits", "%s", captured);
    json_t *limits =
        limits_load(fact_text(machine, "key"), fact_text(machine, "environment_digest"), &problem);
    if (!limits)
        return fact_unknown(machine, "limits", "%s", problem.text);
    const bool ok = machine_set_limits(machine, limits);
    json_decref(limits);
    return ok;
}

static bool set_counters(json_t *machine, const char *root)
{
    return root[0] ? fact_unknown(machine, "counters", "%s", captured)
                   : fact_set(machine, "counters", counters_describe());
}

static json_t *describe(const char *root, char **topology_xml, Problem *problem)
{
    Topology *topology = topology_load(root, problem);
    if (!topology)
        return NULL;
    json_t *machine = collect_facts(root, topology);
    const bool ok = machine && set_fingerprints(machine) && set_counters(machine, root) &&
                    set_limits(machine, root);
    if (!ok)
        (void)problem_set(problem, "out of memory describing the machine");
    if (ok && topology_xml) {
        *topology_xml = topology->xml;
        topology->xml = NULL;
    }
    topology_free(topology);
    if (ok)
        return machine;
    json_decref(machine);
    return NULL;
}

json_t *machine_describe(char **topology_xml, Problem *problem)
{
    return describe("", topology_xml, problem);
}

json_t *machine_describe_captured(const char *sysroot, char **topology_xml, Problem *problem)
{
    return describe(sysroot, topology_xml, problem);
}

bool machine_set_limits(json_t *machine, json_t *limits)
{
    (void)json_object_del(machine, "limits_reason");
    return json_object_set(machine, "limits", limits) == 0;
}

static json_t *find_limits(const json_t *machine, LimitsScope scope, Problem *problem)
{
    Problem ignored = {0};
    const char *name = fact_text(machine, "key");
    const char *environment = fact_text(machine, "environment_digest");
    json_t *limits = scope == LIMITS_PEAKS ? limits_load(name, environment, &ignored) : NULL;
    if (limits)
        return limits;
    limits = limits_measure(scope, problem);
    // A folder that cannot be written costs the next run a second, no more.
    if (limits)
        (void)limits_store(name, environment, limits, &ignored);
    return limits;
}

json_t *machine_measure_limits(LimitsScope scope, Problem *problem)
{
    Topology *topology = topology_load("", problem);
    if (!topology)
        return NULL;
    json_t *machine = collect_facts("", topology);
    topology_free(topology);
    json_t *limits = NULL;
    if (machine && set_fingerprints(machine))
        limits = find_limits(machine, scope, problem);
    else
        (void)problem_set(problem, "out of memory describing the machine");
    json_decref(machine);
    return limits;
}
