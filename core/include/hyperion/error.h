// SPDX-License-Identifier: Apache-2.0
// error.h - why the last call on this thread failed.
#ifndef HYPERION_ERROR_H
#define HYPERION_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum HyperionErrorKind {
    HYPERION_ERROR_NONE,        // no call failed on this thread yet
    HYPERION_ERROR_ARGUMENT,    // the caller's values are wrong or do not fit together
    HYPERION_ERROR_MEMORY,      // an allocation failed or a budget would be exceeded
    HYPERION_ERROR_IO,          // the operating system refused a file or read
    HYPERION_ERROR_FORMAT,      // a file is not what it should be
    HYPERION_ERROR_UNSUPPORTED, // valid, but not implemented here; the message says what is missing
    HYPERION_ERROR_BUSY         // the object is in use by another call
} HyperionErrorKind;

// Message of the last failed hyperion call on this thread; "" if none failed yet. Never NULL.
// Meaningful only right after a call failed: success does not clear it.
// Owned by the library; valid until the next hyperion call on this thread.
const char *hyperionGetLastError(void);

// Kind of the same failure; HYPERION_ERROR_NONE if none failed yet on this thread.
HyperionErrorKind hyperionGetLastErrorKind(void);

#ifdef __cplusplus
}
#endif
#endif
