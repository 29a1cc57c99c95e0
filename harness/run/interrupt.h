// SPDX-License-Identifier: Apache-2.0
// interrupt.h - SIGINT and SIGTERM ask a run to stop: the first lets the sample that is being taken
// come to its end, a second one does not.
#ifndef HYP_INTERRUPT_H
#define HYP_INTERRUPT_H

#include <stdbool.h>

// From here on the signals only count, and say on standard error what they do. Writing beyond a
// limit on file sizes becomes an error like any other.
void interrupt_install(void);
bool interrupt_requested(void);
// Asked more than once.
bool interrupt_insisted(void);

#endif
