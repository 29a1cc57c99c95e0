// SPDX-License-Identifier: Apache-2.0
// test_journal_sync.c - a slow disk does not hold up the next worker, but no line is written before
// the one before it is on the disk, and a disk that fails is said. fdatasync is this file's.
#define _GNU_SOURCE
#include "common/clock.h"
#include "record/journal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

int __wrap_fdatasync(int descriptor);

static const unsigned sync_us = 100000;
static atomic_int syncs, sync_error;

int __wrap_fdatasync(int descriptor)
{
    (void)descriptor;
    (void)usleep(sync_us);
    atomic_fetch_add(&syncs, 1);
    errno = atomic_load(&sync_error);
    return errno ? -1 : 0;
}

static void append(Journal *journal)
{
    Problem problem = {0};
    Sample sample = sample_empty();
    sample.ok = true;
    if (!journal_append(journal, &sample, &problem))
        fail_msg("%s", problem.text);
}

static void open_journal(Journal *journal, int error)
{
    Problem problem = {0};
    atomic_store(&syncs, 0);
    atomic_store(&sync_error, error);
    if (!journal_open(journal, "journal.jsonl", &problem))
        fail_msg("%s", problem.text);
}

static void append_does_not_wait_for_its_own_sync_but_for_the_one_before(void **state)
{
    (void)state;
    static Journal journal;
    Problem problem = {0};
    open_journal(&journal, 0);
    const double start_ns = clock_monotonic_ns();
    append(&journal);
    assert_int_equal(atomic_load(&syncs), 0);
    append(&journal);
    assert_int_equal(atomic_load(&syncs), 1);
    assert_true(clock_monotonic_ns() - start_ns >= sync_us * 1e3);
    assert_true(journal_flush(&journal, &problem));
    assert_int_equal(atomic_load(&syncs), 2);
    append(&journal);
    journal_close(&journal); // syncs what is left
    assert_int_equal(atomic_load(&syncs), 3);
}

static void failed_sync_is_said_by_what_comes_next(void **state)
{
    (void)state;
    static Journal journal;
    Problem problem = {0};
    Sample sample = sample_empty();
    open_journal(&journal, EIO);
    append(&journal);
    assert_false(journal_append(&journal, &sample, &problem));
    assert_non_null(strstr(problem.text, "journal.jsonl: Input/output error"));
    problem.text[0] = '\0';
    assert_false(journal_flush(&journal, &problem));
    assert_non_null(strstr(problem.text, "journal.jsonl: sync: Input/output error"));
    journal_close(&journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            append_does_not_wait_for_its_own_sync_but_for_the_one_before, fixture_enter,
            fixture_leave),
        cmocka_unit_test_setup_teardown(failed_sync_is_said_by_what_comes_next, fixture_enter,
                                        fixture_leave),
    };
    return cmocka_run_group_tests_name("journal_sync", tests, NULL, NULL);
}
