// SPDX-License-Identifier: Apache-2.0
#include "machine/build_facts.h"

#include "machine/facts.h"

#include "build_commit.h"
#include "build_config.h"

static const struct {
    const char *level;
    const char *flags;
} kernel_flags[] = {BUILD_KERNEL_FLAGS};

static json_t *describe_kernel_flags(void)
{
    json_t *facts = json_object();
    for (size_t i = 0; facts && i < sizeof kernel_flags / sizeof kernel_flags[0]; i++)
        if (!fact_set_text(facts, kernel_flags[i].level, kernel_flags[i].flags)) {
            json_decref(facts);
            return NULL;
        }
    return facts;
}

static bool set_commit(json_t *facts)
{
    static const char reason[] = "not built from a git checkout of its own";
    if (BUILD_COMMIT[0])
        return fact_set_text(facts, "commit", BUILD_COMMIT) &&
               fact_set(facts, "modified", json_boolean(BUILD_MODIFIED));
    return fact_unknown(facts, "commit", "%s", reason) &&
           fact_unknown(facts, "modified", "%s", reason);
}

json_t *build_facts(void)
{
    json_t *facts = json_object();
    if (facts && fact_set_text(facts, "version", BUILD_VERSION) &&
        fact_set_text(facts, "compiler", BUILD_COMPILER) &&
        fact_set_text(facts, "build_type", BUILD_TYPE) &&
        fact_set_text(facts, "flags", BUILD_FLAGS) &&
        fact_set(facts, "kernel_flags", describe_kernel_flags()) &&
        fact_set_text(facts, "sanitizers", BUILD_SANITIZERS) && set_commit(facts))
        return facts;
    json_decref(facts);
    return NULL;
}
