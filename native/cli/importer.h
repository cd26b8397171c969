/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* importer.h - records into a store. The store opens with the first record, which may be the one that says how long vectors are. */
#ifndef CLI_IMPORTER_H
#define CLI_IMPORTER_H

#include "chronomind.h"
#include "input.h"
#include "record.h"

typedef struct importer {
    const input_t *input;
    cm_config_t config; /* dimensions 0: those of the first record */
    bool fixed;         /* the dimensions were asked for */
    bool normalize;
    cm_str_t context; /* of records without one */
    int64_t now_ms;   /* timestamp of records without one, or CM_NOW */
    cm_store_t *store;
    cm_thread_t *thread;
    buffer_t relationships; /* cm_str_t each */
} importer_t;

/* A record_handler_t; context is the importer. */
int importer_take(void *context, record_t *record);

/* Closes the store. */
void importer_close(importer_t *importer);

#endif
