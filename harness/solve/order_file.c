// SPDX-License-Identifier: Apache-2.0
#include "solve/order_file.h"

#include "common/json_fields.h"
#include "common/json_file.h"

#include <limits.h>
#include <stdlib.h>

typedef struct NodeId {
    long long id;
    int node;
} NodeId;

static int compare_ids(const void *a, const void *b)
{
    const NodeId *first = a;
    const NodeId *second = b;
    return (first->id > second->id) - (first->id < second->id);
}

static bool read_array(const json_t *json, const char *key, const json_t **array, int *count,
                       Problem *problem)
{
    *array = json_object_get(json, key);
    if (!json_is_array(*array) || json_array_size(*array) >= INT_MAX)
        return problem_set(problem, "%s: expected an array", key);
    *count = (int)json_array_size(*array);
    return true;
}

static bool read_nodes(OrderFile *file, const json_t *nodes, NodeId *sorted, Problem *problem)
{
    for (int i = 0; i < file->node_count; i++) {
        const json_t *node = json_array_get(nodes, (size_t)i);
        long long bytes = 0;
        Problem inner = {0};
        if (!json_is_object(node))
            (void)problem_set(&inner, "expected an object");
        if (inner.text[0] ||
            !json_read_integer(node, "id", LLONG_MIN, LLONG_MAX, &file->ids[i], &inner) ||
            !json_read_integer(node, "bytes", 0, LLONG_MAX, &bytes, &inner) ||
            (json_object_get(node, "inplace") &&
             !json_read_flag(node, "inplace", &file->nodes[i].in_place, &inner)))
            return problem_set(problem, "nodes[%d]: %s", i, inner.text);
        file->nodes[i].size_bytes = (size_t)bytes;
        sorted[i] = (NodeId){file->ids[i], i};
    }
    qsort(sorted, (size_t)file->node_count, sizeof *sorted, compare_ids);
    for (int i = 1; i < file->node_count; i++)
        if (sorted[i].id == sorted[i - 1].id)
            return problem_set(problem, "nodes: id %lld is there twice", sorted[i].id);
    return true;
}

static bool read_end(const OrderFile *file, const NodeId *sorted, const json_t *id, int *node)
{
    const NodeId wanted = {.id = json_integer_value(id)};
    const NodeId *found = json_is_integer(id) ? bsearch(&wanted, sorted, (size_t)file->node_count,
                                                        sizeof *sorted, compare_ids)
                                              : NULL;
    if (found)
        *node = found->node;
    return found != NULL;
}

static bool read_edges(OrderFile *file, const json_t *edges, const NodeId *sorted, Problem *problem)
{
    for (int i = 0; i < file->edge_count; i++) {
        const json_t *edge = json_array_get(edges, (size_t)i);
        if (!json_is_array(edge) || json_array_size(edge) != 2 ||
            !read_end(file, sorted, json_array_get(edge, 0), &file->edges[i].from) ||
            !read_end(file, sorted, json_array_get(edge, 1), &file->edges[i].to))
            return problem_set(problem, "edges[%d]: expected [from, to], ids of nodes", i);
    }
    return true;
}

static bool read_graph(OrderFile *file, const json_t *json, Problem *problem)
{
    const json_t *nodes = NULL;
    const json_t *edges = NULL;
    if (!json_is_object(json))
        return problem_set(problem, "expected an object with nodes and edges");
    if (!read_array(json, "nodes", &nodes, &file->node_count, problem) ||
        !read_array(json, "edges", &edges, &file->edge_count, problem))
        return false;
    const size_t node_count = (size_t)file->node_count + 1;
    NodeId *sorted = calloc(node_count, sizeof *sorted);
    file->nodes = calloc(node_count, sizeof *file->nodes);
    file->ids = calloc(node_count, sizeof *file->ids);
    file->edges = calloc((size_t)file->edge_count + 1, sizeof *file->edges);
    bool read = false;
    if (sorted && file->nodes && file->ids && file->edges)
        read = read_nodes(file, nodes, sorted, problem) && read_edges(file, edges, sorted, problem);
    else
        (void)problem_set(problem, "out of memory for %d nodes", file->node_count);
    free(sorted);
    return read;
}

bool order_file_read(OrderFile *file, const char *path, Problem *problem)
{
    *file = (OrderFile){0};
    json_t *json = json_file_read(path, problem);
    if (!json)
        return false;
    Problem inner = {0};
    const bool read = read_graph(file, json, &inner);
    json_decref(json);
    return read || problem_set(problem, "%s: %s", path, inner.text);
}

void order_file_clear(OrderFile *file)
{
    free(file->nodes);
    free(file->ids);
    free(file->edges);
    *file = (OrderFile){0};
}
