// SPDX-License-Identifier: MIT OR Apache-2.0
// dot.h - the dot product that usearch and FAISS are given.
#ifndef BENCH_PEERS_DOT_H
#define BENCH_PEERS_DOT_H

#include <cstddef>

float bench_inner_product(const float *a, const float *b, size_t n);

// 1 - a . b, in f32; the arguments are addresses and a number of floats, as usearch passes them.
float bench_inner_product_distance(size_t a, size_t b, size_t n);

#endif
