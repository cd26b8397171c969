/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * plat_cpu.h - what this processor can run, and which kernels the user asked for.
 *
 * Read by core/distance/dispatch.c and core/base/crc32c.c. Both functions are pure for the life of the process and safe from any thread.
 */
#ifndef PLAT_CPU_H
#define PLAT_CPU_H

#include <stdbool.h>

typedef enum plat_cpu_feature {
    PLAT_CPU_BASELINE, /* nothing: true everywhere */
    PLAT_CPU_SSE2,
    PLAT_CPU_SSE42, /* for its CRC-32C instruction */
    PLAT_CPU_AVX2,
    PLAT_CPU_AVX512, /* F, VL, DQ and BW together: every server processor since 2017 that has one has all */
    PLAT_CPU_NEON,
    PLAT_CPU_ARM_CRC,
    PLAT_CPU_SIMD128
} plat_cpu_feature_t;

/* True when the processor has the feature and the operating system saves its registers. */
bool plat_cpu_has(plat_cpu_feature_t feature);

/* CHRONOMIND_ISA from the environment; NULL when unset, and where there is no environment. */
const char *plat_cpu_isa_override(void);

#endif
