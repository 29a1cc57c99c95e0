// SPDX-License-Identifier: Apache-2.0
// order_file.h - instances of the order problem: JSON with nodes[{id,name,bytes,inplace}] and
// edges[[from,to]] between ids. Other members are left alone.
#ifndef HYP_ORDER_FILE_H
#define HYP_ORDER_FILE_H

#include "common/problem.h"
#include "hyperion/planners.h"

typedef struct OrderFile {
    HyperionOrderNode *nodes;
    long long *ids; // by node, each once
    HyperionOrderEdge *edges;
    int node_count, edge_count;
} OrderFile;

// False, and the problem says where and why, for anything else. The caller clears in any case.
bool order_file_read(OrderFile *file, const char *path, Problem *problem);
void order_file_clear(OrderFile *file);

#endif
