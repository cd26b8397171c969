/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* bulk_reader.h - .npy and .fvecs input, with an optional file of ids, as records. */
#ifndef CLI_BULK_READER_H
#define CLI_BULK_READER_H

#include "input.h"
#include "record.h"

typedef struct bulk_source {
    input_t *vectors;
    input_t *ids;        /* NULL: row numbers */
    uint32_t dimensions; /* 0: those of the first vector */
    record_handler_t handler;
    void *context;
} bulk_source_t;

/* Hand every record to the handler. Return a status; errors are reported. */
int read_npy_records(const bulk_source_t *source);
int read_fvecs_records(const bulk_source_t *source);

#endif
