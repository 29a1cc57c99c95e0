// SPDX-License-Identifier: Apache-2.0
// papi_machines.h - two machines for papi_stand_in.h to play. Events, and the native ones behind
// presets, are those that PAPI 7.1's table (papi_events.csv) has for the CPU; counters and which of
// them are fixed are what the kernel gives a thread with hyper-threads on. The counts are made up:
// a line brought in counts once on Intel; on AMD PAPI_L1_DCM counts requests to L2, prefetches
// included, so that it comes to more than the lines that a program asks for.
#ifndef PAPI_MACHINES_H
#define PAPI_MACHINES_H

#include "papi_stand_in.h"

#define ONE(name_, rate_, native_)                                                                 \
    {                                                                                              \
        .name = (name_), .rate = (rate_), .natives = { native_ }                                   \
    }

// Intel Skylake-X, Cascade Lake-X.
static const StandInEvent skylake_events[] = {
    {.name = "PAPI_TOT_INS", .rate = 1000, .natives = {"INST_RETIRED:ANY_P"}, .fixed = true},
    {.name = "PAPI_TOT_CYC",
     .rate = 500,
     .natives = {"CPU_CLK_THREAD_UNHALTED:THREAD_P"},
     .fixed = true},
    {.name = "PAPI_REF_CYC", .rate = 400, .natives = {"UNHALTED_REFERENCE_CYCLES"}, .fixed = true},
    ONE("PAPI_L1_DCM", 64, "L1D:REPLACEMENT"),
    {.name = "PAPI_L2_DCM",
     .rate = 16,
     .natives = {"LLC_REFERENCES", "L2_RQSTS:CODE_RD_MISS"},
     .derived = "DERIVED_SUB"},
    ONE("PAPI_L2_DCA", 60, "L2_RQSTS:ALL_DEMAND_REFERENCES"),
    ONE("PAPI_L2_TCM", 17, "LLC_REFERENCES"),
    ONE("PAPI_L3_TCA", 17, "LLC_REFERENCES"),
    ONE("PAPI_L3_TCM", 4, "LLC_MISSES"),
    ONE("PAPI_PRF_DM", 3, "L2_RQSTS:PF_MISS"),
    {.name = "PAPI_TLB_DM",
     .rate = 2,
     .natives = {"DTLB_LOAD_MISSES:MISS_CAUSES_A_WALK", "DTLB_STORE_MISSES:MISS_CAUSES_A_WALK"},
     .derived = "DERIVED_ADD"},
    ONE("PAPI_BR_INS", 90, "BR_INST_RETIRED:ALL_BRANCHES"),
    ONE("PAPI_BR_MSP", 1, "BR_MISP_RETIRED:CONDITIONAL"),
    ONE("PAPI_LD_INS", 300, "MEM_UOPS_RETIRED:ALL_LOADS"),
    ONE("PAPI_SR_INS", 100, "MEM_UOPS_RETIRED:ALL_STORES"),
    ONE("PAPI_RES_STL", 50, "RESOURCE_STALLS:ANY"),
    {.name = "PAPI_SP_OPS",
     .rate = 6400,
     .natives = {"FP_ARITH:SCALAR_SINGLE", "FP_ARITH:128B_PACKED_SINGLE",
                 "FP_ARITH:256B_PACKED_SINGLE", "FP_ARITH:512B_PACKED_SINGLE"},
     .derived = "DERIVED_POSTFIX"},
    {.name = "PAPI_VEC_SP",
     .rate = 400,
     .natives = {"FP_ARITH:SCALAR_SINGLE", "FP_ARITH:128B_PACKED_SINGLE",
                 "FP_ARITH:256B_PACKED_SINGLE", "FP_ARITH:512B_PACKED_SINGLE"},
     .derived = "DERIVED_POSTFIX"},
    {.name = "L1D:REPLACEMENT", .rate = 64},
    {.name = "L2_LINES_IN:ALL", .rate = 18},
};
static const StandInMachine skylake = {skylake_events,
                                       sizeof skylake_events / sizeof skylake_events[0], 4};

// AMD Zen 3 (family 19h).
static const StandInEvent zen3_events[] = {
    ONE("PAPI_TOT_INS", 1000, "RETIRED_INSTRUCTIONS"),
    ONE("PAPI_TOT_CYC", 500, "CYCLES_NOT_IN_HALT"),
    {.name = "PAPI_L1_DCM",
     .rate = 80,
     .natives = {"REQUESTS_TO_L2_GROUP1:RD_BLK_L:RD_BLK_X:LS_RD_BLK_C_S:CHANGE_TO_X"},
     .known = 1.25},
    ONE("PAPI_L1_DCA", 420, "LS_DISPATCH:LD_ST_DISPATCH:STORE_DISPATCH:LD_DISPATCH"),
    ONE("PAPI_L2_DCM", 16, "CORE_TO_L2_CACHEABLE_REQUEST_ACCESS_STATUS:LS_RD_BLK_C"),
    ONE("PAPI_TLB_DM", 2,
        "L1_DTLB_MISS:TLB_RELOAD_1G_L2_MISS:TLB_RELOAD_2M_L2_MISS:TLB_RELOAD_COALESCED_PAGE_MISS:"
        "TLB_RELOAD_4K_L2_MISS:TLB_RELOAD_1G_L2_HIT:TLB_RELOAD_2M_L2_HIT:"
        "TLB_RELOAD_COALESCED_PAGE_HIT:TLB_RELOAD_4K_L2_HIT"),
    ONE("PAPI_BR_INS", 90, "RETIRED_BRANCH_INSTRUCTIONS"),
    ONE("PAPI_BR_MSP", 1, "RETIRED_BRANCH_INSTRUCTIONS_MISPREDICTED"),
    {.name = "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:LCL_L2", .rate = 50},
    {.name = "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:INT_CACHE", .rate = 10},
    {.name = "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:EXT_CACHE_LCL", .rate = 0},
    {.name = "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:MEM_IO_LCL", .rate = 4},
};
static const StandInMachine zen3 = {zen3_events, sizeof zen3_events / sizeof zen3_events[0], 6};

#undef ONE

#endif
