// SPDX-License-Identifier: Apache-2.0
// save.c - writes the streaming file: header with room for the checksums, data, header again.
#include "hyperion/model.h"

#include "common/checksum.h"
#include "common/fail.h"
#include "common/out_file.h"
#include "model/safetensors/safetensors.h"
#include "model/safetensors/streaming.h"
#include "model/weight_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What stands in the file for each type.
static const HypSafeType stored_types[HYPERION_TYPE_COUNT] = {
    [HYPERION_TYPE_F32] = HYP_SAFE_F32,
    [HYPERION_TYPE_I64] = HYP_SAFE_I64,
    [HYPERION_TYPE_I32] = HYP_SAFE_I32,
    [HYPERION_TYPE_BOOL] = HYP_SAFE_BOOL,
};

static void write_entry(HypJsonWriter *writer, const char *name, HypSafeType type, int rank,
                        const int64_t *dims, uint64_t begin, uint64_t size_bytes)
{
    hyp_json_key(writer, name);
    hyp_json_begin(writer, '{');
    hyp_json_key(writer, "dtype");
    hyp_json_put_text(writer, hyp_safe_types[type].name);
    hyp_json_key(writer, "shape");
    hyp_json_begin(writer, '[');
    for (int i = 0; i < rank; i++)
        hyp_json_put_integer(writer, dims[i]);
    hyp_json_end(writer, ']');
    hyp_json_key(writer, "data_offsets");
    hyp_json_begin(writer, '[');
    hyp_json_put_integer(writer, (int64_t)begin);
    hyp_json_put_integer(writer, (int64_t)(begin + size_bytes));
    hyp_json_end(writer, ']');
    hyp_json_end(writer, '}');
}

// From where the last tensor ended to `end`, if there is anything between.
static void write_padding(HypJsonWriter *writer, uint64_t begin, uint64_t end, int *pad_count)
{
    char name[32];
    if (begin == end)
        return;
    (void)snprintf(name, sizeof name, STREAMING_PAD_NAME "%d", (*pad_count)++);
    write_entry(writer, name, HYP_SAFE_U8, 1, (int64_t[]){(int64_t)(end - begin)}, begin,
                end - begin);
}

static bool check_name(const char *name)
{
    return (strcmp(name, "__metadata__") != 0 &&
            strncmp(name, STREAMING_PAD_NAME, sizeof STREAMING_PAD_NAME - 1) != 0) ||
           hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                    "a weight named '%s', which means something else in safetensors files", name);
}

static bool write_entries(HypJsonWriter *writer, const HyperionModel *model,
                          const StreamLayout *layout)
{
    uint64_t place = 0;
    int pad_count = 0;
    for (int i = 0; i < layout->weight_count; i++) {
        const HypGraphTensor *weight = &model->tensors[layout->weights[i]];
        if (!check_name(weight->name))
            return false;
        write_padding(writer, place, layout->begins[i], &pad_count);
        write_entry(writer, weight->name, stored_types[weight->shape.type], weight->shape.rank,
                    weight->shape.dims, layout->begins[i], weight->shape.size_bytes);
        place = layout->begins[i] + weight->shape.size_bytes;
    }
    write_padding(writer, place, layout->data_bytes, &pad_count);
    return !writer->failed;
}

// The header, padded so that what comes behind it is aligned.
static bool write_header(HypJsonWriter *header, const HyperionModel *model,
                         const StreamLayout *layout)
{
    HypJsonWriter graph = {0};
    bool written = hyp_stream_graph_write(&graph, model, layout);
    if (written) {
        hyp_json_begin(header, '{');
        hyp_json_key(header, "__metadata__");
        hyp_json_begin(header, '{');
        hyp_json_key(header, STREAMING_GRAPH_KEY);
        hyp_json_put_string(header, graph.text, graph.used_bytes);
        hyp_json_end(header, '}');
        written = write_entries(header, model, layout);
        hyp_json_end(header, '}');
    }
    free(graph.text);
    if (!written)
        return false;
    const size_t past = (header->used_bytes + SAFETENSORS_LENGTH_BYTES) % STREAMING_RUN_ALIGNMENT;
    hyp_json_put_blanks(header, past ? STREAMING_RUN_ALIGNMENT - past : 0);
    if (header->used_bytes > SAFETENSORS_MOST_HEADER_BYTES)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                        "a header of %zu bytes, safetensors files have at most %d",
                        header->used_bytes, SAFETENSORS_MOST_HEADER_BYTES);
    return !header->failed;
}

static bool write_run_bytes(HypOutFile *file, HyperionModel *model, const StreamLayout *layout,
                            const HypWeightRun *run, HypChecksum *checksum)
{
    static const unsigned char zeros[STREAMING_WEIGHT_ALIGNMENT];
    for (int i = 0; i < run->weight_count; i++) {
        const int tensor = layout->weights[run->first_weight + i];
        const size_t past = (size_t)hyp_out_file_position(file) % STREAMING_WEIGHT_ALIGNMENT;
        hyp_checksum_add(checksum, zeros, past ? STREAMING_WEIGHT_ALIGNMENT - past : 0);
        if (!hyp_weights_read(model, tensor) ||
            !hyp_out_file_align(file, STREAMING_WEIGHT_ALIGNMENT))
            return false;
        const HypGraphTensor *weight = &model->tensors[tensor];
        hyp_checksum_add(checksum, weight->data, weight->shape.size_bytes);
        if (!hyp_out_file_write(file, weight->data, weight->shape.size_bytes))
            return false;
    }
    return true;
}

// Weights that were not in memory do not stay there: a model may be larger than that.
static bool write_run(HypOutFile *file, HyperionModel *model, const StreamLayout *layout,
                      HypWeightRun *run)
{
    bool was_read = false;
    const int *weights = &layout->weights[run->first_weight];
    for (int i = 0; i < run->weight_count; i++)
        was_read |= model->tensors[weights[i]].data != NULL;
    HypChecksum *checksum = hyp_checksum_begin();
    const bool written = checksum && hyp_out_file_align(file, STREAMING_RUN_ALIGNMENT) &&
                         write_run_bytes(file, model, layout, run, checksum);
    if (written && run->has_checksum)
        run->checksum = hyp_checksum_value(checksum);
    hyp_checksum_end(checksum);
    for (int i = 0; i < run->weight_count && !was_read; i++)
        hyp_weights_drop(model, weights[i]);
    return written;
}

static bool write_length(HypOutFile *file, size_t header_bytes)
{
    unsigned char length[SAFETENSORS_LENGTH_BYTES];
    for (int i = 0; i < SAFETENSORS_LENGTH_BYTES; i++)
        length[i] = (unsigned char)((uint64_t)header_bytes >> 8 * i);
    return hyp_out_file_write(file, length, sizeof length);
}

static bool write_file(HypOutFile *file, HyperionModel *model, StreamLayout *layout)
{
    HypJsonWriter header = {0};
    HypJsonWriter final_header = {0};
    for (int i = 0; i < layout->run_count; i++)
        layout->runs[i].has_checksum = hyp_checksum_exists();
    // Checksums have a fixed length, so that the final header fits in the place of the first.
    bool written = write_header(&header, model, layout) && write_length(file, header.used_bytes) &&
                   hyp_out_file_write(file, header.text, header.used_bytes);
    for (int i = 0; i < layout->run_count && written; i++)
        written = write_run(file, model, layout, &layout->runs[i]);
    written = written && hyp_out_file_align(file, STREAMING_RUN_ALIGNMENT) &&
              write_header(&final_header, model, layout) &&
              hyp_out_file_rewrite(file, SAFETENSORS_LENGTH_BYTES, final_header.text,
                                   final_header.used_bytes);
    free(header.text);
    free(final_header.text);
    return written;
}

bool hyperionSaveModel(HyperionModel *model, const char *path)
{
    StreamLayout layout = {0};
    if (!path)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "save model: path is NULL");
    if (!hyp_model_begin_change(model, "save model"))
        return false;
    bool saved = hyp_stream_layout_create(&layout, model);
    if (saved) {
        HypOutFile *file = hyp_out_file_create(path);
        saved = file && write_file(file, model, &layout);
        saved = hyp_out_file_close(file, saved);
    }
    hyp_stream_layout_free(&layout);
    hyp_model_end_change(model);
    return saved;
}
