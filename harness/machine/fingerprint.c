// SPDX-License-Identifier: Apache-2.0
#include "machine/fingerprint.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Ingredient {
    const char *section;
    const char *name; // NULL: the whole section
} Ingredient;

static const Ingredient key_ingredients[] = {
    {"cpu", "vendor"},
    {"cpu", "family"},
    {"cpu", "model"},
    {"cpu", "model_name"},
    {"cpu", "stepping"},
    {"topology", "packages"},
    {"topology", "numa_nodes"},
    {"topology", "cores"},
    {"topology", "cpus"},
    {"caches", NULL},
    {"virtualisation", "virtual"},
    {NULL, NULL},
};

static const Ingredient environment_ingredients[] = {
    {"cpu", "microcode"}, {"kernel", "release"}, {"kernel", "governor"},
    {"kernel", "thp"},    {"build", "compiler"}, {NULL, NULL},
};

// FNV-1a, 64 bits (draft-eastlake-fnv).
static uint64_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

static json_t *pick(const json_t *machine, const Ingredient *ingredients)
{
    json_t *facts = json_object();
    for (size_t i = 0; facts && ingredients[i].section; i++) {
        const char *name = ingredients[i].name;
        json_t *section = json_object_get(machine, ingredients[i].section);
        json_t *value = name ? json_object_get(section, name) : section;
        if (json_object_set_new(facts, name ? name : ingredients[i].section,
                                value ? json_deep_copy(value) : json_null()) != 0) {
            json_decref(facts);
            return NULL;
        }
    }
    return facts;
}

static json_t *pick_and_hash(const json_t *machine, const Ingredient *ingredients,
                             char hash[FINGERPRINT_BYTES])
{
    json_t *facts = pick(machine, ingredients);
    // Sorted and compact: the order in which the facts were found does not count.
    char *text = facts ? json_dumps(facts, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (text) {
        (void)snprintf(hash, FINGERPRINT_BYTES, "%016" PRIx64, hash_text(text));
        free(text);
        return facts;
    }
    json_decref(facts);
    return NULL;
}

json_t *fingerprint_key(const json_t *machine, char hash[FINGERPRINT_BYTES])
{
    return pick_and_hash(machine, key_ingredients, hash);
}

json_t *fingerprint_environment(const json_t *machine, char hash[FINGERPRINT_BYTES])
{
    return pick_and_hash(machine, environment_ingredients, hash);
}
