// SPDX-License-Identifier: Apache-2.0
// out_file.h - files that are seen whole or not at all: written to "<path>.part", then renamed.
#ifndef HYP_OUT_FILE_H
#define HYP_OUT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct HypOutFile HypOutFile;

// NULL, last error set, when it cannot be made.
HypOutFile *hyp_out_file_create(const char *path);

// Appends; false, last error set, when that fails, now and from then on.
bool hyp_out_file_write(HypOutFile *file, const void *bytes, size_t size_bytes);

// Writes over what was appended at `offset` before.
bool hyp_out_file_rewrite(HypOutFile *file, uint64_t offset, const void *bytes, size_t size_bytes);

// Appends zeros up to a multiple of `alignment`.
bool hyp_out_file_align(HypOutFile *file, size_t alignment);

// Bytes written so far.
uint64_t hyp_out_file_position(const HypOutFile *file);

// Puts the file in its place if `keep` and all went well, and frees it. True if it is in place;
// else what was there before is untouched. NULL is allowed, and is false.
bool hyp_out_file_close(HypOutFile *file, bool keep);

#endif
