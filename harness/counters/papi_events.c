// SPDX-License-Identifier: Apache-2.0
#include "counters/papi_events.h"

#include <string.h>

const char *const papi_wanted_events[] = {
    "PAPI_TOT_INS", "PAPI_TOT_CYC", "PAPI_REF_CYC", "PAPI_L1_DCM", "PAPI_L1_DCA",
    "PAPI_L2_DCM",  "PAPI_L2_DCA",  "PAPI_L2_TCM",  "PAPI_L3_TCA", "PAPI_L3_TCM",
    "PAPI_PRF_DM",  "PAPI_TLB_DM",  "PAPI_BR_INS",  "PAPI_BR_MSP", "PAPI_LD_INS",
    "PAPI_SR_INS",  "PAPI_RES_STL", "PAPI_VEC_SP",  "PAPI_SP_OPS", NULL,
};

bool papi_event_is_known(const char *name)
{
    return strncmp(name, "PAPI_", 5) == 0 || strchr(name, ':');
}
