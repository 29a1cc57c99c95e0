// SPDX-License-Identifier: Apache-2.0
// The doctor on captured trees: a quiet lab machine passes, each setting spoilt in it is found.
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine/doctor.h"
#include "machine/facts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MACHINES HYPERION_SOURCE_DIR "/tests/machines/"
#define CPU "sys/devices/system/cpu/"

enum { LAPTOP, CI, LAB, PATH_BYTES = PATH_MAX / 4 };

static char scratch[PATH_BYTES];

static void run_shell(const char *format, ...)
{
    char command[4 * PATH_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(command, sizeof command, format, args);
    va_end(args);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): fixed words and own paths
}

// The quiet machine in the scratch folder, with one file written anew, or removed if `text` is
// NULL.
static void spoil(const char *path, const char *text)
{
    char file[2 * PATH_BYTES];
    run_shell("rm -rf '%s/m' && cp -R '%squiet_lab' '%s/m'", scratch, MACHINES, scratch);
    (void)snprintf(file, sizeof file, "%s/m/%s", scratch, path);
    if (!text) {
        assert_int_equal(unlink(file), 0);
        return;
    }
    run_shell("mkdir -p \"$(dirname '%s')\"", file);
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    (void)fprintf(out, "%s\n", text);
    assert_int_equal(fclose(out), 0);
}

static json_t *examine(const char *root, size_t profile)
{
    Problem problem = {0};
    json_t *examination = doctor_examine(root, profile, &problem);
    if (!examination)
        fail_msg("%s", problem.text);
    return examination;
}

static json_t *examine_spoilt(size_t profile)
{
    char root[2 * PATH_BYTES];
    (void)snprintf(root, sizeof root, "%s/m", scratch);
    return examine(root, profile);
}

static const json_t *find_check(const json_t *examination, const char *name)
{
    size_t i = 0;
    const json_t *check = NULL;
    json_array_foreach(json_object_get(examination, "checks"), i, check)
    {
        if (strcmp(fact_text(check, "name"), name) == 0)
            return check;
    }
    fail_msg("no check %s", name);
    return NULL;
}

static long long count_of(const json_t *examination, const char *verdict)
{
    return (long long)json_integer_value(json_object_get(examination, verdict));
}

// `value` as JSON, ahead of the verdict of `check`; every other check is ok.
static void assert_only(const json_t *examination, const char *name, const char *verdict,
                        const char *value)
{
    const json_t *check = find_check(examination, name);
    char *found =
        json_dumps(json_object_get(check, "value"), JSON_ENCODE_ANY | JSON_REAL_PRECISION(3));
    assert_non_null(found);
    if (strcmp(fact_text(check, "verdict"), verdict) != 0 || strcmp(found, value) != 0)
        fail_msg("%s: expected %s %s, found %s %s", name, verdict, value,
                 fact_text(check, "verdict"), found);
    free(found);
    assert_int_equal(count_of(examination, "ok"), 14);
    assert_int_equal(count_of(examination, verdict), 1);
}

static void a_quiet_machine_passes_every_profile(void **state)
{
    (void)state;
    for (size_t profile = 0; profile < DOCTOR_PROFILES; profile++) {
        json_t *examination = examine(MACHINES "quiet_lab", profile);
        assert_true(doctor_is_trustworthy(examination));
        assert_int_equal(count_of(examination, "ok"), 15);
        json_decref(examination);
    }
}

// One row a setting, and where kernels differ one row a place in which it can be.
static const struct {
    const char *check, *path, *text, *value, *lab, *laptop;
} seeded[] = {
    {"governor", CPU "cpu2/cpufreq/scaling_governor", "powersave",
     "\"mixed: performance, powersave\"", "fatal", "warn"},
    {"boost", CPU "cpufreq/boost", "1", "true", "fatal", "warn"},
    {"smt", CPU "smt/active", "1", "true", "fatal", "warn"},
    {"aslr", "proc/sys/kernel/randomize_va_space", "0", "0", "warn", "warn"},
    {"aslr", "proc/sys/kernel/randomize_va_space", "1", "1", "warn", "warn"},
    {"thp", "sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never", "\"always\"",
     "warn", "warn"},
    {"thp", "sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]", "\"never\"",
     "warn", "warn"},
    {"numa_balancing", "proc/sys/kernel/numa_balancing", "1", "true", "fatal", "warn"},
    {"isolated_cpus", CPU "isolated", "", "\"none\"", "warn", "warn"},
    {"cpu_quota", "sys/fs/cgroup/cpu.max", "150000 100000", "1.5", "fatal", "warn"},
    {"cpu_quota", "sys/fs/cgroup/user.slice/user-1000.slice/cpu.max", "50000 100000", "0.5",
     "fatal", "warn"},
    {"swap", "proc/meminfo", "SwapTotal:       2097148 kB", "2048", "fatal", "warn"},
    {"load", "proc/loadavg", "3.25 2.10 1.00 4/412 999", "3.25", "fatal", "warn"},
    {"steal", "proc/stat", "cpu  500 0 200 9000 0 0 0 300 0 0", "3.0", "fatal", "warn"},
    {"nmi_watchdog", "proc/sys/kernel/nmi_watchdog", "1", "true", "warn", "warn"},
    {"perf_event_paranoid", "proc/sys/kernel/perf_event_paranoid", "3", "3", "warn", "warn"},
    {"clocksource", "sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet",
     "\"hpet\"", "fatal", "fatal"},
    {"huge_pages", "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0", "0", "warn",
     "warn"},
};

static void each_seeded_setting_is_found_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof seeded / sizeof seeded[0]; i++) {
        spoil(seeded[i].path, seeded[i].text);
        json_t *lab = examine_spoilt(LAB);
        json_t *laptop = examine_spoilt(LAPTOP);
        assert_only(lab, seeded[i].check, seeded[i].lab, seeded[i].value);
        assert_only(laptop, seeded[i].check, seeded[i].laptop, seeded[i].value);
        assert_true(doctor_is_trustworthy(lab) == (strcmp(seeded[i].lab, "fatal") != 0));
        json_decref(lab);
        json_decref(laptop);
    }
}

static void every_check_is_seeded_and_explained(void **state)
{
    (void)state;
    size_t i = 0;
    const json_t *check = NULL;
    json_t *examination = examine(MACHINES "quiet_lab", LAB);
    json_array_foreach(json_object_get(examination, "checks"), i, check)
    {
        bool found = false;
        for (size_t j = 0; j < sizeof seeded / sizeof seeded[0]; j++)
            found = found || strcmp(seeded[j].check, fact_text(check, "name")) == 0;
        if (!found)
            fail_msg("no bad setting seeded for %s", fact_text(check, "name"));
        assert_true(fact_text(check, "why")[0] && fact_text(check, "remedy")[0]);
    }
    json_decref(examination);
}

static void what_cannot_be_read_is_unknown_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *check, *path, *reason;
    } gone[] = {
        {"steal", "proc/stat", "/proc/stat: No such file or directory"},
        {"load", "proc/loadavg", "/proc/loadavg: No such file or directory"},
        {"swap", "proc/meminfo", "/proc/meminfo: No such file or directory"},
        {"boost", CPU "cpufreq/boost", "no frequency scaling visible"},
        {"clocksource", "sys/devices/system/clocksource/clocksource0/current_clocksource",
         "the kernel does not tell"},
    };
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        spoil(gone[i].path, NULL);
        json_t *examination = examine_spoilt(LAB);
        assert_only(examination, gone[i].check, "unknown", "null");
        assert_string_equal(fact_reason(find_check(examination, gone[i].check), "value"),
                            gone[i].reason);
        json_decref(examination);
    }
    spoil("proc/stat", "cpu  500 0 200");
    json_t *examination = examine_spoilt(LAB);
    assert_only(examination, "steal", "unknown", "null");
    json_decref(examination);
}

static void a_quota_of_the_first_cgroups_is_found(void **state)
{
    (void)state;
    spoil("proc/self/cgroup", "7:cpuacct,cpu:/box\n3:cpuset:/\n0::/");
    run_shell("mkdir -p '%s/m/sys/fs/cgroup/cpu/box' && cd '%s/m/sys/fs/cgroup/cpu/box' && "
              "echo 25000 >cpu.cfs_quota_us && echo 100000 >cpu.cfs_period_us",
              scratch, scratch);
    json_t *limited = examine_spoilt(CI);
    assert_only(limited, "cpu_quota", "fatal", "0.25");
    json_decref(limited);
    run_shell("echo -1 >'%s/m/sys/fs/cgroup/cpu/box/cpu.cfs_quota_us'", scratch);
    json_t *unlimited = examine_spoilt(CI);
    assert_int_equal(count_of(unlimited, "ok"), 15);
    json_decref(unlimited);
}

static void without_smt_files_the_siblings_tell(void **state)
{
    (void)state;
    spoil(CPU "cpu0/topology/thread_siblings_list", "0,16");
    run_shell("rm -r '%s/m/" CPU "smt'", scratch);
    json_t *examination = examine_spoilt(LAB);
    assert_only(examination, "smt", "fatal", "true");
    json_decref(examination);
}

static void fatal_checks_are_named_with_their_values(void **state)
{
    (void)state;
    char text[128];
    char small[12];
    spoil("proc/loadavg", "9.5 2.10 1.00 4/412 999");
    run_shell("echo 1 >'%s/m/" CPU "smt/active'", scratch);
    json_t *examination = examine_spoilt(LAB);
    doctor_name_fatal(examination, text, sizeof text);
    assert_string_equal(text, "smt (on), load (9.5 runnable)");
    doctor_name_fatal(examination, small, sizeof small);
    assert_string_equal(small, "smt (on), l");
    json_decref(examination);
}

static void unknown_profiles_and_empty_folders_are_refused(void **state)
{
    (void)state;
    size_t profile = 7;
    Problem problem = {0};
    assert_false(doctor_find_profile("server", &profile, &problem));
    assert_string_equal(problem.text, "expected laptop, ci or lab, given 'server'");
    assert_int_equal(profile, 7);
    Problem other = {0};
    assert_null(doctor_examine(MACHINES "nowhere", LAB, &other));
    assert_non_null(strstr(other.text, "nowhere/sys hold nothing that the checks read"));
}

static int make_scratch(void **state)
{
    (void)state;
    (void)snprintf(scratch, sizeof scratch, "%s/test_doctor.XXXXXX", HYPERION_BINARY_DIR);
    return mkdtemp(scratch) ? 0 : -1;
}

static int remove_scratch(void **state)
{
    (void)state;
    run_shell("rm -r '%s'", scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_machine_passes_every_profile),
        cmocka_unit_test(each_seeded_setting_is_found_and_nothing_else),
        cmocka_unit_test(every_check_is_seeded_and_explained),
        cmocka_unit_test(what_cannot_be_read_is_unknown_with_the_reason),
        cmocka_unit_test(a_quota_of_the_first_cgroups_is_found),
        cmocka_unit_test(without_smt_files_the_siblings_tell),
        cmocka_unit_test(fatal_checks_are_named_with_their_values),
        cmocka_unit_test(unknown_profiles_and_empty_folders_are_refused),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
