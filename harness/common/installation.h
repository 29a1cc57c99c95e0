// SPDX-License-Identifier: Apache-2.0
// installation.h - what belongs to this program, found from where it lies: an installed tree, an
// unpacked archive and a build folder can be anywhere.
#ifndef HYP_INSTALLATION_H
#define HYP_INSTALLATION_H

#include "common/problem.h"

#include <stddef.h>

// The path of another program beside this one; it must be there to be run.
bool installation_program(const char *name, char *path, size_t path_bytes, Problem *problem);

// The nearest folder above this program that is called share/hyperion/<name> or <name> and holds
// `file`; else <name> in the source tree it was built from (a build folder may lie anywhere). False
// if there is none or the path does not fit.
bool installation_folder(const char *name, const char *file, char *folder, size_t folder_bytes);

#endif
