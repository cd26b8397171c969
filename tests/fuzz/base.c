/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * base.c - fuzzes core/base: UTF-8, ordering, messages, checksums, hash, exp. All are pure functions, so each is held against a slower way to the same
 * answer, or against a law.
 */
#include "base/base.h"
#include "fuzz/support/fuzz.h"

#include <math.h>

/* The code point at s, by decoding and asking afterwards whether it was allowed: not how cmi_utf8_valid does it. 0: malformed. */
static size_t decode(const uint8_t *s, size_t left) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xE0) == 0xC0 ? 2 : (s[0] & 0xF0) == 0xE0 ? 3 : (s[0] & 0xF8) == 0xF0 ? 4 : 0;
    if (n == 0 || n > left) return 0;
    uint32_t code = n == 1 ? s[0] : s[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (s[i] & 0x3Fu);
    }
    return code >= least[n] && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF) ? n : 0;
}

static bool utf8_by_decoding(const uint8_t *bytes, size_t n) {
    for (size_t i = 0, step; i < n; i += step)
        if ((step = decode(bytes + i, n - i)) == 0) return false;
    return true;
}

/* Fills exactly `capacity` bytes at most, which is what the address sanitizer watches. */
static void check_format(fuzz_input_t *in, const uint8_t *data, size_t size) {
    size_t capacity = fuzz_word(in, 1);
    char *out = malloc(capacity);
    cm_str_t string = {(const char *)data, size};
    double x;
    uint64_t bits = fuzz_word(in, sizeof bits);
    memcpy(&x, &bits, sizeof x);
    size_t n = cmi_format(out, capacity, "%S|%g|%u|%d|%U|%I|%x|%s|%%", &string, x, (uint32_t)bits, (int32_t)bits, bits, (int64_t)bits,
                          (uint32_t)bits, "end");
    FUZZ_CHECK(capacity == 0 ? n == 0 : n < capacity && out[n] == '\0', "%zu of %zu", n, capacity);
    FUZZ_CHECK(capacity == 0 || cmi_utf8_valid(out, n), "the message is not UTF-8");
    FUZZ_CHECK(capacity == 0 || strlen(out) == n, "a NUL in the message");
    free(out);
}

/* %g to seven digits against the C library's. */
static void check_double(double x) {
    char ours[64];
    if (!isfinite(x)) return;
    cmi_format(ours, sizeof ours, "%g", x);
    FUZZ_CHECK(fabs(strtod(ours, NULL) - x) <= 0.6e-6 * fabs(x) || fabs(x) < 1e-300, "%.17g became %s", x, ours);
}

static void check_exp(double x) {
    double ours = cmi_exp(x), theirs = exp(x);
    if (isnan(x) || theirs < 1e-300 || isinf(theirs)) return; /* subnormal results and the very edge are ours to choose */
    FUZZ_CHECK(fabs(ours - theirs) <= 1e-15 * theirs, "exp(%.17g) is %.17g, expected %.17g", x, ours, theirs);
}

static void check_bytes(const uint8_t *data, size_t size, size_t cut) {
    cm_str_t whole = {(const char *)data, size}, head = {(const char *)data, cut}, tail = {(const char *)data + cut, size - cut};
    uint32_t crc = cmi_crc32c(0, data, size);
    FUZZ_CHECK(cmi_crc32c_portable(0, data, size) == crc, "the two checksums differ");
    FUZZ_CHECK(cmi_crc32c(cmi_crc32c(0, data, cut), data + cut, size - cut) == crc, "cut at %zu", cut);
    FUZZ_CHECK(cmi_utf8_valid((const char *)data, size) == utf8_by_decoding(data, size), "UTF-8");
    FUZZ_CHECK(cmi_str_compare(whole, whole) == 0 && cmi_str_compare(head, whole) <= 0, "order");
    FUZZ_CHECK((cmi_str_compare(head, tail) < 0) == (cmi_str_compare(tail, head) > 0), "order");
    uint8_t *moved = malloc(size + 1);
    if (size > 0) memcpy(moved + 1, data, size);
    FUZZ_CHECK(cmi_hash(data, size, cut) == cmi_hash(moved + 1, size, cut), "the hash depends on where the bytes are");
    free(moved);
}

static void check_floats(const uint8_t *data, size_t size) {
    uint32_t n = (uint32_t)(size / sizeof(float)), bad = UINT32_MAX, expected = 0;
    float *values = malloc(n * sizeof *values + 1);
    if (n > 0) memcpy(values, data, n * sizeof *values);
    while (expected < n && isfinite(values[expected])) expected++;
    bool all = cmi_all_finite(values, n, &bad);
    FUZZ_CHECK(all == (expected == n) && (all || bad == expected), "the first of %u that is not finite is %u, not %u", n, expected, bad);
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input_t in = {data, data + size};
    check_format(&in, data, size);
    in.at = data;
    uint64_t bits = fuzz_word(&in, sizeof bits);
    double x;
    memcpy(&x, &bits, sizeof x);
    check_double(x);
    check_exp(x);
    check_exp(fmod(x, 700));
    check_bytes(data, size, size ? (size_t)bits % (size + 1) : 0);
    check_floats(data, size);
    FUZZ_CHECK(*cm_strerror((cm_status_t)(int8_t)fuzz_byte(&in)), "a status without a sentence");
    return 0;
}
