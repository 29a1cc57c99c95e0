// SPDX-License-Identifier: Apache-2.0
#include "counters/papi_events.h"

#include <string.h>

const char *const papi_wanted_events[] = {
    "PAPI_TOT_INS",
    "PAPI_TOT_CYC",
    "PAPI_REF_CYC",
    "PAPI_L1_DCM",
    "PAPI_L1_DCA",
    "PAPI_L2_DCM",
    "PAPI_L2_DCA",
    "PAPI_L2_TCM",
    "PAPI_L3_TCA",
    "PAPI_L3_TCM",
    "PAPI_PRF_DM",
    "PAPI_TLB_DM",
    "PAPI_BR_INS",
    "PAPI_BR_MSP",
    "PAPI_LD_INS",
    "PAPI_SR_INS",
    "PAPI_RES_STL",
    "PAPI_VEC_SP",
    "PAPI_SP_OPS",
    // Lines brought in, by demand and by prefetchers: of L1 and L2 on Intel; of L1 by where they
    // come from on AMD, from Zen 3 on and before.
    "L1D:REPLACEMENT",
    "L2_LINES_IN:ALL",
    "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:LCL_L2",
    "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:INT_CACHE",
    "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:EXT_CACHE_LCL",
    "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:MEM_IO_LCL",
    "DATA_CACHE_REFILLS_FROM_SYSTEM:LS_MABRESP_LCL_L2",
    "DATA_CACHE_REFILLS_FROM_SYSTEM:LS_MABRESP_LCL_CACHE",
    "DATA_CACHE_REFILLS_FROM_SYSTEM:LS_MABRESP_LCL_DRAM",
    // The library's predictions, for the cell that is counted.
    "sde:::hyperion::L1_FILLS",
    "sde:::hyperion::L2_FILLS",
    "sde:::hyperion::L3_FILLS",
    NULL,
};

bool papi_event_is_known(const char *name)
{
    return strncmp(name, "PAPI_", 5) == 0 || strchr(name, ':');
}
