/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* rows.c - see rows.h. */
#include "index/rows.h"

const float *cmi_row_floats(const cmi_rows_t *rows, const void *row, float *out) {
    if (rows->element == CMI_ELEMENT_FLOAT) return row;
    for (uint32_t i = 0; i < rows->n; i++) out[i] = cmi_bf16_float(((const uint16_t *)row)[i]);
    return out;
}

bool cmi_row_is_finite(const cmi_rows_t *rows, const void *row, uint32_t *bad) {
    if (rows->element == CMI_ELEMENT_FLOAT) return cmi_all_finite(row, rows->n, bad);
    for (*bad = 0; *bad < rows->n; ++*bad)
        if (!cmi_finite(cmi_row_element(rows, row, *bad))) return false;
    return true;
}

void cmi_row_write(const cmi_rows_t *rows, void *row, const float *vector) {
    if (rows->element == CMI_ELEMENT_FLOAT) memcpy(row, vector, rows->n * sizeof *vector);
    else
        for (uint32_t i = 0; i < rows->n; i++) ((uint16_t *)row)[i] = cmi_bf16_of(vector[i]);
}

uint64_t cmi_row_vector_bytes(cm_vectors_t vectors, uint32_t dimensions) {
    return (uint64_t)dimensions * (vectors == CM_VECTORS_BF16 ? sizeof(uint16_t) : sizeof(float));
}

cm_status_t cmi_rows_check(cm_vectors_t vectors, cm_metric_t metric, cm_error_t *error) {
    if ((uint32_t)vectors > CM_VECTORS_I8)
        return cmi_fail(error, CM_E_CONFIG, "vectors is %u: must be 0 (f32), 1 (bf16) or 2 (i8)", (uint32_t)vectors);
    if (vectors != CM_VECTORS_F32 && metric == CM_METRIC_CUSTOM)
        return cmi_fail(error, CM_E_CONFIG, "vectors is %u, but a custom metric sees floats: use 0 (f32)", (uint32_t)vectors);
    return CM_OK;
}

static uint32_t round_up(uint64_t n_bytes, uint32_t to) {
    return (uint32_t)((n_bytes + to - 1) & ~(uint64_t)(to - 1));
}

cm_status_t cmi_spill_check(const char *folder, cm_error_t *error) {
    plat_spill_t tried;
    const char *why = folder ? plat_spill_open(&tried, folder, 1) : NULL;
    if (why) return cmi_fail(error, CM_E_IO, "spill_folder \"%s\": %s: name a folder that files may be made in, or none", folder, why);
    if (folder) plat_spill_close(&tried);
    return CM_OK;
}

bool cmi_rows_open_full(cmi_rows_t *rows, cm_vectors_t vectors, cm_metric_t metric, uint32_t dimensions, uint32_t capacity,
                        const char *spill_folder) {
    const cmi_kernels_t *kernels = cmi_kernels();
    bool halves = vectors == CM_VECTORS_BF16;
    rows->element = halves ? CMI_ELEMENT_BF16 : CMI_ELEMENT_FLOAT;
    rows->n = dimensions;
    rows->row_bytes = round_up(cmi_row_vector_bytes(vectors, dimensions) + sizeof(float), halves ? 32 : 64);
    rows->dot = halves ? kernels->dot_bf16 : kernels->dot;
    rows->kernel = metric != CM_METRIC_L2SQ ? rows->dot : halves ? kernels->l2sq_bf16 : kernels->l2sq;
    if (PLAT_CAN_SPILL && spill_folder) return cmi_arena_open_spilled(&rows->arena, rows->row_bytes, capacity, spill_folder) == NULL;
    return cmi_arena_open(&rows->arena, rows->row_bytes, capacity);
}

bool cmi_rows_open_coded(cmi_rows_t *rows, uint32_t dimensions, uint32_t capacity) {
    rows->element = CMI_ELEMENT_CODE;
    rows->n = cmi_n_codes(dimensions);
    rows->row_bytes = round_up(rows->n + 2 * sizeof(float), 64);
    rows->dot = rows->kernel = cmi_kernels()->dot_codes; /* squared distances follow from dot products, metric.h */
    return cmi_arena_open(&rows->arena, rows->row_bytes, capacity);
}
