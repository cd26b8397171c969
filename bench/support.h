/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* support.h - what the benchmark programs share: time, failing with a message, reproducible numbers, medians. Header-only. */
#ifndef BENCH_SUPPORT_H
#define BENCH_SUPPORT_H

#include "chronomind.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline void must(cm_status_t status, const char *what, const char *message) {
    if (status == CM_OK) return;
    fprintf(stderr, "Error: %s: %s\n", what, message && *message ? message : cm_strerror(status));
    exit(1);
}

/* splitmix64: a hash of a counter is a random number that can be asked for again. */
static inline uint64_t mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* In [0, 1). */
static inline double unit(uint64_t seed) {
    return (double)(mix(seed) >> 11) / 9007199254740992.0;
}

static inline int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Sorts them. */
static inline double median(double *values, size_t n) {
    qsort(values, n, sizeof *values, by_value);
    return values[n / 2];
}

#endif
