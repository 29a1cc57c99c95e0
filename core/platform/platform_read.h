// SPDX-License-Identifier: Apache-2.0
// platform_read.h - what a back end of a read queue is: it makes single tries to read, and does not
// judge what came of them.
#ifndef HYP_PLATFORM_READ_H
#define HYP_PLATFORM_READ_H

#include "platform/platform_file.h"

// A try to read what is left of a read.
typedef struct HypReadTry {
    int descriptor;
    void *memory;
    size_t size_bytes;
    uint64_t offset;
    bool may_be_cached; // in the page cache
    int64_t
        result; // once it has ended: bytes, 0 at the end of the file, or an error number below 0
} HypReadTry;

typedef struct HypReadEngine {
    void *(*open)(int depth); // NULL, last error set
    void (*close)(void *engine);
    void (*start)(void *engine, HypReadTry *attempt); // at most `depth` under way
    // One that has ended; NULL: none did for so long.
    HypReadTry *(*reap)(void *engine, uint64_t timeout_ns);
} HypReadEngine;

extern const HypReadEngine hyp_read_uring;
extern const HypReadEngine hyp_read_threads;

#endif
