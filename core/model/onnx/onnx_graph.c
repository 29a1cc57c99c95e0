// SPDX-License-Identifier: Apache-2.0
// Nodes of graphs and subgraphs, and what their names mean.
#include "model/onnx/import_onnx.h"

#include "common/array.h"
#include "common/fail.h"

#include <stdio.h>
#include <string.h>

const char *hyp_onnx_node_name(const OnnxNode *node)
{
    return node->name[0] ? node->name : node->output_count ? node->outputs[0] : "";
}

bool hyp_onnx_set_name(OnnxImport *import, HypNameMap *map, const char *name, int value)
{
    const size_t name_bytes = strlen(name) + 1;
    char *copy = hyp_arena_allocate(import->arena, name_bytes, 1);
    if (!copy || !hyp_name_map_reserve(map))
        return false;
    memcpy(copy, name, name_bytes);
    if (import->depth > 0) {
        OnnxName *grown = hyp_array_reserve(import->scope, &import->scope_capacity,
                                            (size_t)import->scope_count + 1, sizeof *grown);
        if (!grown)
            return false;
        import->scope = grown;
        import->scope[import->scope_count++] = (OnnxName){.map = map, .name = copy};
    }
    hyp_name_map_set(map, copy, value);
    return true;
}

bool hyp_onnx_bind(OnnxImport *import, const char *name, int id)
{
    if (hyp_name_map_get(&import->tensors, name) >= 0 || hyp_onnx_has_constant(import, name))
        return hyp_fail(HYPERION_ERROR_FORMAT, "a second tensor '%s'", name);
    return hyp_onnx_set_name(import, &import->tensors, name, id);
}

const char *hyp_onnx_unique_name(OnnxImport *import, const char *name)
{
    enum { MOST_DIGITS = 12 };
    const size_t name_bytes = strlen(name) + MOST_DIGITS;
    if (hyp_name_map_get(&import->model->tensor_names, name) < 0)
        return name;
    char *unique = hyp_arena_allocate(import->arena, name_bytes, 1);
    do {
        if (unique)
            (void)snprintf(unique, name_bytes, "%s#%u", name, ++import->rename_count);
    } while (unique && hyp_name_map_get(&import->model->tensor_names, unique) >= 0);
    return unique;
}

// A node whose operator is missing.
typedef struct MissingNode {
    const char *op_type;
    const char *name;
} MissingNode;

// Adds "LSTM ('a', 'b'), " for the operator of missing[first] to `list`, unless a node before it
// has the same operator. What does not fit is left out.
static void list_operator(const MissingNode *missing, size_t count, size_t first, char *list,
                          size_t list_bytes)
{
    const char *op_type = missing[first].op_type;
    size_t used = strlen(list);
    for (size_t i = 0; i < first; i++)
        if (strcmp(missing[i].op_type, op_type) == 0)
            return;
    used += (size_t)snprintf(list + used, list_bytes - used, "%s%s ('%s'", used ? "), " : "",
                             op_type, missing[first].name);
    for (size_t i = first + 1; i < count && used < list_bytes; i++)
        if (strcmp(missing[i].op_type, op_type) == 0)
            used += (size_t)snprintf(list + used, list_bytes - used, ", '%s'", missing[i].name);
}

static bool fail_missing(const MissingNode *missing, size_t kept_count, size_t missing_count,
                         size_t node_count)
{
    char list[3500] = "";
    for (size_t i = 0; i < kept_count && strlen(list) + 1 < sizeof list; i++)
        list_operator(missing, kept_count, i, list, sizeof list);
    const bool complete = strlen(list) + 1 < sizeof list && kept_count == missing_count;
    return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                    "operators that are not implemented in this version, in %zu of %zu nodes: %s%s",
                    missing_count, node_count, list, complete ? ")" : "...");
}

// The node in `scratch`, which is emptied first.
static bool read_node(const OnnxImport *import, const OnnxGraph *graph, size_t index,
                      HypArena *scratch, OnnxNode *node)
{
    hyp_arena_free(scratch);
    return hyp_onnx_read_node(import->wire, scratch, graph->nodes[index], node);
}

bool hyp_onnx_check_operators(const OnnxImport *import, const OnnxGraph *graph)
{
    enum { MOST_MISSING = 512 }; // named; more would not fit in a message
    MissingNode missing[MOST_MISSING];
    size_t kept_count = 0;
    size_t missing_count = 0;
    HypArena scratch = {0};
    HypArena kept = {0};
    OnnxNode node;
    bool good = true;
    for (size_t i = 0; good && i < graph->node_count; i++) {
        good = read_node(import, graph, i, &scratch, &node);
        if (!good || hyp_onnx_find_operator(&node))
            continue;
        if (missing_count++ >= MOST_MISSING)
            continue;
        good = hyp_onnx_read_node(import->wire, &kept, graph->nodes[i], &node);
        if (good)
            missing[kept_count++] =
                (MissingNode){.op_type = node.op_type, .name = hyp_onnx_node_name(&node)};
    }
    if (good && missing_count > 0)
        good = fail_missing(missing, kept_count, missing_count, graph->node_count);
    hyp_arena_free(&scratch);
    hyp_arena_free(&kept);
    return good;
}

bool hyp_onnx_add_initialisers(OnnxImport *import, const OnnxGraph *graph)
{
    for (size_t i = 0; i < graph->initialiser_count; i++)
        if (!hyp_onnx_add_constant(import, graph->initialisers[i]))
            return false;
    return true;
}

static bool add_node(OnnxImport *import, const OnnxNode *node)
{
    if (node->output_count == 0)
        return hyp_fail(HYPERION_ERROR_FORMAT, "node '%s' (%s) has no output", node->name,
                        node->op_type);
    return hyp_onnx_find_operator(node)(import, node) ||
           hyp_fail(hyperionGetLastErrorKind(), "node '%s' (%s): %s", hyp_onnx_node_name(node),
                    node->op_type, hyperionGetLastError());
}

bool hyp_onnx_add_nodes(OnnxImport *import, const OnnxGraph *graph)
{
    HypArena scratch = {0};
    OnnxNode node;
    bool good = true;
    for (size_t i = 0; good && i < graph->node_count; i++)
        good = read_node(import, graph, i, &scratch, &node) && add_node(import, &node);
    hyp_arena_free(&scratch);
    return good;
}

// The tensors that are a subgraph's outputs, bound to the node's once the names inside have ended.
static bool add_subgraph(OnnxImport *import, const OnnxGraph *graph, int *outputs)
{
    if (!hyp_onnx_check_operators(import, graph) || !hyp_onnx_add_initialisers(import, graph) ||
        !hyp_onnx_add_nodes(import, graph))
        return false;
    for (size_t i = 0; i < graph->output_count; i++)
        if ((outputs[i] = hyp_onnx_find_tensor(import, graph->outputs[i].name)) < 0)
            return false;
    return true;
}

bool hyp_onnx_inline_graph(OnnxImport *import, const OnnxNode *node, HypWireSpan message)
{
    enum { MOST_DEPTH = 16 };
    OnnxGraph graph;
    HypArena scratch = {0};
    if (import->depth == MOST_DEPTH)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "more than %d graphs within one another",
                        MOST_DEPTH);
    const int scope_begin = import->scope_count;
    import->depth++;
    int *outputs = NULL;
    bool good = hyp_onnx_read_graph(import->wire, &scratch, message, &graph);
    if (good && graph.output_count < node->output_count)
        good = hyp_fail(HYPERION_ERROR_FORMAT, "a graph of %zu outputs, expected %zu",
                        graph.output_count, node->output_count);
    if (good) {
        outputs = hyp_arena_allocate(&scratch, graph.output_count, sizeof *outputs);
        good = outputs && add_subgraph(import, &graph, outputs);
    }
    import->depth--;
    while (import->scope_count > scope_begin) {
        const OnnxName *name = &import->scope[--import->scope_count];
        hyp_name_map_set(name->map, name->name, -1);
    }
    for (size_t i = 0; good && i < node->output_count; i++)
        good = !node->outputs[i][0] || hyp_onnx_bind(import, node->outputs[i], outputs[i]);
    hyp_arena_free(&scratch);
    return good;
}
