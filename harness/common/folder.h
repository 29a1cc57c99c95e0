// SPDX-License-Identifier: Apache-2.0
// folder.h - making folders.
#ifndef HYP_FOLDER_H
#define HYP_FOLDER_H

#include "common/problem.h"

// The folder that a file of this path lies in, with every missing one above it.
bool folder_of_file_make(const char *path, Problem *problem);

#endif
