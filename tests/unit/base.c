/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* base.c - the functions of core/base against C's library, published test vectors and their own contracts. */
#include "base/base.h"
#include "support/tap.h"

#include <float.h>
#include <math.h>

/* ---- format ---- */

#define CHECK_FORMAT(expected, ...)                                                                               \
    do {                                                                                                          \
        char out[256];                                                                                            \
        size_t n = cmi_format(out, sizeof out, __VA_ARGS__);                                                      \
        CHECK_MSG(strcmp(out, expected) == 0 && n == strlen(expected), "\"%s\", expected \"%s\"", out, expected); \
    } while (0)

TEST(format_integers) {
    CHECK_FORMAT("", "%s", "");
    CHECK_FORMAT("plain", "plain");
    CHECK_FORMAT("100% of x", "100%% of %s", "x");
    CHECK_FORMAT("0 4294967295", "%u %u", 0u, UINT32_MAX);
    CHECK_FORMAT("-2147483648 2147483647 -1", "%d %d %d", INT32_MIN, INT32_MAX, -1);
    CHECK_FORMAT("18446744073709551615", "%U", UINT64_MAX);
    CHECK_FORMAT("-9223372036854775808 7", "%I %I", INT64_MIN, (int64_t)7);
    CHECK_FORMAT("0 deadbeef", "%x %x", 0u, 0xDEADBEEFu);
    CHECK_FORMAT("ends in %", "ends in %");
}

TEST(format_doubles) {
    CHECK_FORMAT("NaN infinity -infinity", "%g %g %g", (double)NAN, (double)INFINITY, -(double)INFINITY);
    CHECK_FORMAT("0 -0 1 -1.5", "%g %g %g %g", 0.0, -0.0, 1.0, -1.5);
    CHECK_FORMAT("0.1", "%g", (double)0.1f);
    static const double cases[] = {1e-4,           9.9999999e-5, 123456.7, 1234567,   12345678,   9999999.5, 0.5,   1e22,    1e23,
                                   5e-324,         2.5e-310,     DBL_MAX,  DBL_MIN,   1e100,      1e-100,    100,   1000000, 10000000,
                                   3.402823466e38, 1234567.5,    12345675, 0.9999999, 0.99999999, 0.001,     123e-7};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "%.7g", cases[i]);
        CHECK_FORMAT(expected, "%g", cases[i]);
    }
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t bits = cmi_mix(i);
        double x;
        memcpy(&x, &bits, sizeof x);
        if (i % 2) x = (double)((float)(int32_t)bits * 1e-6f);
        if (!isfinite(x)) continue;
        char expected[64];
        snprintf(expected, sizeof expected, "%.7g", x);
        CHECK_FORMAT(expected, "%g", x);
    }
}

TEST(format_shown_strings) {
    cm_str_t s = CM_STR("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
    CHECK_FORMAT("[caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80]", "[%S]", &s);
    s = CM_STR("a\nb\x1B\x7F\0c\xC2\x85"
               "d");
    CHECK_FORMAT("a?b???c?d", "%S", &s);
    s = CM_STR("\xFF\xC3x\xED\xA0\x80\xE2\x82");
    CHECK_FORMAT("??x?????", "%S", &s);
    s = (cm_str_t){NULL, 0};
    CHECK_FORMAT("''", "'%S'", &s);

    char text[80];
    memset(text, 'x', sizeof text);
    char expected[65] = {0};
    memset(expected, 'x', 64);
    s = (cm_str_t){text, 64};
    CHECK_FORMAT(expected, "%S", &s);
    memset(expected + 61, '.', 3);
    s = (cm_str_t){text, 65};
    CHECK_FORMAT(expected, "%S", &s);
    memcpy(text + 60, "\xC3\xA9", 2); /* straddles the 61 bytes before the dots */
    strcpy(expected + 60, "...");
    CHECK_FORMAT(expected, "%S", &s);
}

TEST(format_cuts_between_characters) {
    char out[8];
    memset(out, '#', sizeof out);
    CHECK_EQ_U64(cmi_format(out, 6, "%s", "abcdefgh"), 5);
    CHECK(strcmp(out, "abcde") == 0 && out[6] == '#');
    CHECK_EQ_U64(cmi_format(out, 6, "abc%s", "\xE2\x82\xAC"), 3);
    CHECK(strcmp(out, "abc") == 0);
    CHECK_EQ_U64(cmi_format(out, 6, "ab%sx", "\xE2\x82\xAC"), 5); /* fits whole, the x does not */
    CHECK_EQ_U64(cmi_format(out, 1, "%u", 77u), 0);
    CHECK(out[0] == '\0');
    CHECK_EQ_U64(cmi_format(out, 0, "%u", 77u), 0);
}

TEST(fail_fills_the_error) {
    cm_error_t error;
    CHECK_STATUS(cmi_fail(&error, CM_E_RANGE, "k is %u: must be 1 .. %u", 0u, CM_MAX_K), CM_E_RANGE);
    CHECK_STATUS(error.status, CM_E_RANGE);
    CHECK(strcmp(error.message, "k is 0: must be 1 .. 16384") == 0);
    CHECK_STATUS(cmi_fail(NULL, CM_E_IO, "unseen"), CM_E_IO);
}

TEST(statuses_have_sentences) {
    CHECK(strcmp(cm_strerror(CM_OK), "ok") == 0);
    CHECK(strcmp(cm_strerror(CM_E_CLOSED), "the store is closed") == 0);
    CHECK(strcmp(cm_strerror((cm_status_t)-99), "unknown status") == 0);
    CHECK(strcmp(cm_version(), CM_VERSION_STRING) == 0);
}

/* ---- hash ---- */

/* Flipping any input bit flips each output bit in half of the cases. */
TEST(hash_avalanche) {
    enum { ROUNDS = 256 };
    static const uint32_t lengths[] = {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 64, 65, 100};
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        uint32_t n = lengths[l], flips[64] = {0};
        for (uint64_t round = 0; round < ROUNDS; round++) {
            uint8_t bytes[100];
            for (uint32_t i = 0; i < n; i++) bytes[i] = (uint8_t)cmi_mix(round * 1000 + i);
            uint64_t before = cmi_hash(bytes, n, round);
            for (uint32_t bit = 0; bit < n * 8; bit++) {
                bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
                uint64_t difference = before ^ cmi_hash(bytes, n, round);
                bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
                CHECK(difference != 0);
                for (uint32_t out = 0; out < 64; out++) flips[out] += (uint32_t)(difference >> out) & 1;
            }
        }
        double n_trials = (double)ROUNDS * n * 8, tolerance = 5 * sqrt(0.25 / n_trials);
        for (uint32_t out = 0; out < 64; out++) {
            double share = flips[out] / n_trials;
            CHECK_MSG(fabs(share - 0.5) < tolerance, "length %u: output bit %u flips in %.4f of the cases", n, out, share);
        }
    }
}

/* Ids as people write them fill 2^16 buckets evenly, by the low bits and by the high ones. */
TEST(hash_spreads_similar_ids) {
    enum { N_IDS = 1 << 19, N_BUCKETS = 1 << 16 };
    static uint16_t low[N_BUCKETS], high[N_BUCKETS];
    const double n_buckets = N_BUCKETS, mean = (double)N_IDS / n_buckets, tolerance = 5 * sqrt(2 * n_buckets);
    for (uint32_t i = 0; i < N_IDS; i++) {
        char id[32];
        size_t n = cmi_format(id, sizeof id, "memory-%u", i);
        uint64_t hash = cmi_hash(id, n, 42);
        low[hash % N_BUCKETS]++, high[hash >> 48]++;
    }
    double chi_low = 0, chi_high = 0;
    for (uint32_t b = 0; b < N_BUCKETS; b++) {
        chi_low += (low[b] - mean) * (low[b] - mean) / mean, chi_high += (high[b] - mean) * (high[b] - mean) / mean;
    }
    CHECK_MSG(fabs(chi_low - n_buckets) < tolerance, "chi-squared of the low bits: %.0f", chi_low);
    CHECK_MSG(fabs(chi_high - n_buckets) < tolerance, "chi-squared of the high bits: %.0f", chi_high);
}

TEST(hash_tells_lengths_and_seeds_apart) {
    static const uint8_t zeros[64];
    for (uint32_t n = 0; n < sizeof zeros; n++) {
        for (uint32_t m = n + 1; m <= sizeof zeros; m++) CHECK(cmi_hash(zeros, n, 1) != cmi_hash(zeros, m, 1));
        CHECK(cmi_hash(zeros, n, 1) != cmi_hash(zeros, n, 2));
    }
    CHECK(cmi_hash(NULL, 0, 5) == cmi_hash(zeros, 0, 5));
}

/* Pinned: hashes decide the layout of what a snapshot is built from, so every target and every version must agree. */
TEST(hash_is_the_same_everywhere) {
    static const char text[] = "the quick brown fox jumps over the lazy dog";
    CHECK_EQ_U64(cmi_hash("", 0, 0), 0x9EDC7635B706B4D2u);
    CHECK_EQ_U64(cmi_hash(text, 3, 42), 0xE600DAF4445934D8u);
    CHECK_EQ_U64(cmi_hash(text, 16, 42), 0x5DAF948F9DCD72AFu);
    CHECK_EQ_U64(cmi_hash(text, 43, 42), 0x567E0D8B78143B24u);
    CHECK_EQ_U64(cmi_mix(0x9E3779B97F4A7C15u), 0xE220A8397B1DCDAFu); /* splitmix64's first output for seed 0 */
}

/* ---- crc32c ---- */

static uint32_t crc32c_bitwise(const uint8_t *bytes, size_t n) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

TEST(crc32c_vectors) {
    uint8_t bytes[32];
    CHECK_EQ_U64(cmi_crc32c(0, "123456789", 9), 0xE3069283u);
    CHECK_EQ_U64(cmi_crc32c_portable(0, "123456789", 9), 0xE3069283u);
    CHECK_EQ_U64(cmi_crc32c(0, NULL, 0), 0);
    memset(bytes, 0, sizeof bytes);
    CHECK_EQ_U64(cmi_crc32c(0, bytes, 32), 0x8A9136AAu); /* RFC 3720, B.4 */
    memset(bytes, 0xFF, sizeof bytes);
    CHECK_EQ_U64(cmi_crc32c(0, bytes, 32), 0x62A8AB43u);
    for (uint32_t i = 0; i < 32; i++) bytes[i] = (uint8_t)i;
    CHECK_EQ_U64(cmi_crc32c(0, bytes, 32), 0x46DD794Eu);
}

TEST(crc32c_every_length_alignment_and_split) {
    static uint8_t bytes[400];
    for (uint32_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)cmi_mix(i);
    for (uint32_t n = 0; n <= 300; n++) {
        const uint8_t *p = bytes + n % 17;
        uint32_t expected = crc32c_bitwise(p, n);
        CHECK_EQ_U64(cmi_crc32c(0, p, n), expected);
        CHECK_EQ_U64(cmi_crc32c_portable(0, p, n), expected);
        CHECK_EQ_U64(cmi_crc32c(cmi_crc32c(0, p, n / 3), p + n / 3, n - n / 3), expected);
        CHECK_EQ_U64(cmi_crc32c_portable(cmi_crc32c_portable(0, p, n / 3), p + n / 3, n - n / 3), expected);
    }
}

/* ---- text ---- */

TEST(utf8_well_formed) {
    static const char *const good[] = {
        "",
        "ascii only, longer than eight bytes",
        "1234567\xC3\xA9",
        "12345678\xC3\xA9",
        "\xC2\x80",
        "\xDF\xBF", /* first and last of two bytes */
        "\xE0\xA0\x80",
        "\xEF\xBF\xBF", /* of three */
        "\xED\x9F\xBF",
        "\xEE\x80\x80", /* the neighbours of the surrogates */
        "\xF0\x90\x80\x80",
        "\xF4\x8F\xBF\xBF", /* of four */
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) CHECK_MSG(cmi_utf8_valid(good[i], strlen(good[i])), "good[%zu]", i);
    CHECK(cmi_utf8_valid("a\0b", 3));
    CHECK(cmi_utf8_valid(NULL, 0));
}

TEST(utf8_malformed) {
    static const char *const bad[] = {
        "\x80",
        "\xBF", /* a continuation alone */
        "\xC0\x80",
        "\xC1\xBF", /* overlong */
        "\xE0\x9F\xBF",
        "\xF0\x8F\xBF\xBF", /* overlong */
        "\xED\xA0\x80",
        "\xED\xBF\xBF", /* surrogates */
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", /* beyond U+10FFFF */
        "\xF8\x88\x80\x80\x80",
        "\xFE",
        "\xFF", /* no lead byte */
        "\xC2",
        "\xE2\x82",
        "\xF0\x9F\x98",
        "1234567\xC3", /* cut off */
        "\xC2(",
        "\xE2(\xA1",
        "\xE2\x82(",
        "\xF0\x9F(\x80", /* a continuation missing */
        "12345678\xFF",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK_MSG(!cmi_utf8_valid(bad[i], strlen(bad[i])), "bad[%zu]", i);
}

/* Every code point, encoded by arithmetic: valid unless it is a surrogate or beyond U+10FFFF. */
TEST(utf8_every_code_point) {
    for (uint32_t c = 0; c < 0x120000; c++) {
        char s[4];
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
        for (size_t i = n; i-- > 1;) s[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3F));
        s[0] = (char)(leads[n] | c >> 6 * (n - 1));
        bool expected = (c < 0xD800 || c > 0xDFFF) && c <= 0x10FFFF;
        CHECK_MSG(cmi_utf8_valid(s, n) == expected, "U+%04X", c);
    }
}

TEST(string_order) {
    CHECK(cmi_str_compare(CM_STR("a"), CM_STR("b")) < 0);
    CHECK(cmi_str_compare(CM_STR("b"), CM_STR("a")) > 0);
    CHECK(cmi_str_compare(CM_STR("a"), CM_STR("ab")) < 0);
    CHECK(cmi_str_compare(CM_STR("ab"), CM_STR("a")) > 0);
    CHECK(cmi_str_compare(CM_STR("ab"), CM_STR("ab")) == 0);
    CHECK(cmi_str_compare(CM_STR("\x7F"), CM_STR("\xC3\xA9")) < 0);
    CHECK(cmi_str_compare((cm_str_t){NULL, 0}, CM_STR("")) == 0);
    CHECK(cmi_str_compare((cm_str_t){NULL, 0}, CM_STR("a")) < 0);
}

/* ---- mathf ---- */

static uint64_t ulps_apart(double a, double b) {
    uint64_t x, y;
    memcpy(&x, &a, sizeof x), memcpy(&y, &b, sizeof y); /* both positive: their order is that of their bits */
    return x > y ? x - y : y - x;
}

TEST(exp_is_close_to_libm) {
    uint64_t worst = 0;
    for (uint64_t i = 0; i < 300000; i++) {
        double unit = (double)(cmi_mix(i) >> 11) * 0x1p-53;
        double x = i % 3 == 0 ? -unit : i % 3 == 1 ? unit * 1454 - 745 : (unit - 0.5) * 40;
        worst = CMI_MAX(worst, ulps_apart(cmi_exp(x), exp(x)));
    }
    CHECK_MSG(worst < 2, "%" PRIu64 " ulp", worst);
}

TEST(exp_at_the_edges) {
    CHECK(cmi_exp(0.0) == 1 && cmi_exp(-0.0) == 1);
    CHECK(cmi_exp(-746) == 0 && cmi_exp(-1e300) == 0 && cmi_exp(-(double)INFINITY) == 0);
    CHECK(cmi_exp(710) == (double)INFINITY && cmi_exp((double)INFINITY) == (double)INFINITY);
    CHECK(isnan(cmi_exp((double)NAN)));
    CHECK(isfinite(cmi_exp(709.78)));
    CHECK(ulps_apart(cmi_exp(709.78271289338397), exp(709.78271289338397)) < 2);
    CHECK(cmi_exp(709.7827128933841) == (double)INFINITY);
    CHECK(cmi_exp(5e-324) == 1 && cmi_exp(-1e-17) == 1);
    for (double x = -745.5; x < -707; x += 0.01) CHECK_MSG(ulps_apart(cmi_exp(x), exp(x)) < 2, "x = %g", x);
}

TEST(logarithm_is_within_its_bound) {
    double worst = 0;
    for (double x = 1e-300; x < 1e300; x *= 1.0317) worst = CMI_MAX(worst, fabs(cmi_log(x) - log(x)));
    for (double x = 1; x < 3; x += 0.00037) worst = CMI_MAX(worst, fabs(cmi_log(x) - log(x)));
    CHECK_MSG(worst < 1e-11, "off by %g", worst);
}

/* Pinned, as hashes are. */
TEST(exp_is_the_same_everywhere) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        double y = cmi_exp((double)i * -0.0731 + 0.1);
        uint64_t bits;
        memcpy(&bits, &y, sizeof bits);
        sum = cmi_mix(sum ^ bits);
    }
    CHECK_EQ_U64(sum, 0xEF5E588BFECBE7F3u);
}

TEST(all_finite) {
    static float values[300];
    uint32_t bad = 77;
    CHECK(cmi_all_finite(values, 300, &bad) && bad == 77);
    CHECK(cmi_all_finite(NULL, 0, NULL));
    values[5] = FLT_MAX, values[6] = -FLT_MAX, values[7] = 1e-45f;
    CHECK(cmi_all_finite(values, 300, NULL));
    for (uint32_t i = 0; i < 300; i++) {
        float before = values[i];
        values[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
        CHECK(!cmi_all_finite(values, 300, &bad) && !cmi_all_finite(values, 300, NULL));
        CHECK_EQ_U64(bad, i);
        CHECK(cmi_all_finite(values, i, NULL));
        values[i] = before;
    }
}

int main(void) {
    RUN(format_integers);
    RUN(format_doubles);
    RUN(format_shown_strings);
    RUN(format_cuts_between_characters);
    RUN(fail_fills_the_error);
    RUN(statuses_have_sentences);
    RUN(hash_avalanche);
    RUN(hash_spreads_similar_ids);
    RUN(hash_tells_lengths_and_seeds_apart);
    RUN(hash_is_the_same_everywhere);
    RUN(crc32c_vectors);
    RUN(crc32c_every_length_alignment_and_split);
    RUN(utf8_well_formed);
    RUN(utf8_malformed);
    RUN(utf8_every_code_point);
    RUN(string_order);
    RUN(exp_is_close_to_libm);
    RUN(logarithm_is_within_its_bound);
    RUN(exp_at_the_edges);
    RUN(exp_is_the_same_everywhere);
    RUN(all_finite);
    return tap_done();
}
