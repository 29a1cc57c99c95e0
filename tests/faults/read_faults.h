// SPDX-License-Identifier: Apache-2.0
// read_faults.h - a library to be preloaded (LD_PRELOAD) that lets reads of model files go wrong:
// of those whose name has "hyperion-loader-" in it, by pread, preadv2 and
// io_uring.
#ifndef HYP_READ_FAULTS_H
#define HYP_READ_FAULTS_H

#include <stdint.h>

typedef enum ReadFaultKind {
    READ_FAULT_NONE,
    READ_FAULT_SHORT,    // at most a third of what is asked for (unbuffered: in whole pages)
    READ_FAULT_EINTR,    // two of three are interrupted
    READ_FAULT_EAGAIN,   // two of three are put off
    READ_FAULT_EINVAL,   // unbuffered ones are refused, though the file opened
    READ_FAULT_EIO,      // those that come upon byte `at`
    READ_FAULT_TRUNCATE, // the file is cut at that byte before
    READ_FAULT_SLOW,     // 5 ms each
    READ_FAULT_NO_RING   // io_uring may not be used
} ReadFaultKind;

typedef struct ReadFault {
    ReadFaultKind kind;
    int after; // so many reads are as they are
    int64_t at;
} ReadFault;

// Found by dlsym: absent where the library is not preloaded. No read is under way.
void read_faults_set(const ReadFault *fault);

#endif
