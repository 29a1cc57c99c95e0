// SPDX-License-Identifier: Apache-2.0
// host_facts.h - what the kernel tells of the CPU, of itself and of a hypervisor, from files under
// `root` ("" = this machine). Each returns a JSON object with every name it knows of, unknown ones
// null beside a reason; NULL: out of memory.
#ifndef HYP_HOST_FACTS_H
#define HYP_HOST_FACTS_H

#include <jansson.h>
#include <stdbool.h>

// {"vendor", "model_name", "family", "model", "stepping", "microcode"}
json_t *host_cpu_facts(const char *root);

// False if /proc/cpuinfo lists no flags of the CPU.
bool host_cpu_tells_flags(const char *root);

// True if the CPU's flags in /proc/cpuinfo hold this one.
bool host_cpu_has_flag(const char *root, const char *flag);

// {"os", "release", "governor", "boost", "thp", ...}
json_t *host_kernel_facts(const char *root);

// {"smt_active", "huge_pages_free" (of 2 MiB), "swap_mib", "load_1min", "steal_percent" (since
// boot), "cpu_quota_cpus" ("none" without)}
json_t *host_state_facts(const char *root);

// {"virtual": bool, "hypervisor", "product"}
json_t *host_virtualisation(const char *root);

#endif
