/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* attributes.c - see attributes.h. Comparisons of floats are written so that NaN fails them. */
#include "store/attributes.h"

static cm_status_t check_pointer(cm_str_t string, const char *field, cm_error_t *error) {
    if (string.data || string.len == 0) return CM_OK;
    return cmi_fail(error, CM_E_ARGUMENT, "%s has %U bytes, but its pointer is NULL", field, (uint64_t)string.len);
}

cm_status_t cmi_check_id(cm_str_t id, const char *field, cm_error_t *error) {
    cm_status_t status = check_pointer(id, field, error);
    if (status != CM_OK) return status;
    if (id.len == 0) return cmi_fail(error, CM_E_ID, "%s is empty: must have 1 .. %u bytes", field, CM_MAX_ID_BYTES);
    if (id.len > CM_MAX_ID_BYTES)
        return cmi_fail(error, CM_E_ID, "%s \"%S\" has %U bytes: at most %u are allowed", field, &id, (uint64_t)id.len, CM_MAX_ID_BYTES);
    if (!cmi_utf8_valid(id.data, id.len)) return cmi_fail(error, CM_E_ID, "%s \"%S\" is not UTF-8: encode it first", field, &id);
    return CM_OK;
}

cm_status_t cmi_check_context(cm_str_t context, cm_error_t *error) {
    cm_status_t status = check_pointer(context, "context", error);
    if (status != CM_OK) return status;
    if (context.len == 0)
        return cmi_fail(error, CM_E_RANGE, "context is empty: must have 1 .. %u bytes (\"default\" is the usual one)",
                        CM_MAX_CONTEXT_BYTES);
    if (context.len > CM_MAX_CONTEXT_BYTES)
        return cmi_fail(error, CM_E_TOO_LARGE, "context \"%S\" has %U bytes: at most %u are allowed", &context, (uint64_t)context.len,
                        CM_MAX_CONTEXT_BYTES);
    if (!cmi_utf8_valid(context.data, context.len))
        return cmi_fail(error, CM_E_UTF8, "context \"%S\" is not UTF-8: encode it first", &context);
    return CM_OK;
}

cm_status_t cmi_check_payload(cm_str_t text, cm_str_t metadata, cm_error_t *error) {
    cm_status_t status = check_pointer(text, "text", error);
    if (status == CM_OK) status = check_pointer(metadata, "metadata", error);
    if (status != CM_OK) return status;
    if (text.len > CM_MAX_PAYLOAD_BYTES || metadata.len > CM_MAX_PAYLOAD_BYTES - text.len)
        return cmi_fail(error, CM_E_TOO_LARGE, "text has %U bytes and metadata %U: together at most %u are allowed", (uint64_t)text.len,
                        (uint64_t)metadata.len, CM_MAX_PAYLOAD_BYTES);
    if (!cmi_utf8_valid(text.data, text.len))
        return cmi_fail(error, CM_E_UTF8, "text \"%S\" is not UTF-8: encode it first, or pass it as metadata", &text);
    return CM_OK;
}

cm_status_t cmi_check_numbers(float importance, float decay_rate, cm_error_t *error) {
    if (!(importance >= 0 && importance <= 1)) return cmi_fail(error, CM_E_RANGE, "importance is %g: must be 0 .. 1", (double)importance);
    if (!(cmi_finite(decay_rate) && decay_rate >= 0))
        return cmi_fail(error, CM_E_RANGE, "decay_rate is %g: must be finite and at least 0 (0 is the store's base_decay_rate)",
                        (double)decay_rate);
    return CM_OK;
}

cm_status_t cmi_check_vector(const float *vector, uint32_t dimensions, uint32_t expected, cm_error_t *error) {
    uint32_t bad;
    if (!vector) return cmi_fail(error, CM_E_ARGUMENT, "vector is NULL");
    if (dimensions != expected)
        return cmi_fail(error, CM_E_DIMENSION, "vector has %u dimensions: this store's vectors have %u", dimensions, expected);
    if (!cmi_all_finite(vector, dimensions, &bad))
        return cmi_fail(error, CM_E_NOT_FINITE, "vector[%u] is %g: every value must be finite", bad, (double)vector[bad]);
    return CM_OK;
}

cm_status_t cmi_check_relationships(const cm_str_t *relationships, uint32_t n, cm_error_t *error) {
    if (n == 0) return CM_OK;
    if (!relationships) return cmi_fail(error, CM_E_ARGUMENT, "relationships has %u elements, but its pointer is NULL", n);
    if (n > CM_MAX_RELATIONSHIPS)
        return cmi_fail(error, CM_E_TOO_LARGE, "relationships has %u elements: at most %u are allowed", n, CM_MAX_RELATIONSHIPS);
    uint64_t n_bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        char field[32];
        cmi_format(field, sizeof field, "relationships[%u]", i);
        cm_status_t status = cmi_check_id(relationships[i], field, error);
        if (status != CM_OK) return status;
        n_bytes += sizeof(uint32_t) + relationships[i].len;
    }
    if (n_bytes <= CM_MAX_RELATIONSHIPS_BYTES) return CM_OK;
    return cmi_fail(error, CM_E_TOO_LARGE, "relationships take %U bytes (4 more than its length for each): at most %u are allowed", n_bytes,
                    CM_MAX_RELATIONSHIPS_BYTES);
}
