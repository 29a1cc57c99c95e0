// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "workload/layer_times_file.h"

#include "common/cache_folder.h"
#include "common/fnv.h"
#include "common/folder.h"
#include "common/installation.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>

// What the times depend on. Some the library looks at itself when it is given them; but cells run
// in turn, and would take each other's file for none.
static const AxisId timed_axes[] = {
    AXIS_MODEL,    AXIS_BATCH,   AXIS_SEQ,   AXIS_THREADS,  AXIS_BLOCK_SIZE,
    AXIS_PREFETCH, AXIS_BINDING, AXIS_PAGES, AXIS_GEOMETRY, AXIS_PREFETCH_DISTANCE};

// The program whose times they are: the worker, also for those beside it whose kernels are slower
// for being watched. Where there is none, this one.
static bool find_timed(struct stat *program)
{
    char path[4096];
    Problem unused = {0};
    return (installation_program("hyperion-worker", path, sizeof path, &unused) &&
            stat(path, program) == 0) ||
           stat("/proc/self/exe", program) == 0;
}

// Other kernels have other times: another program of that name has another size or date.
static uint64_t add_machine(uint64_t hash)
{
    struct utsname system;
    struct stat program;
    char text[96] = "";
    if (uname(&system) == 0)
        hash = fnv_add_text(hash, system.nodename);
    if (find_timed(&program))
        (void)snprintf(text, sizeof text, "%lld %lld", (long long)program.st_size,
                       (long long)program.st_mtim.tv_sec);
    return fnv_add_text(hash, text);
}

void layer_times_name(const AxisValue *values, HyperionSIMDLevel level, char *path,
                      size_t path_bytes)
{
    char text[AXIS_TEXT_BYTES + 1];
    uint64_t hash = add_machine(FNV_START);
    hash = fnv_add_text(hash, hyperionSIMDLevelName((int)level));
    for (size_t i = 0; i < sizeof timed_axes / sizeof *timed_axes; i++) {
        axis_format(timed_axes[i], values[timed_axes[i]], text, sizeof text);
        hash = fnv_add_text(hash, text);
    }
    Problem unused = {0};
    (void)snprintf(text, sizeof text, "layer-times-%016llx.json", (unsigned long long)hash);
    if (!cache_folder_name(text, path, path_bytes, &unused))
        path[0] = '\0';
}

bool layer_times_take(HyperionMemoryOptimizer *optimizer, const char *path)
{
    return path[0] && hyperionLoadLayerTimes(optimizer, path);
}

static bool is_timed(void)
{
    struct stat timed;
    struct stat own;
    return find_timed(&timed) && stat("/proc/self/exe", &own) == 0 && timed.st_dev == own.st_dev &&
           timed.st_ino == own.st_ino;
}

void layer_times_keep(const HyperionMemoryOptimizer *optimizer, const char *path)
{
    Problem unused = {0};
    if (path[0] && is_timed() && folder_of_file_make(path, &unused))
        (void)hyperionSaveLayerTimes(optimizer, path);
}
