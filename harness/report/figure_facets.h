// SPDX-License-Identifier: Apache-2.0
// figure_facets.h - figures that several runs have in common, as one: a panel a machine, all panels
// with the same axes, runs of one machine laid over each other.
#ifndef HYP_FIGURE_FACETS_H
#define HYP_FIGURE_FACETS_H

#include "report/figure_parts.h"
#include "report/run_machines.h"

enum { FACET_MOST_PANELS = 4 }; // side by side; more machines get more figures

// Where the figure of one run stands; all count from 0.
typedef struct FacetMember {
    size_t run, machine;
    size_t panel; // counts the machines among the members
    size_t style; // counts the runs of its machine
} FacetMember;

// Members stand by machine, those of one machine in the order of the runs.
typedef struct Facet {
    const FigureView *view;
    const RunMachines *machines;
    const Figure **figures; // of each member
    FacetMember *members;
    size_t member_count;
    size_t panel_count;      // machines among the members
    const Cell **categories; // a cell a place on an x axis of names; else none
    size_t category_count;
    size_t first_shown, shown_count;   // panels of this figure: the others are in its siblings
    char name[FIGURE_NAME_BYTES + 32]; // of its files, without ending
    char title[192];
} Facet;

typedef struct FacetList {
    Facet *items;
    size_t count, capacity;
} FacetList;

// Figures of the list that several runs have: of the same kind, scenario, sweep and fixed axes.
// They are marked as `shared`. Appends a facet a view and FACET_MOST_PANELS machines. Figures, runs
// and machines must outlive the list. False: out of memory, and the list is to be cleared.
bool facets_find(FigureList *figures, RunRecord *const *runs, size_t run_count,
                 const RunMachines *machines, FacetList *list);
void facets_clear(FacetList *list);

// Whether the sweep is shown in it, as in figure_takes_sweep.
bool facet_takes_sweep(const Facet *facet, const RunRecord *run, const PlanSweep *sweep);

void facet_clear(Facet *facet);

// facet_script.c: definitions for the template, and the blocks of data.
void facet_define(const Facet *facet, FILE *script);
void facet_tabulate(const Facet *facet, FILE *data);
void facet_describe(const Facet *facet, char *text, size_t text_bytes); // for the subtitle

#endif
