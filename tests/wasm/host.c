/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * host.c - what else platform/wasm gives: clocks and random words of the host, the processor, and the five functions of <string.h>.
 *
 * Proves: the imports arrive as C expects them (units, width), and libc.c does what the standard says, for every length and overlap that is short.
 */
#include "chronomind.h"
#include "plat_clock.h"
#include "plat_cpu.h"
#include "support/random_words.h"
#include "support/tap.h"
#include "support/vectors.h"

TEST(clocks_tell_the_time) {
    CHECK(plat_clock_now_ms() > 1700000000000); /* November 2023 */
    uint64_t first = plat_clock_monotonic_ns(), last = first;
    int64_t first_ms = plat_clock_now_ms();
    for (uint32_t i = 0; i < 10000000 && last - first < 50000000; i++) {
        uint64_t now = plat_clock_monotonic_ns();
        CHECK(now >= last);
        last = now;
    }
    CHECK(last - first >= 50000000);                                                       /* nanoseconds: 50 ms went by ... */
    CHECK(plat_clock_now_ms() - first_ms >= 40 && plat_clock_now_ms() - first_ms < 60000); /* ... by the other clock, too */
}

TEST(the_processor_is_known_when_compiling) {
    CHECK(plat_cpu_has(PLAT_CPU_BASELINE) && plat_cpu_has(PLAT_CPU_SIMD128));
    CHECK(!plat_cpu_has(PLAT_CPU_SSE2) && !plat_cpu_has(PLAT_CPU_AVX512) && !plat_cpu_has(PLAT_CPU_NEON));
    CHECK(plat_cpu_isa_override() == NULL);
    CHECK_MSG(strcmp(cm_isa(), "simd128") == 0, "the kernels are those of %s", cm_isa());
}

/* ---- <string.h>: through pointers, or the compiler would know the functions and leave them out ---------------------------------------- */

static void *(*volatile copy)(void *restrict, const void *restrict, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile fill)(void *, int, size_t) = memset;
static int (*volatile compare)(const void *, const void *, size_t) = memcmp;
static size_t (*volatile length)(const char *) = strlen;

enum { ROOM = 96 };

static void number(unsigned char *bytes) {
    for (int i = 0; i < ROOM; i++) bytes[i] = (unsigned char)(i * 37 + 11);
}

/* What `move` and `copy` must leave, byte by byte. */
static void expect_moved(unsigned char *expected, int to, int from, int n) {
    unsigned char before[ROOM];
    number(before), number(expected);
    for (int i = 0; i < n; i++) expected[to + i] = before[from + i];
}

static bool same(const unsigned char *a, const unsigned char *b) {
    for (int i = 0; i < ROOM; i++)
        if (a[i] != b[i]) return false;
    return true;
}

TEST(bytes_are_copied_moved_and_filled) {
    unsigned char bytes[ROOM], expected[ROOM];
    for (int n = 0; n <= 40; n++)
        for (int from = 0; from <= 48; from++) {
            number(bytes), expect_moved(expected, 24, from, n);
            CHECK(move(bytes + 24, bytes + from, (size_t)n) == bytes + 24 && same(bytes, expected)); /* overlaps either way */
            if (from < 48) continue;
            number(bytes), expect_moved(expected, 3, from, n);
            CHECK(copy(bytes + 3, bytes + from, (size_t)n) == bytes + 3 && same(bytes, expected));
            number(bytes), number(expected);
            for (int i = 0; i < n; i++) expected[5 + i] = 0xC3;
            CHECK(fill(bytes + 5, 0x1C3, (size_t)n) == bytes + 5 && same(bytes, expected));
        }
}

TEST(comparisons_are_of_unsigned_bytes) {
    unsigned char a[ROOM], b[ROOM];
    for (size_t n = 0; n <= 70; n++)
        for (size_t at = 0; at < 70; at++) {
            number(a), number(b);
            a[at] = 0x7F, b[at] = 0x80;
            int order = compare(a, b, n), reverse = compare(b, a, n);
            if (at < n) CHECK(order < 0 && reverse > 0);
            else CHECK(order == 0 && reverse == 0);
        }
    CHECK_EQ_U64(length(""), 0);
    CHECK_EQ_U64(length("seven b\0not these"), 7);
}

int main(void) {
    RUN(clocks_tell_the_time);
    RUN(random_words_differ);
    RUN(the_processor_is_known_when_compiling);
    RUN(bytes_are_copied_moved_and_filled);
    RUN(comparisons_are_of_unsigned_bytes);
    return tap_done();
}
