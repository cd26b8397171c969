/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * kernels_scalar.c - the canonical order spelled out in plain C. The reference that every other table is tested against, bit for bit, and
 * the kernels of machines without vectors. Not made from kernel_template.h, so that a mistake there cannot hide here too.
 */
#include "distance/codes.h"
#include "distance/distance.h"

#include <float.h>

#define LANES 16

_Static_assert(FLT_EVAL_METHOD == 0, "float arithmetic must round to float at every step");

static float fold(float sum[LANES]) {
    for (uint32_t half = LANES / 2; half > 0; half /= 2) {
        for (uint32_t l = 0; l < half; l++) sum[l] += sum[l + half];
    }
    return sum[0];
}

static float dot(const void *query, const void *row, uint32_t n) {
    const float *a = query, *b = row;
    float sum[LANES] = {0};
    for (uint32_t i = 0; i < n; i++) sum[i % LANES] += a[i] * b[i];
    return fold(sum);
}

static float l2sq(const void *query, const void *row, uint32_t n) {
    const float *a = query, *b = row;
    float sum[LANES] = {0};
    for (uint32_t i = 0; i < n; i++) {
        float difference = a[i] - b[i];
        sum[i % LANES] += difference * difference;
    }
    return fold(sum);
}

static float dot_bf16(const void *query, const void *row, uint32_t n) {
    const float *a = query;
    const uint16_t *b = row;
    float sum[LANES] = {0};
    for (uint32_t i = 0; i < n; i++) sum[i % LANES] += a[i] * cmi_bf16_float(b[i]);
    return fold(sum);
}

static float l2sq_bf16(const void *query, const void *row, uint32_t n) {
    const float *a = query;
    const uint16_t *b = row;
    float sum[LANES] = {0};
    for (uint32_t i = 0; i < n; i++) {
        float difference = a[i] - cmi_bf16_float(b[i]);
        sum[i % LANES] += difference * difference;
    }
    return fold(sum);
}

static float dot_codes(const void *query, const void *row, uint32_t n) {
    const int16_t *a = query;
    const int8_t *b = row;
    int32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += a[i] * b[i];
    return (float)sum;
}

#define FOUR(one)                                                                                 \
    static void one##_4(const void *query, const void *const rows[4], uint32_t n, float out[4]) { \
        for (uint32_t j = 0; j < 4; j++) out[j] = one(query, rows[j], n);                         \
    }

FOUR(dot)
FOUR(l2sq)
FOUR(dot_bf16)
FOUR(l2sq_bf16)
FOUR(dot_codes)

const cmi_kernels_t cmi_kernels_scalar = {
    "scalar", {dot, dot_4}, {l2sq, l2sq_4}, {dot_bf16, dot_bf16_4}, {l2sq_bf16, l2sq_bf16_4}, {dot_codes, dot_codes_4},
};
