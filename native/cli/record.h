/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * record.h - one memory of the input, as the readers fill it and the importer takes it.
 *
 * A field is judged when the record has ended, because only then its id is known and a repeated field has its last value. Lists and texts
 * are kept up to the limits of the store and counted beyond, so that a record of any size takes bounded memory.
 */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include "buffer.h"
#include "chronomind.h"

#include <stdbool.h>
#include <stdint.h>

/* In the order in which they are judged. */
typedef enum field {
    FIELD_ID,
    FIELD_DATA,
    FIELD_CONTEXT,
    FIELD_IMPORTANCE,
    FIELD_DECAY_RATE,
    FIELD_RELATIONSHIPS,
    FIELD_TIMESTAMP,
    FIELD_TEXT,
    FIELD_METADATA,
    N_FIELDS
} field_t;

typedef enum field_state { FIELD_ABSENT, FIELD_GOOD, FIELD_WRONG_TYPE, FIELD_TOO_MANY, FIELD_TOO_LONG } field_state_t;

typedef struct record {
    uint64_t number; /* from 1 */
    field_state_t states[N_FIELDS];
    buffer_t id, context, text, metadata;
    buffer_t data;                 /* floats, at most CM_MAX_DIMENSIONS */
    uint64_t n_data;               /* as many as there were */
    buffer_t relationships;        /* the bytes of the ids, end to end */
    buffer_t relationship_lengths; /* size_t each */
    float importance, decay_rate;
    int64_t created_ms;
} record_t;

/* Forgets everything but the number. */
void record_clear(record_t *record);
void record_free(record_t *record);

/* Forgets one field: it begins (again). */
void record_begin_field(record_t *record, field_t field);
void record_append_number(record_t *record, double x);
void record_append_relationship(record_t *record, const char *bytes, size_t n_bytes);

/* The name of a field in the input. */
const char *record_field_name(field_t field);

/* False and a sentence, when something is wrong with the record that the store cannot say better. dimensions 0: any. */
bool record_judge(const record_t *record, uint32_t dimensions, buffer_t *problem);

/* Scales the vector to length 1; a zero vector stays. */
void record_normalize(record_t *record);

/* Reports "PATH: record N (id "x"): problem" and returns STATUS_FAILED. `record` need not be complete. */
int record_report(const record_t *record, const char *source, const char *problem, const char *hint);

/* Takes complete records; 0 or a status. */
typedef int (*record_handler_t)(void *context, record_t *record);

#endif
