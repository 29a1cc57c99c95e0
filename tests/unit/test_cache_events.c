// SPDX-License-Identifier: Apache-2.0
// test_cache_events.c - names of counts of simulated caches, what they are of a simulation, and the
// caches that the axis geometry names.
#include "counters/simulated_events.h"
#include "machine/geometry.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void every_event_is_told_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; simulated_events.counts[i].name; i++)
        for (int cold = 0; cold < 2; cold++) {
            char name[CACHE_EVENT_NAME_BYTES];
            const CacheEvent event = {cold, simulated_events.counts[i].of_level ? 2 : 0, i};
            CacheEvent parsed = {0};
            cache_event_format(&simulated_events, &event, name);
            assert_true(cache_event_parse(&simulated_events, name, &parsed));
            assert_int_equal(parsed.cold, event.cold);
            assert_int_equal(parsed.level, event.level);
            assert_int_equal(parsed.count, event.count);
        }
}

static void other_names_are_none(void **state)
{
    (void)state;
    static const char *const names[] = {"sim",
                                        "sim.",
                                        "sim.L1",
                                        "sim.fills",
                                        "sim.L0.fills",
                                        "sim.L99.fills",
                                        "sim.L1.fill",
                                        "simL1.fills",
                                        "sim.L1.prefetches",
                                        "sim.warm.L1.fills",
                                        "PAPI_L1_DCM",
                                        ""};
    CacheEvent event;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (cache_event_parse(&simulated_events, names[i], &event))
            fail_msg("%s is taken for an event", names[i]);
}

static double value_of(const char *name, const SimulatedCounts *counts)
{
    CacheEvent event;
    assert_true(cache_event_parse(&simulated_events, name, &event));
    return simulated_event_value(&event, counts);
}

static void events_are_the_fields_of_the_statistics(void **state)
{
    (void)state;
    SimulatedCounts counts = {
        .caches = {.level_count = 2, .memory_write_bytes = 5, .prefetches = 6},
        .access_fills = {7, 8},
    };
    counts.caches.levels[0].misses = 1;
    counts.caches.levels[1].fills = 2;
    counts.caches.levels[1].busiest_fills = 3;
    assert_true(value_of("sim.L1.misses", &counts) == 1);
    assert_true(value_of("sim.cold.L2.fills", &counts) == 2);
    assert_true(value_of("sim.L2.busiest_fills", &counts) == 3);
    assert_true(value_of("sim.memory_write_bytes", &counts) == 5);
    assert_true(value_of("sim.prefetches", &counts) == 6);
    assert_true(value_of("sim.L2.access_fills", &counts) == 8);
    assert_true(isnan(value_of("sim.L3.fills", &counts)));
    assert_true(isnan(value_of("sim.L3.access_fills", &counts)));
}

static const HyperionCacheTopology here = {.level_count = 1, .levels = {{1024, 32, 4, 1}}};

static void levels_are_read_from_text(void **state)
{
    (void)state;
    HyperionCacheTopology chosen;
    Problem problem = {0};
    assert_true(geometry_choose("48KiB:12:64+1MiB:16:128:2", &here, &chosen, &problem));
    assert_int_equal(chosen.level_count, 2);
    assert_int_equal(chosen.levels[0].size_bytes, 48 << 10);
    assert_int_equal(chosen.levels[0].ways, 12);
    assert_int_equal(chosen.levels[0].line_bytes, 64);
    assert_int_equal(chosen.levels[0].sharing_cpus, 0);
    assert_int_equal(chosen.levels[1].size_bytes, 1 << 20);
    assert_int_equal(chosen.levels[1].line_bytes, 128);
    assert_int_equal(chosen.levels[1].sharing_cpus, 2);
    assert_true(geometry_choose(GEOMETRY_HERE, &here, &chosen, &problem));
    assert_memory_equal(&chosen, &here, sizeof here);
}

static void other_machines_are_read_from_their_topology(void **state)
{
    (void)state;
    static const char *const places[] = {
        HYPERION_SOURCE_DIR "/tests/machines/xeon_cascade_lake",
#if HYPERION_HAVE_HWLOC
        HYPERION_SOURCE_DIR "/tests/machines/xeon_cascade_lake/topology.xml",
#endif
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        HyperionCacheTopology chosen;
        Problem problem = {0};
        if (!geometry_choose(places[i], &here, &chosen, &problem)) {
#if HYPERION_HAVE_HWLOC
            fail_msg("%s", problem.text);
#endif
            continue;
        }
        assert_int_equal(chosen.levels[0].size_bytes, 32 << 10);
        assert_int_equal(chosen.levels[1].size_bytes, 1 << 20);
    }
}

static void what_is_no_geometry_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"48KiB",
                                        "48KiB:12",
                                        "48KiB:12:64:1:1",
                                        "48KiB:0:64",
                                        "0:12:64",
                                        "48XB:12:64",
                                        "1+2",
                                        "48KiB:x:64",
                                        "1:1:1+1:1:1+1:1:1+1:1:1+1:1:1+1:1:1+1:1:1+1:1:1+1:1:1",
                                        "no/such/machine.xml"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        HyperionCacheTopology chosen;
        Problem problem = {0};
        if (geometry_choose(texts[i], &here, &chosen, &problem))
            fail_msg("%s is taken for a geometry", texts[i]);
        assert_true(problem.text[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_is_told_by_its_name),
        cmocka_unit_test(other_names_are_none),
        cmocka_unit_test(events_are_the_fields_of_the_statistics),
        cmocka_unit_test(levels_are_read_from_text),
        cmocka_unit_test(other_machines_are_read_from_their_topology),
        cmocka_unit_test(what_is_no_geometry_is_refused),
    };
    return cmocka_run_group_tests_name("cache_events", tests, NULL, NULL);
}
