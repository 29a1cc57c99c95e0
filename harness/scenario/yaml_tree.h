// SPDX-License-Identifier: Apache-2.0
// yaml_tree.h - a strict subset of YAML as a tree in which every node knows its place: one
// document; no aliases, anchors or tags; bounded nesting.
#ifndef HYP_YAML_TREE_H
#define HYP_YAML_TREE_H

#include "common/problem.h"

#include <stddef.h>

typedef enum TreeKind { TREE_SCALAR, TREE_LIST, TREE_MAP } TreeKind;

typedef struct TreeNode {
    TreeKind kind;
    size_t line, column; // 1-based
    char *text;          // TREE_SCALAR
    char *key;           // of an entry of a map, and its place
    size_t key_line, key_column;
    struct TreeNode *first, *next; // children of a list or map; the next sibling
    size_t count;                  // children
} TreeNode;

// `name` stands before line:column in messages. NULL on failure. The caller frees with tree_free.
TreeNode *tree_parse(const char *name, const char *text, size_t text_bytes, Problem *problem);
void tree_free(TreeNode *node); // NULL is allowed; frees siblings too

// Value of a key of a map, or NULL.
const TreeNode *tree_find(const TreeNode *map, const char *key);

// "name:line:column: ..."; always returns false. The second points at the entry's key.
__attribute__((format(printf, 4, 5))) bool tree_fail(const char *name, const TreeNode *node,
                                                     Problem *problem, const char *format, ...);
__attribute__((format(printf, 4, 5))) bool tree_fail_key(const char *name, const TreeNode *node,
                                                         Problem *problem, const char *format, ...);

// Fails unless the node is of that kind; `what` names it: "axes must be a map".
bool tree_expect(const char *name, const TreeNode *node, TreeKind kind, const char *what,
                 Problem *problem);

// Every key of the map must be one of `known` (NULL-terminated) and be there once.
bool tree_check_keys(const char *name, const TreeNode *map, const char *const *known,
                     const char *what, Problem *problem);

#endif
