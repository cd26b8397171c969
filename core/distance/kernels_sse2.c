/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* kernels_sse2.c - the kernels with the 16 lanes in four registers, for every x86-64. */
#include "distance/distance.h"

#if defined(__x86_64__)

#define KERNEL_ISA sse2
#define KERNEL_LANES 4
#include "distance/kernel_template.h"

#endif
