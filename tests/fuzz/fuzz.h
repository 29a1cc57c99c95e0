// SPDX-License-Identifier: Apache-2.0
// fuzz.h - what a fuzz target is, and what it may ask.
#ifndef HYP_TEST_FUZZ_H
#define HYP_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

// Reads `bytes` as a file; a harm done ends the program. Returns 0.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

// How the names of files end that the target reads, as ".onnx".
extern const char *const fuzz_file_ending;

// A path that leads to a file of these bytes until the next call; the same path each time.
const char *fuzz_put_file(const uint8_t *bytes, size_t count);

// Bytes allocated on the heap now, and the most since fuzz_reset_peak.
size_t fuzz_memory_bytes(void);
size_t fuzz_peak_bytes(void);
void fuzz_reset_peak(void);

#endif
