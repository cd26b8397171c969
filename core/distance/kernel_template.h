/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * kernel_template.h - the distance kernels, written once; included by one kernels_<isa>.c per instruction set, which defines
 *
 *     KERNEL_ISA    the name of the table: avx2 makes cmi_kernels_avx2
 *     KERNEL_LANES  floats per register: 4, 8 or 16
 *
 * The 16 virtual lanes of the canonical order (distance.h) live in 16 / KERNEL_LANES registers per row. A short last group is loaded with
 * +0 in the missing lanes: adding +0 changes no accumulator, since one that starts at +0 never becomes -0. Memory past the end of floats is
 * not read; rows of bf16 are padded.
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
 * From AVX2 on the four-row kernels run at the speed at which the cache delivers rows. The column of WebAssembly is from before its dot4 took two rows at once: 1.26 x
 * as fast since, at either length (alternating, another machine).
 *
 * Every loop over rows and registers has constant bounds and is unrolled, so that `sum` is registers, never memory (checked in the object
 * code).
 */
#include "distance/distance.h"

#define LANES 16
#define REGISTERS (LANES / KERNEL_LANES)

/* The loop may be left after this many elements. In WebAssembly that is half a turn: V8 computes as late as it may, so with two rows it has the products of a whole turn waiting, and runs out of
 * registers (at 768 dimensions 81 ns a row, 71 with one row). Where the loop can be left the sums are needed, and one half is done before the other begins. */
#if defined(__wasm_simd128__)
#define STEP 8
#else
#define STEP LANES
#endif

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

static inline lanes_t lanes_load_bf16(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)p)), 16));
}

#define lanes_and _mm512_and_ps

/* Whole numbers: sums of products of neighbouring codes. */
#define CODES_PER_STEP 32

typedef __m512i sums_t;

#define sums_zero _mm512_setzero_si512

static inline sums_t sums_add(sums_t sums, const int16_t *query, const int8_t *row) {
    sums_t products = _mm512_madd_epi16(_mm512_loadu_si512(query), _mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)row)));
    return _mm512_add_epi32(sums, products);
}

/* 16 codes, the last of an odd number of groups. */
static inline sums_t sums_add_half(sums_t sums, const int16_t *query, const int8_t *row) {
    __m256i products = _mm256_madd_epi16(_mm256_loadu_si256((const void *)query), _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)row)));
    return _mm512_add_epi32(sums, _mm512_inserti64x4(_mm512_setzero_si512(), products, 0));
}

#define sums_fold _mm512_reduce_add_epi32

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

static inline lanes_t lanes_load_bf16(const uint16_t *p) {
    simde__m256i halves = simde_mm256_cvtepu16_epi32(simde_mm_loadu_si128((const void *)p));
    return simde_mm256_castsi256_ps(simde_mm256_slli_epi32(halves, 16));
}

#define lanes_and simde_mm256_and_ps

#define CODES_PER_STEP 16

typedef simde__m256i sums_t;

#define sums_zero simde_mm256_setzero_si256

static inline sums_t sums_add(sums_t sums, const int16_t *query, const int8_t *row) {
    simde__m256i wide = simde_mm256_cvtepi8_epi16(simde_mm_loadu_si128((const void *)row));
    return simde_mm256_add_epi32(sums, simde_mm256_madd_epi16(simde_mm256_loadu_si256((const void *)query), wide));
}

#elif KERNEL_LANES == 4 && defined(__wasm_simd128__)

#include <wasm_simd128.h> /* and not SIMDe, which includes math.h: the module is built without any libc's headers */

#define KERNEL_ROWS 2

typedef v128_t lanes_t;

#define lanes_zero() wasm_f32x4_const_splat(0.0f)
#define lanes_load wasm_v128_load
#define lanes_add wasm_f32x4_add
#define lanes_sub wasm_f32x4_sub
#define lanes_mul wasm_f32x4_mul

/* The first `count` (1 .. 3) floats, then zeros. */
static inline lanes_t lanes_load_first(const float *p, uint32_t count) {
    if (count == 1) return wasm_v128_load32_zero(p);
    lanes_t two = wasm_v128_load64_zero(p);
    return count == 2 ? two : wasm_v128_load32_lane(p + 2, two, 2);
}

static inline lanes_t lanes_load_bf16(const uint16_t *p) {
    return wasm_i32x4_shl(wasm_u32x4_load16x4(p), 16);
}

#define lanes_and wasm_v128_and

#define CODES_PER_STEP 8

typedef v128_t sums_t;

#define sums_zero() wasm_i32x4_splat(0)

static inline sums_t sums_add(sums_t sums, const int16_t *query, const int8_t *row) {
    return wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(wasm_v128_load(query), wasm_i16x8_load8x8(row)));
}

static inline int32_t sums_fold(sums_t sums) {
    sums_t two = wasm_i32x4_add(sums, wasm_i32x4_shuffle(sums, sums, 2, 3, 2, 3));
    return wasm_i32x4_extract_lane(two, 0) + wasm_i32x4_extract_lane(two, 1);
}

static inline float fold_four(lanes_t four) {
    lanes_t two = wasm_f32x4_add(four, wasm_i32x4_shuffle(four, four, 2, 3, 2, 3));
    return wasm_f32x4_extract_lane(two, 0) + wasm_f32x4_extract_lane(two, 1);
}

#elif KERNEL_LANES == 4

#include <simde/x86/sse2.h>

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

static inline lanes_t lanes_load_bf16(const uint16_t *p) {
    return simde_mm_castsi128_ps(simde_mm_unpacklo_epi16(simde_mm_setzero_si128(), simde_mm_loadl_epi64((const void *)p)));
}

#define lanes_and simde_mm_and_ps

#define CODES_PER_STEP 8

typedef simde__m128i sums_t;

#define sums_zero simde_mm_setzero_si128

static inline sums_t sums_add(sums_t sums, const int16_t *query, const int8_t *row) {
    simde__m128i bytes = simde_mm_loadl_epi64((const void *)row);
    simde__m128i wide = simde_mm_srai_epi16(simde_mm_unpacklo_epi8(bytes, bytes), 8);
    return simde_mm_add_epi32(sums, simde_mm_madd_epi16(simde_mm_loadu_si128((const void *)query), wide));
}

#endif

#if !defined(__wasm_simd128__)

static inline float fold_four(simde__m128 four) {
    simde__m128 two = simde_mm_add_ps(four, simde_mm_movehl_ps(four, four));
    return simde_mm_cvtss_f32(simde_mm_add_ss(two, simde_mm_shuffle_ps(two, two, 1)));
}

#if KERNEL_LANES != 16

static inline int32_t fold_four_sums(simde__m128i four) {
    simde__m128i two = simde_mm_add_epi32(four, simde_mm_shuffle_epi32(four, 0xEE));
    return simde_mm_cvtsi128_si32(simde_mm_add_epi32(two, simde_mm_shuffle_epi32(two, 0x55)));
}

static inline int32_t sums_fold(sums_t sums) {
#if KERNEL_LANES == 8
    return fold_four_sums(simde_mm_add_epi32(simde_mm256_castsi256_si128(sums), simde_mm256_extracti128_si256(sums, 1)));
#else
    return fold_four_sums(sums);
#endif
}

#endif

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

typedef enum element { ELEMENT_FLOAT, ELEMENT_BF16 } element_t;

#define ONES4 UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX
static const uint32_t ones_then_zeros[32] = {ONES4, ONES4, ONES4, ONES4};

/* KERNEL_LANES elements of a row from element i on. */
ALWAYS_INLINE lanes_t row_load(element_t element, const void *row, uint32_t i) {
    return element == ELEMENT_FLOAT ? lanes_load((const float *)row + i) : lanes_load_bf16((const uint16_t *)row + i);
}

/* The first `count` of these, then zeros. */
ALWAYS_INLINE lanes_t row_load_first(element_t element, const void *row, uint32_t i, uint32_t count) {
    if (element == ELEMENT_FLOAT) return lanes_load_first((const float *)row + i, count);
    return lanes_and(row_load(element, row, i), lanes_load((const float *)(const void *)(ones_then_zeros + 16 - count)));
}

/* Adds the terms of whole registers, the elements from i on, to sum[][first .. end-1]. `term`, `element` and `n_rows` are constants wherever this is inlined, and below. */
ALWAYS_INLINE void add_registers(term_t term, element_t element, const float *query, const void *const *rows, uint32_t n_rows, uint32_t i,
                                 uint32_t first, uint32_t end, lanes_t sum[][REGISTERS]) {
    UNROLL for (uint32_t r = first; r < end; r++, i += KERNEL_LANES) {
        lanes_t q = lanes_load(query + i);
        UNROLL for (uint32_t j = 0; j < n_rows; j++) sum[j][r] = lanes_add(sum[j][r], lanes_term(term, q, row_load(element, rows[j], i)));
    }
}

/* The lower half of the registers for the upper: lanes_fold() has the same sum for it. */
ALWAYS_INLINE void swap_halves(lanes_t sum[REGISTERS]) {
    UNROLL for (uint32_t r = 0; r + REGISTERS / 2 < REGISTERS; r++) {
        lanes_t lower = sum[r];
        sum[r] = sum[r + REGISTERS / 2];
        sum[r + REGISTERS / 2] = lower;
    }
}

ALWAYS_INLINE void kernel_rows(term_t term, element_t element, const float *query, const void *const *rows, uint32_t n_rows, uint32_t n,
                               float *out) {
    lanes_t sum[KERNEL_ROWS][REGISTERS];
    UNROLL for (uint32_t j = 0; j < n_rows; j++) {
        UNROLL for (uint32_t r = 0; r < REGISTERS; r++) sum[j][r] = lanes_zero();
    }

    uint32_t i = 0;
    while (n - i >= STEP) {
        add_registers(term, element, query, rows, n_rows, i, 0, STEP / KERNEL_LANES, sum);
        i += STEP;
        if (STEP == LANES) continue;
        if (n - i < STEP) {
            UNROLL for (uint32_t j = 0; j < n_rows; j++) swap_halves(sum[j]);
            break;
        }
        add_registers(term, element, query, rows, n_rows, i, STEP / KERNEL_LANES, REGISTERS, sum);
        i += STEP;
    }

    /* Fewer than a step are left: whole registers, then one in part. */
    UNROLL for (uint32_t r = 0; r < STEP / KERNEL_LANES; r++) {
        if (n - i >= KERNEL_LANES) {
            add_registers(term, element, query, rows, n_rows, i, r, r + 1, sum);
            i += KERNEL_LANES;
        } else if (n > i) {
            lanes_t q = lanes_load_first(query + i, n - i);
            UNROLL for (uint32_t j = 0; j < n_rows; j++) {
                sum[j][r] = lanes_add(sum[j][r], lanes_term(term, q, row_load_first(element, rows[j], i, n - i)));
            }
            i = n;
        }
    }
    UNROLL for (uint32_t j = 0; j < n_rows; j++) out[j] = lanes_fold(sum[j]);
}

/* name_4. */
#define KERNEL_OF_FOUR(name, walk)                                                                    \
    static void name##_4(const void *query, const void *const rows[4], uint32_t n, float out[4]) {    \
        for (uint32_t j = 0; j < 4; j += KERNEL_ROWS) walk(query, rows + j, KERNEL_ROWS, n, out + j); \
    }

/* name and name_4: the kernel for one row and for four. */
#define KERNEL_PAIR(name, term, element)                                                                                   \
    ALWAYS_INLINE void walk_##name(const float *query, const void *const *rows, uint32_t n_rows, uint32_t n, float *out) { \
        kernel_rows(term, element, query, rows, n_rows, n, out);                                                           \
    }                                                                                                                      \
    static float name(const void *query, const void *row, uint32_t n) {                                                    \
        float out;                                                                                                         \
        walk_##name(query, &row, 1, n, &out);                                                                              \
        return out;                                                                                                        \
    }                                                                                                                      \
    KERNEL_OF_FOUR(name, walk_##name)

KERNEL_PAIR(dot, TERM_PRODUCT, ELEMENT_FLOAT)
KERNEL_PAIR(l2sq, TERM_SQUARED_DIFFERENCE, ELEMENT_FLOAT)
KERNEL_PAIR(dot_bf16, TERM_PRODUCT, ELEMENT_BF16)
KERNEL_PAIR(l2sq_bf16, TERM_SQUARED_DIFFERENCE, ELEMENT_BF16)

/* ---- codes ---- */

ALWAYS_INLINE void codes_rows(const int16_t *query, const void *const *rows, uint32_t n_rows, uint32_t n, float *out) {
    sums_t sums[KERNEL_ROWS];
    uint32_t i = 0;
    UNROLL for (uint32_t j = 0; j < n_rows; j++) sums[j] = sums_zero();
    for (; n - i >= CODES_PER_STEP; i += CODES_PER_STEP) {
        UNROLL for (uint32_t j = 0; j < n_rows; j++) sums[j] = sums_add(sums[j], query + i, (const int8_t *)rows[j] + i);
    }
#if CODES_PER_STEP == 32
    if (n > i) {
        UNROLL for (uint32_t j = 0; j < n_rows; j++) sums[j] = sums_add_half(sums[j], query + i, (const int8_t *)rows[j] + i);
    }
#endif
    UNROLL for (uint32_t j = 0; j < n_rows; j++) out[j] = (float)sums_fold(sums[j]);
}

static float dot_codes(const void *query, const void *row, uint32_t n) {
    float out;
    codes_rows(query, &row, 1, n, &out);
    return out;
}

KERNEL_OF_FOUR(dot_codes, codes_rows)

const cmi_kernels_t JOIN(cmi_kernels_, KERNEL_ISA) = {
    STRING(KERNEL_ISA), {dot, dot_4}, {l2sq, l2sq_4}, {dot_bf16, dot_bf16_4}, {l2sq_bf16, l2sq_bf16_4}, {dot_codes, dot_codes_4},
};
