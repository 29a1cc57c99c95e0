// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "run/memory_policy.h"

#include <errno.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WORD_BITS = CHAR_BIT * sizeof(unsigned long), PAGES_A_CALL = 512 };

typedef struct NodeMask {
    unsigned long words[MEMORY_MOST_NODES / WORD_BITS];
} NodeMask;

static bool holds_node(const NodeMask *mask, int node)
{
    return mask->words[node / WORD_BITS] >> (node % WORD_BITS) & 1;
}

// The nodes whose memory this process may use. False: the kernel knows no NUMA, or forbids to ask.
static bool find_allowed(NodeMask *allowed)
{
    *allowed = (NodeMask){{0}};
    return syscall(SYS_get_mempolicy, NULL, allowed->words, (unsigned long)MEMORY_MOST_NODES, NULL,
                   MPOL_F_MEMS_ALLOWED) == 0;
}

// "0, 1"; returns how many.
static int name_nodes(const NodeMask *mask, char *text, size_t text_bytes)
{
    int count = 0;
    size_t used = 0;
    text[0] = '\0';
    for (int node = 0; node < MEMORY_MOST_NODES; node++) {
        if (!holds_node(mask, node))
            continue;
        if (used < text_bytes)
            used +=
                (size_t)snprintf(text + used, text_bytes - used, "%s%d", count ? ", " : "", node);
        count++;
    }
    return count;
}

static bool set_policy(int mode, const NodeMask *nodes)
{
    // The kernel counts the bits from 1.
    return syscall(SYS_set_mempolicy, mode, nodes ? nodes->words : NULL,
                   (unsigned long)(nodes ? MEMORY_MOST_NODES + 1 : 0)) == 0;
}

bool memory_policy_apply(const AxisValue *values, Problem *problem)
{
    const char *word = axis_word(AXIS_MEM_POLICY, values[AXIS_MEM_POLICY]);
    const int node = axis_word_parameter(values[AXIS_MEM_POLICY]);
    NodeMask nodes;
    char names[256];
    if (strcmp(word, "local") == 0) {
        // Where the kernel knows no NUMA all memory is local.
        (void)set_policy(MPOL_LOCAL, NULL);
        return true;
    }
    if (!find_allowed(&nodes))
        return problem_set(problem, "mem_policy: the kernel does not tell the NUMA nodes: %s",
                           strerror(errno));
    const int count = name_nodes(&nodes, names, sizeof names);
    if (strcmp(word, "interleave") == 0) {
        if (count < 2)
            return problem_set(
                problem, "mem_policy interleave: this process may use one NUMA node alone, %s",
                names);
        return set_policy(MPOL_INTERLEAVE, &nodes) ||
               problem_set(problem, "mem_policy interleave: %s", strerror(errno));
    }
    if (!holds_node(&nodes, node))
        return problem_set(problem,
                           "mem_policy bind:%d: this process may use no such NUMA node; there are "
                           "%s",
                           node, names);
    nodes = (NodeMask){{0}};
    nodes.words[node / WORD_BITS] = 1UL << (node % WORD_BITS);
    return set_policy(MPOL_BIND, &nodes) ||
           problem_set(problem, "mem_policy bind:%d: %s", node, strerror(errno));
}

bool memory_policy_count(const void *start, size_t size_bytes, double *node_bytes)
{
    const uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t end = (uintptr_t)start + size_bytes;
    for (uintptr_t at = (uintptr_t)start & ~(page_bytes - 1); at < end;) {
        void *pages[PAGES_A_CALL];
        int nodes[PAGES_A_CALL];
        size_t count = 0;
        for (; count < PAGES_A_CALL && at < end; at += page_bytes)
            memcpy(&pages[count++], &at, sizeof at);
        // Without nodes to move to, it tells where the pages are; negative for one that is not.
        if (syscall(SYS_move_pages, 0, (unsigned long)count, pages, NULL, nodes, 0) != 0)
            return false;
        for (size_t i = 0; i < count; i++)
            if (nodes[i] >= 0 && nodes[i] < MEMORY_MOST_NODES)
                node_bytes[nodes[i]] += (double)page_bytes;
    }
    return true;
}
