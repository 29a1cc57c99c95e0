// SPDX-License-Identifier: Apache-2.0
// stream_graph_read.h - from the graph of a streaming file to the layers of a model.
#ifndef HYP_STREAM_GRAPH_READ_H
#define HYP_STREAM_GRAPH_READ_H

#include "model/graph.h"

#include "common/json_reader.h"

// `model` has the weights, in the order of the file, and nothing else; `graph` is changed. The data
// of the file begins at `data_offset`. False, last error set, where the graph is malformed.
bool hyp_stream_graph_read(HyperionModel *model, HypJsonString graph, uint64_t data_offset);

#endif
