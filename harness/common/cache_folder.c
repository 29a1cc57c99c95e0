// SPDX-License-Identifier: Apache-2.0
#include "common/cache_folder.h"

#include <stdio.h>
#include <stdlib.h>

bool cache_folder_name(const char *file, char *path, size_t path_bytes, Problem *problem)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int length = 0;
    // The XDG base directory specification ignores a path that is not absolute.
    if (cache && cache[0] == '/')
        length = snprintf(path, path_bytes, "%s/hyperion/%s", cache, file);
    else if (home && home[0] == '/')
        length = snprintf(path, path_bytes, "%s/.cache/hyperion/%s", home, file);
    else
        return problem_set(problem,
                           "no cache folder: neither XDG_CACHE_HOME nor HOME is a usable path");
    return (length >= 0 && (size_t)length < path_bytes) ||
           problem_set(problem, "cache folder: name too long");
}
