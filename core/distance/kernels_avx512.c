/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * kernels_avx512.c - the kernels with the 16 lanes in one register. Built with -mavx512f -mavx512vl -mavx512dq -mavx512bw and only run
 * where dispatch.c finds all four.
 */
#include "distance/distance.h"

#if defined(__x86_64__)
#if !defined(__AVX512F__) || !defined(__AVX512VL__) || !defined(__AVX512DQ__) || !defined(__AVX512BW__)
#error "compile this file with -mavx512f -mavx512vl -mavx512dq -mavx512bw"
#endif

#define KERNEL_ISA avx512
#define KERNEL_LANES 16
#include "distance/kernel_template.h"

#endif
