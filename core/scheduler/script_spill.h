// SPDX-License-Identifier: Apache-2.0
// script_spill.h - a script in less memory: what is not needed for longest goes to disk.
#ifndef HYP_SCRIPT_SPILL_H
#define HYP_SCRIPT_SPILL_H

#include "scheduler/script.h"

// `to` is `from`, which has nothing on disk, with results away so that no more than the limit is
// live, as far as that can be. False, last error set, when out of memory.
bool hyp_script_spill(HypScript *to, const HypScript *from, const HypScheduleGraph *graph,
                      size_t limit_bytes);

#endif
