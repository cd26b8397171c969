/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* distance.c - every kernel table of this machine against the scalar one, bit for bit; and the scalar one against double arithmetic. */
#include "base/base.h"
#include "distance/distance.h"
#include "support/tap.h"

#if defined(__unix__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#define MAX_N 1100
#define MAX_OFFSET 16

static float query_buffer[MAX_N + MAX_OFFSET];
static float row_buffers[4][MAX_N + MAX_OFFSET];

typedef float draw_t(uint64_t random);

static float draw_unit(uint64_t random) {
    return (float)(int32_t)(random >> 32) * 0x1p-31f;
}

/* Any sign and mantissa; exponents far apart, down to subnormals and signed zeros, but no overflow: rounding differs with every order. */
static float draw_wide(uint64_t random) {
    uint32_t bits = (uint32_t)random & 0x807FFFFFu;
    uint32_t kind = (uint32_t)(random >> 32) % 16;
    if (kind == 0) return cmi_bits_float(bits & 0x80000000u);
    if (kind == 1) return cmi_bits_float(bits);
    return cmi_bits_float(bits | (uint32_t)(random >> 40) % 160 << 23);
}

static void fill(uint64_t seed, draw_t *draw) {
    for (uint32_t i = 0; i < MAX_N + MAX_OFFSET; i++) {
        query_buffer[i] = draw(cmi_mix(seed + 5 * i));
        for (uint32_t j = 0; j < 4; j++) row_buffers[j][i] = draw(cmi_mix(seed + 5 * i + j + 1));
    }
}

static void check_same(const cmi_kernels_t *kernels, const char *name, uint32_t n, uint32_t offset, float actual, float expected) {
    CHECK_MSG(cmi_float_bits(actual) == cmi_float_bits(expected), "%s %s, n %u, offset %u: %.9g, scalar %.9g", kernels->isa, name, n,
              offset, (double)actual, (double)expected);
}

/* All four kernels of a table on one length; query and rows at different offsets from a 16-float boundary. */
static void check_length(const cmi_kernels_t *kernels, uint32_t n, uint32_t offset) {
    const cmi_kernels_t *scalar = cmi_kernels_at(0);
    const float *query = query_buffer + offset;
    const float *rows[4];
    for (uint32_t j = 0; j < 4; j++) rows[j] = row_buffers[j] + (offset * 7 + j * 3) % MAX_OFFSET;

    float dots[4], distances[4];
    kernels->dot4(query, rows, n, dots);
    kernels->l2sq4(query, rows, n, distances);
    for (uint32_t j = 0; j < 4; j++) {
        float dot = scalar->dot(query, rows[j], n), distance = scalar->l2sq(query, rows[j], n);
        check_same(kernels, "dot", n, offset, kernels->dot(query, rows[j], n), dot);
        check_same(kernels, "l2sq", n, offset, kernels->l2sq(query, rows[j], n), distance);
        check_same(kernels, "dot4", n, offset, dots[j], dot);
        check_same(kernels, "l2sq4", n, offset, distances[j], distance);
    }
}

TEST(every_length_gives_the_scalar_bits) {
    static draw_t *const draws[] = {draw_unit, draw_wide};
    for (uint32_t d = 0; d < 2; d++) {
        fill(1000 + d, draws[d]);
        for (uint32_t t = 1; cmi_kernels_at(t) != NULL; t++) {
            for (uint32_t n = 0; n <= MAX_N; n++) check_length(cmi_kernels_at(t), n, n % MAX_OFFSET);
        }
    }
}

TEST(every_offset_gives_the_scalar_bits) {
    fill(7, draw_wide);
    for (uint32_t t = 1; cmi_kernels_at(t) != NULL; t++) {
        for (uint32_t n = 0; n <= 70; n++) {
            for (uint32_t offset = 0; offset < MAX_OFFSET; offset++) check_length(cmi_kernels_at(t), n, offset);
        }
    }
}

TEST(infinities_and_overflow_give_the_scalar_bits) {
    fill(8, draw_unit);
    for (uint32_t i = 0; i < MAX_N; i++) row_buffers[0][i] = 3e38f, row_buffers[1][i] *= 1e38f;
    row_buffers[2][3] = cmi_bits_float(0x7F800000u);
    row_buffers[3][90] = cmi_bits_float(0xFF800000u);
    for (uint32_t i = 0; i < MAX_N + MAX_OFFSET; i++) query_buffer[i] = query_buffer[i] * query_buffer[i] + 1; /* positive: no inf - inf */
    for (uint32_t t = 1; cmi_kernels_at(t) != NULL; t++) {
        for (uint32_t n = 0; n <= 100; n++) check_length(cmi_kernels_at(t), n, 0);
    }
}

/* The canonical order on a case small enough to do by hand: 2^24 + 1 rounds to 2^24, so the order shows. */
TEST(canonical_order) {
    float a[48], ones[48];
    for (uint32_t i = 0; i < 48; i++) a[i] = 0, ones[i] = 1;
    a[0] = 0x1p24f;
    a[16] = 1, a[32] = 1; /* lane 0: each is lost alone */
    a[1] = 1, a[17] = 1;  /* lane 1 sums to 2, which survives the last fold */
    for (uint32_t t = 0; cmi_kernels_at(t) != NULL; t++) {
        CHECK_MSG(cmi_kernels_at(t)->dot(a, ones, 48) == 0x1p24f + 2, "%s", cmi_kernels_at(t)->isa);
    }
}

/* One rounding per operation: a fused multiply-add would keep the low bits of the product that cancels. */
TEST(no_fused_multiply_add) {
    float x = 1 + 0x1p-12f;
    float square = x * x;
    for (uint32_t t = 0; cmi_kernels_at(t) != NULL; t++) {
        float a[32] = {0}, b[32] = {0};
        a[0] = -square, b[0] = 1, a[16] = x, b[16] = x;
        CHECK_MSG(cmi_kernels_at(t)->dot(a, b, 32) == 0, "%s", cmi_kernels_at(t)->isa);
    }
}

TEST(scalar_is_right) {
    fill(9, draw_unit);
    const cmi_kernels_t *scalar = cmi_kernels_at(0);
    for (uint32_t n = 0; n <= MAX_N; n += 13) {
        double dot = 0, l2sq = 0;
        for (uint32_t i = 0; i < n; i++) {
            double q = (double)query_buffer[i], x = (double)row_buffers[0][i];
            dot += q * x, l2sq += (q - x) * (q - x);
        }
        double dot_error = (double)scalar->dot(query_buffer, row_buffers[0], n) - dot;
        double l2sq_error = (double)scalar->l2sq(query_buffer, row_buffers[0], n) - l2sq;
        CHECK_MSG(dot_error < 1e-4 && dot_error > -1e-4, "dot, n %u: off by %g", n, dot_error);
        CHECK_MSG(l2sq_error < 1e-3 && l2sq_error > -1e-3, "l2sq, n %u: off by %g", n, l2sq_error);
    }
}

#if defined(__unix__)

/* Vectors that end where an unreadable page begins: a kernel that reads one float too many dies here. */
TEST(nothing_past_the_end_is_read) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    if (pages == MAP_FAILED) return;
    CHECK(mprotect(pages + page, page, PROT_NONE) == 0);
    const float *end = (const float *)(void *)(pages + page);
    for (uint32_t t = 0; cmi_kernels_at(t) != NULL; t++) {
        const cmi_kernels_t *kernels = cmi_kernels_at(t);
        for (uint32_t n = 0; n <= 64; n++) {
            const float *v = end - n, *rows[4] = {v, v, v, v};
            float out[4];
            kernels->dot4(v, rows, n, out);
            kernels->l2sq4(v, rows, n, out);
            CHECK(kernels->dot(v, v, n) == 0 && kernels->l2sq(v, v, n) == 0);
        }
    }
    munmap(pages, 2 * page);
}

#endif

TEST(dispatch) {
    CHECK(strcmp(cmi_kernels_at(0)->isa, "scalar") == 0);
    uint32_t n_tables = 0;
    bool chosen_is_listed = false;
    for (; cmi_kernels_at(n_tables) != NULL; n_tables++) {
        printf("# runs here: %s\n", cmi_kernels_at(n_tables)->isa);
        chosen_is_listed = chosen_is_listed || cmi_kernels() == cmi_kernels_at(n_tables);
    }
    CHECK(chosen_is_listed);
    CHECK(cmi_kernels() == cmi_kernels());
    CHECK(cm_isa() == cmi_kernels()->isa);

    const cmi_kernels_t *expected = cmi_kernels_at(n_tables - 1);
    const char *wanted = getenv("CHRONOMIND_ISA");
    for (uint32_t t = 0; wanted != NULL && t < n_tables; t++) {
        if (strcmp(cmi_kernels_at(t)->isa, wanted) == 0) expected = cmi_kernels_at(t);
    }
    CHECK_MSG(cmi_kernels() == expected, "%s, expected %s", cm_isa(), expected->isa);
}

int main(void) {
    RUN(every_length_gives_the_scalar_bits);
    RUN(every_offset_gives_the_scalar_bits);
    RUN(infinities_and_overflow_give_the_scalar_bits);
    RUN(canonical_order);
    RUN(no_fused_multiply_add);
    RUN(scalar_is_right);
#if defined(__unix__)
    RUN(nothing_past_the_end_is_read);
#endif
    RUN(dispatch);
    return tap_done();
}
