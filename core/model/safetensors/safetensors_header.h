// SPDX-License-Identifier: Apache-2.0
// safetensors_header.h - from the JSON of the header to tensors and texts.
#ifndef HYP_SAFETENSORS_HEADER_H
#define HYP_SAFETENSORS_HEADER_H

#include "model/safetensors/safetensors.h"

// Fills in tensors and texts from file->header, which is changed. False, last error set, where it
// breaks a rule of the format.
bool hyp_safetensors_parse(HyperionWeightsFile *file);

#endif
