// SPDX-License-Identifier: Apache-2.0
// What a machine was measured to be able to do: from a curve to levels, from levels to working
// sets, and that the loops do the work they are named for.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hyperion/simd.h"
#include "machine/bandwidth.h"
#include "machine/chase.h"
#include "machine/peaks.h"

#include <math.h>
#include <string.h>

enum { KIB = 1 << 10, MIB = 1 << 20 };

static const HyperionCacheTopology three_levels = {
    .level_count = 3,
    .levels = {{48 * KIB, 64, 12, 2}, {1 * MIB, 64, 16, 2}, {32 * MIB, 64, 16, 16}}};

// Latencies of true LRU: 1 ns up to L1, 4 up to L2, 15 up to `last_bytes`, then 90.
static double lru_latency_ns(size_t array_bytes, size_t last_bytes)
{
    if (array_bytes <= 48 * KIB)
        return 1;
    if (array_bytes <= MIB)
        return 4;
    return array_bytes <= last_bytes ? 15 : 90;
}

static ChaseCurve make_curve(size_t last_bytes, size_t most_bytes)
{
    ChaseCurve curve = {.memory_bytes = most_bytes};
    for (size_t octave = 8 * KIB; octave <= most_bytes; octave *= 2)
        for (size_t i = 0; i < 8 && octave + octave / 8 * i <= most_bytes; i++) {
            const size_t bytes = octave + octave / 8 * i;
            const double ns = lru_latency_ns(bytes, last_bytes);
            curve.points[curve.count++] = (ChasePoint){bytes, ns, ns * 1.05, ns * 1.2};
        }
    return curve;
}

static ChasePoint *find_size(ChaseCurve *curve, size_t bytes)
{
    for (size_t i = 0; i < curve->count; i++)
        if (curve->points[i].array_bytes == bytes)
            return &curve->points[i];
    fail_msg("no point of %zu bytes", bytes);
    return NULL;
}

static void steps_of_the_curve_are_the_capacities(void **state)
{
    (void)state;
    ObservedLevel observed[HYPERION_MAX_CACHE_LEVELS + 1];
    const ChaseCurve curve = make_curve(12 * MIB, 64 * MIB);
    chase_find_levels(&curve, &three_levels, observed);
    assert_int_equal(observed[0].capacity_bytes, 48 * KIB);
    assert_int_equal(observed[1].capacity_bytes, 1 * MIB);
    // 32 MiB are advertised.
    assert_int_equal(observed[2].capacity_bytes, 12 * MIB);
    assert_int_equal(observed[3].capacity_bytes, 0);
    assert_true(observed[0].least_ns == 1 && observed[1].least_ns == 4);
    assert_true(observed[2].least_ns == 15 && observed[3].least_ns == 90);
    assert_true(observed[1].median_ns == 4 * 1.05 && observed[1].high_ns == 4 * 1.2);
}

static void one_slow_point_is_no_step(void **state)
{
    (void)state;
    ObservedLevel observed[HYPERION_MAX_CACHE_LEVELS + 1];
    ChaseCurve curve = make_curve(12 * MIB, 64 * MIB);
    find_size(&curve, 32 * KIB)->least_ns = 3;
    chase_find_levels(&curve, &three_levels, observed);
    assert_int_equal(observed[0].capacity_bytes, 48 * KIB);
    find_size(&curve, 36 * KIB)->least_ns = 3;
    chase_find_levels(&curve, &three_levels, observed);
    assert_int_equal(observed[0].capacity_bytes, 30 * KIB);
}

static void what_the_curve_does_not_show_is_unknown(void **state)
{
    (void)state;
    ObservedLevel observed[HYPERION_MAX_CACHE_LEVELS + 1];
    // A last level that is as slow as memory, and one whose size nobody tells.
    const ChaseCurve curve = make_curve(MIB, 64 * MIB);
    chase_find_levels(&curve, &three_levels, observed);
    assert_int_equal(observed[2].capacity_bytes, 0);
    assert_non_null(strstr(observed[2].reason, "no difference"));
    HyperionCacheTopology untold = three_levels;
    untold.levels[1].size_bytes = 0;
    chase_find_levels(&curve, &untold, observed);
    assert_true(isnan(observed[1].median_ns) && isnan(observed[2].median_ns));
    assert_non_null(strstr(observed[1].reason, "not known"));
    assert_true(observed[0].least_ns == 1);
    const ChaseCurve empty = {.count = 0};
    chase_find_levels(&empty, &three_levels, observed);
    assert_true(isnan(observed[0].median_ns) && observed[0].reason);
}

static void working_sets_fit_their_level_and_no_other(void **state)
{
    (void)state;
    BandwidthPlace places[BANDWIDTH_MOST_PLACES];
    const size_t capacities[] = {48 * KIB, 1 * MIB, 12 * MIB, 0};
    bandwidth_choose_places(&three_levels, capacities, 8, places);
    assert_int_equal(places[0].one_bytes, 24 * KIB);
    assert_int_equal(places[0].all_bytes, 24 * KIB);
    assert_int_equal(places[1].one_bytes, 512 * KIB);
    assert_int_equal(places[2].one_bytes, 6 * MIB);
    // Eight cores have 1.5 MiB of it each: three quarters of that are no 1.5 MiB.
    assert_int_equal(places[2].all_bytes, 0);
    assert_non_null(places[2].all_reason);
    assert_null(places[2].reason);
    assert_int_equal(places[3].one_bytes, 64 * MIB);
    assert_int_equal(places[3].all_bytes, 8 * MIB);
    // Nothing seen: what is advertised. Two threads share a level, not more.
    const size_t unseen[HYPERION_MAX_CACHE_LEVELS] = {0};
    bandwidth_choose_places(&three_levels, unseen, 2, places);
    assert_int_equal(places[2].one_bytes, 16 * MIB);
    assert_int_equal(places[2].all_bytes, 8 * MIB);
    assert_int_equal(places[3].one_bytes, 128 * MIB);
}

static bool is_here(const PeakLevel *level)
{
    return hyperionGetSIMDCapabilities().levels >> level->level & 1U;
}

static void passes_move_what_they_are_named_for(void **state)
{
    (void)state;
    static _Alignas(64) float a[4 * STREAM_STEP_FLOATS];
    static _Alignas(64) float b[3 * STREAM_STEP_FLOATS];
    static _Alignas(64) float c[3 * STREAM_STEP_FLOATS];
    const StreamArrays arrays = {a, b, c, 3 * STREAM_STEP_FLOATS};
    for (size_t level = 0; level < peak_level_count; level++) {
        if (!is_here(peak_levels[level]))
            continue;
        for (size_t i = 0; i < 4 * STREAM_STEP_FLOATS; i++)
            a[i] = -1;
        for (size_t i = 0; i < arrays.count; i++) {
            b[i] = (float)i;
            c[i] = 2 * (float)i;
        }
        peak_levels[level]->streams[STREAM_READ](&arrays, 2);
        for (size_t i = 0; i < arrays.count; i++)
            assert_true(a[i] == -1);
        peak_levels[level]->streams[STREAM_WRITE](&arrays, 2);
        for (size_t i = 0; i < arrays.count; i++)
            assert_true(a[i] == 0.5F);
        peak_levels[level]->streams[STREAM_COPY](&arrays, 1);
        for (size_t i = 0; i < arrays.count; i++)
            assert_true(a[i] == (float)i);
        peak_levels[level]->streams[STREAM_TRIAD](&arrays, 1);
        for (size_t i = 0; i < arrays.count; i++)
            assert_true(a[i] == 2 * (float)i);
        assert_true(a[arrays.count] == -1);
    }
}

static void peaks_are_positive_and_wider_vectors_are_no_slower(void **state)
{
    (void)state;
    Problem problem = {0};
    const char *level = NULL;
    json_t *peak = NULL;
    double narrower = 0;
    LimitTeam *team = limit_team_open(&problem);
    assert_non_null(team);
    json_t *limits = peaks_measure(team, &problem);
    assert_non_null(limits);
    json_t *peaks = json_object_get(limits, "peaks");
    assert_non_null(json_object_get(peaks, "scalar"));
    json_object_foreach(peaks, level, peak)
    {
        const double gflops = json_number_value(json_object_get(peak, "gflops"));
        assert_true(json_number_value(json_object_get(peak, "low")) <= gflops);
        assert_true(json_number_value(json_object_get(peak, "high")) >= gflops);
        // Half is no claim about timing: were a loop folded away, it would be off by thousands.
        assert_true(gflops > narrower / 2 && gflops > 0.05 && gflops < 2000);
        narrower = gflops;
    }
    const json_t *all = json_object_get(limits, "peaks_all");
    if (limit_team_threads(team) > 1)
        assert_int_equal(json_object_size(all), json_object_size(peaks));
    else
        assert_true(json_is_null(all) && json_object_get(limits, "peaks_all_reason"));
    json_decref(limits);
    limit_team_close(team);
}

static void bandwidth_is_told_for_every_pattern_or_with_a_reason(void **state)
{
    (void)state;
    Problem problem = {0};
    const BandwidthPlace places[] = {{.one_bytes = 16 * KIB, .all_bytes = 16 * KIB},
                                     {.reason = "too small", .all_reason = "smaller still"}};
    json_t *rows = json_pack("[{}, {}]");
    LimitTeam *team = limit_team_open(&problem);
    assert_non_null(team);
    assert_true(bandwidth_measure(team, places, rows, &problem));
    const json_t *rates = json_object_get(json_array_get(rows, 0), "bandwidth");
    for (size_t i = 0; i < STREAM_PATTERN_COUNT; i++) {
        const json_t *rate = json_object_get(rates, bandwidth_pattern_names[i]);
        const double gbytes = json_number_value(json_object_get(rate, "gbytes_per_s"));
        assert_true(gbytes > 0.01 && gbytes < 10000);
        assert_int_equal(json_integer_value(json_object_get(rate, "working_set_bytes")), 16 * KIB);
    }
    const json_t *second = json_array_get(rows, 1);
    assert_true(json_is_null(json_object_get(second, "bandwidth")));
    assert_string_equal(json_string_value(json_object_get(second, "bandwidth_reason")),
                        "too small");
    assert_true(json_is_null(json_object_get(second, "bandwidth_all")));
    json_decref(rows);
    limit_team_close(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_of_the_curve_are_the_capacities),
        cmocka_unit_test(one_slow_point_is_no_step),
        cmocka_unit_test(what_the_curve_does_not_show_is_unknown),
        cmocka_unit_test(working_sets_fit_their_level_and_no_other),
        cmocka_unit_test(passes_move_what_they_are_named_for),
        cmocka_unit_test(peaks_are_positive_and_wider_vectors_are_no_slower),
        cmocka_unit_test(bandwidth_is_told_for_every_pattern_or_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
