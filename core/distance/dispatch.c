/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * dispatch.c - which kernels run here.
 *
 * All tables give the same bits, so the choice is about speed alone. It is made at the first call and kept as an index. Threads that race
 * there compute the same index, and the tables are constants: relaxed order is enough.
 */
#include "distance/distance.h"

#include "base/base.h"
#include "plat_atomic.h"
#include "plat_cpu.h"

extern const cmi_kernels_t cmi_kernels_scalar, cmi_kernels_sse2, cmi_kernels_avx2, cmi_kernels_avx512;
extern const cmi_kernels_t cmi_kernels_neon, cmi_kernels_simd128;

typedef struct candidate {
    const cmi_kernels_t *kernels;
    plat_cpu_feature_t feature; /* that they need */
} candidate_t;

/* What this build contains, slowest first. */
static const candidate_t candidates[] = {
    {&cmi_kernels_scalar, PLAT_CPU_BASELINE},
#if defined(__x86_64__)
    {&cmi_kernels_sse2, PLAT_CPU_SSE2},
    {&cmi_kernels_avx2, PLAT_CPU_AVX2},
    {&cmi_kernels_avx512, PLAT_CPU_AVX512},
#elif defined(__aarch64__)
    {&cmi_kernels_neon, PLAT_CPU_NEON},
#elif defined(__wasm_simd128__)
    {&cmi_kernels_simd128, PLAT_CPU_SIMD128},
#endif
};

#define N_CANDIDATES (sizeof candidates / sizeof candidates[0])

const cmi_kernels_t *cmi_kernels_at(uint32_t i) {
    for (uint32_t c = 0; c < N_CANDIDATES; c++) {
        if (plat_cpu_has(candidates[c].feature) && i-- == 0) return candidates[c].kernels;
    }
    return NULL;
}

static bool same_name(const char *a, const char *b) {
    size_t length = strlen(a);
    return length == strlen(b) && memcmp(a, b, length) == 0;
}

/* Index into candidates: the last that runs here, or the one asked for. */
static uint32_t choose(void) {
    const char *wanted = plat_cpu_isa_override();
    uint32_t best = 0;
    for (uint32_t c = 0; c < N_CANDIDATES; c++) {
        if (!plat_cpu_has(candidates[c].feature)) continue;
        best = c;
        if (wanted != NULL && same_name(wanted, candidates[c].kernels->isa)) break;
    }
    return best;
}

const cmi_kernels_t *cmi_kernels(void) {
    static plat_a32_t chosen; /* index + 1; 0: not yet */
    uint32_t index_plus_1 = plat_load_relaxed(&chosen);
    if (CMI_UNLIKELY(index_plus_1 == 0)) {
        index_plus_1 = choose() + 1;
        plat_store_relaxed(&chosen, index_plus_1); /* relaxed: whoever races here stores the same number */
    }
    return candidates[index_plus_1 - 1].kernels;
}

const char *cm_isa(void) {
    return cmi_kernels()->isa;
}
