/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * kernels.c - nanoseconds per distance for every kernel table of this machine.
 *
 * The rows fit the second-level cache (at most 192 KiB), so this is arithmetic, not memory. The figure of a four-row kernel is per row.
 * Each is the median of 9 runs of about a millisecond.
 *
 * Usage: kernels [CSV_FILE]
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
        const void *four[4] = {rows[j], rows[j + 1], rows[j + 2], rows[j + 3]};
        float out[4];
        switch (kind) {
        case DOT:
            for (uint32_t l = 0; l < 4; l++) out[l] = kernels->dot.one(query, four[l], n);
            break;
        case L2SQ:
            for (uint32_t l = 0; l < 4; l++) out[l] = kernels->l2sq.one(query, four[l], n);
            break;
        case DOT4: kernels->dot.four(query, four, n, out); break;
        default: kernels->l2sq.four(query, four, n, out); break;
        }
        sum += out[0] + out[1] + out[2] + out[3];
    }
    return sum;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct spread {
    double median, min, max;
} spread_t;

static spread_t ns_per_row(const cmi_kernels_t *kernels, kernel_kind_t kind, uint32_t n) {
    uint32_t n_sweeps = 0;
    for (double begin = now_ns(); now_ns() - begin < 1e6; n_sweeps++) result = sweep(kernels, kind, n); /* warms up and counts */
    double runs[N_RUNS];
    for (uint32_t run = 0; run < N_RUNS; run++) {
        double begin = now_ns();
        for (uint32_t s = 0; s < n_sweeps; s++) result = sweep(kernels, kind, n);
        runs[run] = (now_ns() - begin) / n_sweeps / N_ROWS;
    }
    qsort(runs, N_RUNS, sizeof runs[0], compare_doubles);
    return (spread_t){runs[N_RUNS / 2], runs[0], runs[N_RUNS - 1]};
}

static const char *text_of(const char *variable) {
    const char *text = getenv(variable);
    return text ? text : "";
}

/* The columns that every benchmark writes (bench/driver/rows.cpp); run.sh knows machine and commit. */
static void write_row(FILE *csv, const char *isa, const char *kernel, uint32_t n, spread_t ns) {
    if (!csv) return;
    fprintf(csv, "\"%s\",%s,kernels,,%s,%s,1,%s n=%u,,%.2f,%.2f,%.2f,%d,ns,wall,,,,,\n", text_of("BENCH_MACHINE"), text_of("BENCH_COMMIT"),
            isa, CM_VERSION_STRING, kernel, n, ns.median, ns.min, ns.max, N_RUNS);
}

static FILE *open_csv(const char *path) {
    FILE *csv = path ? fopen(path, "w") : NULL;
    if (path && !csv) {
        fprintf(stderr, "Error: cannot write %s\n", path);
        exit(1);
    }
    if (csv) {
        fputs("machine,commit,workload,data,system,version,threads,parameter,recall,median,min,max,rounds,unit,clock,distances,bytes,p50_"
              "us,p99_us,p999_us\n",
              csv);
    }
    return csv;
}

int main(int argc, char **argv) {
    static const char *const names[] = {"dot", "l2sq", "dot4", "l2sq4"};
    static const uint32_t dimensions[] = {4, 100, 128, 384, 768, 1536};
    for (uint32_t i = 0; i < MAX_N; i++) {
        query[i] = (float)(int32_t)cmi_mix(i) * 0x1p-31f;
        for (uint32_t j = 0; j < N_ROWS; j++) rows[j][i] = (float)(int32_t)cmi_mix((uint64_t)i * N_ROWS + j + MAX_N) * 0x1p-31f;
    }
    FILE *csv = open_csv(argc > 1 ? argv[1] : NULL);
    printf("ns per distance (median of %d); chosen here: %s\n\n", N_RUNS, cm_isa());
    printf("%-8s %5s %9s %9s %9s %9s\n", "isa", "dims", "dot", "l2sq", "dot4", "l2sq4");
    for (uint32_t t = 0; cmi_kernels_at(t) != NULL; t++) {
        for (size_t d = 0; d < sizeof dimensions / sizeof dimensions[0]; d++) {
            printf("%-8s %5u", cmi_kernels_at(t)->isa, dimensions[d]);
            for (kernel_kind_t kind = DOT; kind < N_KINDS; kind++) {
                spread_t ns = ns_per_row(cmi_kernels_at(t), kind, dimensions[d]);
                printf(" %9.1f", ns.median);
                write_row(csv, cmi_kernels_at(t)->isa, names[kind], dimensions[d], ns);
            }
            printf("\n");
        }
    }
    if (csv && fclose(csv) != 0) return 1;
    return 0;
}
