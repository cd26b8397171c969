/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_writer.c - see json_writer.h. Commas need one bit: a value, or a closing bracket, wants one before what follows at its level. */
#include "json_writer.h"

#include "text.h"

#include <string.h>

static void begin_value(json_writer_t *writer) {
    if (writer->comma) buffer_append(&writer->text, ",", 1);
    writer->comma = true;
}

static void write_token(json_writer_t *writer, const char *bytes, size_t n_bytes) {
    begin_value(writer);
    buffer_append(&writer->text, bytes, n_bytes);
}

static void write_key(json_writer_t *writer, const char *bytes, size_t n_bytes) {
    json_write_string(writer, bytes, n_bytes);
    buffer_append(&writer->text, ":", 1);
    writer->comma = false;
}

void json_writer_clear(json_writer_t *writer) {
    buffer_clear(&writer->text);
    writer->comma = false;
}

void json_write_open(json_writer_t *writer, json_kind_t kind) {
    write_token(writer, kind == JSON_OBJECT ? "{" : "[", 1);
    writer->comma = false;
}

void json_write_close(json_writer_t *writer, json_kind_t kind) {
    buffer_append(&writer->text, kind == JSON_OBJECT_END ? "}" : "]", 1);
    writer->comma = true;
}

void json_write_key(json_writer_t *writer, const char *key) {
    write_key(writer, key, strlen(key));
}

void json_write_string(json_writer_t *writer, const char *bytes, size_t n_bytes) {
    write_token(writer, "\"", 1);
    text_append_json(&writer->text, bytes, n_bytes);
    buffer_append(&writer->text, "\"", 1);
}

void json_write_whole(json_writer_t *writer, int64_t x) {
    begin_value(writer);
    buffer_append_format(&writer->text, "%lld", (long long)x);
}

void json_write_number(json_writer_t *writer, double x) {
    begin_value(writer);
    text_append_number(&writer->text, x);
}

void json_write_null(json_writer_t *writer) {
    write_token(writer, "null", 4);
}

void json_write_float(json_writer_t *writer, float x) {
    begin_value(writer);
    text_append_float(&writer->text, x);
}

void json_write_bool(json_writer_t *writer, bool x) {
    write_token(writer, x ? "true" : "false", x ? 4 : 5);
}

void json_add_string(json_writer_t *writer, const char *key, const char *bytes, size_t n_bytes) {
    json_write_key(writer, key);
    json_write_string(writer, bytes, n_bytes);
}

void json_add_whole(json_writer_t *writer, const char *key, int64_t x) {
    json_write_key(writer, key);
    json_write_whole(writer, x);
}

void json_add_number(json_writer_t *writer, const char *key, double x) {
    json_write_key(writer, key);
    json_write_number(writer, x);
}

void json_add_float(json_writer_t *writer, const char *key, float x) {
    json_write_key(writer, key);
    json_write_float(writer, x);
}

void json_add_bool(json_writer_t *writer, const char *key, bool x) {
    json_write_key(writer, key);
    json_write_bool(writer, x);
}

void json_write_event(json_writer_t *writer, const json_event_t *event) {
    switch (event->kind) {
    case JSON_NULL: json_write_null(writer); break;
    case JSON_FALSE: json_write_bool(writer, false); break;
    case JSON_TRUE: json_write_bool(writer, true); break;
    case JSON_NUMBER: write_token(writer, event->text, event->len); break;
    case JSON_STRING: json_write_string(writer, event->text, event->len); break;
    case JSON_KEY: write_key(writer, event->text, event->len); break;
    case JSON_OBJECT:
    case JSON_ARRAY: json_write_open(writer, event->kind); break;
    default: json_write_close(writer, event->kind);
    }
}

typedef struct compaction {
    json_writer_t *writer;
    uint32_t depth;
    uint64_t n_values;
} compaction_t;

static int compact_event(void *context, const json_event_t *event) {
    compaction_t *compaction = context;
    bool closes = event->kind == JSON_OBJECT_END || event->kind == JSON_ARRAY_END;
    if (closes) compaction->depth--;
    if (compaction->depth == 0 && !closes) compaction->n_values++;
    if (event->kind == JSON_OBJECT || event->kind == JSON_ARRAY) compaction->depth++;
    json_write_event(compaction->writer, event);
    return 0;
}

uint64_t json_write_compacted(json_writer_t *writer, const char *bytes, size_t n_bytes, json_fault_t *fault) {
    compaction_t compaction = {writer, 0, 0};
    json_reader_t *reader = json_reader_open(compact_event, &compaction);
    if (json_reader_feed(reader, bytes, n_bytes) == 0) json_reader_finish(reader);
    *fault = *json_reader_fault(reader);
    json_reader_close(reader);
    return compaction.n_values;
}

void json_write_stored(json_writer_t *writer, const char *bytes, size_t n_bytes) {
    const size_t begin = writer->text.len;
    const bool comma = writer->comma;
    json_fault_t fault;
    if (json_write_compacted(writer, bytes, n_bytes, &fault) == 1 && fault.kind == JSON_SOUND) return;
    writer->text.len = begin;
    writer->comma = comma;
    if (n_bytes > 0 && text_is_utf8(bytes, n_bytes)) {
        json_write_string(writer, bytes, n_bytes);
    } else {
        json_write_null(writer);
    }
}
