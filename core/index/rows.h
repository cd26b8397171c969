/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * rows.h - how vectors lie in memory: one row per slot, the elements, padding, and at the end what distances need besides.
 *
 *     full    F32, I8   floats, exactly as they were given | padding                    | factor     64-byte multiples
 *             BF16      halves, rounded                    | padding                    | factor     32-byte multiples
 *     coded   I8        int8_t                             | padding | sum of squares   | factor     64-byte multiples
 *
 * There are full rows always. A search walks over the coded ones where there are any (cmi_hnsw_t.walked), and what it found is rescored over the full ones.
 * factor: of full rows 1/|v| (with a custom metric what its prepare() said), in the padding that rows have anyway, on a line that the kernel reads. Of coded
 * rows what turns their sums into dot products: step, with the cosine metric step/|v|.
 */
#ifndef CMI_ROWS_H
#define CMI_ROWS_H

#include "distance/codes.h"
#include "distance/distance.h"
#include "memory/arena.h"

typedef enum cmi_element { CMI_ELEMENT_FLOAT, CMI_ELEMENT_BF16, CMI_ELEMENT_CODE } cmi_element_t;

typedef struct cmi_rows {
    cmi_arena_t arena;
    cmi_element_t element;
    uint32_t n;               /* elements that kernels are told of */
    uint32_t row_bytes;       /* 0: there are no such rows */
    cmi_kernel_pair_t dot;    /* of a query's form and a row */
    cmi_kernel_pair_t kernel; /* what the metric takes: dot, or l2sq */
} cmi_rows_t;

static inline void *cmi_row_at(const cmi_rows_t *rows, uint32_t slot) {
    return cmi_arena_at(&rows->arena, slot);
}

static inline float *cmi_row_end(const cmi_rows_t *rows, const void *row) {
    return (float *)(void *)((uint8_t *)(uintptr_t)row + rows->row_bytes);
}

static inline float cmi_row_factor(const cmi_rows_t *rows, const void *row) {
    return cmi_row_end(rows, row)[-1];
}

/* Of coded rows: |v|^2, as the codes have it. */
static inline float cmi_row_square(const cmi_rows_t *rows, const void *row) {
    return cmi_row_end(rows, row)[-2];
}

/* Element i of a full row. */
static inline float cmi_row_element(const cmi_rows_t *rows, const void *row, uint32_t i) {
    return rows->element == CMI_ELEMENT_FLOAT ? ((const float *)row)[i] : cmi_bf16_float(((const uint16_t *)row)[i]);
}

/* False when element *bad of a full row is not finite. */
bool cmi_row_is_finite(const cmi_rows_t *rows, const void *row, uint32_t *bad);

/* A full row as floats, where it is none yet into `out` (n floats). */
const float *cmi_row_floats(const cmi_rows_t *rows, const void *row, float *out);

/* A vector into a full row. */
void cmi_row_write(const cmi_rows_t *rows, void *row, const float *vector);

/* Bytes of a full row that hold elements: what snapshots hold. */
uint64_t cmi_row_vector_bytes(cm_vectors_t vectors, uint32_t dimensions);

/* CM_E_CONFIG: no such kind, or one that the metric cannot have. */
cm_status_t cmi_rows_check(cm_vectors_t vectors, cm_metric_t metric, cm_error_t *error);

/* CM_E_IO: rows cannot be kept in a file there. NULL, which means in memory, is CM_OK. */
cm_status_t cmi_spill_check(const char *folder, cm_error_t *error);

/* The rows of a graph of that many slots. Left zero, with row_bytes 0: there are none of these. False when the machine gives no memory.
 * spill_folder: full rows are kept in a file there, unless it is NULL. */
bool cmi_rows_open_full(cmi_rows_t *rows, cm_vectors_t vectors, cm_metric_t metric, uint32_t dimensions, uint32_t capacity,
                        const char *spill_folder);
bool cmi_rows_open_coded(cmi_rows_t *rows, uint32_t dimensions, uint32_t capacity);

#endif
