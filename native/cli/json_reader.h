/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json_reader.h - JSON values as a stream of events, in bounded memory. The only file that knows the JSON library (yajl).
 *
 * The text is any number of values one after another; there are at most JSON_MAX_DEPTH levels and no token above JSON_MAX_TOKEN_BYTES.
 */
#ifndef CLI_JSON_READER_H
#define CLI_JSON_READER_H

#include "json_cursor.h"

typedef enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER, /* text: as it was written */
    JSON_STRING, /* text: decoded */
    JSON_KEY,    /* text: decoded */
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END
} json_kind_t;

typedef struct json_event {
    json_kind_t kind;
    const char *text; /* valid during the call */
    size_t len;
} json_event_t;

/* 0 = go on; anything else ends the reading and comes back from feed() or finish(). */
typedef int (*json_handler_t)(void *context, const json_event_t *event);

enum { JSON_FAULT = -1 }; /* json_reader_fault() says which */

typedef struct json_reader json_reader_t;

json_reader_t *json_reader_open(json_handler_t handler, void *context);
int json_reader_feed(json_reader_t *reader, const char *bytes, size_t n_bytes);
int json_reader_finish(json_reader_t *reader);
const json_fault_t *json_reader_fault(const json_reader_t *reader);
void json_reader_close(json_reader_t *reader);

#endif
