// SPDX-License-Identifier: Apache-2.0
// residency.h - the layers of a model that are in memory, within a cap. Who holds the loader's
// monitor calls these.
#ifndef HYP_RESIDENCY_H
#define HYP_RESIDENCY_H

#include "loader/belady.h"
#include "loader/layer_reader.h"

typedef struct HypResidentLayer {
    HypLayerSource source;
    void *block;        // NULL: none
    size_t block_bytes; // source.size_bytes while it is loaded, source.kept_bytes afterwards
    HyperionLayerStatus status;
    int priority;
    size_t next_use;                     // steps until it is needed
    bool requested;                      // a call waits for it
    bool in_use;                         // by the step under way
    bool was_used;                       // since it was loaded
    bool succeeded;                      // the last load
    uint64_t load_count;                 // that ended
    uint64_t load_start_ns, load_end_ns; // of the last; 0: none yet
    uint64_t compute_start_ns, compute_end_ns;
    HyperionErrorKind error_kind;
    char error[HYP_LAYER_ERROR_BYTES];
} HypResidentLayer;

// A block that is kept for another layer.
typedef struct HypSpareBlock {
    void *block;
    size_t size_bytes;
} HypSpareBlock;

typedef struct HypResidency {
    HypResidentLayer *layers;
    HypEvictable *evictable; // by layer, scratch
    HypSpareBlock *spares;   // at most one a layer
    int layer_count, spare_count;
    size_t cap_bytes; // 0: none
    size_t held_bytes, peak_bytes;
    bool is_running; // next uses are those of a run
    uint64_t allocation_count, reuse_count, wasted_count;
} HypResidency;

// Who needs room decides who may go.
typedef enum HypRoomFor {
    HYP_ROOM_FOR_PREFETCH, // nothing that is needed before the layer, no pinned one
    HYP_ROOM_FOR_CALL,     // no pinned one
    HYP_ROOM_FOR_RUN       // pinned ones too: the run could not go on
} HypRoomFor;

// False, last error set, when out of memory; free in every case.
bool hyp_residency_create(HypResidency *residency, const HyperionModel *model, size_t cap_bytes);
void hyp_residency_free(HypResidency *residency); // layers and blocks too

// Takes the bytes of a layer that is not in memory, evicting others; its block is one that was
// kept, perhaps of another size, or NULL: to be made. False, without an error and without a change,
// where there is no room.
bool hyp_residency_reserve(HypResidency *residency, int layer, HypRoomFor purpose);

// A layer was loaded: only what is kept of it counts.
void hyp_residency_settle(HypResidency *residency, int layer);

// Has a layer, which is not being loaded, packed otherwise from its next load on, and leave memory;
// it is not packed where that needs more than the cap. False, last error set and nothing changed,
// when out of memory.
bool hyp_residency_set_packing(HypResidency *residency, const HyperionModel *model, int layer,
                               const HypLayerPacking *packing);

// Whether pinned layers alone leave no room for a layer.
bool hyp_residency_is_pinned_full(const HypResidency *residency, int layer);

// Gives the memory of a layer, whose load failed, back to the system.
void hyp_residency_release(HypResidency *residency, int index);

// Has a layer leave memory. Its block is kept for the next, but only that of one such layer.
void hyp_residency_unload(HypResidency *residency, int index);

#endif
