/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* distance.c - every kernel table of this machine against the scalar one, bit for bit; and the scalar one against double arithmetic. */
#include "base/base.h"
#include "distance/codes.h"
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

static uint16_t half_buffers[4][MAX_N + 2 * MAX_OFFSET];
static int16_t query_codes[MAX_N + MAX_OFFSET];
static int8_t code_buffers[4][MAX_N + MAX_OFFSET];

static void check_same(const cmi_kernels_t *kernels, const char *name, uint32_t n, uint32_t offset, float actual, float expected) {
    CHECK_MSG(cmi_float_bits(actual) == cmi_float_bits(expected), "%s %s, n %u, offset %u: %.9g, scalar %.9g", kernels->isa, name, n,
              offset, (double)actual, (double)expected);
}

/* All four kernels of a table on one length; query and rows at different offsets from a 16-float boundary. */
static void check_length(const cmi_kernels_t *kernels, uint32_t n, uint32_t offset) {
    const cmi_kernels_t *scalar = cmi_kernels_at(0);
    const float *query = query_buffer + offset;
    const void *rows[4];
    for (uint32_t j = 0; j < 4; j++) rows[j] = row_buffers[j] + (offset * 7 + j * 3) % MAX_OFFSET;

    float dots[4], distances[4];
    kernels->dot.four(query, rows, n, dots);
    kernels->l2sq.four(query, rows, n, distances);
    for (uint32_t j = 0; j < 4; j++) {
        float dot = scalar->dot.one(query, rows[j], n), distance = scalar->l2sq.one(query, rows[j], n);
        check_same(kernels, "dot", n, offset, kernels->dot.one(query, rows[j], n), dot);
        check_same(kernels, "l2sq", n, offset, kernels->l2sq.one(query, rows[j], n), distance);
        check_same(kernels, "dot4", n, offset, dots[j], dot);
        check_same(kernels, "l2sq4", n, offset, distances[j], distance);
    }
}

static void check_pair(const cmi_kernels_t *kernels, const char *name, cmi_kernel_pair_t pair, cmi_kernel_t *expected, const void *query,
                       const void *const rows[4], uint32_t n) {
    float four[4];
    pair.four(query, rows, n, four);
    for (uint32_t j = 0; j < 4; j++) {
        check_same(kernels, name, n, j, pair.one(query, rows[j], n), expected(query, rows[j], n));
        check_same(kernels, name, n, j, four[j], expected(query, rows[j], n));
    }
}

/* Halves of any kind behind the row, too: they must not count. */
TEST(rows_of_bf16_give_the_scalar_bits) {
    const cmi_kernels_t *scalar = cmi_kernels_at(0);
    fill(2000, draw_wide);
    for (uint32_t j = 0; j < 4; j++)
        for (uint32_t i = 0; i < MAX_N + 2 * MAX_OFFSET; i++) half_buffers[j][i] = (uint16_t)(cmi_mix(77 + 4 * i + j) & 0xBFFFu);
    for (uint32_t t = 1; cmi_kernels_at(t) != NULL; t++) {
        const cmi_kernels_t *kernels = cmi_kernels_at(t);
        for (uint32_t n = 0; n <= MAX_N; n++) {
            const void *rows[4] = {half_buffers[0] + n % MAX_OFFSET, half_buffers[1], half_buffers[2] + 1, half_buffers[3]};
            for (uint32_t j = 0; j < 4; j++) ((uint16_t *)(uintptr_t)rows[j])[n] = 0x7FC0u; /* a NaN */
            check_pair(kernels, "dot_bf16", kernels->dot_bf16, scalar->dot_bf16.one, query_buffer, rows, n);
            check_pair(kernels, "l2sq_bf16", kernels->l2sq_bf16, scalar->l2sq_bf16.one, query_buffer, rows, n);
            for (uint32_t j = 0; j < 4; j++) ((uint16_t *)(uintptr_t)rows[j])[n] = 0x3F80u;
        }
    }
}

/* bf16 rows are what floats of the same values are. */
TEST(rows_of_bf16_are_rows_of_rounded_floats) {
    fill(2001, draw_unit);
    for (uint32_t i = 0; i < MAX_N; i++) {
        half_buffers[0][i] = cmi_bf16_of(row_buffers[0][i]);
        row_buffers[0][i] = cmi_bf16_float(half_buffers[0][i]);
    }
    const cmi_kernels_t *scalar = cmi_kernels_at(0);
    for (uint32_t n = 0; n <= MAX_N; n += 7) {
        check_same(scalar, "dot_bf16", n, 0, scalar->dot_bf16.one(query_buffer, half_buffers[0], n),
                   scalar->dot.one(query_buffer, row_buffers[0], n));
        check_same(scalar, "l2sq_bf16", n, 0, scalar->l2sq_bf16.one(query_buffer, half_buffers[0], n),
                   scalar->l2sq.one(query_buffer, row_buffers[0], n));
    }
}

TEST(bf16_rounds_to_nearest_even_and_stays_finite) {
    CHECK(cmi_bf16_of(1.0f) == 0x3F80 && cmi_bf16_of(-0.0f) == 0x8000);
    CHECK(cmi_bf16_of(cmi_bits_float(0x3F808000u)) == 0x3F80); /* half way: to even */
    CHECK(cmi_bf16_of(cmi_bits_float(0x3F818000u)) == 0x3F82);
    CHECK(cmi_bf16_of(cmi_bits_float(0x3F808001u)) == 0x3F81);
    CHECK(cmi_bf16_of(3.402823466e+38f) == 0x7F7F && cmi_bf16_of(-3.402823466e+38f) == 0xFF7F);
    CHECK(cmi_bf16_of(1e-45f) == 0x0000);
}

TEST(codes_give_the_scalar_bits) {
    const cmi_kernels_t *scalar = cmi_kernels_at(0);
    for (uint32_t extreme = 0; extreme < 2; extreme++) {
        for (uint32_t i = 0; i < MAX_N + MAX_OFFSET; i++) {
            query_codes[i] = (int16_t)(extreme ? 15000 : (int32_t)(cmi_mix(i) % 30001) - 15000);
            for (uint32_t j = 0; j < 4; j++)
                code_buffers[j][i] = (int8_t)(extreme ? (j & 1 ? -127 : 127) : (int32_t)(cmi_mix(9 * i + j) % 255) - 127);
        }
        for (uint32_t t = 1; cmi_kernels_at(t) != NULL; t++) {
            for (uint32_t n = 0; n <= MAX_N; n += CMI_CODE_GROUP) {
                const void *rows[4] = {code_buffers[0] + n % 3, code_buffers[1], code_buffers[2] + 5, code_buffers[3]};
                check_pair(cmi_kernels_at(t), "dot_codes", cmi_kernels_at(t)->dot_codes, scalar->dot_codes.one, query_codes, rows, n);
            }
        }
    }
}

/* The greatest sum that a query's and a row's codes can have, at the greatest number of dimensions. */
TEST(codes_never_overflow) {
    static float ones[CM_MAX_DIMENSIONS];
    static int16_t query[CM_MAX_DIMENSIONS];
    static int8_t row[CM_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < CM_MAX_DIMENSIONS; i++) ones[i] = 1;
    static const uint32_t lengths[] = {1, 16, 100, 516, 517, 768, 4096, CM_MAX_DIMENSIONS};
    for (uint32_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        uint32_t n = lengths[l];
        cmi_coded_t q = cmi_code_query(ones, n, query), r = cmi_code_row(ones, n, row);
        for (uint32_t t = 0; cmi_kernels_at(t) != NULL; t++) {
            double dot = (double)cmi_kernels_at(t)->dot_codes.one(query, row, cmi_n_codes(n)) * q.step * r.step;
            CHECK_MSG(dot > .999999 * n && dot < 1.000001 * n, "%s, n %u: %g", cmi_kernels_at(t)->isa, n, dot);
        }
        CHECK(row[0] == 127 && r.squares == 127.0 * 127 * n);
    }
}

TEST(codes_are_within_half_a_step) {
    fill(2002, draw_unit);
    cmi_coded_t q = cmi_code_query(query_buffer, 100, query_codes), r = cmi_code_row(query_buffer, 100, code_buffers[0]);
    for (uint32_t i = 0; i < 100; i++) {
        CHECK(__builtin_fabs(query_codes[i] * q.step - (double)query_buffer[i]) <= .5000001 * q.step);
        CHECK(__builtin_fabs(code_buffers[0][i] * r.step - (double)query_buffer[i]) <= .5000001 * r.step);
    }
    for (uint32_t i = 100; i < 112; i++) CHECK(query_codes[i] == 0 && code_buffers[0][i] == 0);
    static const float zeros[16], subnormal[16] = {1e-45f, -1e-45f};
    CHECK(cmi_code_row(zeros, 16, code_buffers[0]).step == 0 && code_buffers[0][0] == 0);
    CHECK(cmi_code_row(subnormal, 16, code_buffers[0]).step > 0 && code_buffers[0][0] == 127 && code_buffers[0][1] == -127);
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
        CHECK_MSG(cmi_kernels_at(t)->dot.one(a, ones, 48) == 0x1p24f + 2, "%s", cmi_kernels_at(t)->isa);
    }
}

/* One rounding per operation: a fused multiply-add would keep the low bits of the product that cancels. */
TEST(no_fused_multiply_add) {
    float x = 1 + 0x1p-12f;
    float square = x * x;
    for (uint32_t t = 0; cmi_kernels_at(t) != NULL; t++) {
        float a[32] = {0}, b[32] = {0};
        a[0] = -square, b[0] = 1, a[16] = x, b[16] = x;
        CHECK_MSG(cmi_kernels_at(t)->dot.one(a, b, 32) == 0, "%s", cmi_kernels_at(t)->isa);
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
        double dot_error = (double)scalar->dot.one(query_buffer, row_buffers[0], n) - dot;
        double l2sq_error = (double)scalar->l2sq.one(query_buffer, row_buffers[0], n) - l2sq;
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
            const float *v = end - n;
            const void *rows[4] = {v, v, v, v};
            float out[4];
            kernels->dot.four(v, rows, n, out);
            kernels->l2sq.four(v, rows, n, out);
            CHECK(kernels->dot.one(v, v, n) == 0 && kernels->l2sq.one(v, v, n) == 0);
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
    RUN(rows_of_bf16_give_the_scalar_bits);
    RUN(rows_of_bf16_are_rows_of_rounded_floats);
    RUN(bf16_rounds_to_nearest_even_and_stays_finite);
    RUN(codes_give_the_scalar_bits);
    RUN(codes_never_overflow);
    RUN(codes_are_within_half_a_step);
    RUN(no_fused_multiply_add);
    RUN(scalar_is_right);
#if defined(__unix__)
    RUN(nothing_past_the_end_is_read);
#endif
    RUN(dispatch);
    return tap_done();
}
