/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_writer.h - compact JSON text, from calls or from the events of a reader. */
#ifndef CLI_JSON_WRITER_H
#define CLI_JSON_WRITER_H

#include "json_reader.h"

#include <stdint.h>

#include <stdbool.h>

typedef struct json_writer {
    buffer_t text;
    bool comma; /* before the next member */
} json_writer_t;

/* Keeps the memory for the next text. */
void json_writer_clear(json_writer_t *writer);

void json_write_event(json_writer_t *writer, const json_event_t *event);

void json_write_open(json_writer_t *writer, json_kind_t kind);  /* JSON_OBJECT or JSON_ARRAY */
void json_write_close(json_writer_t *writer, json_kind_t kind); /* JSON_OBJECT_END or JSON_ARRAY_END */
void json_write_key(json_writer_t *writer, const char *key);
void json_write_string(json_writer_t *writer, const char *bytes, size_t n_bytes);
void json_write_whole(json_writer_t *writer, int64_t x);
void json_write_number(json_writer_t *writer, double x);
void json_write_float(json_writer_t *writer, float x); /* exact */
void json_write_bool(json_writer_t *writer, bool x);
void json_write_null(json_writer_t *writer);

/* Members of an object. */
void json_add_string(json_writer_t *writer, const char *key, const char *bytes, size_t n_bytes);
void json_add_whole(json_writer_t *writer, const char *key, int64_t x);
void json_add_number(json_writer_t *writer, const char *key, double x);
void json_add_float(json_writer_t *writer, const char *key, float x);
void json_add_bool(json_writer_t *writer, const char *key, bool x);

/* JSON without its white space. Returns how many values there are; fault->kind is JSON_SOUND, or what was written is of no use. */
uint64_t json_write_compacted(json_writer_t *writer, const char *bytes, size_t n_bytes, json_fault_t *fault);

/* Bytes that somebody stored as JSON: compacted, or when they are not one JSON value a string of them, or null when not even that. */
void json_write_stored(json_writer_t *writer, const char *bytes, size_t n_bytes);

#endif
