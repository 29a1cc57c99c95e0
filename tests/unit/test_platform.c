// SPDX-License-Identifier: Apache-2.0
// test_platform.c - memory and files: refusals, ends of files, changes under the reader.
#define _POSIX_C_SOURCE 200809L
#include "platform/platform.h"

#include "hyperion/error.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/hyperion-test-platform-XXXXXX";

static int write_file(void **state)
{
    (void)state;
    FILE *file = fopen(path, "wb");
    if (!file || fwrite("0123456789", 1, 10, file) != 10 || fclose(file) != 0)
        return -1;
    return 0;
}

static void memory_is_aligned_and_never_null_for_zero_bytes(void **state)
{
    (void)state;
    for (size_t alignment = 64; alignment <= 4096; alignment *= 2) {
        void *memory = hyp_platform_allocate(0, alignment);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % alignment, 0);
        hyp_platform_release(memory);
    }
    hyp_platform_release(NULL);
}

static void too_much_memory_fails_with_a_message(void **state)
{
    (void)state;
    assert_null(hyp_platform_allocate(SIZE_MAX, 64));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
    assert_null(hyp_platform_allocate(SIZE_MAX / 4, 64));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
}

static void read_returns_exactly_what_is_there(void **state)
{
    (void)state;
    HypFile *file = hyp_platform_open(path);
    assert_non_null(file);
    assert_int_equal(hyp_platform_file_bytes(file), 10);
    char bytes[4] = "";
    assert_true(hyp_platform_read(file, 3, bytes, 3));
    assert_string_equal(bytes, "345");
    assert_true(hyp_platform_read(file, 10, bytes, 0));
    hyp_platform_close(file);
}

static void read_past_the_end_says_what_was_found(void **state)
{
    (void)state;
    HypFile *file = hyp_platform_open(path);
    assert_non_null(file);
    char bytes[8];
    assert_false(hyp_platform_read(file, 7, bytes, 8));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
    assert_non_null(strstr(hyperionGetLastError(), "expected 8 bytes at 7"));
    assert_non_null(strstr(hyperionGetLastError(), "ends after 3"));
    assert_false(hyp_platform_read(file, UINT64_MAX - 1, bytes, 8));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
    hyp_platform_close(file);
}

static void only_regular_files_are_opened(void **state)
{
    (void)state;
    char pipe_path[sizeof path + 5];
    (void)snprintf(pipe_path, sizeof pipe_path, "%s.pipe", path);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    const char *const refused[] = {"/tmp", "/dev/null", pipe_path, "/tmp/no/such/file", ""};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_null(hyp_platform_open(refused[i]));
        assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
        assert_non_null(strstr(hyperionGetLastError(), refused[i]));
    }
    (void)unlink(pipe_path);
    hyp_platform_close(NULL);
}

static void change_of_size_or_time_is_noticed(void **state)
{
    (void)state;
    HypFile *file = hyp_platform_open(path);
    assert_non_null(file);
    assert_true(hyp_platform_file_unchanged(file));
    assert_int_equal(truncate(path, 9), 0);
    assert_false(hyp_platform_file_unchanged(file));
    assert_non_null(strstr(hyperionGetLastError(), "expected 10 bytes, found 9"));
    hyp_platform_close(file);

    file = hyp_platform_open(path);
    assert_non_null(file);
    const struct timespec earlier[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, path, earlier, 0), 0);
    assert_false(hyp_platform_file_unchanged(file));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
    hyp_platform_close(file);
}

// Be it as large as huge pages or not, a multiple of theirs or not.
static void mapped_memory_can_become_larger_and_smaller(void **state)
{
    (void)state;
    static const size_t sizes_bytes[] = {4096, HYP_HUGE_PAGE_BYTES + 4096,
                                         2 * HYP_HUGE_PAGE_BYTES + 8192, 3 * HYP_HUGE_PAGE_BYTES};
    enum { COUNT = sizeof sizes_bytes / sizeof *sizes_bytes };
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++) {
            char *memory = hyp_platform_map(sizes_bytes[i]);
            assert_non_null(memory);
            memory = hyp_platform_remap(memory, sizes_bytes[i], sizes_bytes[j]);
            if (!memory)
                fail_msg("%zu to %zu bytes: %s", sizes_bytes[i], sizes_bytes[j],
                         hyperionGetLastError());
            memory[sizes_bytes[j] - 1] = 1;
            hyp_platform_unmap(memory, sizes_bytes[j]);
        }
}

static void unknown_cache_levels_are_zero_not_negative(void **state)
{
    (void)state;
    for (int level = 1; level <= 4; level++) {
        const HypPlatformCache cache = hyp_platform_cache(level);
        assert_true(cache.line_bytes >= 0 && cache.ways >= 0);
    }
}

int main(void)
{
    const int descriptor = mkstemp(path);
    if (descriptor < 0)
        return 1;
    (void)close(descriptor);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_and_never_null_for_zero_bytes),
        cmocka_unit_test(too_much_memory_fails_with_a_message),
        cmocka_unit_test_setup(read_returns_exactly_what_is_there, write_file),
        cmocka_unit_test_setup(read_past_the_end_says_what_was_found, write_file),
        cmocka_unit_test(only_regular_files_are_opened),
        cmocka_unit_test_setup(change_of_size_or_time_is_noticed, write_file),
        cmocka_unit_test(mapped_memory_can_become_larger_and_smaller),
        cmocka_unit_test(unknown_cache_levels_are_zero_not_negative),
    };
    const int failed = cmocka_run_group_tests_name("platform", tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
