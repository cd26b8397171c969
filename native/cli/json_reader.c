/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json_reader.c - see json_reader.h.
 *
 * Each piece of text goes through the cursor and then, as far as it was sound, through yajl: so what stands before a fault is handled
 * first, and yajl meets no fault of its own.
 */
#include "json_reader.h"

#include <stdlib.h>
#include <yajl/yajl_parse.h>

/* The memory sanitizer does not see what yajl writes, being compiled without it. */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define WRITTEN_BY_YAJL(memory, n_bytes) __msan_unpoison(memory, n_bytes)
#endif
#endif
#if !defined(WRITTEN_BY_YAJL)
#define WRITTEN_BY_YAJL(memory, n_bytes) ((void)(memory), (void)(n_bytes))
#endif

struct json_reader {
    yajl_handle yajl;
    json_handler_t handler;
    void *context;
    int status; /* of the handler, when it ended the reading */
    json_cursor_t cursor;
    json_fault_t fault;
};

static int emit(void *context, json_kind_t kind, const void *text, size_t len) {
    json_reader_t *reader = context;
    const json_event_t event = {kind, text, len};
    WRITTEN_BY_YAJL(text, len);
    reader->status = reader->handler(reader->context, &event);
    return reader->status == 0;
}

static int on_null(void *context) {
    return emit(context, JSON_NULL, NULL, 0);
}

static int on_boolean(void *context, int value) {
    return emit(context, value ? JSON_TRUE : JSON_FALSE, NULL, 0);
}

static int on_number(void *context, const char *text, size_t len) {
    return emit(context, JSON_NUMBER, text, len);
}

static int on_string(void *context, const unsigned char *text, size_t len) {
    return emit(context, JSON_STRING, text, len);
}

static int on_key(void *context, const unsigned char *text, size_t len) {
    return emit(context, JSON_KEY, text, len);
}

static int on_object(void *context) {
    return emit(context, JSON_OBJECT, NULL, 0);
}

static int on_object_end(void *context) {
    return emit(context, JSON_OBJECT_END, NULL, 0);
}

static int on_array(void *context) {
    return emit(context, JSON_ARRAY, NULL, 0);
}

static int on_array_end(void *context) {
    return emit(context, JSON_ARRAY_END, NULL, 0);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_object_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_array_end,
};

/* yajl does not look whether it got memory. */
static void *take_memory(void *context, size_t n_bytes) {
    (void)context;
    return allocate(n_bytes);
}

static void *resize_memory(void *context, void *memory, size_t n_bytes) {
    (void)context;
    return reallocate(memory, n_bytes);
}

static void give_memory(void *context, void *memory) {
    (void)context;
    free(memory);
}

json_reader_t *json_reader_open(json_handler_t handler, void *context) {
    json_reader_t *reader = allocate(sizeof *reader);
    reader->handler = handler;
    reader->context = context;
    json_cursor_init(&reader->cursor);
    yajl_alloc_funcs memory = {take_memory, resize_memory, give_memory, NULL};
    reader->yajl = yajl_alloc(&callbacks, &memory, reader); /* copies the functions */
    yajl_config(reader->yajl, yajl_allow_multiple_values, 1);
    yajl_config(reader->yajl, yajl_dont_validate_strings, 1); /* the cursor did, and more strictly */
    return reader;
}

void json_reader_close(json_reader_t *reader) {
    if (!reader) return;
    yajl_free(reader->yajl);
    free(reader);
}

const json_fault_t *json_reader_fault(const json_reader_t *reader) {
    return &reader->fault;
}

static int fail(json_reader_t *reader, json_fault_kind_t kind, json_position_t at) {
    reader->fault = (json_fault_t){kind, at};
    return JSON_FAULT;
}

static int parse(json_reader_t *reader, const char *bytes, size_t n_bytes) {
    yajl_status status = yajl_parse(reader->yajl, (const unsigned char *)bytes, n_bytes);
    if (status == yajl_status_client_canceled) return reader->status;
    return status == yajl_status_ok ? 0 : fail(reader, JSON_UNEXPECTED, reader->cursor.token);
}

int json_reader_feed(json_reader_t *reader, const char *bytes, size_t n_bytes) {
    size_t n_sound = json_cursor_walk(&reader->cursor, bytes, n_bytes);
    int status = parse(reader, bytes, n_sound);
    if (status || n_sound == n_bytes) return status;
    if (reader->cursor.lexeme == LEX_BETWEEN) status = parse(reader, " ", 1); /* the fault ended a number: it comes first */
    if (status) return status;
    return fail(reader, reader->cursor.fault.kind, reader->cursor.fault.at);
}

int json_reader_finish(json_reader_t *reader) {
    if (!json_cursor_may_end(&reader->cursor)) return fail(reader, JSON_END, reader->cursor.next);
    return json_cursor_is_blank(&reader->cursor) ? 0 : parse(reader, " ", 1); /* the space ends a number */
}
