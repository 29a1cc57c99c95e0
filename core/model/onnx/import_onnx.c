// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/import_onnx.h"

#include "common/fail.h"
#include "model/prune.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_OPSET = 7, MOST_OPSET = 17 };

// Values computed while reading: as many bytes as the file, so that a small file cannot ask for
// much, and this for shapes and masks of files that have no weights.
enum { LEAST_FOLD_BYTES = 256 * 1024 };

const char *hyp_onnx_node_name(const OnnxNode *node)
{
    return node->name[0] ? node->name : node->output_count ? node->outputs[0] : "";
}

bool hyp_onnx_bind(OnnxImport *import, const char *name, int id)
{
    if (hyp_name_map_get(&import->tensors, name) >= 0)
        return hyp_fail(HYPERION_ERROR_FORMAT, "a second tensor '%s'", name);
    if (!hyp_name_map_reserve(&import->tensors))
        return false;
    hyp_name_map_set(&import->tensors, name, id);
    return true;
}

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

// Adds "LSTM ('a', 'b'), " for the operator of nodes[first] to `list`, unless a node
// before it has the same operator. What does not fit is left out.
static void list_operator(const OnnxFile *file, size_t first, char *list, size_t list_bytes)
{
    const char *op_type = file->nodes[first].op_type;
    size_t used = strlen(list);
    const char *before = used ? "), " : "";
    for (size_t i = 0; i < file->node_count && used < list_bytes; i++) {
        const OnnxNode *node = &file->nodes[i];
        if (hyp_onnx_find_operator(node) || strcmp(node->op_type, op_type) != 0)
            continue;
        if (i < first)
            return;
        if (i == first)
            used += (size_t)snprintf(list + used, list_bytes - used, "%s%s ('%s'", before, op_type,
                                     hyp_onnx_node_name(node));
        else
            used += (size_t)snprintf(list + used, list_bytes - used, ", '%s'",
                                     hyp_onnx_node_name(node));
    }
}

// Fails with all operators that are missing, each with its nodes.
static bool check_operators(const OnnxImport *import)
{
    char list[3500] = "";
    size_t missing_count = 0;
    for (size_t i = 0; i < import->file->node_count; i++)
        if (!hyp_onnx_find_operator(&import->file->nodes[i])) {
            // Past the end of the list nothing can be added: don't search for it.
            if (strlen(list) + 1 < sizeof list)
                list_operator(import->file, i, list, sizeof list);
            missing_count++;
        }
    return missing_count == 0 ||
           hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                    "operators that are not implemented in this version, in %zu of %zu nodes: %s%s",
                    missing_count, import->file->node_count, list,
                    strlen(list) + 1 < sizeof list ? ")" : "...");
}

static bool add_initialisers(OnnxImport *import)
{
    const OnnxFile *file = import->file;
    // Each node may be a Constant.
    import->constant_list = hyp_arena_allocate(
        import->arena, file->initialiser_count + file->node_count, sizeof *import->constant_list);
    if (!import->constant_list)
        return false;
    for (size_t i = 0; i < file->initialiser_count; i++)
        if (!hyp_onnx_add_constant(import, file->initialisers[i].name, &file->initialisers[i]))
            return false;
    return true;
}

static bool add_nodes(OnnxImport *import)
{
    for (size_t i = 0; i < import->file->node_count; i++) {
        const OnnxNode *node = &import->file->nodes[i];
        if (node->output_count == 0)
            return hyp_fail(HYPERION_ERROR_FORMAT, "node %zu (%s) has no output", i, node->op_type);
        if (!hyp_onnx_find_operator(node)(import, node))
            return hyp_fail(hyperionGetLastErrorKind(), "node '%s' (%s): %s",
                            hyp_onnx_node_name(node), node->op_type, hyperionGetLastError());
    }
    return true;
}

static bool add_outputs(OnnxImport *import)
{
    if (import->file->output_count == 0)
        return hyp_fail(HYPERION_ERROR_FORMAT, "the graph has no outputs");
    for (size_t i = 0; i < import->file->output_count; i++) {
        const char *name = import->file->outputs[i].name;
        const OnnxTensor *constant = hyp_onnx_find_constant(import, name);
        int id = hyp_name_map_get(&import->tensors, name);
        if (id < 0 && !constant)
            return hyp_fail(HYPERION_ERROR_FORMAT, "no node makes output '%s'", name);
        if (id < 0)
            id = hyp_onnx_add_weight(import, name, constant);
        if (id < 0 || !hyperionAddOutput(import->model, id))
            return false;
    }
    return true;
}

static bool build(OnnxImport *import, OnnxFile *file)
{
    // The checks come before anything is built, and the file is asked last whether it held still.
    return hyp_onnx_read(import->wire, import->arena, file) && check_opset(import) &&
           check_operators(import) && add_initialisers(import) && hyp_onnx_add_inputs(import) &&
           add_nodes(import) && add_outputs(import) && hyp_model_prune(import->model) &&
           hyp_platform_file_unchanged(import->wire->file);
}

// The name of the file without folders.
static const char *find_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// Messages begin with the path, once, and blame the file for what does not fit together in it.
static void blame_file(const char *path, bool caller_failed)
{
    const HyperionErrorKind kind = hyperionGetLastErrorKind();
    const char *message = hyperionGetLastError();
    (void)hyp_fail(kind == HYPERION_ERROR_ARGUMENT && !caller_failed ? HYPERION_ERROR_FORMAT : kind,
                   "%s%s%s", strstr(message, path) ? "" : path, strstr(message, path) ? "" : ": ",
                   message);
}

HyperionModel *hyp_onnx_import(const char *path, const HyperionLoadOptions *options)
{
    HypFile *opened = hyp_platform_open(path);
    if (!opened)
        return NULL;
    HypArena arena = {0};
    OnnxFile file = {0};
    OnnxImport import = {.arena = &arena, .file = &file, .options = options};
    bool built = false;
    import.wire = calloc(1, sizeof *import.wire);
    import.model = hyperionCreateModel(find_base_name(path));
    if (import.wire && import.model) {
        import.wire->file = opened;
        import.wire->path = path;
        import.model->file = opened;
        import.folder.model = import.model;
        import.folder.budget_bytes = (size_t)hyp_platform_file_bytes(opened) + LEAST_FOLD_BYTES;
        opened = NULL; // the model's now
        built = build(&import, &file);
    } else if (import.model) {
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "load model %s: out of memory", path);
    }
    if (!built) {
        blame_file(path, import.caller_failed);
        hyperionFreeModel(import.model);
        hyp_platform_close(opened);
    }
    hyp_folder_free(&import.folder);
    hyp_name_map_free(&import.constants);
    hyp_name_map_free(&import.tensors);
    hyp_arena_free(&arena);
    free(import.wire);
    return built ? import.model : NULL;
}
