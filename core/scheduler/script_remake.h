// SPDX-License-Identifier: Apache-2.0
// script_remake.h - a script in less memory: what is not needed for longest is dropped, and made
// again when it is.
#ifndef HYP_SCRIPT_REMAKE_H
#define HYP_SCRIPT_REMAKE_H

#include "scheduler/script.h"

// `to` is `from` with results made again so that no more than the limit is live, as far as that can
// be with at most four times as many items. *complete: it could. False, last error set, when out
// of memory.
bool hyp_script_remake(HypScript *to, const HypScript *from, const HypScheduleGraph *graph,
                       size_t limit_bytes, bool *complete);

#endif
