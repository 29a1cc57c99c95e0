// SPDX-License-Identifier: Apache-2.0
#include "model/weight_copies.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/executor.h"
#include "model/memory_layout.h"
#include "model/weight_bytes.h"

#include <stdlib.h>
#include <string.h>

struct HypWeightCopies {
    char *block;         // count - 1 copies, one after another
    size_t *offsets;     // by tensor, within a copy; SIZE_MAX: not a weight with bytes of its own
    int tensor_count;    // tensors added later have none
    size_t stride_bytes; // from copy to copy
    size_t count;        // with the model's own
    size_t turn;         // 0: the model's own
};

void hyp_weight_copies_turn(HypWeightCopies *copies)
{
    if (copies)
        copies->turn = (copies->turn + 1) % copies->count;
}

void *hyp_weight_copies_data(const HypWeightCopies *copies, int tensor)
{
    if (!copies || copies->turn == 0 || tensor >= copies->tensor_count ||
        copies->offsets[tensor] == SIZE_MAX)
        return NULL;
    return copies->block + (copies->turn - 1) * copies->stride_bytes + copies->offsets[tensor];
}

size_t hyp_weight_copies_current(const HypWeightCopies *copies)
{
    return copies ? copies->turn : 0;
}

size_t hyp_weight_copies_count(const HypWeightCopies *copies)
{
    return copies ? copies->count : 1;
}

void hyp_weight_copies_free(HypWeightCopies *copies)
{
    if (!copies)
        return;
    hyp_platform_release(copies->block);
    free(copies->offsets);
    free(copies);
}

// Offsets as the weights follow one another, each at a cache line. False when that overflows.
static bool place_weights(const HyperionModel *model, HypWeightCopies *copies)
{
    size_t used_bytes = 0;
    for (int i = 0; i < model->tensor_count; i++) {
        const HypGraphTensor *tensor = &model->tensors[i];
        copies->offsets[i] = SIZE_MAX;
        if (tensor->role != HYP_TENSOR_WEIGHT || tensor->view_of >= 0 || !tensor->data)
            continue;
        copies->offsets[i] = used_bytes;
        if (!hyp_size_add(used_bytes, tensor->shape.size_bytes, &used_bytes) ||
            !hyp_size_round_up(used_bytes, 64, &used_bytes))
            return false;
    }
    copies->stride_bytes = used_bytes;
    return true;
}

static void fill_copies(const HyperionModel *model, const HypWeightCopies *copies)
{
    for (size_t copy = 0; copy + 1 < copies->count; copy++)
        for (int i = 0; i < copies->tensor_count; i++)
            if (copies->offsets[i] != SIZE_MAX)
                memcpy(copies->block + copy * copies->stride_bytes + copies->offsets[i],
                       model->tensors[i].data, model->tensors[i].shape.size_bytes);
}

static HypWeightCopies *make_copies(const HyperionModel *model, size_t count)
{
    HypWeightCopies *copies = calloc(1, sizeof *copies);
    if (copies)
        copies->offsets = calloc((size_t)model->tensor_count + 1, sizeof *copies->offsets);
    size_t block_bytes = 0;
    if (!copies || !copies->offsets || !place_weights(model, copies) ||
        !hyp_size_multiply(copies->stride_bytes, count - 1, &block_bytes)) {
        hyp_weight_copies_free(copies);
        return hyp_fail_null(HYPERION_ERROR_MEMORY,
                             "set weight copies: out of memory for %zu copies of model %s", count,
                             model->name);
    }
    copies->tensor_count = model->tensor_count;
    copies->count = count;
    copies->block = hyp_platform_allocate(block_bytes, 64);
    if (!copies->block) {
        hyp_weight_copies_free(copies);
        return NULL;
    }
    fill_copies(model, copies);
    return copies;
}

bool hyperionSetWeightCopies(HyperionModel *model, size_t count)
{
    if (count == 0)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "set weight copies: at least 1, given 0");
    if (!hyp_model_hold(model, "set weight copies"))
        return false;
    HypWeightCopies *copies = NULL;
    const bool made = (count == 1 || (hyp_weights_read_all(model) &&
                                      (copies = make_copies(model, count)) != NULL)) &&
                      hyp_memory_layout_set_copies(model, count);
    if (!made) {
        hyp_weight_copies_free(copies);
    } else {
        hyp_weight_copies_free(model->weight_copies);
        model->weight_copies = copies;
    }
    hyp_model_end_change(model);
    return made;
}

size_t hyperionGetWeightCopies(const HyperionModel *model)
{
    if (!model) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get weight copies: model is NULL");
        return 0;
    }
    return hyp_weight_copies_count(model->weight_copies);
}
