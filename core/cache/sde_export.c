// SPDX-License-Identifier: Apache-2.0
// sde_export.c - predictions as software-defined events of PAPI, without needing PAPI: references
// to libsde are weak, so that a program without it has everything but the events.
#include "common/fail.h"
#include "hyperion/cache.h"

#include <stdatomic.h>
#include <stdio.h>
#include <threads.h>

// As sde_lib.h of PAPI 7 declares them.
typedef void *SdeHandle;
enum { SDE_READ_ONLY = 0x00, SDE_INSTANT = 0x10, SDE_LONG_LONG = 0x0, SDE_OK = 0 };
__attribute__((weak)) SdeHandle papi_sde_init(const char *library);
__attribute__((weak)) int papi_sde_register_counter(SdeHandle library, const char *event, int mode,
                                                    int type, void *counter);

enum { LEVELS = 3, NAME_BYTES = 32 };

typedef enum LevelCount { ACCESSES, MISSES, FILLS, WRITE_BACKS, LEVEL_COUNTS } LevelCount;
typedef enum OtherCount {
    CALLS,
    MEMORY_READ_BYTES,
    MEMORY_WRITE_BYTES,
    PREFETCHES,
    OTHER_COUNTS
} OtherCount;

static const char *const level_names[LEVEL_COUNTS] = {"ACCESSES", "MISSES", "FILLS", "WRITE_BACKS"};
static const char *const other_names[OTHER_COUNTS] = {"CALLS", "MEMORY_READ_BYTES",
                                                      "MEMORY_WRITE_BYTES", "PREFETCHES"};

// What libsde reads: an atomic long long is laid out as a plain one.
static atomic_llong level_totals[LEVELS][LEVEL_COUNTS];
static atomic_llong other_totals[OTHER_COUNTS];

static once_flag once = ONCE_FLAG_INIT;
static bool registered;

// INSTANT: PAPI re-bases counters of the other kind at any start, also another thread's.
static bool register_counter(SdeHandle library, const char *name, atomic_llong *total)
{
    return papi_sde_register_counter(library, name, SDE_READ_ONLY | SDE_INSTANT, SDE_LONG_LONG,
                                     (void *)(uintptr_t)total) == SDE_OK;
}

static void register_all(void)
{
    SdeHandle library =
        papi_sde_init && papi_sde_register_counter ? papi_sde_init("hyperion") : NULL;
    bool all = library != NULL;
    for (int level = 0; all && level < LEVELS; level++)
        for (int i = 0; all && i < LEVEL_COUNTS; i++) {
            char name[NAME_BYTES];
            (void)snprintf(name, sizeof name, "L%d_%s", level + 1, level_names[i]);
            all = register_counter(library, name, &level_totals[level][i]);
        }
    for (int i = 0; all && i < OTHER_COUNTS; i++)
        all = register_counter(library, other_names[i], &other_totals[i]);
    registered = all;
}

static void add(atomic_llong *total, uint64_t count)
{
    atomic_fetch_add_explicit(total, (long long)count, memory_order_relaxed);
}

static void add_statistics(const HyperionCacheStats *stats)
{
    for (int i = 0; i < stats->level_count && i < LEVELS; i++) {
        const HyperionCacheLevelStats *level = &stats->levels[i];
        add(&level_totals[i][ACCESSES], level->accesses);
        add(&level_totals[i][MISSES], level->misses);
        add(&level_totals[i][FILLS], level->fills);
        add(&level_totals[i][WRITE_BACKS], level->write_backs);
    }
    add(&other_totals[CALLS], 1);
    add(&other_totals[MEMORY_READ_BYTES], stats->memory_read_bytes);
    add(&other_totals[MEMORY_WRITE_BYTES], stats->memory_write_bytes);
    add(&other_totals[PREFETCHES], stats->prefetches);
}

bool hyperionPublishCacheStats(const HyperionCacheStats *stats)
{
    if (stats && !stats->valid)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "publish cache statistics: they are not valid");
    call_once(&once, register_all);
    if (!registered)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                        "publish cache statistics: libsde is not part of this program: link it "
                        "with -Wl,--no-as-needed -lsde");
    if (stats)
        add_statistics(stats);
    return true;
}
