/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* vectors.h - reproducible test vectors: uniform, and embedding-like (a 16-dimensional subspace with a little noise). */
#ifndef TEST_VECTORS_H
#define TEST_VECTORS_H

#include <stdint.h>
#include <stdlib.h>

#define SUBSPACE_DIMENSIONS 16u

typedef struct rng {
    uint64_t state;
} rng_t;

/* xorshift64*, after Vigna (2016). */
static inline uint64_t rng_next(rng_t *rng) {
    rng->state ^= rng->state >> 12;
    rng->state ^= rng->state << 25;
    rng->state ^= rng->state >> 27;
    return rng->state * 2685821657736338717ull;
}

static inline rng_t rng_seed(uint64_t seed) {
    rng_t rng = {seed * 2654435769u + 88172645463325252ull};
    for (int i = 0; i < 8; i++) rng_next(&rng);
    return rng;
}

static inline uint32_t rng_below(rng_t *rng, uint32_t n) {
    return (uint32_t)((rng_next(rng) >> 32) * n >> 32);
}

/* [-1, 1) */
static inline float rng_float(rng_t *rng) {
    return (float)((double)(rng_next(rng) >> 11) / 4503599627370496.0 - 1.0);
}

static inline float *vectors_uniform(rng_t *rng, uint32_t n, uint32_t dimensions) {
    float *out = malloc((size_t)n * dimensions * sizeof *out);
    for (size_t i = 0; i < (size_t)n * dimensions; i++) out[i] = rng_float(rng);
    return out;
}

/* Random mixtures of 16 basis vectors plus 5 % noise. The basis depends on the dimensions only, so that vectors and queries share their subspace. */
static inline float *vectors_embedding_like(rng_t *rng, uint32_t n, uint32_t dimensions) {
    rng_t basis_rng = rng_seed(77);
    float *basis = vectors_uniform(&basis_rng, SUBSPACE_DIMENSIONS, dimensions);
    float *out = malloc((size_t)n * dimensions * sizeof *out);
    for (uint32_t i = 0; i < n; i++) {
        float weight[SUBSPACE_DIMENSIONS];
        for (uint32_t b = 0; b < SUBSPACE_DIMENSIONS; b++) weight[b] = rng_float(rng);
        for (uint32_t d = 0; d < dimensions; d++) {
            float sum = 0.05f * rng_float(rng);
            for (uint32_t b = 0; b < SUBSPACE_DIMENSIONS; b++) sum += weight[b] * basis[(size_t)b * dimensions + d];
            out[(size_t)i * dimensions + d] = sum;
        }
    }
    free(basis);
    return out;
}

#endif
