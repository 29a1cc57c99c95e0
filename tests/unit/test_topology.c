// SPDX-License-Identifier: Apache-2.0
// Machines we do not own, as hwloc exported them: tests/machines/<name>/topology.xml.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine/machine.h"
#include "machine/topology.h"

#include <stdlib.h>
#include <string.h>

#define MACHINES HYPERION_SOURCE_DIR "/tests/machines/"

static hwloc_topology_t load(const char *root)
{
    Problem problem = {0};
    hwloc_topology_t topology = topology_load(root, &problem);
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
    hwloc_topology_t xeon = load(MACHINES "xeon_cascade_lake");
    assert_json(topology_counts(xeon), "{\"packages\":2,\"numa_nodes\":2,\"cores\":4,\"cpus\":8,"
                                       "\"memory_bytes\":412316860416}");
    hwloc_topology_destroy(xeon);
}

static void caches_that_are_alike_are_one_row(void **state)
{
    (void)state;
    hwloc_topology_t epyc = load(MACHINES "epyc_rome_metal");
    json_t *caches = topology_caches(epyc);
    assert_int_equal(json_array_size(caches), 4);
    assert_json(json_incref(json_array_get(caches, 0)),
                "{\"level\":1,\"type\":\"data\",\"size_bytes\":32768,\"line_bytes\":64,\"ways\":8,"
                "\"sharing_cpus\":1,\"count\":4}");
    assert_json(json_incref(json_array_get(caches, 3)),
                "{\"level\":3,\"type\":\"unified\",\"size_bytes\":16777216,\"line_bytes\":64,"
                "\"ways\":16,\"sharing_cpus\":2,\"count\":2}");
    json_decref(caches);
    hwloc_topology_destroy(epyc);
}

static void library_gets_the_data_caches_of_one_cpu(void **state)
{
    (void)state;
    static const HyperionCacheLevel expected[] = {
        {32768, 64, 8, 2}, {1048576, 64, 16, 2}, {28835840, 64, 11, 4}};
    Problem problem = {0};
    HyperionCacheTopology caches;
    hwloc_topology_t xeon = load(MACHINES "xeon_cascade_lake");
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
    hwloc_topology_destroy(xeon);
}

static void machine_without_caches_says_so(void **state)
{
    (void)state;
    Problem problem = {0};
    HyperionCacheTopology caches;
    hwloc_topology_t arm = load(MACHINES "arm_vm_without_caches");
    assert_json(topology_caches(arm), "[]");
    assert_false(topology_of_cpu(arm, 0, &caches, &problem));
    assert_string_equal(problem.text, "hwloc knows no data cache of CPU 0");
    hwloc_topology_destroy(arm);
}

static void assert_workers(const char *machine, const char *allowed_cpus, size_t capacity,
                           const int *expected, size_t expected_count)
{
    int cpus[16];
    hwloc_topology_t topology = load(machine);
    hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
    assert_int_equal(hwloc_bitmap_list_sscanf(allowed, allowed_cpus), 0);
    assert_int_equal(topology_one_cpu_a_core(topology, allowed, cpus, capacity), expected_count);
    assert_memory_equal(cpus, expected, expected_count * sizeof cpus[0]);
    hwloc_bitmap_free(allowed);
    hwloc_topology_destroy(topology);
}

static void workers_get_one_thread_a_core_and_cpu_0_last(void **state)
{
    (void)state;
    static const char xeon[] = MACHINES "xeon_cascade_lake"; // siblings: 0+4 1+5 2+6 3+7
    assert_workers(xeon, "0-7", 16, (const int[]){1, 2, 3, 0}, 4);
    assert_workers(xeon, "4-7", 16, (const int[]){4, 5, 6, 7}, 4); // CPU 0 is not ours
    assert_workers(xeon, "1,5,0", 16, (const int[]){1, 0}, 2);
    assert_workers(xeon, "0-7", 2, (const int[]){1, 2}, 2);
    assert_workers(xeon, "0", 16, (const int[]){0}, 1);
}

static void a_captured_tree_without_xml_is_read_by_hwloc(void **state)
{
    (void)state;
    hwloc_topology_t captured = load(MACHINES "sys_tree_only");
    assert_json(topology_caches(captured),
                "[{\"level\":1,\"type\":\"data\",\"size_bytes\":49152,\"line_bytes\":64,"
                "\"ways\":12,\"sharing_cpus\":1,\"count\":2},"
                "{\"level\":2,\"type\":\"unified\",\"size_bytes\":2097152,\"line_bytes\":64,"
                "\"ways\":16,\"sharing_cpus\":2,\"count\":1}]");
    hwloc_topology_destroy(captured);
    assert_null(getenv("HWLOC_FSROOT")); // or this machine would be that one from now on
}

static void folder_without_a_machine_is_refused(void **state)
{
    (void)state;
    Problem none = {0};
    assert_null(topology_load(MACHINES "nowhere", &none));
    assert_non_null(strstr(none.text, "nowhere: holds neither topology.xml nor sys/"));
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
        cmocka_unit_test(workers_get_one_thread_a_core_and_cpu_0_last),
        cmocka_unit_test(a_captured_tree_without_xml_is_read_by_hwloc),
        cmocka_unit_test(folder_without_a_machine_is_refused),
        cmocka_unit_test(cache_topology_survives_json),
        cmocka_unit_test(malformed_cache_topologies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
