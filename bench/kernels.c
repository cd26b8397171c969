/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * kernels.c - nanoseconds per distance for every kernel table of this machine.
 *
 * The rows fit the second-level cache (at most 192 KiB), so this is arithmetic, not memory. The figure of a four-row kernel is per row.
 * Each is the median of 9 runs of about a millisecond.
 */
#include "distance/distance.h"

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_ROWS 32
#define MAX_N 1536
#define N_RUNS 9

typedef enum kernel_kind { DOT, L2SQ, DOT4, L2SQ4, N_KINDS } kernel_kind_t;

static float query[MAX_N], rows[N_ROWS][MAX_N];
static volatile float result; /* keeps the compiler from dropping the work */

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Distances from the query to all rows. */
static float sweep(const cmi_kernels_t *kernels, kernel_kind_t kind, uint32_t n) {
    float sum = 0;
    for (uint32_t j = 0; j < N_ROWS; j += 4) {
        const float *four[4] = {rows[j], rows[j + 1], rows[j + 2], rows[j + 3]};
        float out[4];
        switch (kind) {
        case DOT:
            for (uint32_t l = 0; l < 4; l++) out[l] = kernels->dot(query, four[l], n);
            break;
        case L2SQ:
            for (uint32_t l = 0; l < 4; l++) out[l] = kernels->l2sq(query, four[l], n);
            break;
        case DOT4: kernels->dot4(query, four, n, out); break;
        default: kernels->l2sq4(query, four, n, out); break;
        }
        sum += out[0] + out[1] + out[2] + out[3];
    }
    return sum;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_ns_per_row(const cmi_kernels_t *kernels, kernel_kind_t kind, uint32_t n) {
    uint32_t n_sweeps = 0;
    for (double begin = now_ns(); now_ns() - begin < 1e6; n_sweeps++) result = sweep(kernels, kind, n); /* warms up and counts */
    double runs[N_RUNS];
    for (uint32_t run = 0; run < N_RUNS; run++) {
        double begin = now_ns();
        for (uint32_t s = 0; s < n_sweeps; s++) result = sweep(kernels, kind, n);
        runs[run] = (now_ns() - begin) / n_sweeps / N_ROWS;
    }
    qsort(runs, N_RUNS, sizeof runs[0], compare_doubles);
    return runs[N_RUNS / 2];
}

int main(void) {
    static const uint32_t dimensions[] = {4, 100, 128, 384, 768, 1536};
    for (uint32_t i = 0; i < MAX_N; i++) {
        query[i] = (float)(int32_t)cmi_mix(i) * 0x1p-31f;
        for (uint32_t j = 0; j < N_ROWS; j++) rows[j][i] = (float)(int32_t)cmi_mix((uint64_t)i * N_ROWS + j + MAX_N) * 0x1p-31f;
    }
    printf("ns per distance (median of %d); chosen here: %s\n\n", N_RUNS, cm_isa());
    printf("%-8s %5s %9s %9s %9s %9s\n", "isa", "dims", "dot", "l2sq", "dot4", "l2sq4");
    for (uint32_t t = 0; cmi_kernels_at(t) != NULL; t++) {
        for (size_t d = 0; d < sizeof dimensions / sizeof dimensions[0]; d++) {
            printf("%-8s %5u", cmi_kernels_at(t)->isa, dimensions[d]);
            for (kernel_kind_t kind = DOT; kind < N_KINDS; kind++) {
                printf(" %9.1f", median_ns_per_row(cmi_kernels_at(t), kind, dimensions[d]));
            }
            printf("\n");
        }
    }
    return 0;
}
