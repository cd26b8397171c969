/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * record_reader.c - see record_reader.h.
 *
 * A small machine over the events of the JSON reader: outside, in the outer array, in a record, or in the value of one of its fields. What
 * a field does not want is skipped, and the field remembers that it was wrong.
 */
#include "record_reader.h"

#include "iso8601.h"
#include "json_writer.h"
#include "report.h"
#include "text.h"

#include <math.h>
#include <string.h>

typedef enum place {
    OUTSIDE,
    IN_LIST,
    IN_RECORD,
    IN_DATA,
    IN_RELATIONSHIPS,
    IN_METADATA,
    IN_SKIPPED /* a nested value that nobody wants */
} place_t;

typedef struct record_reader {
    const char *source;
    record_handler_t handler;
    void *context;
    place_t place;
    bool in_list;    /* the record stands in an array */
    place_t back_to; /* after IN_SKIPPED */
    uint32_t nested; /* open brackets in IN_SKIPPED or IN_METADATA */
    field_t field;   /* N_FIELDS: one that is ignored */
    json_writer_t metadata;
    record_t record;
} record_reader_t;

static bool opens(const json_event_t *event) {
    return event->kind == JSON_OBJECT || event->kind == JSON_ARRAY;
}

static bool closes(const json_event_t *event) {
    return event->kind == JSON_OBJECT_END || event->kind == JSON_ARRAY_END;
}

static void skip_if_nested(record_reader_t *reader, const json_event_t *event) {
    if (!opens(event)) return;
    reader->back_to = reader->place;
    reader->place = IN_SKIPPED;
    reader->nested = 1;
}

static void refuse(record_reader_t *reader, const json_event_t *event) {
    reader->record.states[reader->field] = FIELD_WRONG_TYPE;
    skip_if_nested(reader, event);
}

/* ---- fields ------------------------------------------------------------------------------------------------------------ */

static field_t find_field(const json_event_t *key) {
    int field = 0;
    for (; field < N_FIELDS; field++) {
        const char *name = record_field_name((field_t)field);
        if (strlen(name) == key->len && memcmp(name, key->text, key->len) == 0) break;
    }
    return (field_t)field;
}

static void take_text(record_reader_t *reader, const json_event_t *event, buffer_t *out) {
    if (event->kind != JSON_STRING) {
        refuse(reader, event);
        return;
    }
    buffer_append(out, event->text, event->len);
    reader->record.states[reader->field] = FIELD_GOOD;
}

static void take_number(record_reader_t *reader, const json_event_t *event, float *out) {
    double x;
    if (event->kind != JSON_NUMBER || !text_parse_number(event->text, event->len, &x)) {
        refuse(reader, event);
        return;
    }
    *out = (float)x;
    reader->record.states[reader->field] = FIELD_GOOD;
}

static bool parse_timestamp(const json_event_t *event, int64_t *ms) {
    double x;
    if (event->kind == JSON_STRING) return iso8601_parse(event->text, event->len, ms);
    if (event->kind != JSON_NUMBER || !text_parse_number(event->text, event->len, &x)) return false;
    if (!(fabs(x) < (double)(MAX_TIME_MS + 1))) return false;
    *ms = (int64_t)x; /* cuts fractions */
    return true;
}

static void take_timestamp(record_reader_t *reader, const json_event_t *event) {
    if (parse_timestamp(event, &reader->record.created_ms)) {
        reader->record.states[FIELD_TIMESTAMP] = FIELD_GOOD;
    } else {
        refuse(reader, event);
    }
}

static void take_list(record_reader_t *reader, const json_event_t *event, place_t place) {
    if (event->kind != JSON_ARRAY) {
        refuse(reader, event);
        return;
    }
    reader->record.states[reader->field] = FIELD_GOOD;
    reader->place = place;
}

static void add_metadata(record_reader_t *reader, const json_event_t *event) {
    record_t *record = &reader->record;
    if (record->states[FIELD_METADATA] == FIELD_GOOD) json_write_event(&reader->metadata, event);
    if (reader->metadata.text.len > CM_MAX_PAYLOAD_BYTES) {
        record->states[FIELD_METADATA] = FIELD_TOO_LONG;
        buffer_clear(&reader->metadata.text);
    }
    if (opens(event)) reader->nested++;
    if (closes(event)) reader->nested--;
    reader->place = reader->nested > 0 ? IN_METADATA : IN_RECORD;
    if (reader->nested == 0) buffer_append(&record->metadata, reader->metadata.text.data, reader->metadata.text.len);
}

static void begin_metadata(record_reader_t *reader, const json_event_t *event) {
    json_writer_clear(&reader->metadata);
    reader->nested = 0;
    reader->record.states[FIELD_METADATA] = FIELD_GOOD;
    add_metadata(reader, event);
}

static void take_field(record_reader_t *reader, const json_event_t *event) {
    record_t *record = &reader->record;
    if (reader->field == N_FIELDS) {
        skip_if_nested(reader, event);
        return;
    }
    record_begin_field(record, reader->field);
    if (event->kind == JSON_NULL) return;
    switch (reader->field) {
    case FIELD_ID: take_text(reader, event, &record->id); break;
    case FIELD_DATA: take_list(reader, event, IN_DATA); break;
    case FIELD_CONTEXT: take_text(reader, event, &record->context); break;
    case FIELD_IMPORTANCE: take_number(reader, event, &record->importance); break;
    case FIELD_DECAY_RATE: take_number(reader, event, &record->decay_rate); break;
    case FIELD_RELATIONSHIPS: take_list(reader, event, IN_RELATIONSHIPS); break;
    case FIELD_TIMESTAMP: take_timestamp(reader, event); break;
    case FIELD_TEXT: take_text(reader, event, &record->text); break;
    default: begin_metadata(reader, event);
    }
}

static void add_component(record_reader_t *reader, const json_event_t *event) {
    double x;
    if (closes(event)) {
        reader->place = IN_RECORD;
    } else if (event->kind == JSON_NUMBER && text_parse_number(event->text, event->len, &x)) {
        record_append_number(&reader->record, x);
    } else {
        refuse(reader, event);
    }
}

static void add_relationship(record_reader_t *reader, const json_event_t *event) {
    if (closes(event)) {
        reader->place = IN_RECORD;
    } else if (event->kind == JSON_STRING) {
        record_append_relationship(&reader->record, event->text, event->len);
    } else {
        refuse(reader, event);
    }
}

/* ---- records ----------------------------------------------------------------------------------------------------------- */

static int begin_record(record_reader_t *reader, const json_event_t *event) {
    record_clear(&reader->record);
    reader->record.number++;
    if (event->kind != JSON_OBJECT) {
        return record_report(&reader->record, reader->source, "must be an object",
                             "see 'chronomind save --help' for the fields of a record");
    }
    reader->in_list = reader->place == IN_LIST;
    reader->place = IN_RECORD;
    return STATUS_OK;
}

static int step_outside(record_reader_t *reader, const json_event_t *event) {
    if (event->kind != JSON_ARRAY) return begin_record(reader, event);
    reader->place = IN_LIST;
    return STATUS_OK;
}

static int step_list(record_reader_t *reader, const json_event_t *event) {
    if (!closes(event)) return begin_record(reader, event);
    reader->place = OUTSIDE;
    return STATUS_OK;
}

static int step_record(record_reader_t *reader, const json_event_t *event) {
    if (event->kind == JSON_KEY) {
        reader->field = find_field(event);
        return STATUS_OK;
    }
    if (event->kind != JSON_OBJECT_END) {
        take_field(reader, event);
        return STATUS_OK;
    }
    reader->place = reader->in_list ? IN_LIST : OUTSIDE;
    return reader->handler(reader->context, &reader->record);
}

static int on_event(void *context, const json_event_t *event) {
    record_reader_t *reader = context;
    switch (reader->place) {
    case OUTSIDE: return step_outside(reader, event);
    case IN_LIST: return step_list(reader, event);
    case IN_RECORD: return step_record(reader, event);
    case IN_DATA: add_component(reader, event); return STATUS_OK;
    case IN_RELATIONSHIPS: add_relationship(reader, event); return STATUS_OK;
    case IN_METADATA: add_metadata(reader, event); return STATUS_OK;
    default:
        if (opens(event)) reader->nested++;
        if (closes(event) && --reader->nested == 0) reader->place = reader->back_to;
        return STATUS_OK;
    }
}

/* ---- the input --------------------------------------------------------------------------------------------------------- */

static int report_fault(const char *source, const json_fault_t *fault) {
    buffer_t text = {0};
    json_fault_append(&text, fault);
    int status = report(STATUS_FAILED, "the input is JSON: an object, an array of objects, or one object after another", "%s: %s", source,
                        buffer_text(&text));
    buffer_free(&text);
    return status;
}

/* A byte order mark takes part in nothing. */
static int feed_first(json_reader_t *json, input_t *input) {
    static const char mark[3] = "\xEF\xBB\xBF";
    char first[sizeof mark];
    size_t n;
    int status = input_take(input, first, sizeof first, &n);
    if (status || (n == sizeof mark && memcmp(first, mark, n) == 0)) return status;
    return json_reader_feed(json, first, n);
}

static int feed_all(json_reader_t *json, input_t *input) {
    int status = feed_first(json, input);
    while (status == STATUS_OK) {
        const char *bytes;
        size_t n_bytes;
        status = input_next(input, &bytes, &n_bytes);
        if (status) break;
        if (n_bytes == 0) return json_reader_finish(json);
        status = json_reader_feed(json, bytes, n_bytes);
    }
    return status;
}

int read_json_records(input_t *input, record_handler_t handler, void *context) {
    record_reader_t reader = {.source = input->name, .handler = handler, .context = context};
    json_reader_t *json = json_reader_open(on_event, &reader);
    int status = feed_all(json, input);
    if (status == JSON_FAULT) status = report_fault(input->name, json_reader_fault(json));
    json_reader_close(json);
    record_free(&reader.record);
    buffer_free(&reader.metadata.text);
    return status;
}
