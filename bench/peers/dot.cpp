// SPDX-License-Identifier: MIT OR Apache-2.0
// dot.cpp - compiled for this machine and allowed to reorder the sum (bench/bench.cmake): what a user who wants speed would do.
#include "peers/dot.h"

float bench_inner_product(const float *a, const float *b, size_t n) {
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

float bench_inner_product_distance(size_t a, size_t b, size_t n) {
    return 1 - bench_inner_product(reinterpret_cast<const float *>(a), reinterpret_cast<const float *>(b), n);
}
