// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "workload/stream_file.h"

#include "common/cache_folder.h"
#include "common/fnv.h"
#include "common/folder.h"
#include "hyperion/error.h"
#include "workload/model_instance.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "hyperion-stream-"
#define SUFFIX ".safetensors"

static const double longest_unused_s = 24 * 3600.0;

// What the bytes depend on; another program may generate others.
static uint64_t hash_model(const AxisValue *values)
{
    static const AxisId axes[] = {AXIS_MODEL, AXIS_BATCH, AXIS_SEQ};
    char text[AXIS_TEXT_BYTES + 1] = "";
    struct stat status;
    uint64_t hash = FNV_START;
    if (stat("/proc/self/exe", &status) == 0)
        (void)snprintf(text, sizeof text, "%lld %lld", (long long)status.st_size,
                       (long long)status.st_mtim.tv_sec);
    hash = fnv_add_text(hash, text);
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        axis_format(axes[i], values[axes[i]], text, sizeof text);
        hash = fnv_add_text(hash, text);
    }
    // A file that changed is another model.
    text[0] = '\0';
    if (stat(values[AXIS_MODEL].text, &status) == 0)
        (void)snprintf(text, sizeof text, "%lld %lld", (long long)status.st_size,
                       (long long)status.st_mtim.tv_sec);
    return fnv_add_text(hash, text);
}

static bool name_file(const AxisValue *values, char *path, size_t path_bytes, Problem *problem)
{
    char name[64];
    const char *folder = values[AXIS_SCRATCH].text;
    (void)snprintf(name, sizeof name, PREFIX "%016llx" SUFFIX,
                   (unsigned long long)hash_model(values));
    if (strcmp(folder, "auto") == 0)
        return cache_folder_name(name, path, path_bytes, problem);
    (void)snprintf(path, path_bytes, "%s/%s", folder, name);
    return true;
}

static bool is_unused(int folder, const char *name)
{
    struct stat status;
    const size_t length = strlen(name);
    return strncmp(name, PREFIX, sizeof PREFIX - 1) == 0 && length > sizeof SUFFIX &&
           strcmp(name + length - (sizeof SUFFIX - 1), SUFFIX) == 0 &&
           fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           difftime(time(NULL), status.st_atim.tv_sec) > longest_unused_s;
}

static void delete_unused(const char *path)
{
    char folder[STREAM_PATH_BYTES];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    DIR *opened = opendir(folder);
    for (struct dirent *entry = opened ? readdir(opened) : NULL; entry; entry = readdir(opened))
        if (is_unused(dirfd(opened), entry->d_name))
            (void)unlinkat(dirfd(opened), entry->d_name, 0);
    if (opened)
        (void)closedir(opened);
}

// Whether it is there. Its last change stays: who has it open may look at that.
static bool use_again(const char *path)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    return utimensat(AT_FDCWD, path, times, 0) == 0;
}

static bool make_file(HyperionModel *model, const char *path, Problem *problem)
{
    if (!folder_of_file_make(path, problem))
        return false;
    delete_unused(path);
    return hyperionSaveModel(model, path) ||
           problem_set(problem, "model to stream: %s", hyperionGetLastError());
}

// All but constants of a hundredth of the bytes are read from where they stand.
static bool streams_as_it_is(const HyperionModel *model)
{
    size_t standing_bytes = 0;
    for (int i = 0; i < hyperionModelTensorCount(model); i++) {
        const HyperionTensorInfo info = hyperionModelTensor(model, i);
        standing_bytes += info.is_weight && info.file_offset > 0 ? info.size_bytes : 0;
    }
    return (double)standing_bytes >= 0.99 * (double)hyperionModelWeightBytes(model);
}

bool stream_file_find(const AxisValue *values, char *path, size_t path_bytes, Problem *problem)
{
    if (!name_file(values, path, path_bytes, problem))
        return false;
    if (use_again(path))
        return true;
    HyperionModel *model = model_instance_load(values, problem);
    bool found = model != NULL;
    if (model && hyperionModelWeightBytes(model) == 0)
        found = problem_set(problem, "model %s has no weights to stream", values[AXIS_MODEL].text);
    else if (model && streams_as_it_is(model))
        (void)snprintf(path, path_bytes, "%s", values[AXIS_MODEL].text);
    else if (model)
        found = make_file(model, path, problem);
    hyperionFreeModel(model);
    return found;
}
