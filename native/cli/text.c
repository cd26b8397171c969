/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* text.c - see text.h. Numbers are rounded by a rule of our own, because printf and JavaScript's toFixed differ on ties. */
#include "text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double ALL_WHOLE = 9007199254740992.0; /* 2^53: from here on every double is a whole number */

enum { SHORT_CHARACTERS = 64, JSON_DECIMALS = 7, MAX_DIGITS = 16, FLOAT_DIGITS = 9, EXACT_DIGITS = 120 /* no 32-bit float has more */ };

static void append_escape(buffer_t *out, unsigned char c) {
    static const char letters[] = "btn\0fr"; /* of 8 to 13; 11 has none */
    if (c >= 8 && c <= 13 && letters[c - 8]) {
        buffer_append_format(out, "\\%c", letters[c - 8]);
    } else {
        buffer_append_format(out, "\\u%04x", c);
    }
}

static void append_escaped(buffer_t *out, const char *bytes, size_t n_bytes, bool json) {
    size_t from = 0;          /* of the bytes that need no escape */
    if (n_bytes == 0) return; /* bytes may be NULL */
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char c = (unsigned char)bytes[i];
        bool control = c < 0x20 || c == 0x7F;
        bool c1 = c == 0xC2 && i + 1 < n_bytes && (unsigned char)bytes[i + 1] >= 0x80 && (unsigned char)bytes[i + 1] <= 0x9F;
        bool quoted = json && (c == '"' || c == '\\');
        if (!control && !c1 && !quoted) continue;
        buffer_append(out, bytes + from, i - from);
        if (quoted) {
            buffer_append_format(out, "\\%c", c);
        } else {
            append_escape(out, c1 ? (unsigned char)bytes[++i] : c); /* U+0080 to U+009F: the second byte is the code point */
        }
        from = i + 1;
    }
    buffer_append(out, bytes + from, n_bytes - from);
}

void text_append_safe(buffer_t *out, const char *bytes, size_t n_bytes) {
    append_escaped(out, bytes, n_bytes == SIZE_OF_TEXT ? strlen(bytes) : n_bytes, false);
}

void text_append_json(buffer_t *out, const char *bytes, size_t n_bytes) {
    append_escaped(out, bytes, n_bytes == SIZE_OF_TEXT ? strlen(bytes) : n_bytes, true);
}

void text_append_short(buffer_t *out, const char *bytes, size_t n_bytes) {
    size_t n_characters = 0, end = 0;
    for (; end < n_bytes; end++) {
        bool starts = ((unsigned char)bytes[end] & 0xC0) != 0x80;
        if (starts && n_characters++ == SHORT_CHARACTERS) break;
    }
    text_append_safe(out, bytes, end);
    if (end < n_bytes) buffer_append_text(out, "...");
}

void text_append_saved(buffer_t *out, uint64_t n_memories, const char *path) {
    buffer_append_format(out, "Saved %llu memories to ", (unsigned long long)n_memories);
    text_append_safe(out, path, SIZE_OF_TEXT);
    buffer_append_text(out, "\n");
}

void text_append_fixed(buffer_t *out, double x, int decimals) {
    if (isnan(x)) {
        buffer_append_text(out, "NaN");
        return;
    }
    if (isinf(x)) {
        buffer_append_text(out, x < 0 ? "-Infinity" : "Infinity");
        return;
    }
    double scale = 1;
    for (int i = 0; i < decimals; i++) scale *= 10;
    char digits[400];           /* the longest double has 309 digits */
    if (fabs(x) >= ALL_WHOLE) { /* and x * scale might be infinite */
        buffer_append_format(out, "%.*f", decimals, x);
        return;
    }
    double n = fabs(x) * scale + 0.5;
    if (n < ALL_WHOLE) n = (double)(uint64_t)n;
    int n_digits = snprintf(digits, sizeof digits, "%0*.0f", decimals + 1, n);
    if (x < 0 && n > 0) buffer_append_text(out, "-");
    buffer_append(out, digits, (size_t)(n_digits - decimals));
    if (decimals > 0) buffer_append_format(out, ".%s", digits + n_digits - decimals);
}

void text_append_number(buffer_t *out, double x) {
    if (!isfinite(x)) {
        buffer_append_text(out, "null");
        return;
    }
    text_append_fixed(out, x, JSON_DECIMALS);
    while (out->data[out->len - 1] == '0') out->len--;
    if (out->data[out->len - 1] == '.') out->len--;
}

/* A positive number as its digits, the first not 0, and the power of ten of the first. */
typedef struct decimal {
    char digits[FLOAT_DIGITS + 1];
    int n, exponent;
} decimal_t;

/* `exact` is "d.ddd...e+dd" with all digits there are. Halves go up, as in JavaScript's toPrecision. */
static decimal_t round_decimal(const char *exact, int n) {
    decimal_t out = {.n = n, .exponent = atoi(exact + EXACT_DIGITS + 3)};
    out.digits[0] = exact[0];
    memcpy(out.digits + 1, exact + 2, (size_t)n - 1);
    if (exact[n + 1] < '5') return out;
    int i = n - 1;
    for (; i >= 0 && out.digits[i] == '9'; i--) out.digits[i] = '0';
    if (i >= 0) {
        out.digits[i]++;
    } else { /* 999 became 1000 */
        out.digits[0] = '1';
        out.exponent++;
    }
    return out;
}

static float decimal_value(const decimal_t *decimal) {
    char text[FLOAT_DIGITS + 16];
    snprintf(text, sizeof text, "%.*se%d", decimal->n, decimal->digits, decimal->exponent - decimal->n + 1);
    return (float)strtod(text, NULL); /* as save reads it */
}

static void append_decimal(buffer_t *out, const decimal_t *decimal) {
    const char *digits = decimal->digits;
    int n = decimal->n, whole = decimal->exponent + 1; /* digits before the point */
    if (whole < -5 || whole > 21) {
        buffer_append(out, digits, 1);
        if (n > 1) buffer_append_format(out, ".%.*s", n - 1, digits + 1);
        buffer_append_format(out, "e%+d", decimal->exponent);
    } else if (whole <= 0) {
        buffer_append_format(out, "0.%.*s%.*s", -whole, "00000", n, digits);
    } else if (whole < n) {
        buffer_append_format(out, "%.*s.%.*s", whole, digits, n - whole, digits + whole);
    } else {
        buffer_append_format(out, "%.*s%.*s", n, digits, whole - n, "000000000000000000000");
    }
}

void text_append_float(buffer_t *out, float x) {
    if (signbit(x)) buffer_append_text(out, "-");
    if (x == 0) {
        buffer_append_text(out, "0");
        return;
    }
    char exact[EXACT_DIGITS + 16];
    snprintf(exact, sizeof exact, "%.*e", EXACT_DIGITS, fabs((double)x));
    int n = 1;
    decimal_t decimal = round_decimal(exact, n);
    while (n < FLOAT_DIGITS && decimal_value(&decimal) != fabsf(x)) decimal = round_decimal(exact, ++n);
    append_decimal(out, &decimal);
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static size_t skip_digits(const char *bytes, size_t n_bytes, size_t at) {
    while (at < n_bytes && bytes[at] >= '0' && bytes[at] <= '9') at++;
    return at;
}

static size_t skip_sign(const char *bytes, size_t n_bytes, size_t at) {
    return at < n_bytes && (bytes[at] == '+' || bytes[at] == '-') ? at + 1 : at;
}

bool text_parse_whole(const char *text, uint64_t min, uint64_t max, uint64_t *out) {
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > MAX_DIGITS || text[n]) return false;
    *out = strtoull(text, NULL, 10);
    return *out >= min && *out <= max;
}

/* [+-]? ( digits [ . digits? ] | . digits ) ( [eE] [+-]? digits )? */
static bool is_number(const char *bytes, size_t n_bytes) {
    size_t start = skip_sign(bytes, n_bytes, 0);
    size_t at = skip_digits(bytes, n_bytes, start);
    size_t n_digits = at - start;
    if (at < n_bytes && bytes[at] == '.') {
        size_t fraction = ++at;
        at = skip_digits(bytes, n_bytes, at);
        n_digits += at - fraction;
    }
    if (n_digits == 0) return false;
    if (at < n_bytes && (bytes[at] == 'e' || bytes[at] == 'E')) {
        size_t exponent = skip_sign(bytes, n_bytes, at + 1);
        at = skip_digits(bytes, n_bytes, exponent);
        if (at == exponent) return false;
    }
    return at == n_bytes;
}

bool text_parse_number(const char *bytes, size_t n_bytes, double *out) {
    if (!is_number(bytes, n_bytes)) return false;
    char small[64]; /* enough for every ordinary number */
    if (n_bytes < sizeof small) {
        memcpy(small, bytes, n_bytes);
        small[n_bytes] = '\0';
        *out = strtod(small, NULL);
        return true;
    }
    buffer_t copy = {0};
    buffer_append(&copy, bytes, n_bytes);
    *out = strtod(buffer_text(&copy), NULL);
    buffer_free(&copy);
    return true;
}

/* The length of the character at p, 0 when it is not well-formed. */
static size_t utf8_length(const unsigned char *p, size_t n) {
    if (p[0] < 0x80) return 1;
    size_t length = p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;
    if (length == 0 || length > n) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
    }
    bool overlong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xED && p[1] > 0x9F;
    bool beyond = p[0] == 0xF4 && p[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : length;
}

bool text_is_utf8(const char *bytes, size_t n_bytes) {
    const unsigned char *p = (const unsigned char *)bytes;
    for (size_t i = 0; i < n_bytes;) {
        size_t length = utf8_length(p + i, n_bytes - i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}
