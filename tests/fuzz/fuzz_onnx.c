// SPDX-License-Identifier: Apache-2.0
// fuzz_onnx.c - the ONNX reader.
#include "fuzz/fuzz.h"
#include "fuzz/fuzz_model.h"

const char *const fuzz_file_ending = ".onnx";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    fuzz_load_model(bytes, count, &(HyperionLoadOptions){.default_dimension = 2});
    return 0;
}
