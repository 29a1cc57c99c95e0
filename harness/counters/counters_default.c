// SPDX-License-Identifier: Apache-2.0
#include "counters/counters.h"

const char *const counters_default[] = {
    "PAPI_TOT_INS", "PAPI_TOT_CYC", "PAPI_L1_DCM", "PAPI_L2_DCM", "PAPI_L3_TCM",
    "PAPI_TLB_DM",  "PAPI_BR_MSP",  NULL,
};
