/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * format.c - error messages without stdio.
 *
 * Messages show what callers passed in, so %S trusts nothing: at most 64 bytes, no control characters, always valid UTF-8. A message that
 * does not fit is cut between characters.
 */
#include "base/base.h"

#define SHOWN_BYTES 64u      /* of a %S, the dots of a cut one included */
#define SIGNIFICANT_DIGITS 7 /* of a %g: enough to tell any two floats of ordinary size apart */

typedef struct writer {
    char *out;
    size_t room; /* without the terminator */
    size_t length;
    bool cut;
} writer_t;

static void put(writer_t *w, const char *bytes, size_t n_bytes) {
    size_t n = CMI_MIN(n_bytes, w->room - w->length);
    if (n > 0) memcpy(w->out + w->length, bytes, n);
    w->length += n;
    w->cut = w->cut || n < n_bytes;
}

static void put_text(writer_t *w, const char *text) {
    put(w, text, strlen(text));
}

static void put_unsigned(writer_t *w, uint64_t value, uint32_t base) {
    char digits[20];
    size_t begin = sizeof digits;
    do {
        digits[--begin] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    put(w, digits + begin, sizeof digits - begin);
}

static void put_signed(writer_t *w, int64_t value) {
    if (value < 0) put(w, "-", 1);
    put_unsigned(w, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

/* Length of the well-formed character at `bytes`; 0 when it is malformed or cut off. */
static size_t character_length(const char *bytes, size_t left) {
    for (size_t n = 1; n <= CMI_MIN(left, 4); n++) {
        if (cmi_utf8_valid(bytes, n)) return n;
    }
    return 0;
}

/* U+0000 .. U+001F, U+007F .. U+009F: they could move the cursor of the terminal that shows the message. */
static bool is_control(const char *character) {
    uint8_t lead = (uint8_t)character[0];
    return lead < 0x20 || lead == 0x7F || (lead == 0xC2 && (uint8_t)character[1] < 0xA0);
}

static void put_shown(writer_t *w, const cm_str_t *string) {
    static const char dots[] = "...";
    bool cut = string->len > SHOWN_BYTES;
    size_t limit = cut ? SHOWN_BYTES - (sizeof dots - 1) : string->len;
    for (size_t i = 0; i < limit;) {
        const char *character = string->data + i;
        size_t n = character_length(character, string->len - i);
        if (i + n > limit) break; /* straddles the limit */
        if (n == 0 || is_control(character)) {
            put(w, "?", 1);
        } else {
            put(w, character, n);
        }
        i += CMI_MAX(n, 1);
    }
    if (cut) put_text(w, dots);
}

/* x * 10^power. Powers up to 10^22 are exact doubles, so a step rounds once; more steps cost the 16th digit, not the 7th. */
static double scale_by_ten(double x, int power) {
    while (power != 0) {
        int step = CMI_MIN(power < 0 ? -power : power, 22);
        double factor = 1;
        for (int i = 0; i < step; i++) factor *= 10;
        x = power < 0 ? x / factor : x * factor;
        power += power < 0 ? step : -step;
    }
    return x;
}

/* Rounds a positive finite x to SIGNIFICANT_DIGITS decimal digits: returns them as an integer; *exponent is that of the first digit. */
static uint32_t decimal_digits(double x, int *exponent) {
    const uint32_t smallest = 1000000, beyond = 10000000; /* 10^(SIGNIFICANT_DIGITS - 1), 10^SIGNIFICANT_DIGITS */
    const double round_to_integer = 0x1.8p+52;            /* adding and subtracting it rounds to the nearest integer, ties to even */
    int e = 0;
    while (scale_by_ten(x, -e) >= 10) e += scale_by_ten(x, -e) >= 1e16 ? 16 : 1;
    while (scale_by_ten(x, -e) < 1) e -= scale_by_ten(x, -e) < 1e-16 ? 16 : 1;
    uint32_t digits = (uint32_t)(scale_by_ten(x, SIGNIFICANT_DIGITS - 1 - e) + round_to_integer - round_to_integer);
    if (digits >= beyond) digits = smallest, e++; /* 9.9999999 became 10 */
    *exponent = e;
    return digits;
}

/* As C's "%.7g", with names for what is not finite; a value within 1e-15 of the middle between two outputs may get the other one. */
static void put_double(writer_t *w, double x) {
    if (x != x) {
        put_text(w, "NaN");
        return;
    }
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (bits >> 63) {
        put(w, "-", 1);
        x = -x;
    }
    if (x == 0 || x == (double)__builtin_inff()) {
        put_text(w, x == 0 ? "0" : "infinity");
        return;
    }

    int exponent;
    uint32_t value = decimal_digits(x, &exponent);
    char digits[SIGNIFICANT_DIGITS];
    for (int i = SIGNIFICANT_DIGITS; i-- > 0; value /= 10) digits[i] = (char)('0' + value % 10);
    int n_digits = SIGNIFICANT_DIGITS;
    while (n_digits > 1 && digits[n_digits - 1] == '0') n_digits--;

    bool scientific = exponent < -4 || exponent >= SIGNIFICANT_DIGITS;
    int n_whole = scientific ? 1 : exponent + 1; /* digits before the point; not positive for 0.0123 */
    if (n_whole <= 0) put_text(w, "0.");
    for (int i = n_whole; i < 0; i++) put(w, "0", 1);
    for (int i = 0; i < CMI_MAX(n_digits, n_whole); i++) {
        if (i == n_whole && i > 0) put(w, ".", 1);
        put(w, &digits[i], 1);
    }
    if (scientific) {
        put_text(w, exponent < 0 ? "e-" : "e+");
        uint32_t size = (uint32_t)(exponent < 0 ? -exponent : exponent);
        if (size < 10) put(w, "0", 1);
        put_unsigned(w, size, 10);
    }
}

/* After a cut the last character may be half there: drops its beginning. */
static void drop_partial_character(writer_t *w) {
    for (size_t back = 1; back <= CMI_MIN(w->length, 4); back++) {
        uint8_t byte = (uint8_t)w->out[w->length - back];
        if ((byte & 0xC0) == 0x80) continue;
        if (!cmi_utf8_valid(w->out + w->length - back, back)) w->length -= back;
        return;
    }
}

size_t cmi_vformat(char *out, size_t capacity, const char *format, va_list arguments) {
    if (capacity == 0) return 0;
    writer_t w = {.out = out, .room = capacity - 1};
    for (const char *p = format; *p != '\0'; p++) {
        if (*p != '%' || p[1] == '\0') {
            put(&w, p, 1);
            continue;
        }
        p++;
        switch (*p) {
        case 's': put_text(&w, va_arg(arguments, const char *)); break;
        case 'S': put_shown(&w, va_arg(arguments, const cm_str_t *)); break;
        case 'u': put_unsigned(&w, va_arg(arguments, uint32_t), 10); break;
        case 'd': put_signed(&w, va_arg(arguments, int32_t)); break;
        case 'U': put_unsigned(&w, va_arg(arguments, uint64_t), 10); break;
        case 'I': put_signed(&w, va_arg(arguments, int64_t)); break;
        case 'x': put_unsigned(&w, va_arg(arguments, uint32_t), 16); break;
        case 'g': put_double(&w, va_arg(arguments, double)); break;
        default: put(&w, p, 1); break; /* "%%" */
        }
    }
    if (w.cut) drop_partial_character(&w);
    out[w.length] = '\0';
    return w.length;
}

size_t cmi_format(char *out, size_t capacity, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t length = cmi_vformat(out, capacity, format, arguments);
    va_end(arguments);
    return length;
}

cm_status_t cmi_fail(cm_error_t *error, cm_status_t status, const char *format, ...) {
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        error->status = status;
        cmi_vformat(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
    }
    return status;
}
