// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors/streaming.h"

#include "hyperion/tensor.h"

#include "model/layer_attributes.h"

#include <inttypes.h>
#include <stdio.h>

static void write_tensor(HypJsonWriter *writer, const HypGraphTensor *tensor)
{
    hyp_json_begin(writer, '{');
    hyp_json_key(writer, "name");
    hyp_json_put_text(writer, tensor->name);
    hyp_json_key(writer, "type");
    hyp_json_put_text(writer, hyperionTypeName(tensor->shape.type));
    hyp_json_key(writer, "dims");
    hyp_json_begin(writer, '[');
    for (int i = 0; i < tensor->shape.rank; i++)
        hyp_json_put_integer(writer, tensor->shape.dims[i]);
    hyp_json_end(writer, ']');
    hyp_json_end(writer, '}');
}

static void write_names(HypJsonWriter *writer, const HyperionModel *model, const int *tensors,
                        int count)
{
    hyp_json_begin(writer, '[');
    for (int i = 0; i < count; i++)
        hyp_json_put_text(writer, model->tensors[tensors[i]].name);
    hyp_json_end(writer, ']');
}

static bool write_layer(HypJsonWriter *writer, const HyperionModel *model, const HypLayer *layer)
{
    hyp_json_begin(writer, '{');
    hyp_json_key(writer, "name");
    hyp_json_put_text(writer, layer->name);
    hyp_json_key(writer, "op");
    hyp_json_put_text(writer, hyperionLayerOpName(layer->op));
    hyp_json_key(writer, "inputs");
    write_names(writer, model, layer->inputs, layer->input_count);
    hyp_json_key(writer, "result");
    write_tensor(writer, &model->tensors[layer->outputs[0]]);
    hyp_json_key(writer, "attributes");
    const bool written = hyp_attributes_write(writer, &layer->attributes);
    hyp_json_end(writer, '}');
    return written;
}

static void write_run(HypJsonWriter *writer, const HypWeightRun *run)
{
    hyp_json_begin(writer, '{');
    hyp_json_key(writer, "layer");
    hyp_json_put_integer(writer, run->layer);
    hyp_json_key(writer, "data_offsets");
    hyp_json_begin(writer, '[');
    hyp_json_put_integer(writer, (int64_t)run->file_offset);
    hyp_json_put_integer(writer, (int64_t)(run->file_offset + run->size_bytes));
    hyp_json_end(writer, ']');
    if (run->has_checksum) {
        char text[32];
        (void)snprintf(text, sizeof text, STREAMING_CHECKSUM_NAME "%016" PRIx64, run->checksum);
        hyp_json_key(writer, "checksum");
        hyp_json_put_text(writer, text);
    }
    hyp_json_end(writer, '}');
}

bool hyp_stream_graph_write(HypJsonWriter *writer, const HyperionModel *model,
                            const StreamLayout *layout)
{
    hyp_json_begin(writer, '{');
    hyp_json_key(writer, "version");
    hyp_json_put_integer(writer, STREAMING_VERSION);
    hyp_json_key(writer, "name");
    hyp_json_put_text(writer, model->name);
    hyp_json_key(writer, "inputs");
    hyp_json_begin(writer, '[');
    for (int i = 0; i < model->input_count; i++)
        write_tensor(writer, &model->tensors[model->inputs[i]]);
    hyp_json_end(writer, ']');
    hyp_json_key(writer, "layers");
    hyp_json_begin(writer, '[');
    for (int i = 0; i < model->layer_count; i++)
        if (!write_layer(writer, model, &model->layers[i]))
            return false;
    hyp_json_end(writer, ']');
    hyp_json_key(writer, "outputs");
    write_names(writer, model, model->outputs, model->output_count);
    hyp_json_key(writer, "runs");
    hyp_json_begin(writer, '[');
    for (int i = 0; i < layout->run_count; i++)
        write_run(writer, &layout->runs[i]);
    hyp_json_end(writer, ']');
    hyp_json_end(writer, '}');
    return !writer->failed;
}
