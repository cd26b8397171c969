/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* base.h - the small pure functions that everything above uses. No state, no allocation, the same bits on every target. */
#ifndef CMI_BASE_H
#define CMI_BASE_H

#include "chronomind.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Each argument may be evaluated twice: no calls inside. */
#define CMI_MIN(a, b) ((a) < (b) ? (a) : (b))
#define CMI_MAX(a, b) ((a) > (b) ? (a) : (b))
#define CMI_LIKELY(x) __builtin_expect(!!(x), 1)
#define CMI_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* ---- format.c ---- */

/* Formats into `out` (always terminated; cut when too long) and returns the length written. There is no libc on wasm, so this knows just:
 *   %s C string   %S cm_str_t * (shown cut to 64 bytes, control characters and invalid UTF-8 as '?')   %u uint32_t   %d int32_t
 *   %U uint64_t   %I int64_t   %x uint32_t in hexadecimal   %g double (up to 7 significant digits; "NaN", "infinity", "-infinity")   %%  */
size_t cmi_format(char *out, size_t capacity, const char *format, ...);
size_t cmi_vformat(char *out, size_t capacity, const char *format, va_list arguments);

/* Fills *error (may be NULL) and returns `status`: `return cmi_fail(error, CM_E_RANGE, "k is %u: must be 1 .. %u", k, CM_MAX_K);` */
cm_status_t cmi_fail(cm_error_t *error, cm_status_t status, const char *format, ...);

/* ---- hash.c ---- */

/* 64-bit hash of bytes under a seed; good low and high bits. Not cryptographic, but seeded against crafted ids. */
uint64_t cmi_hash(const void *bytes, size_t n_bytes, uint64_t seed);

/* Bijective mixing of a 64-bit word (splitmix64's finaliser): cmi_mix(seed + i * odd) is a counter-based random generator. */
uint64_t cmi_mix(uint64_t word);

/* ---- crc32c.c ---- */

/* CRC-32C (Castagnoli, reflected, init and xorout ~0): pass 0 first, then the previous result to go on. Uses the machine's instruction where it
 * has one; cmi_crc32c_portable is the table version (tests compare the two). crc32c("123456789") = 0xE3069283. */
uint32_t cmi_crc32c(uint32_t crc, const void *bytes, size_t n_bytes);
uint32_t cmi_crc32c_portable(uint32_t crc, const void *bytes, size_t n_bytes);

/* ---- text.c ---- */

/* True for well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF); NUL bytes are allowed. */
bool cmi_utf8_valid(const char *bytes, size_t n_bytes);

/* Order by bytes, shorter first on a common prefix: <0, 0, >0. */
int cmi_str_compare(cm_str_t a, cm_str_t b);

/* ---- mathf.c ---- */

/* e^x in double precision arithmetic of our own (error < 2 ulp; 0 below -745, infinity above 709.78): the same bits on every target, which libm's is not. */
double cmi_exp(double x);

/* Natural logarithm of a positive normal number, within 1e-11. The same bits on every target. */
double cmi_log(double x);

/* True when every value is finite; otherwise *bad (may be NULL) is the index of the first that is not. */
bool cmi_all_finite(const float *values, uint32_t n, uint32_t *bad);

static inline bool cmi_finite(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (bits & 0x7F800000u) != 0x7F800000u;
}

static inline uint32_t cmi_float_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float cmi_bits_float(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
