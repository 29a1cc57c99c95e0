// SPDX-License-Identifier: Apache-2.0
// test_sde_export.c - PAPI reads the library's predictions as software-defined events.
#include "hyperion/cache.h"
#include "hyperion/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void what_is_not_valid_is_refused(void **state)
{
    (void)state;
    const HyperionCacheStats invalid = {.valid = false};
    assert_false(hyperionPublishCacheStats(&invalid));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
}

#if defined(HYPERION_HAVE_SDE) && HYPERION_HAVE_SDE
#include <papi.h>

enum { EVENTS = 5 };

static HyperionCacheStats make_statistics(void)
{
    HyperionCacheStats stats = {
        .level_count = 2, .memory_read_bytes = 640, .memory_write_bytes = 64, .valid = true};
    stats.levels[0] = (HyperionCacheLevelStats){.accesses = 100, .misses = 20, .fills = 30};
    stats.levels[1] = (HyperionCacheLevelStats){.accesses = 30, .fills = 10, .write_backs = 1};
    return stats;
}

static void papi_reads_what_was_published(void **state)
{
    (void)state;
    static const char *const names[EVENTS] = {
        "sde:::hyperion::L1_FILLS", "sde:::hyperion::L2_WRITE_BACKS",
        "sde:::hyperion::MEMORY_READ_BYTES", "sde:::hyperion::CALLS",
        "sde:::hyperion::NO_SUCH_EVENT"};
    const HyperionCacheStats stats = make_statistics();
    long long before[EVENTS];
    long long after[EVENTS];
    int set = PAPI_NULL;
    assert_true(hyperionPublishCacheStats(NULL));
    assert_int_equal(PAPI_library_init(PAPI_VER_CURRENT), PAPI_VER_CURRENT);
    assert_int_equal(PAPI_create_eventset(&set), PAPI_OK);
    for (int i = 0; i < EVENTS; i++)
        assert_int_equal(PAPI_add_named_event(set, names[i]), PAPI_OK);
    assert_int_equal(PAPI_start(set), PAPI_OK);
    assert_int_equal(PAPI_read(set, before), PAPI_OK);
    for (int i = 0; i < 3; i++)
        assert_true(hyperionPublishCacheStats(&stats));
    assert_int_equal(PAPI_stop(set, after), PAPI_OK);
    assert_int_equal(after[0] - before[0], 90);
    assert_int_equal(after[1] - before[1], 3);
    assert_int_equal(after[2] - before[2], 1920);
    assert_int_equal(after[3] - before[3], 3);
    assert_int_equal(after[4], -1); // an unknown name adds and reads -1: never a count
    assert_int_equal(PAPI_cleanup_eventset(set), PAPI_OK);
    assert_int_equal(PAPI_destroy_eventset(&set), PAPI_OK);
}

static void a_start_does_not_reset_what_was_published(void **state)
{
    (void)state;
    const HyperionCacheStats stats = make_statistics();
    long long value = 0;
    int set = PAPI_NULL;
    assert_true(hyperionPublishCacheStats(&stats));
    assert_int_equal(PAPI_create_eventset(&set), PAPI_OK);
    assert_int_equal(PAPI_add_named_event(set, "sde:::hyperion::CALLS"), PAPI_OK);
    assert_int_equal(PAPI_start(set), PAPI_OK);
    assert_int_equal(PAPI_stop(set, &value), PAPI_OK);
    assert_true(value >= 1);
    (void)PAPI_cleanup_eventset(set);
    (void)PAPI_destroy_eventset(&set);
}
#else
static void papi_reads_what_was_published(void **state)
{
    (void)state;
    assert_false(hyperionPublishCacheStats(NULL));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_UNSUPPORTED);
    print_message("skipped: built without PAPI or its libsde\n");
    skip();
}

static void a_start_does_not_reset_what_was_published(void **state)
{
    (void)state;
    print_message("skipped: built without PAPI or its libsde\n");
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_valid_is_refused),
        cmocka_unit_test(papi_reads_what_was_published),
        cmocka_unit_test(a_start_does_not_reset_what_was_published),
    };
    return cmocka_run_group_tests_name("sde_export", tests, NULL, NULL);
}
