/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* record.c - see record.h. */
#include "record.h"

#include "report.h"
#include "text.h"

#include <math.h>
#include <string.h>

static const char *const names[N_FIELDS] = {"id",        "data", "context", "importance", "decay_rate", "relationships",
                                            "timestamp", "text", "metadata"};

static const char *const types[N_FIELDS] = {
    [FIELD_ID] = "a string",
    [FIELD_DATA] = "an array of numbers",
    [FIELD_CONTEXT] = "a string",
    [FIELD_IMPORTANCE] = "a number",
    [FIELD_DECAY_RATE] = "a number",
    [FIELD_RELATIONSHIPS] = "an array of strings",
    [FIELD_TIMESTAMP] = "a number of milliseconds or an ISO 8601 date with Z or an offset",
    [FIELD_TEXT] = "a string",
    [FIELD_METADATA] = "a JSON value",
};

const char *record_field_name(field_t field) {
    return names[field];
}

void record_begin_field(record_t *record, field_t field) {
    record->states[field] = FIELD_ABSENT;
    switch (field) {
    case FIELD_ID: buffer_clear(&record->id); break;
    case FIELD_DATA:
        buffer_clear(&record->data);
        record->n_data = 0;
        break;
    case FIELD_CONTEXT: buffer_clear(&record->context); break;
    case FIELD_RELATIONSHIPS:
        buffer_clear(&record->relationships);
        buffer_clear(&record->relationship_lengths);
        break;
    case FIELD_TEXT: buffer_clear(&record->text); break;
    case FIELD_METADATA: buffer_clear(&record->metadata); break;
    default: break; /* numbers: the state says whether they count */
    }
}

void record_clear(record_t *record) {
    for (int field = 0; field < N_FIELDS; field++) record_begin_field(record, (field_t)field);
}

void record_free(record_t *record) {
    buffer_free(&record->id);
    buffer_free(&record->data);
    buffer_free(&record->context);
    buffer_free(&record->relationships);
    buffer_free(&record->relationship_lengths);
    buffer_free(&record->text);
    buffer_free(&record->metadata);
}

void record_append_number(record_t *record, double x) {
    float component = (float)x;
    if (record->n_data++ < CM_MAX_DIMENSIONS) buffer_append(&record->data, &component, sizeof component);
}

void record_append_relationship(record_t *record, const char *bytes, size_t n_bytes) {
    field_state_t *state = &record->states[FIELD_RELATIONSHIPS];
    if (*state != FIELD_GOOD) return;
    if (n_bytes > CM_MAX_ID_BYTES) {
        *state = FIELD_TOO_LONG;
    } else if (record->relationship_lengths.len / sizeof(size_t) == CM_MAX_RELATIONSHIPS) {
        *state = FIELD_TOO_MANY;
    } else {
        buffer_append(&record->relationships, bytes, n_bytes);
        buffer_append(&record->relationship_lengths, &n_bytes, sizeof n_bytes);
    }
}

static bool judge_data(const record_t *record, uint32_t dimensions, buffer_t *problem) {
    uint64_t n = record->n_data;
    if (dimensions ? n == dimensions : n >= 1 && n <= CM_MAX_DIMENSIONS) return true;
    buffer_append_format(problem, "data has %llu numbers, expected ", (unsigned long long)n);
    if (dimensions) {
        buffer_append_format(problem, "%u", dimensions);
    } else {
        buffer_append_format(problem, "1 to %u", CM_MAX_DIMENSIONS);
    }
    return false;
}

static bool judge_field(const record_t *record, field_t field, uint32_t dimensions, buffer_t *problem) {
    switch (record->states[field]) {
    case FIELD_ABSENT:
        if (field != FIELD_ID && field != FIELD_DATA) return true;
        buffer_append_format(problem, "%s is missing", names[field]);
        return false;
    case FIELD_GOOD: return field != FIELD_DATA || judge_data(record, dimensions, problem);
    case FIELD_WRONG_TYPE: buffer_append_format(problem, "%s must be %s", names[field], types[field]); return false;
    case FIELD_TOO_MANY: buffer_append_format(problem, "relationships holds more than %u ids", CM_MAX_RELATIONSHIPS); return false;
    default:
        if (field == FIELD_METADATA) {
            buffer_append_format(problem, "metadata is longer than %u bytes", CM_MAX_PAYLOAD_BYTES);
        } else {
            buffer_append_format(problem, "relationships holds an id longer than %u bytes", CM_MAX_ID_BYTES);
        }
        return false;
    }
}

bool record_judge(const record_t *record, uint32_t dimensions, buffer_t *problem) {
    for (int field = 0; field < N_FIELDS; field++) {
        if (!judge_field(record, (field_t)field, dimensions, problem)) return false;
    }
    return true;
}

void record_normalize(record_t *record) {
    float *vector = (float *)(void *)record->data.data;
    double sum = 0;
    for (uint64_t i = 0; i < record->n_data; i++) sum += (double)vector[i] * (double)vector[i];
    if (!(sum > 0)) return;
    double length = sqrt(sum);
    for (uint64_t i = 0; i < record->n_data; i++) vector[i] = (float)((double)vector[i] / length);
}

int record_report(const record_t *record, const char *source, const char *problem, const char *hint) {
    buffer_t place = {0};
    buffer_append_format(&place, "record %llu", (unsigned long long)record->number);
    if (record->states[FIELD_ID] == FIELD_GOOD) {
        buffer_append_text(&place, " (id \"");
        text_append_short(&place, record->id.data, record->id.len);
        buffer_append_text(&place, "\")");
    }
    int status = report(STATUS_FAILED, hint, "%s: %s: %s", source, buffer_text(&place), problem);
    buffer_free(&place);
    return status;
}
