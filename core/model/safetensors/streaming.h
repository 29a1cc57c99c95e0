// SPDX-License-Identifier: Apache-2.0
// streaming.h - the streaming file: a safetensors file that holds a model. Its tensors are the
// weights in the order in which layers first read them, each at a multiple of 64 bytes, those of a
// layer (a run) beginning at a multiple of 4096; what lies between is tensors __pad.N of U8. The
// graph is a JSON text in __metadata__, with the place and the checksum of each run.
#ifndef HYP_STREAMING_H
#define HYP_STREAMING_H

#include "model/graph.h"

#include "common/json_writer.h"

enum { STREAMING_RUN_ALIGNMENT = 4096, STREAMING_WEIGHT_ALIGNMENT = 64, STREAMING_VERSION = 1 };

#define STREAMING_GRAPH_KEY "hyperion.graph"
#define STREAMING_PAD_NAME "__pad."
#define STREAMING_CHECKSUM_NAME "xxh3:"

// What a streaming file will hold, or holds.
typedef struct StreamLayout {
    int *weights;     // tensors of the model, in the file's order
    uint64_t *begins; // of each, from the end of the header
    int weight_count;
    HypWeightRun *runs; // file_offset counts from the end of the header; first_weight in `weights`
    int run_count;
    uint64_t data_bytes; // behind the header
} StreamLayout;

// Which weights go where. False, last error set, when out of memory or too large.
bool hyp_stream_layout_create(StreamLayout *layout, const HyperionModel *model);
void hyp_stream_layout_free(StreamLayout *layout);

// The graph as JSON, runs as the layout has them.
bool hyp_stream_graph_write(HypJsonWriter *writer, const HyperionModel *model,
                            const StreamLayout *layout);

// The model in a streaming file. NULL, last error set, on failure.
HyperionModel *hyp_streaming_load(const char *path);

// Sets *is_one to whether the file looks like safetensors rather than anything else that is loaded.
// False, last error set, where it cannot be read.
bool hyp_streaming_recognise(const char *path, bool *is_one);

#endif
