// SPDX-License-Identifier: Apache-2.0
// layer_reader.h - brings the weights of layers into memory: block by block, several of which are
// on their way while an earlier one is checked, in the order in which the layers were begun. One
// thread uses a reader at a time.
#ifndef HYP_LAYER_READER_H
#define HYP_LAYER_READER_H

#include "hyperion/error.h"
#include "hyperion/progressive_loader.h"

#include "loader/layer_source.h"

enum { HYP_LAYER_ERROR_BYTES = 512 };

typedef struct HypLayerReader HypLayerReader;

// `config` in range. What the system refuses is replaced, and in_force says so. NULL, last error
// set, when out of memory or threads.
HypLayerReader *hyp_layer_reader_create(const HyperionLoaderIOConfig *config);
void hyp_layer_reader_free(HypLayerReader *reader); // nothing is being loaded; NULL is allowed

// Lets go of a model's files, when nothing of it is being loaded.
void hyp_layer_reader_forget_model(HypLayerReader *reader);

// Whether another layer can be begun: all of those before has been asked for.
bool hyp_layer_reader_has_room(const HypLayerReader *reader);
bool hyp_layer_reader_is_idle(const HypLayerReader *reader);

// Begins to bring a layer of a model to `block`; both stay as they are until it has ended. The
// layers between two calls of forget_model are of one model. `begin_ns`: when its block was asked
// for.
void hyp_layer_reader_begin(HypLayerReader *reader, const HyperionModel *model, int layer,
                            const HypLayerSource *source, void *block, uint64_t begin_ns);

typedef enum HypReaderEvent {
    HYP_READER_WAITS,  // nothing came for a second
    HYP_READER_CAME,   // a block did
    HYP_READER_LOADED, // the layer is in memory
    HYP_READER_FAILED  // it never will be: `error` says why
} HypReaderEvent;

typedef struct HypReaderReport {
    HypReaderEvent event;
    int layer;
    size_t done_bytes; // of source.stored_bytes
    uint64_t begin_ns; // of the load
    uint64_t start_ns; // from when on the reader was there for it alone
    uint64_t end_ns;   // LOADED and FAILED: of the load
    HyperionErrorKind error_kind;
    char error[HYP_LAYER_ERROR_BYTES];
} HypReaderReport;

// Handles what comes next of the layer that was begun first. Not when idle.
void hyp_layer_reader_step(HypLayerReader *reader, HypReaderReport *report);

// What it does, as far as it knows by now; and what it did.
const HyperionLoaderIO *hyp_layer_reader_in_force(const HypLayerReader *reader);
HypReadCounts hyp_layer_reader_counts(const HypLayerReader *reader);

#endif
