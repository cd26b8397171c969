/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* kernels_avx2.c - the kernels with the 16 lanes in two registers. Built with -mavx2 and only run where dispatch.c finds it. */
#include "distance/distance.h"

#if defined(__x86_64__)
#if !defined(__AVX2__)
#error "compile this file with -mavx2"
#endif

#define KERNEL_ISA avx2
#define KERNEL_LANES 8
#include "distance/kernel_template.h"

#endif
