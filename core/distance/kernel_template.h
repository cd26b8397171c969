/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * kernel_template.h - the distance kernels, written once; included by one kernels_<isa>.c per instruction set, which defines
 *
 *     KERNEL_ISA    the name of the table: avx2 makes cmi_kernels_avx2
 *     KERNEL_LANES  floats per register: 4, 8 or 16
 *
 * The 16 virtual lanes of the canonical order (distance.h) live in 16 / KERNEL_LANES registers per row. A short last group is loaded with
 * +0 in the missing lanes: adding +0 changes no accumulator, since one that starts at +0 never becomes -0. Memory past the end is not
 * read.
 *
 * One row gives one addition chain per register, and an addition takes 3 to 4 cycles: the four-row kernels walk KERNEL_ROWS rows side by
 * side, as many as leave registers for the operands (16 accumulators of 128 bits would spill on x86, 8 do not).
 *
 * Measured, ns per distance, rows in the second-level cache (bench/kernels.c; Zen 4 at 2.6 GHz base, gcc 12; wasm: clang-19, Node 20):
 *
 *     dot / dot4        scalar   sse2         avx2         avx512       wasm simd128
 *     100 dimensions    63       10.6 / 9.3   6.3 / 5.5    6.8 / 5.6    15.1 / 12.4
 *     768 dimensions    425      57 / 46      36 / 29      35 / 30      74 / 71
 *
 * From AVX2 on the four-row kernels run at the speed at which the cache delivers rows.
 *
 * Every loop over rows and registers has constant bounds and is unrolled, so that `sum` is registers, never memory (checked in the object
 * code).
 */
#include "distance/distance.h"

#define LANES 16
#define REGISTERS (LANES / KERNEL_LANES)

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define STRING_(a) #a
#define STRING(a) STRING_(a)

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 4")
#endif

/* ---- the few operations that differ by width ---- */

#if KERNEL_LANES == 16

#include <simde/x86/avx512/add.h>
#include <simde/x86/avx512/extract.h>
#include <simde/x86/avx512/loadu.h>
#include <simde/x86/avx512/mul.h>
#include <simde/x86/avx512/setzero.h>
#include <simde/x86/avx512/sub.h>

#define KERNEL_ROWS 4

typedef simde__m512 lanes_t;

#define lanes_zero simde_mm512_setzero_ps
#define lanes_load simde_mm512_loadu_ps
#define lanes_add simde_mm512_add_ps
#define lanes_sub simde_mm512_sub_ps
#define lanes_mul simde_mm512_mul_ps

/* The first `count` (1 .. 15) floats, then zeros. SIMDe 0.7 does not know this one. */
static inline lanes_t lanes_load_first(const float *p, uint32_t count) {
    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
}

#elif KERNEL_LANES == 8

#include <simde/x86/avx2.h>

#define KERNEL_ROWS 4

typedef simde__m256 lanes_t;

#define lanes_zero simde_mm256_setzero_ps
#define lanes_load simde_mm256_loadu_ps
#define lanes_add simde_mm256_add_ps
#define lanes_sub simde_mm256_sub_ps
#define lanes_mul simde_mm256_mul_ps

/* The first `count` (1 .. 7) floats, then zeros. */
static inline lanes_t lanes_load_first(const float *p, uint32_t count) {
    simde__m256i index = simde_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return simde_mm256_maskload_ps(p, simde_mm256_cmpgt_epi32(simde_mm256_set1_epi32((int32_t)count), index));
}

#elif KERNEL_LANES == 4 && defined(__wasm_simd128__)

#include <wasm_simd128.h> /* and not SIMDe, which includes math.h: the module is built without any libc's headers */

#define KERNEL_ROWS 1 /* measured in Node 20 at 768 dimensions, ns per row: 71 one at a time, 81 by twos, 99 by fours */

typedef v128_t lanes_t;

#define lanes_zero() wasm_f32x4_const_splat(0.0f)
#define lanes_load wasm_v128_load
#define lanes_add wasm_f32x4_add
#define lanes_sub wasm_f32x4_sub
#define lanes_mul wasm_f32x4_mul

/* The first `count` (1 .. 3) floats, then zeros. */
static inline lanes_t lanes_load_first(const float *p, uint32_t count) {
    return wasm_f32x4_make(p[0], count > 1 ? p[1] : 0.0f, count > 2 ? p[2] : 0.0f, 0.0f);
}

static inline float fold_four(lanes_t four) {
    lanes_t two = wasm_f32x4_add(four, wasm_i32x4_shuffle(four, four, 2, 3, 2, 3));
    return wasm_f32x4_extract_lane(two, 0) + wasm_f32x4_extract_lane(two, 1);
}

#elif KERNEL_LANES == 4

#include <simde/x86/sse.h>

#define KERNEL_ROWS 2

typedef simde__m128 lanes_t;

#define lanes_zero simde_mm_setzero_ps
#define lanes_load simde_mm_loadu_ps
#define lanes_add simde_mm_add_ps
#define lanes_sub simde_mm_sub_ps
#define lanes_mul simde_mm_mul_ps

/* The first `count` (1 .. 3) floats, then zeros. */
static inline lanes_t lanes_load_first(const float *p, uint32_t count) {
    return simde_mm_setr_ps(p[0], count > 1 ? p[1] : 0.0f, count > 2 ? p[2] : 0.0f, 0.0f);
}

#endif

#if !defined(__wasm_simd128__)

static inline float fold_four(simde__m128 four) {
    simde__m128 two = simde_mm_add_ps(four, simde_mm_movehl_ps(four, four));
    return simde_mm_cvtss_f32(simde_mm_add_ss(two, simde_mm_shuffle_ps(two, two, 1)));
}

#endif

/* Folds 16 -> 8 -> 4 -> 2 -> 1; each step adds the upper half to the lower. */
static inline float lanes_fold(const lanes_t sum[REGISTERS]) {
#if KERNEL_LANES == 4
    return fold_four(lanes_add(lanes_add(sum[0], sum[2]), lanes_add(sum[1], sum[3])));
#else
#if KERNEL_LANES == 8
    simde__m256 eight = simde_mm256_add_ps(sum[0], sum[1]);
#else
    simde__m256 upper = simde_mm256_castpd_ps(simde_mm512_extractf64x4_pd(simde_mm512_castps_pd(sum[0]), 1));
    simde__m256 eight = simde_mm256_add_ps(simde_mm512_castps512_ps256(sum[0]), upper);
#endif
    return fold_four(simde_mm_add_ps(simde_mm256_castps256_ps128(eight), simde_mm256_extractf128_ps(eight, 1)));
#endif
}

/* ---- the kernels ---- */

typedef enum term { TERM_PRODUCT, TERM_SQUARED_DIFFERENCE } term_t;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE lanes_t lanes_term(term_t term, lanes_t a, lanes_t b) {
    if (term == TERM_PRODUCT) return lanes_mul(a, b);
    lanes_t difference = lanes_sub(a, b);
    return lanes_mul(difference, difference);
}

/* `term` and `n_rows` are constants wherever this is inlined. */
ALWAYS_INLINE void kernel_rows(term_t term, const float *query, const float *const *rows, uint32_t n_rows, uint32_t n, float *out) {
    lanes_t sum[KERNEL_ROWS][REGISTERS];
    UNROLL for (uint32_t j = 0; j < n_rows; j++) {
        UNROLL for (uint32_t r = 0; r < REGISTERS; r++) sum[j][r] = lanes_zero();
    }

    uint32_t i = 0;
    for (; n - i >= LANES; i += LANES) {
        UNROLL for (uint32_t r = 0; r < REGISTERS; r++) {
            lanes_t q = lanes_load(query + i + r * KERNEL_LANES);
            UNROLL for (uint32_t j = 0; j < n_rows; j++) {
                sum[j][r] = lanes_add(sum[j][r], lanes_term(term, q, lanes_load(rows[j] + i + r * KERNEL_LANES)));
            }
        }
    }

    /* Fewer than 16 are left: whole registers, then one in part. */
    UNROLL for (uint32_t r = 0; r < REGISTERS; r++) {
        if (n - i >= KERNEL_LANES) {
            lanes_t q = lanes_load(query + i);
            UNROLL for (uint32_t j = 0; j < n_rows; j++) sum[j][r] = lanes_add(sum[j][r], lanes_term(term, q, lanes_load(rows[j] + i)));
            i += KERNEL_LANES;
        } else if (n > i) {
            lanes_t q = lanes_load_first(query + i, n - i);
            UNROLL for (uint32_t j = 0; j < n_rows; j++) {
                sum[j][r] = lanes_add(sum[j][r], lanes_term(term, q, lanes_load_first(rows[j] + i, n - i)));
            }
            i = n;
        }
    }
    UNROLL for (uint32_t j = 0; j < n_rows; j++) out[j] = lanes_fold(sum[j]);
}

static float dot(const float *a, const float *b, uint32_t n) {
    float out;
    kernel_rows(TERM_PRODUCT, a, &b, 1, n, &out);
    return out;
}

static float l2sq(const float *a, const float *b, uint32_t n) {
    float out;
    kernel_rows(TERM_SQUARED_DIFFERENCE, a, &b, 1, n, &out);
    return out;
}

static void dot4(const float *query, const float *const rows[4], uint32_t n, float out[4]) {
    for (uint32_t j = 0; j < 4; j += KERNEL_ROWS) kernel_rows(TERM_PRODUCT, query, rows + j, KERNEL_ROWS, n, out + j);
}

static void l2sq4(const float *query, const float *const rows[4], uint32_t n, float out[4]) {
    for (uint32_t j = 0; j < 4; j += KERNEL_ROWS) kernel_rows(TERM_SQUARED_DIFFERENCE, query, rows + j, KERNEL_ROWS, n, out + j);
}

const cmi_kernels_t JOIN(cmi_kernels_, KERNEL_ISA) = {STRING(KERNEL_ISA), dot, l2sq, dot4, l2sq4};
