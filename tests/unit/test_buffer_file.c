// SPDX-License-Identifier: Apache-2.0
// test_buffer_file.c - CSV instances of the offset problem: columns in any order, and what is
// refused.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "solve/buffer_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static bool read_text(const char *text, BufferFile *file, Problem *problem)
{
    (void)snprintf(path, sizeof path, "/tmp/hyperion-buffers-XXXXXX");
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    assert_int_equal(close(descriptor), 0);
    const bool read = buffer_file_read(file, path, problem);
    assert_int_equal(unlink(path), 0);
    return read;
}

static void columns_come_in_any_order(void **state)
{
    (void)state;
    BufferFile file;
    Problem problem = {0};
    assert_true(read_text("size, upper,id,alignment,lower\r\n\n 30,9,b1,64,-3\r\n7,2,b2,0,2\n",
                          &file, &problem));
    assert_int_equal(file.count, 2);
    assert_string_equal(file.ids[0], "b1");
    assert_int_equal(file.buffers[0].lower, -3);
    assert_int_equal(file.buffers[0].upper, 9);
    assert_int_equal(file.buffers[0].size_bytes, 30);
    assert_int_equal(file.buffers[0].alignment, 64);
    assert_int_equal(file.buffers[1].alignment, 0);
    buffer_file_clear(&file);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "empty"},
        {"id,lower,upper\n", ":1: column 'size' is missing"},
        {"id,lower,upper,sise\n", "did you mean 'size'?"},
        {"id,lower,upper,size,id\n", ":1: a second column 'id'"},
        {"id,lower,upper,size\na,1,2\n", ":2: 3 fields, expected 4"},
        {"id,lower,upper,size\na,1,2,3,4\n", ":2: more than the 4 fields"},
        {"id,lower,upper,size\n\na,1,2,3x\n", ":3: size: expected a whole number, given '3x'"},
        {"id,lower,upper,size\na,1,2,-3\n", ":2: size and alignment are not negative"},
        {"id,lower,upper,size\na,3,2,3\n", ":2: lower is 3, after upper, 2"},
        {"id,lower,upper,size\na,1,2,3\na,1,2,3\n", "id 'a' is there twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BufferFile file;
        Problem problem = {0};
        assert_false(read_text(cases[i].text, &file, &problem));
        if (!strstr(problem.text, cases[i].words) || !strstr(problem.text, path))
            fail_msg("%s: expected %s", problem.text, cases[i].words);
        buffer_file_clear(&file);
    }
    BufferFile file;
    Problem problem = {0};
    assert_false(buffer_file_read(&file, "/nowhere/buffers.csv", &problem));
    buffer_file_clear(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_come_in_any_order),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
