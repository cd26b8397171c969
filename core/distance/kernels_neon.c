/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* kernels_neon.c - the kernels with the 16 lanes in four registers, for every arm64: SIMDe turns the SSE names into NEON. */
#include "distance/distance.h"

#if defined(__aarch64__)

#define KERNEL_ISA neon
#define KERNEL_LANES 4
#include "distance/kernel_template.h"

#endif
