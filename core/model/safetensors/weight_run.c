// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors/weight_run.h"

#include "common/fail.h"

#include <inttypes.h>
#include <stdlib.h>

const HypWeightRun *hyp_weight_run_of(const HyperionModel *model, int tensor)
{
    int low = 0;
    int high = model->weight_run_count;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        const HypWeightRun *run = &model->weight_runs[middle];
        if (tensor < run->first_weight)
            high = middle;
        else if (tensor >= run->first_weight + run->weight_count)
            low = middle + 1;
        else
            return run;
    }
    return NULL;
}

// What pads the weights counts too, so that the checksum is that of one range of the file.
static bool add_padding(const HypFile *file, uint64_t begin, uint64_t end, HypChecksum *checksum)
{
    unsigned char padding[64];
    while (begin < end) {
        const size_t count = end - begin < sizeof padding ? (size_t)(end - begin) : sizeof padding;
        if (!hyp_platform_read(file, begin, padding, count))
            return false;
        hyp_checksum_add(checksum, padding, count);
        begin += count;
    }
    return true;
}

// Reads weight i to fresh[i]: those that are in memory already stay as they are.
static bool read_weights(const HyperionModel *model, const HypWeightRun *run, void **fresh,
                         HypChecksum *checksum)
{
    const HypFile *file = model->files[0];
    uint64_t place = run->file_offset;
    for (int i = 0; i < run->weight_count; i++) {
        const HypGraphTensor *weight = &model->tensors[run->first_weight + i];
        const size_t size_bytes = weight->shape.size_bytes;
        fresh[i] = hyp_platform_allocate(size_bytes, 64);
        if (!fresh[i] || !add_padding(file, place, weight->file_offset, checksum) ||
            !hyp_platform_read(file, weight->file_offset, fresh[i], size_bytes))
            return false;
        hyp_checksum_add(checksum, fresh[i], size_bytes);
        place = weight->file_offset + size_bytes;
    }
    return hyp_platform_file_unchanged(file);
}

static bool check(const HypWeightRun *run, const HypChecksum *checksum)
{
    const uint64_t found = hyp_checksum_value(checksum);
    return !run->has_checksum || !hyp_checksum_exists() || found == run->checksum ||
           hyp_fail(HYPERION_ERROR_FORMAT,
                    "%" PRIu64 " bytes at %" PRIu64 " are damaged: expected checksum %016" PRIx64
                    ", found %016" PRIx64,
                    run->size_bytes, run->file_offset, run->checksum, found);
}

static bool fail_run(const HyperionModel *model, const HypWeightRun *run)
{
    return hyp_fail(hyperionGetLastErrorKind(), "model %s, weights of %s%s: %s", model->name,
                    run->layer < 0 ? "no layer" : "layer ",
                    run->layer < 0 ? "" : model->layers[run->layer].name, hyperionGetLastError());
}

bool hyp_weight_run_read(HyperionModel *model, const HypWeightRun *run)
{
    HypChecksum *checksum = hyp_checksum_begin();
    void **fresh = calloc((size_t)run->weight_count, sizeof *fresh);
    if (checksum && !fresh)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "out of memory");
    const bool read =
        checksum && fresh && read_weights(model, run, fresh, checksum) && check(run, checksum);
    hyp_checksum_end(checksum);
    for (int i = 0; i < run->weight_count && fresh; i++) {
        HypGraphTensor *weight = &model->tensors[run->first_weight + i];
        if (read && !weight->data)
            weight->data = fresh[i];
        else
            hyp_platform_release(fresh[i]);
    }
    free(fresh);
    return read || fail_run(model, run);
}

bool hyp_weight_run_check(const HyperionModel *model, const HypWeightRun *run,
                          const HypChecksum *checksum)
{
    return check(run, checksum) || fail_run(model, run);
}
