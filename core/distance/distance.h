/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * distance.h - inner product and squared Euclidean distance, one table of kernels per instruction set.
 *
 * Canonical order. Every kernel over floats adds in the same order, so that the same store gives the same bits (graph, scores, snapshot) on every
 * machine: 16 virtual lanes; element i is multiplied (no FMA) and added to lane i mod 16, in order of i; then lanes are folded
 * 16 -> 8 (l += l+8) -> 4 (l += l+4) -> 2 (l += l+2) -> 1. AVX-512 holds the lanes in one register, AVX2 in two, 128-bit machines in four.
 * Sums of codes are whole numbers, and the same in any order.
 */
#ifndef CMI_DISTANCE_H
#define CMI_DISTANCE_H

#include <stdint.h>

/* What `query` and `row` point to depends on the kernel, see cmi_kernels_t. */
typedef float cmi_kernel_t(const void *query, const void *row, uint32_t n);

/* Four distances from one query at once: out[j] = kernel(query, rows[j], n), the same bits as four single calls. Four independent chains of
 * additions hide the latency that one chain in canonical order cannot. */
typedef void cmi_kernel4_t(const void *query, const void *const rows[4], uint32_t n, float out[4]);

typedef struct cmi_kernel_pair {
    cmi_kernel_t *one;
    cmi_kernel4_t *four;
} cmi_kernel_pair_t;

/* Any alignment. Queries and rows of floats: any n >= 0. Rows of bf16 (codes.h): the same, and memory is read up to the next multiple of 16 elements. */
typedef struct cmi_kernels {
    const char *isa;                       /* "scalar", "sse2", "avx2", "avx512", "neon", "simd128" */
    cmi_kernel_pair_t dot, l2sq;           /* float query, float rows */
    cmi_kernel_pair_t dot_bf16, l2sq_bf16; /* float query, rows of bf16 */
    cmi_kernel_pair_t dot_codes; /* int16_t query, int8_t rows, n a multiple of 16; the sum must fit an int32_t, and is rounded to float */
} cmi_kernels_t;

/* The best table this machine runs, or the one that CHRONOMIND_ISA names if the machine runs it (natively; an unknown or unsupported name is
 * ignored). Chosen once; thread-safe. */
const cmi_kernels_t *cmi_kernels(void);

/* Every table this machine runs, scalar first; NULL past the last. For tests and benchmarks. */
const cmi_kernels_t *cmi_kernels_at(uint32_t i);

#endif
