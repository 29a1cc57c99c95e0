// SPDX-License-Identifier: Apache-2.0
// script_uses.h - when each tensor of a script is used next, as its items go by.
#ifndef HYP_SCRIPT_USES_H
#define HYP_SCRIPT_USES_H

#include "scheduler/script.h"

typedef struct HypScriptUses {
    int item_count;
    int *first; // by tensor, into `items`; one more behind the last
    int *items; // that read, make or visit it
    int *next;  // by tensor, into `items`: the next to come
} HypScriptUses;

// False, last error set, when out of memory; free in every case.
bool hyp_script_uses_create(HypScriptUses *uses, const HypScheduleGraph *graph,
                            const HypScript *script);
void hyp_script_uses_free(HypScriptUses *uses);

// The item that uses a tensor next; item_count: none does.
int hyp_script_next_use(const HypScriptUses *uses, int tensor);

// The next one is over.
void hyp_script_pass_use(HypScriptUses *uses, int tensor);

#endif
