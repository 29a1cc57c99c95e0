// SPDX-License-Identifier: Apache-2.0
// test_workload_loader.c - cells whose weights a loader streams: to the bit, within their cap, from
// a file that is in the page cache or not, as asked.
#define _GNU_SOURCE
#include "record/sample.h"
#include "scenario/plan.h"
#include "workload/page_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PASS_COUNT = 3 };

static const WorkloadMachine machine = {
    .topology = {.level_count = 2, .levels = {{48 << 10, 64, 12, 1}, {1 << 20, 64, 16, 1}}},
    .seed = 7,
    .keeps_cold = true,
};
static char scratch[] = "stream-XXXXXX"; // in the test's own folder: /tmp may be memory

typedef struct Opened {
    json_t *json;
    Cell cell;
    void *context;
    Problem problem;
} Opened;

// A chain of twelve products; further axes as JSON members.
static Opened open_cell(const char *axes)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"workload\": \"loader\", \"axes\": {\"scratch\": \"%s\"%s%s}}", scratch,
                   strstr(axes, "\"model\"")
                       ? ""
                       : ", \"model\": \"builtin:mlp:input=128,hidden=128,layers=12\"",
                   axes);
    Opened opened = {.json = json_loads(text, 0, NULL)};
    assert_non_null(opened.json);
    if (cell_from_json(opened.json, &opened.cell, &opened.problem))
        opened.context = opened.cell.workload->open(&opened.cell, &machine, &opened.problem);
    return opened;
}

static void close_cell(Opened *opened)
{
    if (opened->context)
        opened->cell.workload->close(opened->context);
    cell_clear(&opened->cell);
    json_decref(opened->json);
}

static Opened open_good_cell(const char *axes)
{
    Opened opened = open_cell(axes);
    if (!opened.context && strstr(opened.problem.text, "page cache")) {
        print_message("skipped: %s\n", opened.problem.text);
        close_cell(&opened);
        skip();
    }
    if (!opened.context)
        fail_msg("%s: %s", axes, opened.problem.text);
    return opened;
}

static Sample take_values(const Opened *opened, SampleTask task)
{
    Problem problem = {0};
    Sample sample = sample_empty();
    sample.task = task;
    if (!opened->cell.workload->add_values(opened->context, &sample, &problem))
        fail_msg("%s", problem.text);
    return sample;
}

static Sample time_passes(const Opened *opened, int pass_count)
{
    for (int i = 0; i < pass_count; i++) {
        opened->cell.workload->prepare(opened->context);
        opened->cell.workload->run(opened->context);
    }
    return take_values(opened, SAMPLE_TIME);
}

static Sample measure(const char *axes, int pass_count)
{
    Opened opened = open_good_cell(axes);
    Sample sample = time_passes(&opened, pass_count);
    close_cell(&opened);
    return sample;
}

static void assert_refused(const char *axes, const char *expected)
{
    Opened opened = open_cell(axes);
    assert_null(opened.context);
    if (!strstr(opened.problem.text, expected))
        fail_msg("expected '%s' in '%s'", expected, opened.problem.text);
    close_cell(&opened);
}

static void streamed_outputs_are_those_of_the_model_in_memory(void **state)
{
    (void)state;
    static const char *const cells[] = {
        ", \"memory_cap\": \"25%\"",
        ", \"prefetch_window\": 0, \"memory_cap\": \"20%\"",
        ", \"io_backend\": \"threads\", \"io_mode\": \"dontneed\", \"memory_cap\": \"30%\"",
        ", \"io_mode\": \"direct\", \"block_bytes\": 8192, \"queue_depth\": 2",
        ", \"adaptive\": true, \"page_cache\": \"warm\"",
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        Problem problem = {0};
        Opened opened = open_good_cell(cells[i]);
        if (!opened.cell.workload->verify(opened.context, &problem))
            fail_msg("%s: %s", cells[i], problem.text);
        close_cell(&opened);
    }
}

static void passes_keep_within_the_cap_and_say_what_they_read(void **state)
{
    (void)state;
    // One pass: of several each value is the median of its own.
    Sample sample = measure(", \"memory_cap\": \"25%\", \"prefetch_window\": 2", 1);
    const double weights = sample_value(&sample, "loader.weight_bytes");
    assert_true(sample_value(&sample, "loader.cap_bytes") <= weights / 4);
    assert_true(sample_value(&sample, "loader.peak_bytes") <=
                sample_value(&sample, "loader.cap_bytes"));
    assert_true(sample_value(&sample, "loader.peak_bytes") >=
                sample_value(&sample, "loader.least_bytes"));
    assert_true(sample_value(&sample, "loader.read_bytes") > weights / 2);
    assert_true(sample_value(&sample, "loader.window") == 2);
    assert_true(sample_value(&sample, "loader.hits") + sample_value(&sample, "loader.waits") +
                    sample_value(&sample, "loader.prefetched") ==
                12);
    assert_true(sample_value(&sample, "loader.load_time") > 0);
    assert_true(sample_value(&sample, "loader.compute_time") > 0);
    assert_true(sample_value(&sample, "loader.predicted_time") >=
                sample_value(&sample, "loader.bound_time"));
    assert_true(sample_value(&sample, "loader.over_predicted") > 0.5);
    assert_string_equal(sample_find_value(&sample, "loader.predicted_time")->provenance, "model");
    assert_string_equal(sample_find_value(&sample, "loader.stall_time")->provenance, "clock");
    sample_clear(&sample);
}

// What is there from the pass before takes no time to load and has no bar in a timeline.
static void without_a_cap_later_passes_load_nothing(void **state)
{
    (void)state;
    Sample sample = measure("", PASS_COUNT);
    assert_true(sample_value(&sample, "loader.hits") == 12);
    assert_true(sample_value(&sample, "loader.read_bytes") == 0);
    assert_true(sample_value(&sample, "loader.load_time") == 0);
    assert_true(isnan(sample_value(&sample, "loader.cap_bytes")));
    assert_null(sample_find_value(&sample, "step3.load"));
    assert_true(sample_value(&sample, "step3.compute") > 0);
    sample_clear(&sample);
}

static void layers_run_one_after_the_other_in_the_timeline(void **state)
{
    (void)state;
    Opened opened = open_good_cell(", \"memory_cap\": \"25%\"");
    Sample facts = take_values(&opened, SAMPLE_VERIFY);
    Sample sample = time_passes(&opened, PASS_COUNT);
    double end_ns = 0;
    for (int i = 0; i < 12; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "step%d.compute_at", i);
        assert_true(sample_value(&sample, name) >= end_ns);
        end_ns = sample_value(&sample, name);
        (void)snprintf(name, sizeof name, "step%d.compute", i);
        end_ns += sample_value(&sample, name);
    }
    bool named = false;
    for (size_t i = 0; i < facts.value_count; i++)
        named = named || strncmp(facts.values[i].name, "step0.is.0.gemm.", 16) == 0;
    assert_true(named);
    sample_clear(&facts);
    sample_clear(&sample);
    close_cell(&opened);
}

// Cold: each pass found nothing of the file in the page cache; warm: all of it.
static void page_cache_is_as_asked_before_each_pass(void **state)
{
    (void)state;
    Sample cold = measure(", \"memory_cap\": \"25%\"", PASS_COUNT);
    assert_true(sample_value(&cold, "loader.cached_before") <= 0.01);
    assert_true(sample_value(&cold, "loader.cached_after") >= 0.5); // reads are buffered
    Sample warm = measure(", \"memory_cap\": \"25%\", \"page_cache\": \"warm\"", PASS_COUNT);
    assert_true(sample_value(&warm, "loader.cached_before") >= 0.99);
    sample_clear(&cold);
    sample_clear(&warm);
}

static void pinned_layers_are_hits_of_every_pass(void **state)
{
    (void)state;
    Sample sample = measure(
        ", \"memory_cap\": \"50%\", \"priority\": \"first:3\", \"prefetch_window\": 1", PASS_COUNT);
    for (int i = 0; i < 3; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "step%d.load", i);
        assert_null(sample_find_value(&sample, name));
    }
    assert_true(sample_value(&sample, "loader.hits") >= 3);
    sample_clear(&sample);
    assert_refused(", \"priority\": \"largest:13\"", "the model has 12 layers with weights");
}

static void back_end_and_mode_in_force_are_named(void **state)
{
    (void)state;
    Sample sample = measure(", \"io_backend\": \"threads\", \"memory_cap\": \"25%\"", PASS_COUNT);
    assert_true(sample_value(&sample, "loader.backend.threads") == 1);
    assert_string_equal(sample_find_value(&sample, "loader.backend.threads")->reason, "");
    assert_true(sample_value(&sample, "loader.mode.buffered") == 1);
    sample_clear(&sample);
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *folder = opendir(scratch);
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    assert_int_equal(closedir(folder), 0);
    return count - 2; // "." and ".."
}

// One file a model, used by the next worker; those that nobody used for a day go.
static void streaming_files_are_kept_for_the_next_worker(void **state)
{
    (void)state;
    char old[64];
    Opened first = open_good_cell("");
    close_cell(&first);
    const size_t count = count_files();
    (void)snprintf(old, sizeof old, "%s/hyperion-stream-0.safetensors", scratch);
    const int file = open(old, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(futimens(file, long_ago), 0);
    assert_int_equal(close(file), 0);
    Opened again = open_good_cell("");
    close_cell(&again);
    assert_int_equal(count_files(), count + 1); // nothing was made
    Opened other = open_good_cell(", \"batch\": 2");
    close_cell(&other);
    assert_int_equal(count_files(), count + 1); // one was, and the old one is gone
    assert_int_equal(access(old, F_OK), -1);
}

static void what_cannot_be_streamed_is_refused_with_the_reason(void **state)
{
    (void)state;
    assert_refused(", \"block_bytes\": 5000", "block_bytes 5000: expected a multiple of 4096");
    assert_refused(", \"adaptive\": true, \"prefetch_window\": 0", "nothing to choose");
    assert_refused(", \"memory_cap\": \"1%\"", "cap");
    assert_refused(", \"model\": \"/nonexistent/model.onnx\"", "/nonexistent/model.onnx");
    assert_refused(", \"model\": \"builtin:nosuch\"", "nosuch");
    assert_refused(", \"scratch\": \"/proc/nowhere\", \"batch\": 3", "/proc/nowhere");
}

// A pass that fails, or a page cache that is not as asked, fails the sample: its times are of
// something else.
static void passes_that_fail_fail_the_sample(void **state)
{
    (void)state;
    Opened opened = open_good_cell(", \"memory_cap\": \"25%\"");
    struct dirent **names = NULL;
    const int count = scandir(scratch, &names, NULL, NULL);
    for (int i = 0; i < count; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", scratch, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            assert_int_equal(truncate(path, 64), 0);
        free(names[i]);
    }
    free((void *)names);
    Problem problem = {0};
    Sample sample = sample_empty();
    sample.task = SAMPLE_TIME;
    opened.cell.workload->prepare(opened.context);
    opened.cell.workload->run(opened.context);
    assert_false(opened.cell.workload->add_values(opened.context, &sample, &problem));
    assert_true(problem.text[0] != '\0');
    sample_clear(&sample);
    close_cell(&opened);
}

static int make_scratch(void **state)
{
    (void)state;
    memcpy(scratch, "stream-XXXXXX", sizeof scratch);
    return mkdtemp(scratch) ? 0 : -1;
}

static int remove_scratch(void **state)
{
    (void)state;
    struct dirent **names = NULL;
    const int count = scandir(scratch, &names, NULL, NULL);
    for (int i = 0; i < count; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", scratch, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            (void)unlink(path);
        free(names[i]);
    }
    free((void *)names);
    return rmdir(scratch);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, remove_scratch)
    const struct CMUnitTest tests[] = {
        TEST(streamed_outputs_are_those_of_the_model_in_memory),
        TEST(passes_keep_within_the_cap_and_say_what_they_read),
        TEST(without_a_cap_later_passes_load_nothing),
        TEST(layers_run_one_after_the_other_in_the_timeline),
        TEST(page_cache_is_as_asked_before_each_pass),
        TEST(pinned_layers_are_hits_of_every_pass),
        TEST(back_end_and_mode_in_force_are_named),
        TEST(streaming_files_are_kept_for_the_next_worker),
        TEST(what_cannot_be_streamed_is_refused_with_the_reason),
        TEST(passes_that_fail_fail_the_sample),
    };
#undef TEST
    return cmocka_run_group_tests_name("workload_loader", tests, NULL, NULL);
}
