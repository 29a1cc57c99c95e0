// SPDX-License-Identifier: Apache-2.0
// interrupt.h - SIGINT and SIGTERM ask a run to stop; nothing is killed behind its back.
#ifndef HYP_INTERRUPT_H
#define HYP_INTERRUPT_H

#include <stdbool.h>

// From here on the signals only set a flag.
void interrupt_install(void);
bool interrupt_requested(void);

#endif
