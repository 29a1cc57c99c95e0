// SPDX-License-Identifier: Apache-2.0
// part_values.h - makes the values of a part of its bytes, as they come: checks, moves, converts.
#ifndef HYP_PART_VALUES_H
#define HYP_PART_VALUES_H

#include "common/checksum.h"
#include "loader/layer_source.h"

typedef struct HypPartValues {
    size_t come_bytes;      // of the part's stored bytes
    size_t converted_count; // values
    HypChecksum *checksum;  // of those of a run; NULL before the first
} HypPartValues;

// Handles a read that ended, of pages of the part that come to `block`. False, last error set.
bool hyp_part_values_add(HypPartValues *values, const HyperionModel *model,
                         const HypLayerPart *part, char *block, const HypRead *read);

// When all have come: false, last error set, where they are not what they should be. The next part
// may follow.
bool hyp_part_values_end(HypPartValues *values, const HyperionModel *model,
                         const HypLayerPart *part, char *block);

// Whether or not the part came to an end.
void hyp_part_values_drop(HypPartValues *values);

// The values of a part that comes from no file.
bool hyp_part_values_generate(const HyperionModel *model, const HypLayerPart *part, char *block);

#endif
