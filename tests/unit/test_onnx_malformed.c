// SPDX-License-Identifier: Apache-2.0
// test_onnx_malformed.c - files that are cut, flipped, contradictory or changed under the reader
// give NULL or false and a message, never a crash. Random choices come from a printed seed.
#define _POSIX_C_SOURCE 200809L
#include "hyperion/hyperion.h"

#include "onnx_writer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST_BYTES = 64 * 1024, SEED = 20240607 };
static char path[] = "/tmp/hyperion-test-malformed-XXXXXX";
static unsigned char original[MOST_BYTES];
static unsigned char changed[MOST_BYTES];

// The model files to break: our own, and a real one where it is at hand.
static size_t read_model(int index)
{
    static const char *const files[] = {HYPERION_SOURCE_DIR "/tests/data/tiny.onnx",
                                        HYPERION_SOURCE_DIR "/../shared/models/mnist.onnx"};
    const size_t count = read_file(files[index], original, sizeof original);
    if (count == SIZE_MAX)
        print_message("skipped: no %s\n", files[index]);
    assert_true(index == 1 || count < sizeof original);
    return count;
}

// Makes the file `bytes`, in place: much faster than truncating it first.
static void overwrite(const unsigned char *bytes, size_t count)
{
    const int descriptor = open(path, O_WRONLY);
    assert_true(descriptor >= 0);
    assert_int_equal(pwrite(descriptor, bytes, count, 0), count);
    assert_int_equal(ftruncate(descriptor, (off_t)count), 0);
    assert_int_equal(close(descriptor), 0);
}

// Runs a model that turned out to be one, unless it is large; it may fail with a message.
static void run_if_small(HyperionModel *model)
{
    enum { MOST_TENSORS = 16 };
    HyperionTensor *tensors[2 * MOST_TENSORS] = {NULL};
    const int input_count = hyperionModelInputCount(model);
    const int output_count = hyperionModelOutputCount(model);
    const size_t small = 1U << 22;
    bool runs = input_count <= MOST_TENSORS && output_count <= MOST_TENSORS &&
                hyperionModelActivationBytes(model) < small && hyperionModelFlops(model) < 1e8;
    for (int i = 0; runs && i < input_count + output_count; i++) {
        const HyperionTensorInfo info = i < input_count
                                            ? hyperionModelInput(model, i)
                                            : hyperionModelOutput(model, i - input_count);
        runs = info.size_bytes < small;
        if (runs)
            tensors[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
    }
    if (runs && !hyperionRunModel(model, tensors, tensors + input_count))
        assert_true(hyperionGetLastError()[0]);
    for (int i = 0; i < 2 * MOST_TENSORS; i++)
        hyperionFreeTensor(tensors[i]);
}

static void cut_files_are_refused(void **state)
{
    (void)state;
    for (int index = 0; index < 2; index++) {
        const size_t count = read_model(index);
        for (size_t cut = 0; count != SIZE_MAX && cut < count; cut += index ? 64 : 1) {
            overwrite(original, cut);
            if (hyperionLoadModel(path))
                fail_msg("model %d cut to %zu bytes was loaded", index, cut);
            assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_FORMAT);
            assert_non_null(strstr(hyperionGetLastError(), path));
        }
    }
}

static void flipped_bits_do_no_harm(void **state)
{
    (void)state;
    print_message("seed %d\n", SEED);
    uint32_t random = SEED;
    for (int index = 0; index < 2; index++) {
        const size_t count = read_model(index);
        for (int round = 0; count != SIZE_MAX && round < 3000; round++) {
            memcpy(changed, original, count);
            for (int flip = 0; flip <= round % 3; flip++) {
                random = random * 1664525U + 1013904223U;
                // Half of them in the last and first 1500 bytes: there is the structure of mnist.
                const size_t span = count < 3000 || round % 2 ? count : 3000;
                size_t place = (random >> 8) % span;
                if (span < count && place >= 1500)
                    place = count - 1 - (place - 1500);
                changed[place] ^= (unsigned char)(1U << (random & 7));
            }
            overwrite(changed, count);
            HyperionModel *model = hyperionLoadModel(path);
            if (model)
                run_if_small(model);
            else
                assert_true(hyperionGetLastError()[0]);
            hyperionFreeModel(model);
        }
    }
}

// Loads the committed model from a copy, lets `change_file` at the copy, and runs it.
static bool run_after(void (*change_file)(size_t count))
{
    const size_t count = read_model(0);
    assert_true(write_file(path, original, count));
    // Long ago, so that a later write cannot have the same time.
    const struct timespec earlier[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, path, earlier, 0), 0);
    HyperionModel *model = hyperionLoadModel(path);
    assert_non_null(model);
    change_file(count);
    HyperionTensor *x = hyperionCreateTensor(HYPERION_TYPE_F32, 4, (int64_t[]){1, 2, 6, 5});
    HyperionTensor *y[] = {hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 5}),
                           hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 5})};
    const bool ran = hyperionRunModel(model, &x, y);
    // A failing run has written nothing.
    assert_true(ran || ((const float *)hyperionTensorConstData(y[0]))[0] == 0.0F);
    hyperionFreeTensor(x);
    hyperionFreeTensor(y[0]);
    hyperionFreeTensor(y[1]);
    hyperionFreeModel(model);
    return ran;
}

static void leave_file(size_t count)
{
    (void)count;
}

static void shrink_file(size_t count)
{
    assert_int_equal(truncate(path, (off_t)count / 2), 0);
}

static void rewrite_file(size_t count)
{
    assert_true(write_file(path, original, count));
}

static void remove_file(size_t count)
{
    (void)count;
    assert_int_equal(unlink(path), 0);
}

static void file_that_changes_between_load_and_run_fails_the_run(void **state)
{
    (void)state;
    assert_true(run_after(leave_file));
    assert_false(run_after(shrink_file));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
    assert_non_null(strstr(hyperionGetLastError(), "weight '"));
    assert_false(run_after(rewrite_file));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
    assert_non_null(strstr(hyperionGetLastError(), "changed while in use: it was written to"));
    assert_true(run_after(remove_file)); // the open file is still the old one
}

int main(void)
{
    const int descriptor = mkstemp(path);
    if (descriptor < 0)
        return 1;
    (void)close(descriptor);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(flipped_bits_do_no_harm),
        cmocka_unit_test(file_that_changes_between_load_and_run_fails_the_run),
    };
    const int failed = cmocka_run_group_tests_name("onnx_malformed", tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
