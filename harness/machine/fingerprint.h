// SPDX-License-Identifier: Apache-2.0
// fingerprint.h - which machine and which environment, as short hashes.
#ifndef HYP_FINGERPRINT_H
#define HYP_FINGERPRINT_H

#include <jansson.h>
#include <stdbool.h>

enum { FINGERPRINT_BYTES = 17 }; // 16 hex digits

// The facts a hash is over, as an object, and the hash. `machine` is a description that holds
// "cpu", "topology", "caches", "kernel", "virtualisation" and "build". What does not make another
// machine (memory, host name, a kernel update) is not in the key. NULL: out of memory.
json_t *fingerprint_key(const json_t *machine, char hash[FINGERPRINT_BYTES]);
json_t *fingerprint_environment(const json_t *machine, char hash[FINGERPRINT_BYTES]);

#endif
