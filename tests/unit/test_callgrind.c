// SPDX-License-Identifier: Apache-2.0
// test_callgrind.c - what callgrind is told to simulate and how its file is read; nothing is run.
#define _GNU_SOURCE
#include "run/callgrind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const HyperionCacheTopology topology = {
    3, {{49152, 64, 12, 1}, {1048576, 64, 16, 1}, {33554432, 64, 16, 2}}};

// As callgrind 3.19 writes it.
static const char whole[] = "# callgrind format\n"
                            "version: 1\n"
                            "creator: callgrind-3.19.0\n"
                            "pid: 20325\n"
                            "cmd:  /proc/self/fd/5 emulated\n"
                            "part: 1\n"
                            "\n"
                            "\n"
                            "desc: I1 cache: 32768 B, 64 B, 8-way associative\n"
                            "desc: D1 cache: 49152 B, 64 B, 12-way associative\n"
                            "desc: LL cache: 33554432 B, 64 B, 16-way associative\n"
                            "\n"
                            "desc: Timerange: Basic block 0 - 707411\n"
                            "desc: Trigger: Program termination\n"
                            "\n"
                            "positions: line\n"
                            "events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw\n"
                            "summary: 53476 13119 8407 235 110 55 220 46 48\n"
                            "\n"
                            "fn=(2332) 0x0000000000003de0\n"
                            "0 36 4 8\n"
                            "\n"
                            "totals: 53476 13119 8407 235 110 55 220 46 48\n";

static SimulatedCaches choose_caches(void)
{
    Problem problem = {0};
    SimulatedCaches caches;
    if (!callgrind_choose_caches(&topology, &caches, &problem))
        fail_msg("%s", problem.text);
    return caches;
}

static void first_and_last_level_are_simulated(void **state)
{
    (void)state;
    const SimulatedCaches caches = choose_caches();
    char text[48];
    assert_int_equal(caches.first.level, 1);
    assert_int_equal(caches.last.level, 3);
    callgrind_format_cache(&caches.first, text, sizeof text);
    assert_string_equal(text, "49152,12,64");
    callgrind_format_cache(&caches.last, text, sizeof text);
    assert_string_equal(text, "33554432,16,64");
}

static void sets_are_rounded_down_to_a_power_of_two(void **state)
{
    (void)state;
    static const struct {
        HyperionCacheLevel known;
        size_t simulated_bytes;
    } cases[] = {
        // 24.75 MiB in 11 ways, as on Cascade Lake: 36864 sets become 32768.
        {{25952256, 64, 11, 2}, (size_t)32768 * 11 * 64},
        {{262144, 64, 8, 2}, 262144},
        {{64, 64, 1, 1}, 64},
        {{127, 64, 1, 1}, 64},
        {{192, 64, 1, 1}, 128},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const HyperionCacheTopology other = {2, {{32768, 64, 8, 1}, cases[i].known}};
        SimulatedCaches caches;
        Problem problem = {0};
        assert_true(callgrind_choose_caches(&other, &caches, &problem));
        assert_int_equal(caches.last.size_bytes, cases[i].simulated_bytes);
        assert_int_equal(caches.last.ways, cases[i].known.ways);
    }
}

static void caches_that_are_not_known_are_refused(void **state)
{
    (void)state;
    static const struct {
        HyperionCacheTopology topology;
        const char *words;
    } cases[] = {
        {{0, {{0}}}, "two cache levels, the topology has 0"},
        {{1, {{32768, 64, 8, 1}}}, "two cache levels, the topology has 1"},
        {{2, {{32768, 64, 0, 1}, {262144, 64, 8, 1}}}, "the L1 cache: expected ways"},
        {{2, {{32768, 64, 8, 1}, {262144, 64, -1, 1}}}, "given -1 ways and 64 bytes"},
        {{2, {{32768, 0, 8, 1}, {262144, 64, 8, 1}}}, "given 8 ways and 0 bytes"},
        {{2, {{32768, 96, 8, 1}, {262144, 64, 8, 1}}}, "given 8 ways and 96 bytes"},
        {{2, {{511, 64, 8, 1}, {262144, 64, 8, 1}}}, "511 bytes are less than one set"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SimulatedCaches caches;
        Problem problem = {0};
        assert_false(callgrind_choose_caches(&cases[i].topology, &caches, &problem));
        if (!strstr(problem.text, cases[i].words))
            fail_msg("'%s' says nothing of '%s'", problem.text, cases[i].words);
    }
}

static void counts_are_read_by_their_events(void **state)
{
    (void)state;
    const SimulatedCaches caches = choose_caches();
    CallgrindReport report;
    Problem problem = {0};
    if (!callgrind_read(whole, &caches, &report, &problem))
        fail_msg("%s", problem.text);
    assert_string_equal(report.creator, "callgrind-3.19.0");
    assert_true(report.instructions == 53476);
    assert_true(report.data_reads == 13119 && report.data_writes == 8407);
    assert_true(report.first_read_misses == 110 && report.first_write_misses == 55);
    assert_true(report.last_read_misses == 46 && report.last_write_misses == 48);
}

static void without_caches_instructions_are_enough(void **state)
{
    (void)state;
    static const char text[] = "version: 1\ncreator: callgrind-3.19.0\nevents: Ir\ntotals: 7\n";
    CallgrindReport report;
    Problem problem = {0};
    assert_true(callgrind_read(text, NULL, &report, &problem));
    assert_true(report.instructions == 7);
    assert_true(report.first_read_misses == 0);
    // But not where caches were to be simulated.
    const SimulatedCaches caches = choose_caches();
    assert_false(callgrind_read(text, &caches, &report, &problem));
}

// The good file with one text replaced by another; the caller frees.
static char *replace(const char *old, const char *new)
{
    const char *at = strstr(whole, old);
    char *changed = NULL;
    assert_non_null(at);
    assert_true(asprintf(&changed, "%.*s%s%s", (int)(at - whole), whole, new, at + strlen(old)) >
                0);
    return changed;
}

// Each: what is replaced, by what, and words of the refusal.
static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"version: 1\n", "version: 2\n", "format version 1, given '2'"},
        {"version: 1\n", "", "no line 'version: '"},
        {"creator: ", "author: ", "no line 'creator: '"},
        {"totals: 53476 13119 8407 235 110 55 220 46 48\n", "", "no line 'totals: '"},
        {"totals: 53476 13119 8407 235 110 55 220 46 48\n", "totals: 53476 13119",
         "not the whole of it"},
        {"\ntotals: ", "\ntotals: 1\ntotals: ", "more than one line 'totals: '"},
        {"totals: 53476", "totals: -53476", "'-53476' is no count"},
        {"totals: 53476", "totals: 53476x", "'53476x' is no count"},
        {"totals: 53476", "totals: 53476.5", "is no count"},
        {"totals: 53476", "totals: 9007199254740993", "is no count"},
        {"totals: 53476", "totals: 99999999999999999999999", "is no count"},
        {"46 48\n\nfn", "46 48\n\nevents: Ir\nfn", "more than one line 'events: '"},
        {"totals: 53476", "totals: 1 53476", "more counts than events"},
        {" DLmw\n", "\n", "more counts than events"},
        {" Dw ", " Dx ", "no event Dw"},
        {"totals: 53476", "totals: 0", "counted nothing"},
        {"D1 cache: 49152", "D1 cache: 32768", "expected 49152 B, 64 B, 12-way associative"},
        {"64 B, 16-way", "64 B, 8-way", "desc: LL cache:"},
        {"desc: D1 cache: 49152 B, 64 B, 12-way associative\n", "", "no line 'desc: D1 cache:'"},
    };
    const SimulatedCaches caches = choose_caches();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *changed = replace(cases[i][0], cases[i][1]);
        CallgrindReport report;
        Problem problem = {0};
        if (callgrind_read(changed, &caches, &report, &problem))
            fail_msg("'%s' for '%s' was accepted", cases[i][1], cases[i][0]);
        if (!strstr(problem.text, cases[i][2]))
            fail_msg("'%s' for '%s': '%s' says nothing of '%s'", cases[i][1], cases[i][0],
                     problem.text, cases[i][2]);
        free(changed);
    }
}

// The format allows it: "zeros at the end may be left out".
static void counts_left_out_at_the_end_are_zero(void **state)
{
    (void)state;
    char *changed = replace("totals: 53476 13119 8407 235 110 55 220 46 48\n", "totals: 53476 2\n");
    const SimulatedCaches caches = choose_caches();
    CallgrindReport report;
    Problem problem = {0};
    if (!callgrind_read(changed, &caches, &report, &problem))
        fail_msg("%s", problem.text);
    assert_true(report.instructions == 53476 && report.data_reads == 2);
    assert_true(report.data_writes == 0 && report.last_write_misses == 0);
    free(changed);
}

// Every prefix is refused in bounds, but for those that end after the totals.
static void torn_file_is_refused(void **state)
{
    (void)state;
    const SimulatedCaches caches = choose_caches();
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        char *torn = strndup(whole, length);
        CallgrindReport report;
        Problem problem = {0};
        assert_non_null(torn);
        assert_false(callgrind_read(torn, &caches, &report, &problem));
        free(torn);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_and_last_level_are_simulated),
        cmocka_unit_test(sets_are_rounded_down_to_a_power_of_two),
        cmocka_unit_test(caches_that_are_not_known_are_refused),
        cmocka_unit_test(counts_are_read_by_their_events),
        cmocka_unit_test(without_caches_instructions_are_enough),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(counts_left_out_at_the_end_are_zero),
        cmocka_unit_test(torn_file_is_refused),
    };
    return cmocka_run_group_tests_name("callgrind", tests, NULL, NULL);
}
