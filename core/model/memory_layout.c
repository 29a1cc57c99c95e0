// SPDX-License-Identifier: Apache-2.0
#include "model/memory_layout.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/layer_op.h"
#include "model/run_plan.h"
#include "model/weight_bytes.h"
#include "model/weight_copies.h"

#include <stdlib.h>
#include <string.h>

// A weight that would take more than so many times its bytes packed stays as it is.
enum { MOST_GROWTH = 2 };

typedef struct PackedLayer {
    size_t offset; // within a copy; SIZE_MAX: not packed
    size_t size_bytes;
    HyperionGemmBlocking blocking; // it was packed for
} PackedLayer;

struct HypMemoryLayout {
    char *arena;         // copies, one after another; NULL: nothing is packed
    size_t stride_bytes; // from copy to copy
    size_t copies;
    PackedLayer *layers;
    int layer_count;
};

void hyp_memory_layout_free(HypMemoryLayout *layout)
{
    if (!layout)
        return;
    hyp_platform_release(layout->arena);
    free(layout->layers);
    free(layout);
}

static const HypGraphTensor *find_packed_input(const HyperionModel *model, const HypLayer *layer)
{
    const int input = hyp_layer_op(layer->op)->packed_input;
    const HypGraphTensor *tensor = input ? &model->tensors[layer->inputs[input]] : NULL;
    return tensor && tensor->role == HYP_TENSOR_WEIGHT ? tensor : NULL;
}

// They are where panels are: mc only says how many are used at a time.
bool hyp_memory_layout_is_alike(const HyperionGemmBlocking *a, const HyperionGemmBlocking *b)
{
    return a->kc == b->kc && a->nc == b->nc && a->mr == b->mr && a->nr == b->nr;
}

// An earlier layer that packs the same weight in the same way; NULL: none.
static const PackedLayer *find_twin(const HyperionModel *model, const HypMemoryLayout *layout,
                                    int index)
{
    const HypLayer *layer = &model->layers[index];
    const int tensor = layer->inputs[hyp_layer_op(layer->op)->packed_input];
    for (int i = 0; i < index; i++) {
        const HypLayer *other = &model->layers[i];
        if (other->op == layer->op && layout->layers[i].offset != SIZE_MAX &&
            other->inputs[hyp_layer_op(other->op)->packed_input] == tensor &&
            other->attributes.transpose_b == layer->attributes.transpose_b &&
            other->attributes.groups == layer->attributes.groups &&
            hyp_memory_layout_is_alike(&layout->layers[i].blocking,
                                       &layout->layers[index].blocking))
            return &layout->layers[i];
    }
    return NULL;
}

size_t hyp_memory_layout_layer_bytes(const HyperionModel *model, int index,
                                     const HyperionGemmBlocking *blocking, void *const *data)
{
    const HypLayer *layer = &model->layers[index];
    const HypGraphTensor *weight = find_packed_input(model, layer);
    if (!weight)
        return 0;
    const HypLayerRun run = {.model = model, .layer = layer, .data = data, .blocking = *blocking};
    const size_t bytes = hyp_layer_op(layer->op)->packed_bytes(&run);
    return bytes / MOST_GROWTH > weight->shape.size_bytes ? 0 : bytes;
}

void hyp_memory_layout_pack_layer(const HyperionModel *model, int index,
                                  const HyperionGemmBlocking *blocking, void *const *data,
                                  float *packed)
{
    const HypLayer *layer = &model->layers[index];
    const HypLayerRun run = {.model = model, .layer = layer, .data = data, .blocking = *blocking};
    hyp_layer_op(layer->op)->pack(&run, packed);
}

// plan NULL: every layer, as the settings say.
static bool place_layer(const HyperionModel *model, const HypRunPlan *plan, HypMemoryLayout *layout,
                        int index, void *const *data)
{
    PackedLayer *packed = &layout->layers[index];
    packed->offset = SIZE_MAX;
    if (plan && !plan->packed[index])
        return true;
    if (plan)
        packed->blocking = plan->blockings[index];
    else if (!hyp_layer_blocking(model, &model->layers[index], &packed->blocking))
        return false;
    packed->size_bytes = hyp_memory_layout_layer_bytes(model, index, &packed->blocking, data);
    if (packed->size_bytes == 0)
        return true;
    const PackedLayer *twin = find_twin(model, layout, index);
    if (twin) {
        packed->offset = twin->offset;
        return true;
    }
    packed->offset = layout->stride_bytes;
    return (hyp_size_add(packed->offset, packed->size_bytes, &layout->stride_bytes) &&
            hyp_size_round_up(layout->stride_bytes, 64, &layout->stride_bytes)) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "pack weights: model %s is too large", model->name);
}

// Where everything goes, with no memory behind it yet.
static HypMemoryLayout *plan_layout(const HyperionModel *model, const HypRunPlan *plan,
                                    size_t copies, void *const *data)
{
    HypMemoryLayout *layout = calloc(1, sizeof *layout);
    if (layout)
        layout->layers = calloc((size_t)model->layer_count + 1, sizeof *layout->layers);
    bool planned = layout && layout->layers;
    if (!planned)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "pack weights of model %s: out of memory",
                       model->name);
    for (int i = 0; planned && i < model->layer_count; i++)
        planned = place_layer(model, plan, layout, i, data);
    if (!planned) {
        hyp_memory_layout_free(layout);
        return NULL;
    }
    layout->layer_count = model->layer_count;
    layout->copies = copies;
    return layout;
}

// `data` is room for the places of all tensors.
static bool fill_layout(HyperionModel *model, HypMemoryLayout *layout, void **data)
{
    size_t arena_bytes = 0;
    if (!hyp_weights_read_all(model))
        return false;
    for (int i = 0; i < model->tensor_count; i++)
        data[i] = model->tensors[hyp_model_root(model, i)].data;
    if (!hyp_size_multiply(layout->stride_bytes, layout->copies, &arena_bytes))
        return hyp_fail(HYPERION_ERROR_MEMORY, "pack weights: %zu copies of model %s are too large",
                        layout->copies, model->name);
    const bool large = arena_bytes >= HYP_HUGE_PAGE_BYTES;
    layout->arena = hyp_platform_allocate(arena_bytes, large ? HYP_HUGE_PAGE_BYTES : 64);
    if (!layout->arena)
        return false;
    hyp_platform_prefer_huge_pages(layout->arena, arena_bytes);
    for (int i = 0; i < layout->layer_count; i++) {
        if (layout->layers[i].offset == SIZE_MAX)
            continue;
        void *place = layout->arena + layout->layers[i].offset;
        hyp_memory_layout_pack_layer(model, i, &layout->layers[i].blocking, data, place);
    }
    for (size_t copy = 1; copy < layout->copies; copy++)
        memcpy(layout->arena + copy * layout->stride_bytes, layout->arena, layout->stride_bytes);
    return true;
}

static bool is_same_plan(const HypMemoryLayout *a, const HypMemoryLayout *b)
{
    if (!a->arena || a->copies != b->copies || a->layer_count != b->layer_count)
        return false;
    for (int i = 0; i < a->layer_count; i++)
        if (a->layers[i].offset != b->layers[i].offset ||
            !hyp_memory_layout_is_alike(&a->layers[i].blocking, &b->layers[i].blocking))
            return false;
    return true;
}

// The present layout itself where it still is what `planned` says, which is freed then; else
// `planned` with its memory filled. NULL, last error set, when out of memory or a weight cannot be
// read. `spare`: frees what the present one holds before as much is needed again.
static HypMemoryLayout *realise_plan(HyperionModel *model, HypMemoryLayout *planned, void **data,
                                     bool spare)
{
    HypMemoryLayout *present = model->memory_layout;
    if (present && is_same_plan(present, planned)) {
        hyp_memory_layout_free(planned);
        return present;
    }
    if (present && spare) {
        hyp_platform_release(present->arena);
        present->arena = NULL;
    }
    if (fill_layout(model, planned, data))
        return planned;
    hyp_memory_layout_free(planned);
    return NULL;
}

static void **make_places(const HyperionModel *model)
{
    void **data = (void **)calloc((size_t)model->tensor_count + 1, sizeof *data);
    if (!data)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "pack weights of model %s: out of memory",
                       model->name);
    return data;
}

static bool replace_layout(HyperionModel *model, const HypRunPlan *plan, size_t copies, bool spare)
{
    void **data = make_places(model);
    if (!data)
        return false;
    HypMemoryLayout *planned = plan_layout(model, plan, copies, data);
    HypMemoryLayout *layout = planned ? realise_plan(model, planned, data, spare) : NULL;
    free((void *)data);
    if (layout && layout != model->memory_layout) {
        hyp_memory_layout_free(model->memory_layout);
        model->memory_layout = layout;
    }
    return layout != NULL;
}

bool hyp_memory_layout_refresh(HyperionModel *model, const HypRunPlan *plan)
{
    bool any = false;
    for (int i = 0; i < model->layer_count; i++)
        any |= plan->packed[i];
    if (any)
        return replace_layout(model, plan, hyp_weight_copies_count(model->weight_copies), true);
    hyp_memory_layout_release(model);
    return true;
}

void hyp_memory_layout_release(HyperionModel *model)
{
    hyp_memory_layout_free(model->memory_layout);
    model->memory_layout = NULL;
}

void hyp_memory_layout_release_unasked(HyperionModel *model)
{
    if (!model->packs_weights)
        hyp_memory_layout_release(model);
}

size_t hyp_memory_layout_held_bytes(const HyperionModel *model)
{
    const HypMemoryLayout *layout = model->memory_layout;
    return layout && layout->arena ? layout->stride_bytes : 0;
}

bool hyp_memory_layout_plan_bytes(const HyperionModel *model, const HypRunPlan *plan, size_t *bytes)
{
    void **data = make_places(model);
    HypMemoryLayout *planned = data ? plan_layout(model, plan, 1, data) : NULL;
    if (planned)
        *bytes = planned->stride_bytes;
    free((void *)data);
    hyp_memory_layout_free(planned);
    return planned != NULL;
}

bool hyp_memory_layout_set_copies(HyperionModel *model, size_t copies)
{
    const HypMemoryLayout *present = model->memory_layout;
    if (!present)
        return true;
    // As it is packed now, which may be by a plan that is still to be run by.
    HypRunPlan plan = {0};
    const bool planned = hyp_run_plan_create(model, &plan);
    for (int i = 0; planned && i < model->layer_count; i++) {
        plan.packed[i] = i < present->layer_count && present->layers[i].offset != SIZE_MAX;
        if (plan.packed[i])
            plan.blockings[i] = present->layers[i].blocking;
    }
    const bool replaced = planned && replace_layout(model, &plan, copies, false);
    hyp_run_plan_free(&plan);
    return replaced;
}

bool hyp_model_layer_is_packed(const HyperionModel *model, int layer)
{
    const HypMemoryLayout *layout = model->memory_layout;
    return layout && layout->arena && layer < layout->layer_count &&
           layout->layers[layer].offset != SIZE_MAX;
}

const float *hyp_memory_layout_data(const HyperionModel *model, int layer,
                                    const HyperionGemmBlocking *blocking)
{
    if (!hyp_model_layer_is_packed(model, layer) ||
        !hyp_memory_layout_is_alike(&model->memory_layout->layers[layer].blocking, blocking))
        return NULL;
    const HypMemoryLayout *layout = model->memory_layout;
    const void *place = layout->arena +
                        hyp_weight_copies_current(model->weight_copies) * layout->stride_bytes +
                        layout->layers[layer].offset;
    return place;
}

bool hyperionOptimizeMemoryLayout(HyperionModel *model)
{
    if (!hyp_model_begin_change(model, "optimize memory layout"))
        return false;
    // A loader packs those it brings, within its cap.
    const HypExecutorHooks *loader = model->attached.of[HYP_ATTACHED_LOADER].hooks;
    const bool packed =
        (loader && loader->provides_weights) ||
        (hyp_weights_read_all(model) &&
         replace_layout(model, NULL, hyp_weight_copies_count(model->weight_copies), false));
    model->packs_weights |= packed;
    hyp_model_end_change(model);
    return packed;
}

bool hyperionResetMemoryLayout(HyperionModel *model)
{
    if (!hyp_model_begin_change(model, "reset memory layout"))
        return false;
    hyp_memory_layout_release(model);
    model->packs_weights = false;
    hyp_model_end_change(model);
    return true;
}

size_t hyperionModelPackedBytes(const HyperionModel *model)
{
    if (!model) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "model packed bytes: model is NULL");
        return 0;
    }
    return model->memory_layout ? model->memory_layout->stride_bytes : 0;
}
