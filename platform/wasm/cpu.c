/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cpu.c - plat_cpu.h on WebAssembly: a module that uses SIMD128 does not even load without it, so the answer is known at compile time. */
#include "plat_cpu.h"

#include <stddef.h>

bool plat_cpu_has(plat_cpu_feature_t feature) {
#if defined(__wasm_simd128__)
    return feature == PLAT_CPU_BASELINE || feature == PLAT_CPU_SIMD128;
#else
    return feature == PLAT_CPU_BASELINE;
#endif
}

const char *plat_cpu_isa_override(void) {
    return NULL;
}
