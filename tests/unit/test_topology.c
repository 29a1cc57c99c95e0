// SPDX-License-Identifier: Apache-2.0
// Machines we do not own, as hwloc exported them: tests/machines/<name>/topology.xml.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine/machine.h"
#include "machine/topology_sources.h"

#include <stdlib.h>
#include <string.h>

#define MACHINES HYPERION_SOURCE_DIR "/tests/machines/"

static void need_hwloc(void)
{
    if (HYPERION_HAVE_HWLOC)
        return;
    print_message("skipped: built without hwloc, which reads topology.xml\n");
    skip();
}

static Topology *load(const char *root)
{
    need_hwloc();
    Problem problem = {0};
    Topology *topology = topology_load(root, &problem);
    if (!topology)
        fail_msg("%s", problem.text);
    return topology;
}

static void assert_json(json_t *json, const char *expected)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(text, expected);
    free(text);
    json_decref(json);
}

static void topology_counts_what_hwloc_saw(void **state)
{
    (void)state;
    Topology *xeon = load(MACHINES "xeon_cascade_lake");
    assert_json(
        topology_counts(xeon),
        "{\"source\":\"hwloc\",\"xml\":true,\"packages\":2,\"numa_nodes\":2,\"cores\":4,\"cpus\":8,"
        "\"memory_bytes\":412316860416}");
    topology_free(xeon);
}

static void caches_that_are_alike_are_one_row(void **state)
{
    (void)state;
    Topology *epyc = load(MACHINES "epyc_rome_metal");
    json_t *caches = topology_caches(epyc);
    assert_int_equal(json_array_size(caches), 4);
    assert_json(json_incref(json_array_get(caches, 0)),
                "{\"level\":1,\"type\":\"data\",\"size_bytes\":32768,\"line_bytes\":64,\"ways\":8,"
                "\"sharing_cpus\":1,\"count\":4}");
    assert_json(json_incref(json_array_get(caches, 3)),
                "{\"level\":3,\"type\":\"unified\",\"size_bytes\":16777216,\"line_bytes\":64,"
                "\"ways\":16,\"sharing_cpus\":2,\"count\":2}");
    json_decref(caches);
    topology_free(epyc);
}

static void library_gets_the_data_caches_of_one_cpu(void **state)
{
    (void)state;
    static const HyperionCacheLevel expected[] = {
        {32768, 64, 8, 2}, {1048576, 64, 16, 2}, {28835840, 64, 11, 4}};
    Problem problem = {0};
    HyperionCacheTopology caches;
    Topology *xeon = load(MACHINES "xeon_cascade_lake");
    assert_true(topology_of_cpu(xeon, 7, &caches, &problem));
    assert_int_equal(caches.level_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(caches.levels[i].size_bytes, expected[i].size_bytes);
        assert_int_equal(caches.levels[i].line_bytes, expected[i].line_bytes);
        assert_int_equal(caches.levels[i].ways, expected[i].ways);
        assert_int_equal(caches.levels[i].sharing_cpus, expected[i].sharing_cpus);
    }
    assert_false(topology_of_cpu(xeon, 8, &caches, &problem));
    assert_string_equal(problem.text, "hwloc does not know CPU 8");
    topology_free(xeon);
}

static void machine_without_caches_says_so(void **state)
{
    (void)state;
    Problem problem = {0};
    HyperionCacheTopology caches;
    Topology *arm = load(MACHINES "arm_vm_without_caches");
    assert_json(topology_caches(arm), "[]");
    assert_false(topology_of_cpu(arm, 0, &caches, &problem));
    assert_string_equal(problem.text, "hwloc knows no data cache of CPU 0");
    topology_free(arm);
}

static void assert_workers(const char *machine, const char *allowed_cpus, size_t capacity,
                           const int *expected, size_t expected_count)
{
    TopologyCpu cpus[16];
    int allowed[16];
    Topology *topology = load(machine);
    const size_t count = cpu_list_read(allowed_cpus, allowed, 16);
    assert_int_equal(topology_worker_cpus(topology, allowed, count, cpus, capacity),
                     expected_count);
    for (size_t i = 0; i < expected_count; i++)
        assert_int_equal(cpus[i].cpu, expected[i]);
    topology_free(topology);
}

static void workers_get_cores_before_siblings_and_that_of_cpu_0_last(void **state)
{
    (void)state;
    static const char xeon[] = MACHINES "xeon_cascade_lake"; // siblings: 0+4 1+5 2+6 3+7
    assert_workers(xeon, "0-7", 16, (const int[]){1, 2, 3, 0, 5, 6, 7, 4}, 8);
    assert_workers(xeon, "4-7", 16, (const int[]){5, 6, 7, 4}, 4); // CPU 4 shares CPU 0's core
    assert_workers(xeon, "1,5,0", 16, (const int[]){1, 0, 5}, 3);
    assert_workers(xeon, "0-7", 2, (const int[]){1, 2}, 2);
    assert_workers(xeon, "0", 16, (const int[]){0}, 1);
}

static Topology *load_files(const char *root)
{
    Problem problem = {0};
    Topology *topology = calloc(1, sizeof *topology);
    assert_non_null(topology);
    if (!topology_fill_from_files(topology, root, &problem))
        fail_msg("%s", problem.text);
    return topology;
}

static const char sys_tree_caches[] =
    "[{\"level\":1,\"type\":\"data\",\"size_bytes\":49152,\"line_bytes\":64,"
    "\"ways\":12,\"sharing_cpus\":1,\"count\":2},"
    "{\"level\":2,\"type\":\"unified\",\"size_bytes\":2097152,\"line_bytes\":64,"
    "\"ways\":16,\"sharing_cpus\":2,\"count\":1}]";

static void a_captured_tree_without_xml_is_read_by_hwloc(void **state)
{
    (void)state;
    Topology *captured = load(MACHINES "sys_tree_only");
    assert_json(topology_caches(captured), sys_tree_caches);
    topology_free(captured);
    assert_null(getenv("HWLOC_FSROOT")); // or this machine would be that one from now on
}

static void without_hwloc_a_captured_tree_tells_the_same(void **state)
{
    (void)state;
    Topology *files = load_files(MACHINES "sys_tree_only");
    assert_json(topology_caches(files), sys_tree_caches);
    assert_json(topology_counts(files),
                "{\"source\":\"/sys\",\"xml\":null,\"xml_reason\":\"built without hwloc: no "
                "topology.xml\",\"packages\":1,\"numa_nodes\":1,\"cores\":2,\"cpus\":2,"
                "\"memory_bytes\":8192000000}");
    assert_int_equal(files->cpus[1].cpu, 1);
    assert_int_equal(files->cpus[1].core, 1);
    assert_int_equal(files->cpus[1].package, 0);
    topology_free(files);
}

// Else a build without hwloc would file this machine's baselines under another key.
static void both_sources_agree_on_this_machine(void **state)
{
    (void)state;
    Problem problem = {0};
    HyperionCacheTopology caches[2];
    Topology *files = load_files("");
    Topology *machine = load("");
    assert_int_equal(files->cpu_count, machine->cpu_count);
    assert_int_equal(files->cores, machine->cores);
    assert_int_equal(files->packages, machine->packages);
    assert_int_equal(files->numa_nodes, machine->numa_nodes);
    for (size_t i = 0; i < machine->cpu_count; i++) {
        const int cpu = machine->cpus[i].cpu;
        if (!topology_of_cpu(machine, cpu, &caches[0], &problem))
            continue;
        assert_true(topology_of_cpu(files, cpu, &caches[1], &problem));
        assert_int_equal(caches[0].level_count, caches[1].level_count);
        for (int level = 0; level < caches[0].level_count; level++)
            assert_int_equal(caches[0].levels[level].size_bytes,
                             caches[1].levels[level].size_bytes);
    }
    topology_free(machine);
    topology_free(files);
}

static void lists_of_cpus_are_numbers_and_ranges(void **state)
{
    (void)state;
    int cpus[8] = {0};
    assert_int_equal(cpu_list_read("0-2,8,10-11", cpus, 8), 6);
    assert_memory_equal(cpus, ((const int[]){0, 1, 2, 8, 10, 11}), 6 * sizeof cpus[0]);
    assert_int_equal(cpu_list_read("0-63", cpus, 2), 64);
    assert_int_equal(cpu_list_read("", cpus, 8), 0);
    assert_int_equal(cpu_list_read("3,x", cpus, 8), 1);
    assert_int_equal(cpu_list_read("5-3", cpus, 8), 0);
}

static void folder_without_a_machine_is_refused(void **state)
{
    (void)state;
    Problem none = {0};
    assert_null(topology_load(MACHINES "nowhere", &none));
    assert_non_null(strstr(none.text, "nowhere: holds n"));
    Problem torn = {0};
    assert_null(topology_load(MACHINES "torn_xml", &torn));
    assert_non_null(strstr(torn.text, "torn_xml"));
}

static void cache_topology_survives_json(void **state)
{
    (void)state;
    const HyperionCacheTopology topology = {
        .level_count = 3, .levels = {{49152, 64, 12, 1}, {1048576, 64, -1, 2}, {1 << 25, 0, 0, 0}}};
    Problem problem = {0};
    HyperionCacheTopology read = {0};
    json_t *json = machine_topology_to_json(&topology);
    assert_true(json_is_null(json_object_get(json_array_get(json, 2), "ways"))); // unknown
    assert_true(machine_topology_from_json(json, &read, &problem));
    assert_memory_equal(&read, &topology, sizeof read);
    json_decref(json);
}

static void malformed_cache_topologies_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}",
        "[1]",
        "[{}]",
        "[{\"size_bytes\":-1,\"line_bytes\":64,\"ways\":8,\"sharing_cpus\":1}]",
        "[{\"size_bytes\":32768,\"line_bytes\":64.5,\"ways\":8,\"sharing_cpus\":1}]",
        "[{\"size_bytes\":32768,\"line_bytes\":64,\"ways\":-2,\"sharing_cpus\":1}]",
        "[{},{},{},{},{}]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        Problem problem = {0};
        HyperionCacheTopology read = {.level_count = 77};
        json_t *json = json_loads(bad[i], 0, NULL);
        assert_false(machine_topology_from_json(json, &read, &problem));
        assert_int_equal(read.level_count, 77);
        assert_non_null(strstr(problem.text, "expected"));
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topology_counts_what_hwloc_saw),
        cmocka_unit_test(caches_that_are_alike_are_one_row),
        cmocka_unit_test(library_gets_the_data_caches_of_one_cpu),
        cmocka_unit_test(machine_without_caches_says_so),
        cmocka_unit_test(workers_get_cores_before_siblings_and_that_of_cpu_0_last),
        cmocka_unit_test(a_captured_tree_without_xml_is_read_by_hwloc),
        cmocka_unit_test(without_hwloc_a_captured_tree_tells_the_same),
        cmocka_unit_test(both_sources_agree_on_this_machine),
        cmocka_unit_test(lists_of_cpus_are_numbers_and_ranges),
        cmocka_unit_test(folder_without_a_machine_is_refused),
        cmocka_unit_test(cache_topology_survives_json),
        cmocka_unit_test(malformed_cache_topologies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
