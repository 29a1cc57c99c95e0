// SPDX-License-Identifier: Apache-2.0
// cpu_facts.c - the first processor of /proc/cpuinfo, by the names that x86 and Arm kernels use.
#define _POSIX_C_SOURCE 200809L
#include "machine/facts.h"
#include "machine/host_facts.h"
#include "machine/sysroot.h"

#include <string.h>

// The flags of a current x86 CPU are about 1.5 KB.
enum { FIELD_BYTES = 8192 };

static const char cpuinfo[] = "/proc/cpuinfo";

static const struct {
    const char *name;
    const char *x86, *arm; // the line in cpuinfo
} cpu_fields[] = {
    {"vendor", "vendor_id", "CPU implementer"},   {"model_name", "model name", "Processor"},
    {"family", "cpu family", "CPU architecture"}, {"model", "model", "CPU part"},
    {"stepping", "stepping", "CPU revision"},     {"microcode", "microcode", "microcode"},
};

json_t *host_cpu_facts(const char *root)
{
    json_t *facts = json_object();
    bool ok = facts != NULL;
    for (size_t i = 0; ok && i < sizeof cpu_fields / sizeof cpu_fields[0]; i++) {
        char text[256];
        if (sysroot_read_field(root, cpuinfo, cpu_fields[i].arm, text, sizeof text) ||
            sysroot_read_field(root, cpuinfo, cpu_fields[i].x86, text, sizeof text))
            ok = fact_set_text(facts, cpu_fields[i].name, text);
        else
            ok = fact_unknown(facts, cpu_fields[i].name, "%s", text);
    }
    if (ok)
        return facts;
    json_decref(facts);
    return NULL;
}

static bool read_flags(const char *root, char flags[FIELD_BYTES])
{
    return sysroot_read_field(root, cpuinfo, "flags", flags, FIELD_BYTES) ||
           sysroot_read_field(root, cpuinfo, "Features", flags, FIELD_BYTES);
}

bool host_cpu_tells_flags(const char *root)
{
    char flags[FIELD_BYTES];
    return read_flags(root, flags);
}

bool host_cpu_has_flag(const char *root, const char *flag)
{
    char flags[FIELD_BYTES];
    if (!read_flags(root, flags))
        return false;
    char *rest = NULL;
    for (const char *word = strtok_r(flags, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        if (strcmp(word, flag) == 0)
            return true;
    return false;
}
