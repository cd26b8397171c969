/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * distance.h - inner product and squared Euclidean distance of f32 vectors, one table of kernels per instruction set.
 *
 * Canonical order. Every kernel adds in the same order, so that the same store gives the same bits (graph, scores, snapshot) on every
 * machine: 16 virtual lanes; element i is multiplied (no FMA) and added to lane i mod 16, in order of i; then lanes are folded
 * 16 -> 8 (l += l+8) -> 4 (l += l+4) -> 2 (l += l+2) -> 1. AVX-512 keeps the lanes in one register, AVX2 in two, 128-bit machines in four.
 */
#ifndef CMI_DISTANCE_H
#define CMI_DISTANCE_H

#include <stdint.h>

typedef float cmi_kernel_t(const float *a, const float *b, uint32_t n);

/* Four distances from one query at once: out[j] = kernel(query, rows[j], n), the same bits as four single calls. Four independent chains of
 * additions hide the latency that one chain in canonical order cannot. */
typedef void cmi_kernel4_t(const float *query, const float *const rows[4], uint32_t n, float out[4]);

typedef struct cmi_kernels {
    const char *isa; /* "scalar", "sse2", "avx2", "avx512", "neon", "simd128" */
    cmi_kernel_t *dot;
    cmi_kernel_t *l2sq;
    cmi_kernel4_t *dot4;
    cmi_kernel4_t *l2sq4;
} cmi_kernels_t;

/* The best table this machine runs, or the one that CHRONOMIND_ISA names if the machine runs it (natively; an unknown or unsupported name is
 * ignored). Chosen once; thread-safe. Any alignment, any n >= 0. */
const cmi_kernels_t *cmi_kernels(void);

/* Every table this machine runs, scalar first; NULL past the last. For tests and benchmarks. */
const cmi_kernels_t *cmi_kernels_at(uint32_t i);

#endif
