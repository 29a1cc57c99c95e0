// SPDX-License-Identifier: Apache-2.0
// export_onnx.h - writing models as ONNX.
#ifndef HYP_EXPORT_ONNX_H
#define HYP_EXPORT_ONNX_H

#include "model/graph.h"

// As hyperionExportModel, of a model that is held. Weights of more than `limit_bytes` together go
// to "<path>.data" beside it.
bool hyp_onnx_export(HyperionModel *model, const char *path, size_t limit_bytes);

#endif
