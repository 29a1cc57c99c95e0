// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz_model.h"

#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

// Beyond 4 x the file: what does not grow with it (the model, windows, arenas' blocks, and shapes
// and masks computed while reading).
enum { FIXED_BYTES = 1024 * 1024, MOST_TENSORS = 16 };

void fuzz_give_up(const char *what, size_t number)
{
    (void)fprintf(stderr, "fuzz: %s: %zu\n", what, number);
    abort();
}

// One run of a model that turned out small; it may fail with a message.
static void run_if_small(HyperionModel *model)
{
    const size_t small = 1U << 20;
    HyperionTensor *tensors[2 * MOST_TENSORS] = {NULL};
    const int input_count = hyperionModelInputCount(model);
    const int output_count = hyperionModelOutputCount(model);
    bool runs = input_count <= MOST_TENSORS && output_count <= MOST_TENSORS &&
                hyperionModelActivationBytes(model) < small &&
                hyperionModelWeightBytes(model) < small && hyperionModelFlops(model) < 1e7;
    for (int i = 0; runs && i < input_count + output_count; i++) {
        const HyperionTensorInfo info = i < input_count
                                            ? hyperionModelInput(model, i)
                                            : hyperionModelOutput(model, i - input_count);
        runs = info.size_bytes < small;
        if (runs)
            tensors[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
    }
    if (runs && !hyperionRunModel(model, tensors, tensors + input_count) &&
        !hyperionGetLastError()[0])
        fuzz_give_up("a run failed without a message", 0);
    for (int i = 0; i < 2 * MOST_TENSORS; i++)
        hyperionFreeTensor(tensors[i]);
}

void fuzz_load_model(const uint8_t *bytes, size_t count, const HyperionLoadOptions *options)
{
    const char *path = fuzz_put_file(bytes, count);
    const size_t before_bytes = fuzz_memory_bytes();
    fuzz_reset_peak();
    HyperionModel *model = hyperionLoadModelWith(path, options);
    const size_t peak_bytes = fuzz_peak_bytes() - before_bytes;
    if (peak_bytes > 4 * count + FIXED_BYTES)
        fuzz_give_up("reading took this many bytes too many", peak_bytes - 4 * count);
    if (model)
        run_if_small(model);
    else if (!hyperionGetLastError()[0])
        fuzz_give_up("refused without a message", 0);
    hyperionFreeModel(model);
    if (fuzz_memory_bytes() > before_bytes)
        fuzz_give_up("bytes were left", fuzz_memory_bytes() - before_bytes);
}
