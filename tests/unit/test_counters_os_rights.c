// SPDX-License-Identifier: Apache-2.0
// Events of the kernel under kernels that refuse them or give what cannot be had, played by a
// stand-in for the system calls: the perf_call_* functions below come before the harness's at link
// time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counters/counters.h"
#include "counters/perf_call.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static int refusal;         // errno of every open; 0: the kernel gives what it is asked for
static bool short_of_right; // as for others than root at perf_event_paranoid 2
static int live;

enum { BLIND = 7, SEEING = 8 }; // descriptors

// A caller without rights gets events of user mode only: of what happens in the kernel that is an
// event which reads 0 for ever.
int perf_call_open(struct perf_event_attr *attributes, int leader)
{
    (void)leader;
    if (refusal || (short_of_right && !attributes->exclude_kernel)) {
        errno = refusal ? refusal : EACCES;
        return -1;
    }
    live++;
    return attributes->exclude_kernel ? BLIND : SEEING;
}

bool perf_call_control(int leader, unsigned long request)
{
    (void)leader;
    (void)request;
    return true;
}

bool perf_call_read(int descriptor, void *buffer, size_t bytes)
{
    static uint64_t migrations;
    migrations += descriptor == SEEING ? 3 : 0;
    memset(buffer, 0, bytes);
    memcpy(buffer, &migrations, bytes < sizeof migrations ? bytes : sizeof migrations);
    return true;
}

void perf_call_close(int descriptor)
{
    (void)descriptor;
    live--;
}

static int reset(void **state)
{
    (void)state;
    refusal = 0;
    short_of_right = false;
    return 0;
}

static int leave_nothing_open(void **state)
{
    (void)state;
    return live; // 0 is success
}

static void do_nothing(void *context)
{
    (void)context;
}

static CounterValue count_migrations(void)
{
    static const char *const names[] = {"cpu_migrations"};
    Problem problem = {0};
    CounterValue value;
    assert_true(counters_measure(names, 1, &(CounterWork){.work = do_nothing, .iterations = 1},
                                 &value, &problem));
    return value;
}

static void with_rights_it_is_counted(void **state)
{
    (void)state;
    const CounterValue value = count_migrations();
    assert_true(value.value == 3);
    assert_string_equal(value.provenance, "os");
}

static void without_rights_it_is_unavailable_and_not_zero(void **state)
{
    (void)state;
    short_of_right = true;
    const CounterValue value = count_migrations();
    assert_true(isnan(value.value));
    assert_string_equal(value.provenance, "unavailable");
    assert_int_equal(strncmp(value.reason, "perf_event_open: Permission denied", 34), 0);
}

static void a_kernel_without_perf_events_says_so(void **state)
{
    (void)state;
    refusal = ENOSYS;
    const CounterValue value = count_migrations();
    assert_true(isnan(value.value));
    assert_int_equal(strncmp(value.reason, "perf_event_open: Function not implemented", 41), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(with_rights_it_is_counted, reset),
        cmocka_unit_test_setup(without_rights_it_is_unavailable_and_not_zero, reset),
        cmocka_unit_test_setup(a_kernel_without_perf_events_says_so, reset),
    };
    return cmocka_run_group_tests(tests, NULL, leave_nothing_open);
}
