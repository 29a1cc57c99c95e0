// SPDX-License-Identifier: Apache-2.0
// papi_events.h - the events that PAPI is asked for, whether the program is built with it or not.
#ifndef HYP_PAPI_EVENTS_H
#define HYP_PAPI_EVENTS_H

#include <stdbool.h>

extern const char *const papi_wanted_events[]; // NULL-terminated

// True if the name is PAPI's to count: a preset, or a native event "component:::event".
bool papi_event_is_known(const char *name);

#endif
