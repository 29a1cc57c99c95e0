// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/import_onnx.h"

#include "common/fail.h"
#include "model/builder.h"
#include "model/prune.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_OPSET = 7, MOST_OPSET = 17 };

// Values computed while reading: twice the bytes of the files at most, so that a small file cannot
// ask for much, and this for shapes and masks of files that have no weights.
enum { LEAST_FOLD_BYTES = 256 * 1024 };

static bool check_opset(const OnnxImport *import)
{
    const int64_t opset = import->file->opset;
    if (opset == 0)
        return hyp_fail(HYPERION_ERROR_FORMAT, "it imports no opset of the standard operators");
    return (opset >= LEAST_OPSET && opset <= MOST_OPSET) ||
           hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                    "opset %" PRId64 " is not implemented in this version, %d to %d are", opset,
                    LEAST_OPSET, MOST_OPSET);
}

// The tensor for an output of the model: of its name, so that nothing else is an output already.
static int find_output(OnnxImport *import, const char *name)
{
    if (hyp_name_map_get(&import->tensors, name) < 0 && !hyp_onnx_has_constant(import, name)) {
        (void)hyp_fail(HYPERION_ERROR_FORMAT, "no node makes output '%s'", name);
        return -1;
    }
    const int id = hyp_onnx_find_tensor(import, name);
    if (id < 0 || strcmp(import->model->tensors[id].name, name) == 0)
        return id;
    const HypShape shape = import->model->tensors[id].shape;
    HyperionLayerAttributes view = {.rank = shape.rank, .zero_dims = true};
    memcpy(view.dims, shape.dims, sizeof shape.dims);
    const char *unique = hyp_onnx_unique_name(import, name);
    return unique ? hyp_model_add_layer(import->model, unique, unique, HYPERION_LAYER_RESHAPE,
                                        &view, &id, 1)
                  : -1;
}

static bool add_outputs(OnnxImport *import)
{
    const OnnxGraph *graph = &import->file->graph;
    if (graph->output_count == 0)
        return hyp_fail(HYPERION_ERROR_FORMAT, "the graph has no outputs");
    for (size_t i = 0; i < graph->output_count; i++) {
        const int id = find_output(import, graph->outputs[i].name);
        if (id < 0 || !hyperionAddOutput(import->model, id))
            return false;
    }
    return true;
}

static bool build(OnnxImport *import, OnnxFile *file)
{
    // The checks come before anything is built, and the file is asked last whether it held still.
    return hyp_onnx_read(import->wire, import->arena, file) && check_opset(import) &&
           hyp_onnx_check_operators(import, &file->graph) &&
           hyp_onnx_add_initialisers(import, &file->graph) && hyp_onnx_add_inputs(import) &&
           hyp_onnx_add_nodes(import, &file->graph) && add_outputs(import) &&
           hyp_model_prune(import->model) && hyp_platform_file_unchanged(import->wire->file);
}

// The name of the file without folders.
static const char *find_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

size_t hyp_onnx_fold_budget(const HypFile *file)
{
    const uint64_t file_bytes = hyp_platform_file_bytes(file);
    return file_bytes > SIZE_MAX / 8 ? SIZE_MAX / 8 : 2 * (size_t)file_bytes;
}

// The model reads its weights from the file; false, the file closed, on failure.
static bool open_model(OnnxImport *import, const char *path)
{
    HypFile *file = hyp_platform_open(path);
    if (!file)
        return false;
    import->wire = calloc(1, sizeof *import->wire);
    import->model = hyperionCreateModel(find_base_name(path));
    if (!import->wire || !import->model || hyp_model_adopt_file(import->model, file) < 0) {
        hyp_platform_close(file);
        return hyp_fail(HYPERION_ERROR_MEMORY, "load model %s: out of memory", path);
    }
    import->wire->file = file;
    import->wire->path = path;
    import->folder.model = import->model;
    import->folder.budget_bytes = hyp_onnx_fold_budget(file) + LEAST_FOLD_BYTES;
    return true;
}

HyperionModel *hyp_onnx_import(const char *path, const HyperionLoadOptions *options)
{
    HypArena arena = {0};
    OnnxFile file = {0};
    OnnxImport import = {.arena = &arena, .file = &file, .options = options};
    const bool built = open_model(&import, path) && build(&import, &file);
    if (!built) {
        (import.caller_failed ? hyp_fail_at_path : hyp_fail_in_file)(path);
        hyperionFreeModel(import.model);
    }
    hyp_folder_free(&import.folder);
    hyp_name_map_free(&import.constants);
    hyp_name_map_free(&import.tensors);
    hyp_name_map_free(&import.locations);
    hyp_arena_free(&arena);
    free(import.constant_list);
    free(import.scope);
    free(import.wire);
    return built ? import.model : NULL;
}
