// SPDX-License-Identifier: Apache-2.0
// test_interrupted_reads.c - reads that a signal interrupts or the system cuts short are finished.
#define _POSIX_C_SOURCE 200809L
#include "platform/platform.h"

#include "hyperion/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int call_count;
static int broken_call; // this call fails with EIO; 0 = none

ssize_t __real_pread(int descriptor, void *buffer, size_t size_bytes, off_t offset);
ssize_t __wrap_pread(int descriptor, void *buffer, size_t size_bytes, off_t offset);

// Every other call is interrupted, the rest give at most 3 bytes.
ssize_t __wrap_pread(int descriptor, void *buffer, size_t size_bytes, off_t offset)
{
    call_count++;
    if (call_count == broken_call || call_count % 2) {
        errno = call_count == broken_call ? EIO : EINTR;
        return -1;
    }
    return __real_pread(descriptor, buffer, size_bytes < 3 ? size_bytes : 3, offset);
}

static HypFile *open_digits(void)
{
    char path[] = "/tmp/hyperion-test-reads-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "0123456789", 10), 10);
    assert_int_equal(close(descriptor), 0);
    HypFile *file = hyp_platform_open(path);
    assert_non_null(file);
    assert_int_equal(unlink(path), 0);
    return file;
}

static void interrupted_and_short_reads_are_finished(void **state)
{
    (void)state;
    HypFile *file = open_digits();
    char bytes[11] = "";
    call_count = broken_call = 0;
    assert_true(hyp_platform_read(file, 0, bytes, 10));
    assert_string_equal(bytes, "0123456789");
    assert_int_equal(call_count, 8);
    hyp_platform_close(file);
}

static void device_error_is_reported_not_retried(void **state)
{
    (void)state;
    HypFile *file = open_digits();
    char bytes[10];
    call_count = 0;
    broken_call = 4;
    assert_false(hyp_platform_read(file, 0, bytes, 10));
    assert_int_equal(call_count, 4);
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
    assert_non_null(strstr(hyperionGetLastError(), strerror(EIO)));
    hyp_platform_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_and_short_reads_are_finished),
        cmocka_unit_test(device_error_is_reported_not_retried),
    };
    return cmocka_run_group_tests_name("interrupted_reads", tests, NULL, NULL);
}
