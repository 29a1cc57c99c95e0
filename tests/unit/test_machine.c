// SPDX-License-Identifier: Apache-2.0
// The description of a machine as a whole: what its keys depend on, what people see, measured
// limits.
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine/facts.h"
#include "machine/machine.h"
#include "machine/machine_limits.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MACHINES HYPERION_SOURCE_DIR "/tests/machines/"

enum { FILE_BYTES = 1 << 16 };

static char scratch[PATH_MAX / 2]; // a folder of this process

static void read_text(const char *path, char *text)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, FILE_BYTES - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
}

// Copies a file of the captured Xeon into the scratch machine, every `from` replaced by `to`.
static void copy_edited(const char *name, const char *from, const char *to)
{
    static char text[FILE_BYTES];
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, MACHINES "xeon_cascade_lake/%s", name);
    read_text(path, text);
    (void)snprintf(path, sizeof path, "%s/%s", scratch, name);
    (void)unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    size_t replaced = 0;
    const char *rest = text;
    for (const char *hit; (hit = strstr(rest, from)) != NULL; rest = hit + strlen(from)) {
        (void)fprintf(file, "%.*s%s", (int)(hit - rest), rest, to);
        replaced++;
    }
    (void)fputs(rest, file);
    assert_int_equal(fclose(file), 0);
    assert_true(replaced > 0);
}

static json_t *describe(const char *root)
{
    Problem problem = {0};
    if (!HYPERION_HAVE_HWLOC) {
        print_message("skipped: built without hwloc, which reads topology.xml\n");
        skip();
    }
    json_t *machine = machine_describe_captured(root, NULL, &problem);
    if (!machine)
        fail_msg("%s", problem.text);
    return machine;
}

static void link_into_scratch(const char *name)
{
    char target[PATH_MAX];
    char path[PATH_MAX];
    (void)snprintf(target, sizeof target, MACHINES "xeon_cascade_lake/%s", name);
    (void)snprintf(path, sizeof path, "%s/%s", scratch, name);
    (void)unlink(path);
    assert_int_equal(symlink(target, path), 0);
}

// The Xeon once more, in the scratch folder, with one edit.
static json_t *describe_edited(const char *name, const char *from, const char *to)
{
    link_into_scratch("sys");
    link_into_scratch("etc");
    link_into_scratch("proc/sys");
    link_into_scratch("proc/cpuinfo");
    link_into_scratch("topology.xml");
    copy_edited(name, from, to);
    return describe(scratch);
}

// Whether machine key and environment digest change with the edit.
static void assert_change(const char *name, const char *from, const char *to, bool key, bool digest)
{
    json_t *before = describe(MACHINES "xeon_cascade_lake");
    json_t *after = describe_edited(name, from, to);
    assert_true(key == (strcmp(fact_text(before, "key"), fact_text(after, "key")) != 0));
    assert_true(digest == (strcmp(fact_text(before, "environment_digest"),
                                  fact_text(after, "environment_digest")) != 0));
    json_decref(before);
    json_decref(after);
}

static void host_name_and_memory_are_not_the_machine(void **state)
{
    (void)state;
    assert_change("topology.xml", "rack1-node7", "elsewhere", false, false);
    assert_change("topology.xml", "local_memory=\"206158430208\"", "local_memory=\"1073741824\"",
                  false, false);
}

static void microcode_changes_the_environment_alone(void **state)
{
    (void)state;
    assert_change("proc/cpuinfo", "0x5003604", "0x5003605", false, true);
}

static void cpu_and_caches_are_the_machine(void **state)
{
    (void)state;
    assert_change("proc/cpuinfo", "stepping\t: 7", "stepping\t: 6", true, false);
    assert_change("proc/cpuinfo", "flags\t\t:", "flags\t\t: hypervisor", true, false);
    assert_change("topology.xml", "cache_associativity=\"16\"", "cache_associativity=\"8\"", true,
                  false);
    assert_change("topology.xml", "cache_size=\"28835840\"", "cache_size=\"14417920\"", true,
                  false);
}

static void keys_of_different_machines_differ(void **state)
{
    (void)state;
    static const char *const roots[] = {MACHINES "xeon_cascade_lake", MACHINES "epyc_rome_metal",
                                        MACHINES "arm_vm_without_caches", MACHINES "zen5_vm"};
    char keys[4][32];
    for (size_t i = 0; i < 4; i++) {
        json_t *machine = describe(roots[i]);
        (void)snprintf(keys[i], sizeof keys[i], "%s", fact_text(machine, "key"));
        assert_int_equal(strlen(keys[i]), 16);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(keys[i], keys[j]);
        json_decref(machine);
    }
}

// A key that changed would orphan every baseline: change it knowingly.
static void keys_stay_what_they_were(void **state)
{
    (void)state;
    json_t *machine = describe(MACHINES "zen5_vm");
    assert_string_equal(fact_text(machine, "key"), "c354f4cd9805ce66");
    json_decref(machine);
}

static void assert_no_null_without_reason(const json_t *facts)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)facts, name, value)
    {
        if (json_is_null(value) && !fact_reason(facts, name)[0])
            fail_msg("%s is null without a reason", name);
        // What goes into a hash is repeated there; its reason stands where it was found.
        if (json_is_object(value) && strcmp(name, "environment") != 0 &&
            strcmp(name, "key_facts") != 0)
            assert_no_null_without_reason(value);
    }
}

static void unknown_facts_have_reasons(void **state)
{
    (void)state;
    json_t *captured = describe(MACHINES "arm_vm_without_caches");
    assert_no_null_without_reason(captured);
    assert_string_equal(fact_reason(captured, "counters"),
                        "described from files, not on the machine itself");
    json_decref(captured);
}

static void this_machine_is_described_with_its_topology(void **state)
{
    (void)state;
    Problem problem = {0};
    char *xml = NULL;
    TopologyCpu cpus[256];
    HyperionCacheTopology caches;
    json_t *machine = machine_describe(&xml, &problem);
    assert_non_null(machine);
    if (HYPERION_HAVE_HWLOC)
        assert_non_null(strstr(xml, "<topology"));
    else
        assert_null(xml);
    free(xml);
    assert_no_null_without_reason(machine);
    assert_true(json_is_object(json_object_get(machine, "counters")));
    assert_true(json_is_string(json_object_get(json_object_get(machine, "build"), "compiler")));
    const size_t count = machine_worker_cpus(cpus, sizeof cpus / sizeof cpus[0]);
    assert_true(count >= 1 && (count == 1 || cpus[0].cpu != 0));
    for (size_t i = 0; i < count; i++)
        assert_true(cpus[i].cpu >= 0);
    json_decref(machine);
    if (!machine_cache_topology(&caches, &problem)) {
        print_message("skipped the caches: %s\n", problem.text);
        return;
    }
    assert_true(caches.level_count >= 1 && caches.levels[0].size_bytes > 0);
}

static void cached_limits_come_back_for_the_same_key_and_environment_only(void **state)
{
    (void)state;
    Problem problem = {0};
    Problem other = {0};
    json_t *limits = json_pack("{s:{s:{s:f, s:f, s:f}}}", "peaks", "scalar", "gflops", 10.5, "low",
                               9.5, "high", 11.5);
    assert_true(limits_store("key", "day", limits, &problem));
    json_t *read = limits_load("key", "day", &problem);
    assert_true(json_equal(read, limits));
    json_decref(read);
    assert_null(limits_load("key", "night", &other));
    assert_non_null(strstr(other.text, "hyperion machine --measure"));
    json_decref(limits);
}

#define SOUND_PEAKS                                                                                \
    "{\"schema\": \"hyperion-limits-1\", \"limits\": {\"peaks\": "                                 \
    "{\"a\": {\"gflops\": 2, \"low\": 1, \"high\": 3}}, "

static void damaged_limit_files_are_not_believed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "{\"schema\": \"hyperion-limits-0\", \"limits\": {\"peaks\": {\"scalar\": {}}}}",
        "{\"schema\": \"hyperion-limits-1\"}",
        "{\"schema\": \"hyperion-limits-1\", \"limits\": {\"peaks\": {}}}",
        "{\"schema\": \"hyperion-limits-1\", \"limits\": {\"peaks\": {\"a\": {\"gflops\": 1}}}}",
        "{\"schema\":\"hyperion-limits-1\",\"limits\":{\"peaks\":"
        "{\"a\":{\"gflops\":1,\"low\":2,\"high\":3}}}}",
        SOUND_PEAKS "\"memory\": [{}]}}",
        SOUND_PEAKS "\"memory\": [{\"name\": \"L1\"}]}}",
        SOUND_PEAKS
        "\"memory\": [{\"name\":\"L1\",\"latency_ns\":1,\"bandwidth\":{\"read\":{}}}]}}",
        SOUND_PEAKS "\"memory\": [{\"name\":\"L1\",\"latency_ns\":1,\"bandwidth_all\":"
                    "{\"read\":{\"gbytes_per_s\":2,\"low\":2,\"high\":1}}}]}}",
    };
    char path[PATH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/hyperion/limits-bad-day.json", scratch);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        Problem problem = {0};
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        (void)fputs(bad[i], file);
        assert_int_equal(fclose(file), 0);
        assert_null(limits_load("bad", "day", &problem));
        assert_non_null(strstr(problem.text, "limits-bad-day.json"));
    }
}

static void without_a_cache_folder_nothing_is_kept(void **state)
{
    (void)state;
    Problem problem = {0};
    json_t *limits = json_object();
    assert_int_equal(setenv("XDG_CACHE_HOME", "/proc/no/such", 1), 0);
    assert_false(limits_store("key", "day", limits, &problem));
    assert_non_null(strstr(problem.text, "/proc/no"));
    assert_int_equal(setenv("XDG_CACHE_HOME", scratch, 1), 0);
    json_decref(limits);
}

// Standard output of machine_print, from a file.
static void print_to_text(const json_t *machine, char *text)
{
    char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/screen", scratch);
    (void)fflush(stdout);
    const int terminal = dup(STDOUT_FILENO);
    assert_non_null(freopen(path, "w", stdout));
    machine_print(machine);
    (void)fflush(stdout);
    assert_true(dup2(terminal, STDOUT_FILENO) >= 0);
    (void)close(terminal);
    read_text(path, text);
}

static void people_see_units_and_reasons_within_the_screen(void **state)
{
    (void)state;
    static char text[FILE_BYTES];
    static const char *const expected[] = {
        "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz\n",
        "hardware         physical, Dell Inc. PowerEdge R640\n",
        "4 cores, 8 CPUs, 2 packages, 2 NUMA nodes, 384 GiB of memory\n",
        "L3              27.5 MiB      64 B       11      2   shared by 4 CPUs\n",
        "governor         mixed: performance, powersave\n",
        "CPU quota        unknown (no cgroup quota visible)\n",
    };
    json_t *machine = describe(MACHINES "xeon_cascade_lake");
    print_to_text(machine, text);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        if (!strstr(text, expected[i]))
            fail_msg("not on the screen: %s", expected[i]);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        assert_true(strlen(line) <= 110);
    json_decref(machine);
}

static int make_scratch(void **state)
{
    (void)state;
    char path[PATH_MAX + 16];
    (void)snprintf(scratch, sizeof scratch, "%s/test_machine.XXXXXX", HYPERION_BINARY_DIR);
    if (!mkdtemp(scratch))
        return -1;
    (void)snprintf(path, sizeof path, "%s/proc", scratch);
    return mkdir(path, 0755) != 0 || setenv("XDG_CACHE_HOME", scratch, 1) != 0;
}

static int remove_scratch(void **state)
{
    static const char *const names[] = {"sys",
                                        "etc",
                                        "proc/sys",
                                        "proc/cpuinfo",
                                        "proc",
                                        "topology.xml",
                                        "screen",
                                        "hyperion/limits-key-day.json",
                                        "hyperion/limits-bad-day.json",
                                        "hyperion",
                                        ""};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX + 64];
        (void)snprintf(path, sizeof path, "%s/%s", scratch, names[i]);
        (void)remove(path);
    }
    return access(scratch, F_OK) == 0; // true: something was left behind
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_name_and_memory_are_not_the_machine),
        cmocka_unit_test(microcode_changes_the_environment_alone),
        cmocka_unit_test(cpu_and_caches_are_the_machine),
        cmocka_unit_test(keys_of_different_machines_differ),
        cmocka_unit_test(keys_stay_what_they_were),
        cmocka_unit_test(unknown_facts_have_reasons),
        cmocka_unit_test(this_machine_is_described_with_its_topology),
        cmocka_unit_test(cached_limits_come_back_for_the_same_key_and_environment_only),
        cmocka_unit_test(damaged_limit_files_are_not_believed),
        cmocka_unit_test(without_a_cache_folder_nothing_is_kept),
        cmocka_unit_test(people_see_units_and_reasons_within_the_screen),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
