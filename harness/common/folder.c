// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "common/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool folder_of_file_make(const char *path, Problem *problem)
{
    char *folder = strdup(path);
    if (!folder)
        return problem_set(problem, "%s: out of memory", path);
    bool made = true;
    for (char *slash = folder; made && (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        if (*folder && mkdir(folder, 0777) != 0 && errno != EEXIST)
            made = problem_set(problem, "%s: %s", folder, strerror(errno));
        *slash = '/';
    }
    free(folder);
    return made;
}
