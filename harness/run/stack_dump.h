// SPDX-License-Identifier: Apache-2.0
// stack_dump.h - where a worker hangs: the runner asks with a signal before it kills.
#ifndef HYP_STACK_DUMP_H
#define HYP_STACK_DUMP_H

#include <signal.h>

// What the runner sends to a worker that is out of time.
enum { STACK_DUMP_SIGNAL = SIGQUIT };

// From here on the signal writes the innermost functions of the main thread to standard error,
// "stack: inner+0x10 < outer+0x2a < main+0x80", and ends the process. Functions without a name in
// the dynamic symbols are "file+0x1234", as addr2line takes them.
void stack_dump_install(void);

#endif
