/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cpu.c - plat_cpu.h on Unix: cpuid through the compiler's builtins on x86-64, the auxiliary vector on arm64. */
#include "plat_cpu.h"

#include <stdlib.h>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#define HWCAP_BIT_CRC32 (1ul << 7)
#endif

bool plat_cpu_has(plat_cpu_feature_t feature) {
#if defined(__x86_64__)
    __builtin_cpu_init(); /* does nothing after the first time */
    switch (feature) {
    case PLAT_CPU_BASELINE:
    case PLAT_CPU_SSE2: return true; /* part of x86-64 */
    case PLAT_CPU_SSE42: return __builtin_cpu_supports("sse4.2");
    case PLAT_CPU_AVX2: return __builtin_cpu_supports("avx2");
    case PLAT_CPU_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw");
    default: return false;
    }
#elif defined(__aarch64__)
    switch (feature) {
    case PLAT_CPU_BASELINE:
    case PLAT_CPU_NEON: return true; /* part of arm64 */
    case PLAT_CPU_ARM_CRC:
#if defined(__linux__)
        return (getauxval(AT_HWCAP) & HWCAP_BIT_CRC32) != 0;
#else
        return true; /* every Apple processor has it */
#endif
    default: return false;
    }
#else
    return feature == PLAT_CPU_BASELINE;
#endif
}

const char *plat_cpu_isa_override(void) {
    return getenv("CHRONOMIND_ISA");
}
