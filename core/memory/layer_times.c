// SPDX-License-Identifier: Apache-2.0
#include "memory/layer_times.h"

#include "common/fail.h"
#include "common/out_file.h"
#include "common/size_math.h"
#include "model/layer_op.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMES_OF_LAYER = 2 * HYP_VARIANT_COUNT };

static const char first_line[] = "hyperion-layer-times 2\n";

// FNV-1a.
static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *next = bytes;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ next[i]) * 1099511628211U;
    return hash;
}

static uint64_t add_number(uint64_t hash, uint64_t number)
{
    return add_bytes(hash, &number, sizeof number);
}

static uint64_t add_tensor(uint64_t hash, const HyperionModel *model, int tensor)
{
    const HypGraphTensor *shown = &model->tensors[tensor];
    hash = add_number(hash, (uint64_t)tensor);
    hash = add_number(hash, (uint64_t)shown->role);
    hash = add_number(hash, (uint64_t)shown->shape.type);
    for (int i = 0; i < shown->shape.rank; i++)
        hash = add_number(hash, (uint64_t)shown->shape.dims[i]);
    return hash;
}

uint64_t hyp_layer_times_key(const HyperionModel *model)
{
    const HypModelSettings *settings = &model->settings;
    uint64_t hash = 14695981039346656037U;
    hash = add_number(hash, (uint64_t)settings->dispatch.level);
    hash = add_number(hash, (uint64_t)settings->thread_count);
    hash = add_number(hash, (uint64_t)settings->cache.block_size);
    hash = add_number(hash, (uint64_t)settings->cache.prefetch_distance);
    hash = add_number(hash, settings->cache.enable_prefetch);
    for (int i = 0; i < settings->topology.level_count; i++) {
        hash = add_number(hash, settings->topology.levels[i].size_bytes);
        hash = add_number(hash, (uint64_t)settings->topology.levels[i].ways);
        hash = add_number(hash, (uint64_t)settings->topology.levels[i].sharing_cpus);
    }
    for (int i = 0; i < model->layer_count; i++) {
        const HypLayer *layer = &model->layers[i];
        hash = add_number(hash, (uint64_t)layer->op);
        hash = add_number(hash, (uint64_t)layer->attributes.groups);
        for (int j = 0; j < layer->input_count; j++)
            hash = add_tensor(hash, model, layer->inputs[j]);
        for (int j = 0; j < layer->output_count; j++)
            hash = add_tensor(hash, model, layer->outputs[j]);
    }
    for (int i = 0; i < model->output_count; i++)
        hash = add_number(hash, (uint64_t)model->outputs[i]);
    return hash ? hash : 1;
}

bool hyp_layer_times_match(const HypLayerTimes *times, const HyperionModel *model)
{
    return times->key != 0 && times->layer_count == model->layer_count &&
           times->key == hyp_layer_times_key(model);
}

static bool allocate(HypLayerTimes *times, uint64_t key, int layer_count)
{
    const size_t count = ((size_t)layer_count + 1) * TIMES_OF_LAYER;
    *times = (HypLayerTimes){
        .key = key, .layer_count = layer_count, .ns = calloc(count, sizeof *times->ns)};
    return times->ns || hyp_fail(HYPERION_ERROR_MEMORY, "layer times: out of memory");
}

bool hyp_layer_times_create(HypLayerTimes *times, const HyperionModel *model)
{
    HypLayerTimes made;
    if (!allocate(&made, hyp_layer_times_key(model), model->layer_count))
        return false;
    *times = made;
    return true;
}

void hyp_layer_times_free(HypLayerTimes *times)
{
    free(times->ns);
    *times = (HypLayerTimes){0};
}

double *hyp_layer_times_of(const HypLayerTimes *times, int layer, bool in_bands)
{
    return times->ns + (size_t)layer * TIMES_OF_LAYER + (in_bands ? HYP_VARIANT_COUNT : 0);
}

// Of each group the first step, the number of steps, and the rows.
static bool write_groups(const HypBanding *banding, HypOutFile *file)
{
    char text[96];
    (void)snprintf(text, sizeof text, "%016" PRIx64 " %d%c", banding->key, banding->group_count,
                   banding->group_count ? ' ' : '\n');
    bool written = hyp_out_file_write(file, text, strlen(text));
    for (int i = 0; written && i < banding->group_count; i++) {
        const HypBandGroup *group = &banding->groups[i];
        (void)snprintf(text, sizeof text, "%d %d %" PRId64 "%c", group->first, group->count,
                       group->rows, i + 1 < banding->group_count ? ' ' : '\n');
        written = hyp_out_file_write(file, text, strlen(text));
    }
    return written;
}

static bool write_text(const HypLayerTimes *times, HypOutFile *file)
{
    char text[64];
    bool written = hyp_out_file_write(file, first_line, sizeof first_line - 1);
    (void)snprintf(text, sizeof text, "%016" PRIx64 " %d\n", times->key, times->layer_count);
    written = written && hyp_out_file_write(file, text, strlen(text));
    written = written && write_groups(&times->banding, file);
    for (int i = 0; written && i < times->layer_count * TIMES_OF_LAYER; i++) {
        // Nanoseconds; those of a layer on a line.
        (void)snprintf(text, sizeof text, "%" PRIu64 "%c", (uint64_t)times->ns[i],
                       (i + 1) % TIMES_OF_LAYER ? ' ' : '\n');
        written = hyp_out_file_write(file, text, strlen(text));
    }
    return written;
}

bool hyp_layer_times_save(const HypLayerTimes *times, const char *path)
{
    HypOutFile *file = hyp_out_file_create(path);
    return file && hyp_out_file_close(file, write_text(times, file));
}

// The next number, which a blank or line end closes; false where there is none.
static bool read_number(char **at, int base, uint64_t *number)
{
    char *end = NULL;
    if (**at == '-' || **at == '+')
        return false;
    *number = strtoull(*at, &end, base);
    if (end == *at || (*end != ' ' && *end != '\n'))
        return false;
    *at = end + 1;
    return true;
}

static bool parse_groups(char **at, HypBanding *banding)
{
    uint64_t count = 0;
    *banding = (HypBanding){.group_count = 0};
    bool good = read_number(at, 16, &banding->key) && read_number(at, 10, &count) &&
                count <= HYP_MOST_BAND_GROUPS;
    for (uint64_t i = 0; good && i < count; i++) {
        uint64_t first = 0;
        uint64_t steps = 0;
        uint64_t rows = 0;
        good = read_number(at, 10, &first) && read_number(at, 10, &steps) &&
               read_number(at, 10, &rows) && first <= INT32_MAX && steps <= INT32_MAX &&
               rows <= INT64_MAX;
        banding->groups[banding->group_count++] =
            (HypBandGroup){(int)first, (int)steps, (int64_t)rows};
    }
    return good || hyp_fail(HYPERION_ERROR_FORMAT, "layer times: line 3 is not a key, a count of "
                                                   "groups and three numbers of each");
}

static bool parse_text(char *text, HypLayerTimes *times)
{
    enum { MOST_LAYERS = 1 << 20 };
    uint64_t key;
    uint64_t count;
    HypBanding banding;
    if (strncmp(text, first_line, sizeof first_line - 1) != 0)
        return hyp_fail(HYPERION_ERROR_FORMAT, "layer times: the first line is not '%.*s'",
                        (int)sizeof first_line - 2, first_line);
    char *at = text + sizeof first_line - 1;
    if (!read_number(&at, 16, &key) || !read_number(&at, 10, &count) || !key || count > MOST_LAYERS)
        return hyp_fail(HYPERION_ERROR_FORMAT, "layer times: line 2 is not a key and a count");
    if (!parse_groups(&at, &banding) || !allocate(times, key, (int)count))
        return false;
    times->banding = banding;
    for (size_t i = 0; i < count * TIMES_OF_LAYER; i++) {
        uint64_t ns;
        if (!read_number(&at, 10, &ns)) {
            hyp_layer_times_free(times);
            return hyp_fail(HYPERION_ERROR_FORMAT, "layer times: line %zu is not %d numbers",
                            i / TIMES_OF_LAYER + 4, TIMES_OF_LAYER);
        }
        times->ns[i] = (double)ns;
    }
    return true;
}

static char *read_text(const char *path)
{
    enum { MOST_BYTES = 1 << 28 };
    HypFile *file = hyp_platform_open(path);
    if (!file)
        return NULL;
    const uint64_t size_bytes = hyp_platform_file_bytes(file);
    char *text = size_bytes < MOST_BYTES ? calloc((size_t)size_bytes + 1, 1) : NULL;
    if (!text)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "read %s: no memory for %" PRIu64 " bytes", path,
                       size_bytes);
    if (text && !hyp_platform_read(file, 0, text, (size_t)size_bytes)) {
        free(text);
        text = NULL;
    }
    hyp_platform_close(file);
    return text;
}

bool hyp_layer_times_load(HypLayerTimes *times, const char *path)
{
    HypLayerTimes read;
    char *text = read_text(path);
    const bool parsed = text && parse_text(text, &read);
    free(text);
    if (!parsed)
        return false;
    hyp_layer_times_free(times);
    *times = read;
    return true;
}

double hyp_layer_times_guess(const HyperionModel *model, int layer, const HypVariant *variant,
                             const HypBandShare *share)
{
    static const double flops_per_ns = 40;
    static const double copied_bytes_per_ns = 8;
    static const double shrink_cost = 1.0 / 64;
    static const double band_ns = 2000; // of copies, and of rows too few for threads and tiles
    const HypLayer *shown = &model->layers[layer];
    const HypLayerOp *op = hyp_layer_op(shown->op);
    const double flops = op->flops ? op->flops(model, shown) : 0;
    const double bytes = (double)hyp_layer_output(model, shown)->size_bytes;
    double ns = (flops / flops_per_ns + bytes / copied_bytes_per_ns) * share->rows;
    const int shrinks = variant->number / 2; // the numbers come in pairs: not packed, packed
    ns *= 1 + shrink_cost * shrinks;
    if (!variant->packed && op->packed_input)
        ns += (share->bands > 0 ? share->bands : 1) *
              (double)hyp_layer_input(model, shown, op->packed_input)->size_bytes /
              copied_bytes_per_ns;
    return ns + band_ns * share->bands + 1;
}
