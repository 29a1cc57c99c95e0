// SPDX-License-Identifier: Apache-2.0
#include "report/figure_facets.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SUBJECT_BYTES = 256 };

// Whether both show the same cells, as far as both runs have them.
static bool same_subject(const Figure *a, const Figure *b)
{
    if (a->kind != b->kind || a->base_length != b->base_length ||
        strncmp(a->name, b->name, a->base_length) != 0 || strcmp(a->title, b->title) != 0 ||
        strcmp(a->run->plan->scenario, b->run->plan->scenario) != 0)
        return false;
    char a_fixed[SUBJECT_BYTES];
    char b_fixed[SUBJECT_BYTES];
    figure_describe_fixed(a, a_fixed, sizeof a_fixed);
    figure_describe_fixed(b, b_fixed, sizeof b_fixed);
    return strcmp(a_fixed, b_fixed) == 0;
}

static size_t find_run(const Figure *figure, RunRecord *const *runs, size_t run_count)
{
    size_t run = 0;
    while (run < run_count && runs[run] != figure->run)
        run++;
    return run;
}

// Behind the members of the same machine, before those of later ones.
static void insert_member(Facet *facet, const Figure *figure, FacetMember member)
{
    size_t at = facet->member_count++;
    for (; at > 0 && facet->members[at - 1].machine > member.machine; at--) {
        facet->members[at] = facet->members[at - 1];
        facet->figures[at] = facet->figures[at - 1];
    }
    facet->members[at] = member;
    facet->figures[at] = figure;
}

static void number_panels(Facet *facet)
{
    for (size_t i = 1; i < facet->member_count; i++) {
        const FacetMember *before = &facet->members[i - 1];
        FacetMember *member = &facet->members[i];
        const bool same = before->machine == member->machine;
        member->panel = same ? before->panel : before->panel + 1;
        member->style = same ? before->style + 1 : 0;
    }
    facet->panel_count = facet->members[facet->member_count - 1].panel + 1;
}

static bool make_room(Facet *facet, size_t count)
{
    facet->figures = calloc(count, sizeof(Figure *));
    facet->members = calloc(count, sizeof *facet->members);
    return facet->figures && facet->members;
}

// The leader and the first such figure of each later run.
static void find_members(const FigureList *figures, size_t leader, RunRecord *const *runs,
                         size_t run_count, Facet *facet)
{
    size_t last_run = SIZE_MAX;
    for (size_t i = leader; i < figures->count; i++) {
        const Figure *figure = &figures->items[i];
        const size_t run = find_run(figure, runs, run_count);
        if (run == last_run || figure->shared || !same_subject(&figures->items[leader], figure))
            continue;
        last_run = run;
        insert_member(facet, figure,
                      (FacetMember){.run = run, .machine = facet->machines->of_run[run]});
    }
    number_panels(facet);
}

static void mark_members(FigureList *figures, const Facet *facet)
{
    for (size_t i = 0; i < facet->member_count; i++)
        figures->items[facet->figures[i] - figures->items].shared = true;
}

static bool has_category(const Facet *facet, const Cell *cell, AxisId axis)
{
    for (size_t i = 0; i < facet->category_count; i++)
        if (cells_agree(facet->categories[i], cell, axis))
            return true;
    return false;
}

// Those of all members, in order of appearance.
static bool find_categories(Facet *facet)
{
    const AxisId axis = facet->figures[0]->kind->x;
    size_t most = 0;
    for (size_t i = 0; i < facet->member_count; i++)
        most += figure_count_categories(facet->figures[i]);
    facet->categories = calloc(most + 1, sizeof(Cell *));
    for (size_t i = 0; facet->categories && i < facet->member_count; i++) {
        const Figure *figure = facet->figures[i];
        const size_t count = figure_count_categories(figure);
        for (size_t x = 1; x <= count; x++) {
            const FigurePoint *point = figure_find_category(figure, (double)x);
            const Cell *cell = point ? &figure->run->plan->cells[point->cell] : NULL;
            if (cell && !has_category(facet, cell, axis))
                facet->categories[facet->category_count++] = cell;
        }
    }
    return facet->categories != NULL;
}

static bool view_has_value(const Facet *facet, const FigureView *view)
{
    for (size_t i = 0; i < facet->member_count; i++)
        if (!isnan(figure_find_range(facet->figures[i], view->read).high))
            return true;
    return false;
}

// Appends a copy; what it points to is its own.
static bool append_facet(FacetList *list, const Facet *facet)
{
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : 8;
        Facet *items = realloc(list->items, capacity * sizeof *items);
        if (!items)
            return false;
        list->items = items;
        list->capacity = capacity;
    }
    Facet copy = *facet;
    copy.categories = NULL;
    copy.category_count = 0;
    const size_t count = facet->member_count;
    bool complete = make_room(&copy, count);
    if (complete) {
        memcpy((void *)copy.figures, (const void *)facet->figures, count * sizeof(Figure *));
        memcpy(copy.members, facet->members, count * sizeof *copy.members);
        complete = !axis_is_category(copy.figures[0]->kind->x) || find_categories(&copy);
    }
    if (!complete) {
        facet_clear(&copy);
        return false;
    }
    list->items[list->count++] = copy;
    return true;
}

static void name_facet(Facet *facet)
{
    const Figure *first = facet->figures[0];
    const char *view = facet->view->name;
    const size_t number = facet->first_shown / FACET_MOST_PANELS + 1;
    char part[24] = "";
    if (number > 1)
        (void)snprintf(part, sizeof part, "-%zu", number);
    (void)snprintf(facet->name, sizeof facet->name, "%.*s%s%s-machines%s", (int)first->base_length,
                   first->name, view[0] ? "-" : "", view, part);
    (void)snprintf(facet->title, sizeof facet->title, "%s%s%s, by machine", first->title,
                   view[0] ? ", " : "", view);
}

static bool append_views(FacetList *list, Facet *facet)
{
    for (const FigureView *view = facet->figures[0]->kind->views; view->name; view++) {
        if (!view_has_value(facet, view))
            continue;
        facet->view = view;
        for (size_t shown = 0; shown < facet->panel_count; shown += FACET_MOST_PANELS) {
            const size_t rest = facet->panel_count - shown;
            facet->first_shown = shown;
            facet->shown_count = rest < FACET_MOST_PANELS ? rest : FACET_MOST_PANELS;
            name_facet(facet);
            if (!append_facet(list, facet))
                return false;
        }
    }
    return true;
}

bool facets_find(FigureList *figures, RunRecord *const *runs, size_t run_count,
                 const RunMachines *machines, FacetList *list)
{
    for (size_t i = 0; i < figures->count; i++) {
        if (figures->items[i].shared || !figures->items[i].kind->views->name)
            continue;
        Facet facet = {.machines = machines};
        bool complete = make_room(&facet, run_count);
        if (complete)
            find_members(figures, i, runs, run_count, &facet);
        if (complete && facet.member_count > 1) {
            mark_members(figures, &facet);
            complete = append_views(list, &facet);
        }
        facet_clear(&facet);
        if (!complete)
            return false;
    }
    return true;
}

void facet_clear(Facet *facet)
{
    free((void *)facet->figures);
    free(facet->members);
    free((void *)facet->categories);
}

void facets_clear(FacetList *list)
{
    for (size_t i = 0; i < list->count; i++)
        facet_clear(&list->items[i]);
    free(list->items);
    *list = (FacetList){.items = NULL};
}

bool facet_takes_sweep(const Facet *facet, const RunRecord *run, const PlanSweep *sweep)
{
    for (size_t i = 0; i < facet->member_count; i++)
        if (facet->figures[i]->run == run && figure_takes_sweep(facet->figures[i], sweep))
            return true;
    return false;
}
