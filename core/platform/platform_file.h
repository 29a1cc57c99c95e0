// SPDX-License-Identifier: Apache-2.0
// platform_file.h - the inside of an open file, for those in this folder that read it.
#ifndef HYP_PLATFORM_FILE_H
#define HYP_PLATFORM_FILE_H

#include "platform/platform.h"

#include <time.h>

struct HypFile {
    int descriptor;
    bool is_unbuffered;
    uint64_t size_bytes;
    struct timespec modified;
    char path[]; // for messages
};

// Whether a read that failed with `error` is to be tried again: it was interrupted or put off, and
// not too often in succession, which *vain_tries counts. Waits before that where it was often.
bool hyp_file_tries_again(int error, int *vain_tries);

// Record that a read failed, or that the file ended after `done_bytes` of it; false.
bool hyp_file_fail_read(const HypFile *file, uint64_t offset, size_t size_bytes, int error);
bool hyp_file_fail_end(const HypFile *file, uint64_t offset, size_t size_bytes, size_t done_bytes);

#endif
