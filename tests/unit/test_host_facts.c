// SPDX-License-Identifier: Apache-2.0
// Kernel, CPU and hypervisor as the captured trees under tests/machines tell them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine/facts.h"
#include "machine/host_facts.h"
#include "machine/simd_facts.h"
#include "machine/sysroot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MACHINES HYPERION_SOURCE_DIR "/tests/machines/"
#define XEON MACHINES "xeon_cascade_lake"
#define EPYC MACHINES "epyc_rome_metal"
#define ARM MACHINES "arm_vm_without_caches"

// `expected` is JSON; of a null fact the reason is compared after it, behind a blank.
static void assert_fact(const json_t *facts, const char *name, const char *expected)
{
    char text[256];
    char *value = json_dumps(json_object_get(facts, name), JSON_ENCODE_ANY);
    const char *reason = fact_reason(facts, name);
    assert_non_null(value);
    (void)snprintf(text, sizeof text, "%s%s%s", value, reason[0] ? " " : "", reason);
    assert_string_equal(text, expected);
    free(value);
}

static void first_processor_is_the_cpu(void **state)
{
    (void)state;
    json_t *xeon = host_cpu_facts(XEON);
    assert_fact(xeon, "vendor", "\"GenuineIntel\"");
    assert_fact(xeon, "model_name", "\"Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz\"");
    assert_fact(xeon, "model", "\"85\"");
    assert_fact(xeon, "stepping", "\"7\"");
    assert_fact(xeon, "microcode", "\"0x5003604\"");
    json_decref(xeon);
    json_t *arm = host_cpu_facts(ARM);
    assert_fact(arm, "vendor", "\"0x41\"");
    assert_fact(arm, "family", "\"8\"");
    assert_fact(arm, "model_name", "null /proc/cpuinfo has no 'model name'");
    json_decref(arm);
}

static void a_flag_is_a_whole_word(void **state)
{
    (void)state;
    assert_true(host_cpu_has_flag(XEON, "avx512f"));
    assert_false(host_cpu_has_flag(XEON, "avx51"));
    assert_false(host_cpu_has_flag(XEON, "hypervisor"));
    assert_true(host_cpu_has_flag(ARM, "asimd"));
}

static void governors_that_differ_are_mixed(void **state)
{
    (void)state;
    json_t *xeon = host_kernel_facts(XEON);
    assert_fact(xeon, "governor", "\"mixed: performance, powersave\"");
    json_decref(xeon);
    json_t *epyc = host_kernel_facts(EPYC);
    assert_fact(epyc, "governor", "\"schedutil\"");
    json_decref(epyc);
    json_t *arm = host_kernel_facts(ARM);
    assert_fact(arm, "governor", "null no frequency scaling visible");
    json_decref(arm);
}

static void settings_are_read_in_their_own_forms(void **state)
{
    (void)state;
    json_t *xeon = host_kernel_facts(XEON);
    assert_fact(xeon, "boost", "false"); // intel_pstate says no_turbo = 1
    assert_fact(xeon, "thp", "\"always\"");
    assert_fact(xeon, "huge_pages_2m", "512");
    assert_fact(xeon, "numa_balancing", "true");
    assert_fact(xeon, "isolated_cpus", "\"2-3,6-7\"");
    assert_fact(xeon, "os", "\"Debian GNU/Linux 12 (bookworm)\"");
    assert_fact(xeon, "cpu_quota", "null no cgroup quota visible");
    json_decref(xeon);
    json_t *epyc = host_kernel_facts(EPYC);
    assert_fact(epyc, "boost", "true");
    assert_fact(epyc, "isolated_cpus", "\"none\"");
    assert_fact(epyc, "cpu_quota", "\"max 100000\"");
    json_decref(epyc);
}

static void what_cannot_be_read_is_null_with_a_reason(void **state)
{
    (void)state;
    json_t *arm = host_kernel_facts(ARM);
    assert_fact(arm, "thp", "null no choice in brackets in 'always madvise never'");
    assert_fact(arm, "numa_balancing", "null 'yes' is no number");
    assert_fact(arm, "os", "null /etc/os-release has no PRETTY_NAME");
    json_decref(arm);
    json_t *nowhere = host_kernel_facts(MACHINES "nowhere");
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(nowhere, name, value)
    {
        if (!strstr(name, "_reason"))
            assert_true(json_is_null(value) && fact_reason(nowhere, name)[0]);
    }
    json_decref(nowhere);
}

static void a_flag_decides_what_is_virtual_and_dmi_names_it(void **state)
{
    (void)state;
    json_t *xeon = host_virtualisation(XEON);
    assert_fact(xeon, "virtual", "false");
    assert_fact(xeon, "hypervisor", "null none seen");
    assert_fact(xeon, "product", "\"Dell Inc. PowerEdge R640\"");
    json_decref(xeon);
    json_t *metal = host_virtualisation(EPYC); // rented, so DMI says Amazon EC2
    assert_fact(metal, "virtual", "false");
    json_decref(metal);
    json_t *arm = host_virtualisation(ARM); // no such flag on Arm
    assert_fact(arm, "virtual", "true");
    assert_fact(arm, "hypervisor", "\"kvm\"");
    json_decref(arm);
    json_t *guest = host_virtualisation(MACHINES "zen5_vm"); // flag, but no DMI
    assert_fact(guest, "virtual", "true");
    assert_fact(guest, "hypervisor", "null it gives no signature that is known");
    json_decref(guest);
    json_t *nowhere = host_virtualisation(MACHINES "nowhere");
    assert_fact(nowhere, "virtual", "null neither CPU nor firmware tells");
    json_decref(nowhere);
}

static void captured_flags_give_the_simd_levels(void **state)
{
    (void)state;
    static const struct {
        const char *root, *levels;
    } cases[] = {
        {XEON, "[\"scalar\", \"sse41\", \"avx2\", \"avx512\"]"},
        {EPYC, "[\"scalar\", \"sse41\", \"avx2\"]"},
        {ARM, "[\"scalar\", \"neon\"]"},
        {MACHINES "nowhere", "null /proc/cpuinfo lists no flags of the CPU"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *facts = simd_facts(cases[i].root);
        assert_fact(facts, "levels", cases[i].levels);
        json_decref(facts);
    }
}

static void reading_fails_with_the_path_and_the_cause(void **state)
{
    (void)state;
    char text[128];
    char small[8];
    assert_false(sysroot_read(XEON, "/proc/nothing", text, sizeof text));
    assert_string_equal(text, "/proc/nothing: No such file or directory");
    assert_false(sysroot_read(XEON, "/proc", text, sizeof text));
    assert_string_equal(text, "/proc: Is a directory");
    assert_false(sysroot_read(XEON, "/proc/sys/kernel/osrelease", small, sizeof small));
    assert_false(sysroot_read_field(XEON, "/proc/cpuinfo", "model", small, 2)); // "85" and a NUL
    assert_true(sysroot_read_field(XEON, "/proc/cpuinfo", "model", small, 3));
    assert_string_equal(small, "85");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_processor_is_the_cpu),
        cmocka_unit_test(a_flag_is_a_whole_word),
        cmocka_unit_test(governors_that_differ_are_mixed),
        cmocka_unit_test(settings_are_read_in_their_own_forms),
        cmocka_unit_test(what_cannot_be_read_is_null_with_a_reason),
        cmocka_unit_test(a_flag_decides_what_is_virtual_and_dmi_names_it),
        cmocka_unit_test(captured_flags_give_the_simd_levels),
        cmocka_unit_test(reading_fails_with_the_path_and_the_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
