/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * cli_text.c - fuzzes what the command line reads and prints as plain text: moments, durations, ISO 8601, numbers; text for terminals and for JSON.
 *
 * Mostly laws: what is printed reads back as what it was, what is made safe holds nothing that moves a cursor, and two ways to the same answer agree.
 */
#include "base/base.h"
#include "cli/iso8601.h"
#include "cli/moment.h"
#include "cli/text.h"
#include "fuzz/support/cli_silence.h"

#include <math.h>

static void check_time(const char *text, size_t n) {
    const int64_t first_ms = INT64_C(-62167219200000), last_ms = INT64_C(253402300799999); /* the years 0 to 9999 */
    int64_t ms, again;
    moment_t moment;
    buffer_t out = {0};
    if (iso8601_parse(text, n, &ms)) {
        FUZZ_CHECK(ms >= first_ms - 86400000 && ms <= last_ms + 86400000, "%s is %lld", text, (long long)ms);
        iso8601_append(&out, ms);
        bool printable = ms >= first_ms && ms <= last_ms;
        FUZZ_CHECK(!printable || (iso8601_parse(out.data, out.len, &again) && again == ms), "%s became %s", text, buffer_text(&out));
    }
    if (moment_parse(text, &moment)) {
        int64_t resolved = moment_resolve(moment, INT64_C(1700000000000));
        FUZZ_CHECK(resolved >= -MAX_TIME_MS && resolved <= MAX_TIME_MS, "%s is %lld", text, (long long)resolved);
        moment_append_age(&out, resolved, INT64_C(1700000000000));
        iso8601_append(&out, resolved);
    }
    buffer_free(&out);
}

static void check_float(float x) {
    buffer_t out = {0};
    double back;
    text_append_float(&out, x);
    FUZZ_CHECK(text_parse_number(out.data, out.len, &back), "%a printed as %s", (double)x, buffer_text(&out));
    FUZZ_CHECK(cmi_float_bits((float)back) == cmi_float_bits(x), "%a printed as %s", (double)x, buffer_text(&out));
    buffer_free(&out);
}

static void check_number(const char *text, size_t n) {
    double x, back;
    uint64_t whole;
    buffer_t out = {0};
    if (text_parse_whole(text, 1, 1000000, &whole)) FUZZ_CHECK(whole >= 1 && whole <= 1000000, "%s", text);
    if (!text_parse_number(text, n, &x)) return;
    char *end;
    FUZZ_CHECK(strtod(text, &end) == x && (size_t)(end - text) == n, "%s", text);
    if (isfinite((float)x)) check_float((float)x);
    text_append_number(&out, x);
    if (isfinite(x)) {
        FUZZ_CHECK(text_parse_number(out.data, out.len, &back), "%s became %s", text, buffer_text(&out));
        FUZZ_CHECK(fabs(back - x) <= 0.6e-7 + fabs(x) * 1e-15, "%s became %s", text, buffer_text(&out));
    }
    for (int decimals = 0; decimals < 8; decimals++) text_append_fixed(&out, x, decimals);
    buffer_free(&out);
}

static void check_is_safe(const buffer_t *out, const char *what) {
    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i], next = i + 1 < out->len ? (unsigned char)out->data[i + 1] : 0;
        FUZZ_CHECK(c >= 0x20 && c != 0x7F && !(c == 0xC2 && next >= 0x80 && next <= 0x9F), "%s lets byte %zu through", what, i);
    }
}

static void check_escapes(const char *text, size_t n) {
    buffer_t out = {0};
    text_append_safe(&out, text, n);
    check_is_safe(&out, "text_append_safe");
    buffer_clear(&out);
    text_append_json(&out, text, n);
    check_is_safe(&out, "text_append_json");
    buffer_clear(&out);
    text_append_short(&out, text, n);
    check_is_safe(&out, "text_append_short");
    buffer_free(&out);
    FUZZ_CHECK(text_is_utf8(text, n) == cmi_utf8_valid(text, n), "command line and core disagree");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    check_escapes(text, size);
    size = strlen(text); /* of the rest the command line never sees a NUL */
    check_time(text, size);
    check_number(text, size);
    if (size >= sizeof(float)) {
        float x;
        memcpy(&x, data, sizeof x);
        if (isfinite(x)) check_float(x);
    }
    free(text);
    return 0;
}
