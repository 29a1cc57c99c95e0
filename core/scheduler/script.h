// SPDX-License-Identifier: Apache-2.0
// script.h - what a pass does, layer by layer, and what of it follows: from when to when each
// activation is in memory, what that needs, how long it takes.
#ifndef HYP_SCRIPT_H
#define HYP_SCRIPT_H

#include "scheduler/schedule_graph.h"

// A layer runs, perhaps not for the first time, or is visited. Activations are in memory from when
// they are made until they are read for the last time before they are made again.
typedef struct HypScriptItem {
    int layer;
    bool visit;
} HypScriptItem;

// The tensor is on disk since the item before that used it, and read back for this one.
typedef struct HypAway {
    int item, tensor;
} HypAway;

// All zero is an empty script.
typedef struct HypScript {
    HypScriptItem *items;
    int count, capacity;
    HypAway *away; // by items
    int away_count, away_capacity;
    bool failed; // out of memory, last error set: what was added since is lost
} HypScript;

void hyp_script_add(HypScript *script, int layer, bool visit);
void hyp_script_add_away(HypScript *script, int tensor); // of the item that is added next
void hyp_script_clear(HypScript *script);
void hyp_script_free(HypScript *script);
bool hyp_script_copy(HypScript *to, const HypScript *from); // `to` is overwritten

// An activation in memory during items first..last.
typedef struct HypResidency {
    int tensor;
    int first, last;
    int over;      // residency that ends as this one begins, whose place this one takes; -1
    bool restored; // it begins by reading back, before the item; else the item makes it
    bool spilled;  // it is read back later
    bool written;  // it ends by writing to disk, which has no copy yet
} HypResidency;

// Of one script; room that is used again for the next.
typedef struct HypTimeline {
    HypResidency *residencies; // in the order in which they begin
    int count, capacity;
    size_t *live_bytes; // by item, while it runs
    int live_capacity;
    int *open;     // by tensor: its latest residency; -1: none yet
    bool *ran;     // by layer
    bool *on_disk; // by tensor
    size_t peak_bytes;
    double time_ns;
    uint64_t run_layers, recomputed_layers, spilled_bytes, restored_bytes;
} HypTimeline;

bool hyp_timeline_create(HypTimeline *timeline, const HypScheduleGraph *graph);
void hyp_timeline_free(HypTimeline *timeline);

// False, last error set, when out of memory. The script must be right: what items use was made.
bool hyp_timeline_read(HypTimeline *timeline, const HypScheduleGraph *graph,
                       const HypScript *script);

// Sum over the items of the bytes above `limit_bytes`.
double hyp_timeline_excess(const HypTimeline *timeline, int item_count, size_t limit_bytes);

// A place for each residency, those that take another's at the same one; the height is *bytes.
// False, last error set, when out of memory.
bool hyp_timeline_place(const HypTimeline *timeline, const HypScheduleGraph *graph, size_t *offsets,
                        size_t *bytes);

#endif
