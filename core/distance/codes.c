/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* codes.c - see codes.h. */
#include "distance/codes.h"

static double greatest(const float *vector, uint32_t n) {
    float greatest = 0;
    for (uint32_t i = 0; i < n; i++) {
        float size = vector[i] < 0 ? -vector[i] : vector[i];
        greatest = size > greatest ? size : greatest;
    }
    return (double)greatest;
}

/* Halves away from zero. In double: the reciprocal of a subnormal does not overflow. */
static inline int32_t code_of(float value, double per_unit) {
    double scaled = (double)value * per_unit;
    return (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

/* Into bytes or words. */
static cmi_coded_t code(const float *vector, uint32_t n, int32_t limit, int8_t *bytes, int16_t *words) {
    double most = greatest(vector, n), per_unit = most > 0 ? limit / most : 0;
    int64_t squares = 0;
    for (uint32_t i = 0; i < cmi_n_codes(n); i++) {
        int32_t code = i < n ? code_of(vector[i], per_unit) : 0;
        if (bytes) bytes[i] = (int8_t)code;
        else words[i] = (int16_t)code;
        squares += (int64_t)code * code;
    }
    return (cmi_coded_t){most / limit, (double)squares};
}

cmi_coded_t cmi_code_row(const float *vector, uint32_t n, int8_t *out) {
    return code(vector, n, 127, out, NULL);
}

/* The sum of n products with codes of a row fits an int32_t. */
cmi_coded_t cmi_code_query(const float *vector, uint32_t n, int16_t *out) {
    return code(vector, n, (int32_t)CMI_MIN(0x7FFFFFFFu / (127u * n), 0x7FFFu), NULL, out);
}
