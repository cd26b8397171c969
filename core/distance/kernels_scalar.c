/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * kernels_scalar.c - the canonical order spelled out in plain C. The reference that every other table is tested against, bit for bit, and
 * the kernels of machines without vectors. Not made from kernel_template.h, so that a mistake there cannot hide here too.
 */
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

static float dot(const float *a, const float *b, uint32_t n) {
    float sum[LANES] = {0};
    for (uint32_t i = 0; i < n; i++) sum[i % LANES] += a[i] * b[i];
    return fold(sum);
}

static float l2sq(const float *a, const float *b, uint32_t n) {
    float sum[LANES] = {0};
    for (uint32_t i = 0; i < n; i++) {
        float difference = a[i] - b[i];
        sum[i % LANES] += difference * difference;
    }
    return fold(sum);
}

static void dot4(const float *query, const float *const rows[4], uint32_t n, float out[4]) {
    for (uint32_t j = 0; j < 4; j++) out[j] = dot(query, rows[j], n);
}

static void l2sq4(const float *query, const float *const rows[4], uint32_t n, float out[4]) {
    for (uint32_t j = 0; j < 4; j++) out[j] = l2sq(query, rows[j], n);
}

const cmi_kernels_t cmi_kernels_scalar = {"scalar", dot, l2sq, dot4, l2sq4};
