// SPDX-License-Identifier: Apache-2.0
// weight_run.h - weights of a streaming file, read run by run.
#ifndef HYP_WEIGHT_RUN_H
#define HYP_WEIGHT_RUN_H

#include "common/checksum.h"
#include "model/graph.h"

// The run that weight `tensor` stands in; NULL: none.
const HypWeightRun *hyp_weight_run_of(const HyperionModel *model, int tensor);

// Reads all its weights. False, last error set and none of them read, when out of memory, the read
// fails, the file changed since it was loaded, or the bytes do not have the checksum.
bool hyp_weight_run_read(HyperionModel *model, const HypWeightRun *run);

// Whether the bytes of the run, of which `checksum` is, are those that were written; false, last
// error set, where they are not.
bool hyp_weight_run_check(const HyperionModel *model, const HypWeightRun *run,
                          const HypChecksum *checksum);

#endif
