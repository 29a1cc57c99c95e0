// SPDX-License-Identifier: Apache-2.0
// script_trim.h - changes of scripts that leave what they do as it is: how strategies of layers
// have it, and with fewer layers run again.
#ifndef HYP_SCRIPT_TRIM_H
#define HYP_SCRIPT_TRIM_H

#include "scheduler/script.h"

// Room that is used again for the next script.
typedef struct HypTrim {
    HypScript made; // what becomes of the script
    int *last_use;  // by tensor: item
    int *made_at;   // by tensor: the item for which it was made again
    bool *ran;      // by layer
    bool *left_out; // by item
    int left_out_capacity;
    int *replaced; // by item: the tensor that its result is written over; -1
    int replaced_capacity;
    int first_visit; // item
    struct HypRepeat *repeats;
    int repeat_capacity;
} HypTrim;

bool hyp_trim_create(HypTrim *trim, const HypScheduleGraph *graph);
void hyp_trim_free(HypTrim *trim);

// Layers whose results are to be stored or spilled run once; results that are to be recomputed are
// made again wherever other items lie between two uses. False, last error set, when out of memory.
bool hyp_script_obey(HypTrim *trim, const HypScheduleGraph *graph, HypScript *script);

// Results stay where they would be made again, as far as no more than the limit is live; layers
// whose results nobody reads any more are left out. The timeline is read anew. False, last error
// set, when out of memory.
bool hyp_script_keep_more(HypTrim *trim, const HypScheduleGraph *graph, HypScript *script,
                          HypTimeline *timeline, size_t limit_bytes);

#endif
