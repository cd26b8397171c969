/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* random.c - unpredictable bits from the host's crypto.getRandomValues (js/src/loader.ts). */
#include "plat_random.h"

/* 32 random bits. */
__attribute__((import_module("env"), import_name("random_u32"))) uint32_t cmi_host_random_u32(void);

uint64_t plat_random_u64(void) {
    uint64_t high = cmi_host_random_u32();
    return high << 32 | cmi_host_random_u32();
}
