// SPDX-License-Identifier: Apache-2.0
// test_placement.c - CPUs for threads on machines that are made up, memory and pages on this one:
// what can be had is read back, what cannot says why.
#define _GNU_SOURCE
#include "run/achieved.h"
#include "run/memory_policy.h"
#include "run/page_facts.h"
#include "run/placement.h"
#include "scenario/plan.h"

#include "hyperion/parallel.h"

#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// Two nodes of two cores of two hardware threads, as machine_worker_cpus orders them: CPU 0's core
// last, siblings (4 to 7) after all cores.
static const TopologyCpu two_nodes[] = {
    {1, 1, 0, 0}, {2, 2, 1, 1}, {3, 3, 1, 1}, {0, 0, 0, 0},
    {5, 1, 0, 0}, {6, 2, 1, 1}, {7, 3, 1, 1}, {4, 0, 0, 0},
};
// This machine as it may be: cores without siblings on one node.
static const TopologyCpu plain[] = {{1, 1, 0, 0}, {0, 0, 0, 0}};

static void bind(AxisValue *values, AxisId axis, const char *text)
{
    Problem problem = {0};
    if (!axis_parse(axis, text, &values[axis], &problem))
        fail_msg("%s", problem.text);
}

// "1 5 2" of the CPUs chosen, or the reason why not.
static const char *choose(const TopologyCpu *usable, size_t count, const char *binding,
                          const char *smt, const char *threads)
{
    static char text[2048];
    static int cpus[HYPERION_MAX_THREADS];
    AxisValue values[AXIS_COUNT] = {{0}};
    Problem problem = {0};
    size_t chosen = 0;
    bind(values, AXIS_BINDING, binding);
    bind(values, AXIS_SMT, smt);
    bind(values, AXIS_THREADS, threads);
    text[0] = '\0';
    if (!placement_choose(usable, count, values, cpus, &chosen, &problem))
        (void)snprintf(text, sizeof text, "%s", problem.text);
    for (size_t i = 0; i < chosen; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d", i ? " " : "",
                       cpus[i]);
    return text;
}

static void threads_are_placed_as_the_binding_says(void **state)
{
    (void)state;
    static const char *const cases[][4] = {
        // binding, smt, threads, CPUs
        {"core", "false", "1", "1"},          {"core", "false", "4", "1 2 3 0"},
        {"core", "true", "6", "1 2 3 0 5 6"}, {"smt", "true", "2", "1 5"},
        {"smt", "true", "4", "1 5 2 6"},      {"scatter", "false", "2", "1 2"},
        {"scatter", "false", "4", "1 2 3 0"}, {"scatter", "true", "8", "1 2 3 0 5 6 7 4"},
        {"numa:1", "false", "2", "2 3"},      {"numa:0", "true", "4", "1 0 5 4"},
        {"none", "false", "4", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *given = choose(two_nodes, 8, cases[i][0], cases[i][1], cases[i][2]);
        if (strcmp(given, cases[i][3]) != 0)
            fail_msg("binding %s, smt %s, threads %s: expected '%s', given '%s'", cases[i][0],
                     cases[i][1], cases[i][2], cases[i][3], given);
    }
}

// Nodes in turn also where the order of preference has all of one node first.
static void scatter_takes_nodes_in_turn(void **state)
{
    (void)state;
    static const TopologyCpu grouped[] = {{1, 1, 0, 0}, {2, 2, 0, 0}, {3, 3, 0, 0},
                                          {4, 4, 1, 1}, {5, 5, 1, 1}, {0, 0, 0, 0}};
    assert_string_equal(choose(grouped, 6, "scatter", "false", "4"), "1 4 2 5");
    assert_string_equal(choose(grouped, 6, "core", "false", "4"), "1 2 3 4");
}

static void what_cannot_be_had_says_why(void **state)
{
    (void)state;
    static const char *const cases[][4] = {
        {"core", "false", "3", "threads 3: binding core, smt false leaves 2 CPUs"},
        {"core", "true", "2", "no core that this process may use has sibling"},
        {"smt", "true", "2", "no core that this process may use has sibling"},
        {"numa:1", "false", "1", "no CPU of such a node; there are those of 0"},
        {"numa:0", "false", "3", "leaves 2 CPUs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *given = choose(plain, 2, cases[i][0], cases[i][1], cases[i][2]);
        if (!strstr(given, cases[i][3]))
            fail_msg("binding %s: expected '%s' in '%s'", cases[i][0], cases[i][3], given);
    }
}

static void cpus_of_unknown_cores_are_cores(void **state)
{
    (void)state;
    static const TopologyCpu unknown[] = {{1, -1, -1, -1}, {2, -1, -1, -1}};
    assert_string_equal(choose(unknown, 2, "core", "false", "2"), "1 2");
    assert_string_equal(choose(NULL, 0, "core", "false", "2"), "");
}

static void words_with_a_number_are_read_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {"numa",      "numa:",   "numa:-1", "numa:x",
                                      "numa:1024", "numa:1 ", "core:1"};
    AxisValue value = {0};
    char text[64];
    Problem problem = {0};
    assert_true(axis_parse(AXIS_BINDING, "numa:17", &value, &problem));
    assert_string_equal(axis_word(AXIS_BINDING, value), "numa:");
    assert_int_equal(axis_word_parameter(value), 17);
    axis_format(AXIS_BINDING, value, text, sizeof text);
    assert_string_equal(text, "numa:17");
    json_t *json = axis_to_json(AXIS_BINDING, value);
    AxisValue again = {0};
    assert_true(axis_from_json(AXIS_BINDING, json, &again, &problem));
    assert_true(axis_equal(AXIS_BINDING, value, again));
    json_decref(json);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Problem reason = {0};
        assert_false(axis_parse(AXIS_BINDING, bad[i], &value, &reason));
        assert_non_null(strstr(reason.text, "numa:N"));
    }
}

typedef struct Opened {
    json_t *json;
    Cell cell;
    void *context;
    Problem problem;
} Opened;

static const WorkloadMachine machine = {
    .topology = {.level_count = 2, .levels = {{32 << 10, 64, 8, 1}, {1 << 20, 64, 16, 1}}},
    .seed = 7,
    .keeps_cold = true,
};

static Opened open_cell(const char *workload, const char *axes)
{
    Opened opened = {
        .json = json_pack("{s:s, s:o}", "workload", workload, "axes", json_loads(axes, 0, NULL))};
    assert_non_null(opened.json);
    if (cell_from_json(opened.json, &opened.cell, &opened.problem))
        opened.context = opened.cell.workload->open(&opened.cell, &machine, &opened.problem);
    return opened;
}

static void close_cell(Opened *opened)
{
    if (opened->context)
        opened->cell.workload->close(opened->context);
    cell_clear(&opened->cell);
    json_decref(opened->json);
}

static void expect_refusal(const char *axes, const char *words)
{
    Opened opened = open_cell("kernel", axes);
    assert_null(opened.context);
    if (!strstr(opened.problem.text, words))
        fail_msg("%s: expected '%s' in '%s'", axes, words, opened.problem.text);
    close_cell(&opened);
}

static void contradictions_are_refused_at_planning(void **state)
{
    (void)state;
    expect_refusal("{\"op\": \"binary\", \"size\": 1, \"binding\": \"smt\", \"threads\": 2}",
                   "smt must be true");
    expect_refusal("{\"op\": \"binary\", \"size\": 1, \"binding\": \"smt\", \"smt\": true}",
                   "at least 2");
    expect_refusal("{\"op\": \"binary\", \"size\": 1, \"binding\": \"none\", \"smt\": true}",
                   "smt must be false");
    expect_refusal("{\"op\": \"binary\", \"size\": 1, \"cache_state\": \"weights-cold\"}",
                   "op binary has no weights");
}

// What an open cell tells of itself, after a run.
static Sample read_achieved(Opened *opened)
{
    Sample sample = sample_empty();
    if (!opened->context)
        fail_msg("%s", opened->problem.text);
    opened->cell.workload->run(opened->context);
    if (!achieved_record(&opened->cell, opened->context, &sample, &opened->problem))
        fail_msg("%s", opened->problem.text);
    return sample;
}

static void placement_of_a_cell_is_read_back(void **state)
{
    (void)state;
    Opened opened = open_cell("kernel", "{\"op\": \"binary\", \"size\": 300000}");
    Sample sample = read_achieved(&opened);
    assert_true(sample_value(&sample, "thread0.cpu") >= 0);
    assert_string_equal(sample_find_value(&sample, "thread0.cpu")->provenance, "os");
    assert_null(sample_find_value(&sample, "thread1.cpu"));
    double bytes = 0;
    bool known = true;
    for (size_t i = 0; i < sample.value_count; i++)
        if (strncmp(sample.values[i].name, "node", 4) == 0) {
            bytes += sample.values[i].value;
            known = strcmp(sample.values[i].provenance, "os") == 0;
        }
    // Three arrays, touched to the last page.
    if (known)
        assert_true(bytes >= 3 * 1.2e6);
    else
        print_message("skipped the nodes: the kernel does not tell\n");
    assert_null(sample_find_value(&sample, "cold_copies"));
    sample_clear(&sample);
    close_cell(&opened);
}

static void small_pages_are_small_and_huge_ones_are_huge(void **state)
{
    (void)state;
    Opened small = open_cell("kernel", "{\"op\": \"binary\", \"size\": 1000000}");
    Sample sample = read_achieved(&small);
    const double none = sample_value(&sample, "anonymous_huge_bytes");
    assert_true(isnan(none) || none == 0);
    sample_clear(&sample);
    close_cell(&small);
    Opened huge =
        open_cell("kernel", "{\"op\": \"binary\", \"size\": 1000000, \"pages\": \"thp\"}");
    if (!huge.context) {
        assert_non_null(strstr(huge.problem.text, "pages thp"));
        print_message("skipped: %s\n", huge.problem.text);
        close_cell(&huge);
        skip();
    }
    sample = sample_empty();
    huge.cell.workload->run(huge.context);
    if (achieved_record(&huge.cell, huge.context, &sample, &huge.problem)) {
        const double bytes = sample_value(&sample, "anonymous_huge_bytes");
        assert_true(isnan(bytes) || (bytes > 0 && fmod(bytes, 2 << 20) == 0));
    } else {
        // Fragmented memory: the cell fails rather than pass small pages off as huge.
        assert_non_null(strstr(huge.problem.text, "no memory came"));
    }
    sample_clear(&sample);
    close_cell(&huge);
}

// Two mebibytes of weights and more, so that some huge page can be filled.
static void models_have_the_pages_they_ask_for(void **state)
{
    (void)state;
    Opened opened =
        open_cell("model", "{\"model\": \"builtin:mlp:hidden=1024\", \"cache_state\": \"warm\"}");
    Sample sample = read_achieved(&opened);
    const double none = sample_value(&sample, "anonymous_huge_bytes");
    assert_true(isnan(none) || none == 0);
    sample_clear(&sample);
    close_cell(&opened);
    opened = open_cell("model", "{\"model\": \"builtin:mlp:hidden=1024\", \"cache_state\": "
                                "\"warm\", \"pages\": \"thp\"}");
    if (!opened.context) {
        assert_non_null(strstr(opened.problem.text, "pages thp"));
        print_message("skipped: %s\n", opened.problem.text);
        close_cell(&opened);
        skip();
    }
    sample = sample_empty();
    if (achieved_record(&opened.cell, opened.context, &sample, &opened.problem)) {
        const double bytes = sample_value(&sample, "anonymous_huge_bytes");
        assert_true(isnan(bytes) || bytes > 0);
    } else {
        assert_non_null(strstr(opened.problem.text, "no memory came"));
    }
    sample_clear(&sample);
    close_cell(&opened);
    opened = open_cell("model", "{\"model\": \"builtin:mlp\", \"pages\": \"hugetlb\"}");
    assert_null(opened.context);
    assert_non_null(strstr(opened.problem.text, "the library's own"));
    close_cell(&opened);
}

static void reserved_pages_are_got_or_the_lack_is_told(void **state)
{
    (void)state;
    Opened opened =
        open_cell("kernel", "{\"op\": \"binary\", \"size\": 1000000, \"pages\": \"hugetlb\"}");
    if (opened.context) {
        Sample sample = read_achieved(&opened);
        assert_true(sample_value(&sample, "hugetlb_bytes") >= 12e6);
        sample_clear(&sample);
    } else {
        assert_non_null(strstr(opened.problem.text, "6 pages of 2 MiB wanted, "));
    }
    close_cell(&opened);
}

// In a process of its own: a policy cannot be asked back for what was inherited. 0: applied.
static int apply_policy(const char *policy, const char *words)
{
    const pid_t child = fork();
    if (child == 0) {
        AxisValue values[AXIS_COUNT] = {{0}};
        Problem problem = {0};
        if (!axis_parse(AXIS_MEM_POLICY, policy, &values[AXIS_MEM_POLICY], &problem))
            _exit(3);
        if (memory_policy_apply(values, &problem))
            _exit(0);
        _exit(strstr(problem.text, words) ? 1 : 2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void memory_policies_apply_or_name_the_nodes(void **state)
{
    (void)state;
    assert_int_equal(apply_policy("local", ""), 0);
    if (apply_policy("bind:0", "does not tell") == 1) {
        print_message("skipped: this kernel tells no NUMA nodes\n");
        skip();
    }
    assert_int_equal(apply_policy("bind:1023", "may use no such NUMA node; there are 0"), 1);
    const int interleaved = apply_policy("interleave", "may use one NUMA node alone, 0");
    if (access("/sys/devices/system/node/node1", F_OK) != 0)
        assert_int_equal(interleaved, 1);
}

static void pages_are_told_by_node(void **state)
{
    (void)state;
    static double node_bytes[MEMORY_MOST_NODES];
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = aligned_alloc(page_bytes, 8 * page_bytes);
    assert_non_null(memory);
    memset(memory, 1, 8 * page_bytes);
    if (!memory_policy_count(memory, 8 * page_bytes, node_bytes)) {
        print_message("skipped: move_pages is not permitted\n");
        free(memory);
        skip();
    }
    double sum = 0;
    for (size_t i = 0; i < MEMORY_MOST_NODES; i++)
        sum += node_bytes[i];
    assert_true(sum == 8 * (double)page_bytes);
    free(memory);
}

static void pages_are_read_of_the_range_or_of_all_anonymous_memory(void **state)
{
    (void)state;
    static const char smaps[] =
        "00400000-00500000 r-xp 00000000 08:01 42   /usr/bin/worker\n"
        "AnonHugePages:         0 kB\nPrivate_Hugetlb:       0 kB\n"
        "10000000-10400000 rw-p 00000000 00:00 0    [heap]\n"
        "AnonHugePages:      2048 kB\nPrivate_Hugetlb:       0 kB\n"
        "20000000-20800000 rw-p 00000000 00:0f 99   /anon_hugepage (deleted)\n"
        "AnonHugePages:         0 kB\nPrivate_Hugetlb:    8192 kB\n"
        "30000000-30200000 rw-p 00000000 00:00 0 \n"
        "AnonHugePages:      2048 kB\nPrivate_Hugetlb:       0 kB\n";
    static PageFacts facts;
    page_facts_read(NULL, 0, smaps, &facts);
    assert_true(facts.anonymous_huge_bytes == 2 * 2048 * 1024.0);
    assert_true(facts.hugetlb_bytes == 0);
    page_facts_read((const void *)(uintptr_t)0x20000000, 0x800000, smaps, &facts);
    assert_true(facts.anonymous_huge_bytes == 0);
    assert_true(facts.hugetlb_bytes == 8192 * 1024.0);
    page_facts_read((const void *)(uintptr_t)0x40000000, 0x1000, smaps, &facts);
    assert_true(isnan(facts.anonymous_huge_bytes) && isnan(facts.hugetlb_bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_placed_as_the_binding_says),
        cmocka_unit_test(scatter_takes_nodes_in_turn),
        cmocka_unit_test(what_cannot_be_had_says_why),
        cmocka_unit_test(cpus_of_unknown_cores_are_cores),
        cmocka_unit_test(words_with_a_number_are_read_strictly),
        cmocka_unit_test(contradictions_are_refused_at_planning),
        cmocka_unit_test(placement_of_a_cell_is_read_back),
        cmocka_unit_test(small_pages_are_small_and_huge_ones_are_huge),
        cmocka_unit_test(models_have_the_pages_they_ask_for),
        cmocka_unit_test(reserved_pages_are_got_or_the_lack_is_told),
        cmocka_unit_test(memory_policies_apply_or_name_the_nodes),
        cmocka_unit_test(pages_are_told_by_node),
        cmocka_unit_test(pages_are_read_of_the_range_or_of_all_anonymous_memory),
    };
    return cmocka_run_group_tests_name("placement", tests, NULL, NULL);
}
