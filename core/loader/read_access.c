// SPDX-License-Identifier: Apache-2.0
#include "loader/read_access.h"

#include "common/fail.h"
#include "platform/platform.h"

#include <stdio.h>
#include <stdlib.h>

// The next best for who would rather keep the page cache as it is.
static void fall_back(HypAccessFile *file, HyperionLoaderIO *in_force)
{
    file->mode = file->mode == HYPERION_LOADER_MODE_DIRECT ? HYPERION_LOADER_MODE_DONTNEED
                                                           : HYPERION_LOADER_MODE_BUFFERED;
    // The first reason is the one that a later one follows from.
    if (!in_force->mode_reason[0])
        (void)snprintf(in_force->mode_reason, sizeof in_force->mode_reason, "%s",
                       hyperionGetLastError());
    in_force->mode = file->mode;
}

static void open_file(HypAccessFile *file, const HypFile *original, HyperionLoaderIO *in_force)
{
    file->is_open = true;
    while (file->mode != HYPERION_LOADER_MODE_BUFFERED) {
        const bool is_direct = file->mode == HYPERION_LOADER_MODE_DIRECT;
        file->file =
            hyp_platform_reopen(original, is_direct ? HYP_ACCESS_UNBUFFERED : HYP_ACCESS_NO_AHEAD);
        if (file->file)
            return;
        fall_back(file, in_force);
    }
}

// False when out of memory.
static bool make_files(HypReadAccess *access, int count)
{
    access->files = calloc((size_t)count + 1, sizeof *access->files);
    if (!access->files)
        return hyp_fail(HYPERION_ERROR_MEMORY, "open files: out of memory");
    access->file_count = count;
    for (int i = 0; i < count; i++)
        access->files[i].mode = access->mode;
    return true;
}

const HypFile *hyp_read_access_file(HypReadAccess *access, const HyperionModel *model, int index,
                                    HyperionLoaderIO *in_force)
{
    const HypFile *original = model->files[index];
    if (!access->files) {
        in_force->mode = access->mode;
        in_force->mode_reason[0] = '\0';
        if (!make_files(access, model->file_count)) {
            fall_back(&(HypAccessFile){.mode = HYPERION_LOADER_MODE_DONTNEED}, in_force);
            return original;
        }
    }
    HypAccessFile *file = &access->files[index];
    if (!file->is_open)
        open_file(file, original, in_force);
    return file->file ? file->file : original;
}

void hyp_read_access_refuse(HypReadAccess *access, int index, HyperionLoaderIO *in_force)
{
    HypAccessFile *file = &access->files[index];
    // Of the reads under way when the first was refused, others are too.
    if (file->mode != HYPERION_LOADER_MODE_DIRECT)
        return;
    file->refused = file->file;
    file->file = NULL;
    file->is_open = false; // it is opened anew when it is asked for
    fall_back(file, in_force);
}

void hyp_read_access_leave(HypReadAccess *access, int index, const HypRead *read,
                           HyperionLoaderIO *in_force)
{
    if (!access->files || access->files[index].mode != HYPERION_LOADER_MODE_DONTNEED ||
        hyp_platform_drop_cached(read->file, read->offset, read->size_bytes))
        return;
    fall_back(&access->files[index], in_force);
}

void hyp_read_access_close(HypReadAccess *access)
{
    for (int i = 0; i < access->file_count; i++) {
        hyp_platform_close(access->files[i].file);
        hyp_platform_close(access->files[i].refused);
    }
    free(access->files);
    *access = (HypReadAccess){.mode = access->mode};
}
