// SPDX-License-Identifier: Apache-2.0
// revision.h - another revision of this program, checked out and built beside it.
#ifndef HYP_REVISION_H
#define HYP_REVISION_H

#include "common/problem.h"

#include <jansson.h>
#include <stdio.h>

typedef struct Revision {
    char commit[41];   // "" unknown
    bool own;          // this very program
    char folder[3072]; // "<top>/build/against/<commit>-<build type>": checkout, build, log
    char worker[4096];
    json_t *build; // its compiler, flags and commit, as in machine.json
} Revision;

// Finds `name` ("HEAD~1", a branch, a tag) in the git repository of the current folder. Where that
// is what this program was built from, without changes (`build`: its "build" of machine.json), the
// worker is a copy of `own_worker` at another path: the way to compare a revision with itself. So
// is that of ".", whatever it was built from, and outside of repositories too. Else it is built
// with this program's build type and sanitizers under build/against, or found there from before;
// `progress` (NULL = silent) is told. The problem says what failed and where its log is. The caller
// calls revision_clear in every case.
bool revision_make(const char *name, const json_t *build, const char *own_worker, FILE *progress,
                   Revision *revision, Problem *problem);
void revision_clear(Revision *revision);

#endif
