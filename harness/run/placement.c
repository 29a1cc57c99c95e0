// SPDX-License-Identifier: Apache-2.0
#include "run/placement.h"

#include "hyperion/parallel.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A usable CPU with what its binding sorts by.
typedef struct Candidate {
    TopologyCpu at;
    size_t place;   // among the usable, which are in the order of preference
    size_t sibling; // which hardware thread of its core, from 0
    size_t core;    // place of the first hardware thread of its core
    size_t turn;    // which core of its node, from 0
} Candidate;

static bool same_core(const TopologyCpu *a, const TopologyCpu *b)
{
    return a->core >= 0 && a->core == b->core;
}

static void find_neighbours(Candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Candidate *candidate = &candidates[i];
        candidate->core = candidate->place;
        for (size_t j = 0; j < i; j++) {
            if (same_core(&candidates[j].at, &candidate->at)) {
                candidate->sibling++;
                candidate->core =
                    candidates[j].core < candidate->core ? candidates[j].core : candidate->core;
            } else if (candidates[j].sibling == 0 && candidates[j].at.node == candidate->at.node) {
                candidate->turn++;
            }
        }
    }
}

static int compare_sizes(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_near(const void *first, const void *second)
{
    const Candidate *a = first;
    const Candidate *b = second;
    const int order = compare_sizes(a->sibling, b->sibling);
    return order ? order : compare_sizes(a->place, b->place);
}

static int compare_siblings(const void *first, const void *second)
{
    const Candidate *a = first;
    const Candidate *b = second;
    const int order = compare_sizes(a->core, b->core);
    return order ? order : compare_sizes(a->sibling, b->sibling);
}

static int compare_scattered(const void *first, const void *second)
{
    const Candidate *a = first;
    const Candidate *b = second;
    int order = compare_sizes(a->sibling, b->sibling);
    if (!order)
        order = compare_sizes(a->turn, b->turn);
    return order ? order : compare_sizes(a->place, b->place);
}

// Those that the cell may use, at the front; how many.
static size_t keep_candidates(Candidate *candidates, size_t count, int node, bool siblings)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if ((node < 0 || candidates[i].at.node == node) && (siblings || !candidates[i].sibling))
            candidates[kept++] = candidates[i];
    return kept;
}

static bool has_siblings(const Candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (candidates[i].sibling > 0)
            return true;
    return false;
}

// "0, 1".
static void name_nodes(const TopologyCpu *usable, size_t count, char *text, size_t text_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count && used < text_bytes; i++) {
        bool named = false;
        for (size_t j = 0; j < i; j++)
            named |= usable[j].node == usable[i].node;
        if (!named)
            used += (size_t)snprintf(text + used, text_bytes - used, "%s%d", used ? ", " : "",
                                     usable[i].node);
    }
}

static bool take_candidates(Candidate *candidates, size_t count, const AxisValue *values, int *cpus,
                            size_t *taken, Problem *problem)
{
    const size_t threads = (size_t)values[AXIS_THREADS].integer;
    const char *word = axis_word(AXIS_BINDING, values[AXIS_BINDING]);
    const bool siblings = values[AXIS_SMT].integer != 0;
    char binding[64];
    axis_format(AXIS_BINDING, values[AXIS_BINDING], binding, sizeof binding);
    if (threads > count)
        return problem_set(problem, "threads %zu: binding %s, smt %s leaves %zu CPU%s to bind to",
                           threads, binding, siblings ? "true" : "false", count,
                           count == 1 ? "" : "s");
    qsort(candidates, count, sizeof *candidates,
          strcmp(word, "smt") == 0       ? compare_siblings
          : strcmp(word, "scatter") == 0 ? compare_scattered
                                         : compare_near);
    for (size_t i = 0; i < threads; i++)
        cpus[i] = candidates[i].at.cpu;
    *taken = threads;
    return true;
}

static bool choose(Candidate *candidates, size_t count, const TopologyCpu *usable,
                   const AxisValue *values, int *cpus, size_t *taken, Problem *problem)
{
    const char *word = axis_word(AXIS_BINDING, values[AXIS_BINDING]);
    const bool on_node = strcmp(word, "numa:") == 0;
    const int node = on_node ? axis_word_parameter(values[AXIS_BINDING]) : -1;
    const bool siblings = values[AXIS_SMT].integer != 0;
    const size_t kept = keep_candidates(candidates, count, node, siblings);
    if (on_node && kept == 0) {
        char nodes[128];
        name_nodes(usable, count, nodes, sizeof nodes);
        return problem_set(problem,
                           "binding numa:%d: this process may use no CPU of such a node; there are "
                           "those of %s",
                           node, nodes);
    }
    if (siblings && !has_siblings(candidates, kept))
        return problem_set(problem,
                           "smt: no core that this process may use has sibling hardware threads");
    return take_candidates(candidates, kept, values, cpus, taken, problem);
}

bool placement_choose(const TopologyCpu *usable, size_t usable_count, const AxisValue *values,
                      int *cpus, size_t *count, Problem *problem)
{
    *count = 0;
    assert(values[AXIS_THREADS].integer <= HYPERION_MAX_THREADS);
    if (usable_count == 0 || strcmp(axis_word(AXIS_BINDING, values[AXIS_BINDING]), "none") == 0)
        return true;
    Candidate *candidates = calloc(usable_count, sizeof *candidates);
    if (!candidates)
        return problem_set(problem, "placement: out of memory");
    for (size_t i = 0; i < usable_count; i++)
        candidates[i] = (Candidate){.at = usable[i], .place = i};
    find_neighbours(candidates, usable_count);
    const bool chosen = choose(candidates, usable_count, usable, values, cpus, count, problem);
    free(candidates);
    return chosen;
}
