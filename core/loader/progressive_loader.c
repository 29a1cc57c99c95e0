// SPDX-License-Identifier: Apache-2.0
// Entry points of progressive_loader.h. There is no loader to make yet, so each says so.
#include "hyperion/progressive_loader.h"

#include "common/fail.h"

static bool fail_unsupported(const char *call)
{
    return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                    "%s: loading and unloading layers one by one is not implemented in this "
                    "version; weights are read when first needed and stay",
                    call);
}

HyperionProgressiveLoader *
hyperionCreateProgressiveLoader(const HyperionProgressiveLoaderConfig *config)
{
    (void)config;
    (void)fail_unsupported("create progressive loader");
    return NULL;
}

void hyperionFreeProgressiveLoader(HyperionProgressiveLoader *loader)
{
    (void)loader; // none can exist
}

bool hyperionAttachModel(HyperionProgressiveLoader *loader, HyperionModel *model)
{
    (void)loader;
    (void)model;
    return fail_unsupported("attach model");
}

bool hyperionLoadLayer(HyperionProgressiveLoader *loader, int layer_index)
{
    (void)loader;
    (void)layer_index;
    return fail_unsupported("load layer");
}

bool hyperionUnloadLayer(HyperionProgressiveLoader *loader, int layer_index)
{
    (void)loader;
    (void)layer_index;
    return fail_unsupported("unload layer");
}

HyperionLayerStatus hyperionGetLayerStatus(const HyperionProgressiveLoader *loader, int layer_index)
{
    (void)loader;
    (void)layer_index;
    (void)fail_unsupported("get layer status");
    return HYPERION_LAYER_STATUS_INVALID;
}

void hyperionSetLayerPriority(HyperionProgressiveLoader *loader, int layer_index, int priority)
{
    (void)loader;
    (void)layer_index;
    (void)priority;
    (void)fail_unsupported("set layer priority");
}

HyperionMemoryStats hyperionGetProgressiveLoaderStats(const HyperionProgressiveLoader *loader)
{
    (void)loader;
    return (HyperionMemoryStats){.valid = fail_unsupported("get progressive loader stats")};
}
