/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * codes.h - vectors in fewer bits: bf16, and whole numbers with one step per vector.
 *
 * bf16   the upper half of a float, rounded to nearest even. A value that would round to infinity becomes the largest finite one.
 * codes  element = code * step. Of a row 8 bits each, step = max |element| / 127: one step per vector ranks better than a fixed one (recall of a scan .985 to .992
 *        against .955 to .964). Of a query up to 16 bits, as many as its length leaves without overflow: the other half of the error, for nothing.
 *
 * Pure functions, the same bits on every machine.
 */
#ifndef CMI_CODES_H
#define CMI_CODES_H

#include "base/base.h"

#define CMI_CODE_GROUP 16u /* codes come in multiples of this many; those past the vector are 0 */

static inline float cmi_bf16_float(uint16_t half) {
    return cmi_bits_float((uint32_t)half << 16);
}

static inline uint16_t cmi_bf16_of(float value) {
    uint32_t bits = cmi_float_bits(value), rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
    return (uint16_t)((rounded & 0x7F80u) == 0x7F80u ? rounded - 1 : rounded);
}

static inline uint32_t cmi_n_codes(uint32_t n) {
    return (n + (CMI_CODE_GROUP - 1)) & ~(CMI_CODE_GROUP - 1);
}

/* The step of a vector's codes, and the sum of their squares. */
typedef struct cmi_coded {
    double step;    /* 0 for the zero vector */
    double squares; /* of the codes, exact */
} cmi_coded_t;

/* n finite floats as cmi_n_codes(n) codes. */
cmi_coded_t cmi_code_row(const float *vector, uint32_t n, int8_t *out);
cmi_coded_t cmi_code_query(const float *vector, uint32_t n, int16_t *out);

#endif
