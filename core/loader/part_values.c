// SPDX-License-Identifier: Apache-2.0
#include "loader/part_values.h"

#include "model/safetensors/weight_run.h"
#include "model/weight_bytes.h"

#include <string.h>

// Where the bytes of the part come to.
static char *find_stored(const HypLayerPart *part, char *block)
{
    return block + part->landing + part->file_offset % HYP_READ_ALIGNMENT;
}

// Those values of which all bytes have come. They are never written behind the bytes of the next.
static void convert(HypPartValues *values, const HypGraphTensor *weight, const char *stored,
                    float *to)
{
    enum { MOST_VALUES = 4096 };
    uint64_t some[MOST_VALUES];
    size_t value_bytes = 0;
    (void)hyp_stored_bytes(weight->stored, weight->shape.type, 1, &value_bytes);
    const size_t ready_count = values->come_bytes / value_bytes;
    while (values->converted_count < ready_count) {
        const size_t done = values->converted_count;
        const size_t left = ready_count - done;
        const size_t count = left < MOST_VALUES ? left : MOST_VALUES;
        memcpy(some, stored + done * value_bytes, count * value_bytes);
        hyp_stored_convert(weight->stored, some, to + done, count);
        values->converted_count += count;
    }
}

bool hyp_part_values_add(HypPartValues *values, const HyperionModel *model,
                         const HypLayerPart *part, char *block, const HypRead *read)
{
    char *stored = find_stored(part, block);
    char *place = block + part->offset;
    const size_t begin = values->come_bytes;
    const uint64_t end = read->offset + read->least_bytes;
    values->come_bytes = (size_t)(end - part->file_offset);
    if (part->run >= 0) {
        if (!values->checksum)
            values->checksum = hyp_checksum_begin();
        if (values->checksum)
            hyp_checksum_add(values->checksum, stored + begin, values->come_bytes - begin);
        return values->checksum != NULL;
    }
    const HypGraphTensor *weight = &model->tensors[part->tensor];
    if (weight->stored != HYP_STORED_AS_IS)
        convert(values, weight, stored, (float *)(void *)place);
    else if (place != stored)
        memmove(place + begin, stored + begin, values->come_bytes - begin);
    return true;
}

bool hyp_part_values_end(HypPartValues *values, const HyperionModel *model,
                         const HypLayerPart *part, char *block)
{
    // Asked after the reads whether the file held still, so that a change during them is seen too.
    const bool is_whole =
        hyp_platform_file_unchanged(model->files[part->file]) &&
        (part->run < 0 ||
         hyp_weight_run_check(model, &model->weight_runs[part->run], values->checksum));
    hyp_part_values_drop(values);
    if (is_whole && part->run < 0)
        hyp_weights_fold(model, part->tensor, block + part->offset);
    return is_whole;
}

void hyp_part_values_drop(HypPartValues *values)
{
    hyp_checksum_end(values->checksum);
    *values = (HypPartValues){0};
}

bool hyp_part_values_generate(const HyperionModel *model, const HypLayerPart *part, char *block)
{
    return hyp_weights_fill(model, part->tensor, block + part->offset);
}
