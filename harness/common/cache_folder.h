// SPDX-License-Identifier: Apache-2.0
// cache_folder.h - where what was measured of this machine is kept for the user.
#ifndef HYP_CACHE_FOLDER_H
#define HYP_CACHE_FOLDER_H

#include "common/problem.h"

#include <stddef.h>

// $XDG_CACHE_HOME/hyperion/<file>; ~/.cache/hyperion without that variable. False where neither is
// a path, or `path` has no room for it. The folder may not be there yet.
bool cache_folder_name(const char *file, char *path, size_t path_bytes, Problem *problem);

#endif
