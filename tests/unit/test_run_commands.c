// SPDX-License-Identifier: Apache-2.0
// test_run_commands.c - `hyperion compare`, `report` and `plot` on run directories: exit codes and
// what they write.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/command.h"
#include "common/file.h"
#include "record/journal.h"
#include "synthetic_run.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM HYPERION_BINARY_DIR "/bin/hyperion"

enum { PATH_BYTES = 256, OUTPUT_BYTES = 1 << 18 };

static char root[] = "/tmp/hyperion-commands-XXXXXX";

static void write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static Plan *make_plan(const char *sizes)
{
    char path[PATH_BYTES];
    char text[512];
    (void)snprintf(path, sizeof path, "%s/scenario.yaml", root);
    (void)snprintf(text, sizeof text,
                   "name: commands\nsweeps:\n  - name: blocks\n    workload: kernel\n"
                   "    axes: {op: gemm, m: %s, n: 512, k: 512, simd_level: avx2, "
                   "block_size: [64, 128]}\n",
                   sizes);
    write_text(path, text);
    Problem problem = {0};
    Plan *plan = plan_from_scenario(path, NULL, &problem);
    if (!plan)
        fail_msg("%s", problem.text);
    return plan;
}

// What distinguishes one run from another.
typedef struct RunShape {
    const char *sizes; // m of the scenario
    size_t samples;    // timed, a cell
    double factor;     // on the times of the last cell
    bool crashed;      // the last cell's last sample
} RunShape;

static void append_samples(Journal *journal, const Plan *plan, const RunShape *shape)
{
    Problem problem = {0};
    SyntheticRun *synthetic = synthetic_make(shape->samples);
    const size_t records = synthetic->run.sample_count / SYNTHETIC_CELLS;
    for (size_t cell = 0; cell < plan->cell_count; cell++) {
        const bool is_last = cell + 1 == plan->cell_count;
        for (size_t i = 0; i < records; i++) {
            // Cells 2 and 3 of the synthetic run are those at AVX2.
            Sample sample = synthetic->samples[(2 + cell % 2) * records + i];
            double cpu_ns[3] = {1, 1, 1};
            sample.cell = cell;
            sample.cpu_ns = cpu_ns;
            for (size_t j = 0; is_last && j < sample.real_count; j++)
                sample.real_ns[j] *= shape->factor;
            if (is_last && shape->crashed && sample.task == SAMPLE_TIME &&
                sample.round + 1 == (int)shape->samples) {
                sample.ok = false;
                (void)snprintf(sample.reason, sizeof sample.reason, "signal 11");
            }
            if (!journal_append(journal, &sample, &problem))
                fail_msg("%s", problem.text);
        }
    }
    synthetic_free(synthetic);
}

// A run directory root/<name> of that shape.
static void make_run(const char *name, RunShape shape)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0777), 0);
    Plan *plan = make_plan(shape.sizes);
    json_t *plan_json = plan_to_json(plan);
    json_t *machine = synthetic_machine();
    (void)snprintf(path, sizeof path, "%s/%s/%s", root, name, RUN_PLAN);
    assert_int_equal(json_dump_file(plan_json, path, 0), 0);
    (void)snprintf(path, sizeof path, "%s/%s/%s", root, name, RUN_MACHINE);
    assert_int_equal(json_dump_file(machine, path, 0), 0);
    (void)snprintf(path, sizeof path, "%s/%s/%s", root, name, RUN_JOURNAL);
    Journal journal;
    Problem problem = {0};
    if (!journal_open(&journal, path, &problem))
        fail_msg("%s", problem.text);
    append_samples(&journal, plan, &shape);
    journal_close(&journal);
    json_decref(plan_json);
    json_decref(machine);
    plan_free(plan);
}

// Runs `hyperion <arguments>` in root; its exit code and its output and diagnostics.
static int run_program(const char *arguments, char *output)
{
    char command[1024];
    (void)snprintf(command, sizeof command, "cd %s && %s %s >output 2>&1", root, PROGRAM,
                   arguments);
    const int status = system(command); // NOLINT: a fixed command in a private folder
    assert_true(WIFEXITED(status));
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/output", root);
    size_t size_bytes = 0;
    Problem problem = {0};
    char *text = file_read(path, OUTPUT_BYTES, &size_bytes, &problem);
    if (!text)
        fail_msg("%s", problem.text);
    (void)snprintf(output, OUTPUT_BYTES, "%s", text);
    free(text);
    return WEXITSTATUS(status);
}

static void compare_says_with_its_exit_code(void **state)
{
    char *output = *state;
    static const struct {
        const char *arguments;
        int exit_code;
        const char *output;
    } cases[] = {
        {"compare base base", EXIT_OK, "overall: same (exit code 0)"},
        {"compare base slower", EXIT_REGRESSION, "overall: slower (exit code 3)"},
        {"compare slower base", EXIT_OK, "overall: faster (exit code 0)"},
        {"compare --threshold 25 base slower", EXIT_OK, "overall: same (exit code 0)"},
        {"compare base few", EXIT_INCONCLUSIVE, "overall: inconclusive (exit code 4)"},
        {"compare base crashed", EXIT_CELL, "signal 11"},
        {"compare two base", EXIT_CELL, "not in NEW"},
        {"compare base two", EXIT_OK, "2 added"},
        {"compare --format json base slower", EXIT_REGRESSION, "\"exit_code\": 3"},
        {"compare --format markdown base base", EXIT_OK, "## Comparison: same"},
        {"compare --format yaml base base", EXIT_USAGE, "expected text|markdown|json|junit|github"},
        {"compare --format jason base base", EXIT_USAGE, "did you mean 'json'?"},
        {"compare --threshold five base base", EXIT_USAGE, "expected a percentage"},
        {"compare --threshold nan base base", EXIT_USAGE, "expected a percentage"},
        {"compare base", EXIT_USAGE, "expected BASE NEW"},
        {"compare base nowhere", EXIT_USAGE, "nowhere"},
        {"compare baseline base", EXIT_BASELINE, "there is no such baseline"},
        {"baseline accept --reason faster base", EXIT_BASELINE, "there is no such baseline"},
        {"baseline add crashed", EXIT_USAGE, "signal 11"},
        {"baseline add base", EXIT_OK, "results/baseline/test-machine/commands.json"},
        {"baseline add base", EXIT_USAGE, "is in already"},
        {"compare baseline slower", EXIT_INCONCLUSIVE, "one session a side"},
        {"baseline accept --reason 'a new kernel' slower", EXIT_OK, "commands.json"},
        {"compare results/baseline/test-machine/commands.json slower", EXIT_INCONCLUSIVE,
         "Sessions: 1 in BASE, 1 in NEW."},
        {"compare base broken", EXIT_USAGE, "broken/journal.jsonl:1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int code = run_program(cases[i].arguments, output);
        if (code != cases[i].exit_code || !strstr(output, cases[i].output))
            fail_msg("%s: exit code %d, expected %d and '%s' in:\n%s", cases[i].arguments, code,
                     cases[i].exit_code, cases[i].output, output);
        assert_false(synthetic_has_nan(output) && code != EXIT_USAGE);
    }
}

static void figures_beyond_any_use_are_left_out_and_said(void **state)
{
    char *output = *state;
    make_run("many", (RunShape){"64..1280 +64", 1, 1, false});
    assert_int_equal(run_program("plot many", output), EXIT_OK);
    // 20 values of m and two kinds of figures.
    assert_non_null(strstr(output, "left out 8 figures"));
}

static bool file_exists(const char *name)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    return access(path, R_OK) == 0;
}

static void report_and_plot_write_into_the_first_run(void **state)
{
    char *output = *state;
    assert_int_equal(run_program("report two slower", output), EXIT_OK);
    assert_string_equal(output, "two/report.md\n");
    assert_true(file_exists("two/report.md"));
    assert_false(file_exists("slower/report.md"));
    assert_int_equal(run_program("plot two slower", output), EXIT_OK);
    static const char *const names[] = {"gflops-over-block-size-blocks-m256",
                                        "gflops-over-block-size-blocks-m512",
                                        "gflops-over-block-size-blocks-run2"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH_BYTES / 2];
        (void)snprintf(path, sizeof path, "two/plots/%s.gp", names[i]);
        assert_true(file_exists(path));
        assert_non_null(strstr(output, names[i]));
    }
    assert_false(file_exists("slower/plots"));
}

static void without_gnuplot_scripts_are_written_and_the_way_on_said(void **state)
{
    char *output = *state;
    const char *before = getenv("PATH");
    char *path = before ? strdup(before) : NULL;
    if (!path)
        fail_msg("no PATH");
    // The shell is found by its full name, and `cd` is its own.
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    const int plot = run_program("plot base", output);
    if (path)
        assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    assert_int_equal(plot, EXIT_OK);
    assert_non_null(strstr(output, "gnuplot is not in PATH"));
    assert_true(file_exists("base/plots/gflops-over-block-size-blocks.gp"));
    assert_true(file_exists("base/plots/gflops-over-block-size-blocks.dat"));
    assert_false(file_exists("base/plots/gflops-over-block-size-blocks.png"));
}

static void a_run_that_cannot_be_read_is_an_error(void **state)
{
    char *output = *state;
    assert_int_equal(run_program("report nowhere", output), EXIT_USAGE);
    assert_non_null(strstr(output, "nowhere"));
    assert_int_equal(run_program("plot broken", output), EXIT_USAGE);
    assert_non_null(strstr(output, "broken/journal.jsonl:1"));
    assert_int_equal(run_program("plot base broken", output), EXIT_USAGE);
    // plots/ cannot be made where a file has its name; the report is written and says so.
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/few/plots", root);
    write_text(path, "in the way");
    assert_int_equal(run_program("report few", output), EXIT_USAGE);
    assert_non_null(strstr(output, "few/plots"));
    assert_true(file_exists("few/report.md"));
}

static int make_runs(void **state)
{
    if (!mkdtemp(root))
        return -1;
    make_run("base", (RunShape){"512", 8, 1, false});
    make_run("slower", (RunShape){"512", 8, 1.2, false});
    make_run("few", (RunShape){"512", 3, 1, false});
    make_run("crashed", (RunShape){"512", 8, 1, true});
    make_run("two", (RunShape){"[256, 512]", 8, 1, false});
    make_run("broken", (RunShape){"512", 3, 1, false});
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/broken/%s", root, RUN_JOURNAL);
    write_text(path, "{\"cell\": 0}\n");
    *state = malloc(OUTPUT_BYTES);
    return *state ? 0 : -1;
}

static int remove_runs(void **state)
{
    char command[PATH_BYTES];
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    free(*state);
    return system(command); // NOLINT: as above
}

int main(void)
{
    if (access(PROGRAM, X_OK) != 0) {
        print_message("skipped: %s is not built\n", PROGRAM);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare_says_with_its_exit_code),
        cmocka_unit_test(figures_beyond_any_use_are_left_out_and_said),
        cmocka_unit_test(report_and_plot_write_into_the_first_run),
        cmocka_unit_test(without_gnuplot_scripts_are_written_and_the_way_on_said),
        cmocka_unit_test(a_run_that_cannot_be_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_runs, remove_runs);
}
