/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* random.c - unpredictable bits from a WASI host. */
#include "plat_clock.h"
#include "plat_random.h"

#include <stddef.h>

/* 0 = success. */
__attribute__((import_module("wasi_snapshot_preview1"), import_name("random_get"))) int32_t cmi_wasi_random_get(void *bytes,
                                                                                                                size_t n_bytes);

/* Nobody depends on it but seeds: a host that has none gives the time instead. */
uint64_t plat_random_u64(void) {
    uint64_t bits;
    return cmi_wasi_random_get(&bits, sizeof bits) == 0 ? bits : plat_clock_monotonic_ns();
}
