// SPDX-License-Identifier: Apache-2.0
// page_cache.h - what of a file the system keeps in memory.
#ifndef HYP_PAGE_CACHE_H
#define HYP_PAGE_CACHE_H

#include "common/problem.h"

// The share of the file's pages that are there (mincore), NAN where that is not told. Systems since
// Linux 5.2 tell 1 of files that this user could not write to.
double page_cache_share(const char *path);

// Drops all of it (posix_fadvise), what was written to it being on the disk then; or reads all of
// it. False with the reason, also where afterwards more, or less, than one page in a hundred is
// there: others use the file, or its file system is memory.
bool page_cache_drop(const char *path, Problem *problem);
bool page_cache_fill(const char *path, Problem *problem);

#endif
