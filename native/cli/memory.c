/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* memory.c - see memory.h. */
#include "memory.h"

#include "text.h"

enum { SHOWN_FLOATS = 8 };

static const char NONE[] = "(none)";

/* ---- out of the store -------------------------------------------------------------------------------------------------- */

/* Every copy is tried with the room at hand, and once more with what it needs. */
#define COPY(call)                                \
    do {                                          \
        size_t needed = 0;                        \
        cm_status_t status = call;                \
        if (status != CM_E_BUFFER) return status; \
        buffer_reserve(room, needed);             \
        return call;                              \
    } while (0)

cm_status_t memory_get(cm_thread_t *thread, cm_str_t id, cm_memory_t *out, buffer_t *room) {
    COPY(cm_get(thread, id, out, room->data, room->capacity, &needed));
}

cm_status_t memory_get_hit(cm_thread_t *thread, uint32_t slot, uint32_t generation, cm_memory_t *out, buffer_t *room) {
    COPY(cm_get_hit(thread, slot, generation, out, room->data, room->capacity, &needed));
}

cm_status_t memory_access(cm_thread_t *thread, cm_str_t id, int64_t now_ms, cm_memory_t *out, buffer_t *room) {
    COPY(cm_access(thread, id, now_ms, out, room->data, room->capacity, &needed));
}

cm_status_t memory_next(cm_thread_t *thread, uint64_t *cursor, cm_memory_t *out, buffer_t *room) {
    COPY(cm_next(thread, cursor, out, room->data, room->capacity, &needed));
}

/* ---- for machines ------------------------------------------------------------------------------------------------------ */

void memory_add_relationships(json_writer_t *out, const cm_memory_t *memory) {
    json_write_key(out, "relationships");
    json_write_open(out, JSON_ARRAY);
    for (uint32_t i = 0; i < memory->n_relationships; i++)
        json_write_string(out, memory->relationships[i].data, memory->relationships[i].len);
    json_write_close(out, JSON_ARRAY_END);
}

void memory_add_text(json_writer_t *out, cm_str_t text) {
    json_write_key(out, "text");
    if (text.len > 0) {
        json_write_string(out, text.data, text.len);
    } else {
        json_write_null(out);
    }
}

void memory_add_metadata(json_writer_t *out, cm_str_t metadata) {
    json_write_key(out, "metadata");
    json_write_stored(out, metadata.data, metadata.len);
}

void memory_add_attributes(json_writer_t *out, const cm_memory_t *memory) {
    json_add_float(out, "importance", memory->importance);
    json_add_string(out, "context", memory->context.data, memory->context.len);
    json_add_whole(out, "timestamp", memory->created_ms);
    json_add_whole(out, "accessed", memory->accessed_ms);
    json_add_whole(out, "access_count", memory->access_count);
    json_add_float(out, "decay_rate", memory->decay_rate);
    memory_add_relationships(out, memory);
    memory_add_text(out, memory->text);
    memory_add_metadata(out, memory->metadata);
}

void memory_add_floats(json_writer_t *out, const char *key, const float *floats, uint32_t n) {
    json_write_key(out, key);
    json_write_open(out, JSON_ARRAY);
    for (uint32_t i = 0; i < n; i++) json_write_float(out, floats[i]);
    json_write_close(out, JSON_ARRAY_END);
}

/* ---- for people -------------------------------------------------------------------------------------------------------- */

void memory_append_relationships(buffer_t *out, const cm_memory_t *memory) {
    if (memory->n_relationships == 0) buffer_append_text(out, NONE);
    for (uint32_t i = 0; i < memory->n_relationships; i++) {
        if (i > 0) buffer_append_text(out, ", ");
        text_append_safe(out, memory->relationships[i].data, memory->relationships[i].len);
    }
}

void memory_append_text(buffer_t *out, cm_str_t text, bool whole) {
    if (text.len == 0) {
        buffer_append_text(out, NONE);
    } else if (whole) {
        text_append_safe(out, text.data, text.len);
    } else {
        text_append_short(out, text.data, text.len);
    }
}

void memory_append_metadata(buffer_t *out, cm_str_t metadata, bool whole) {
    json_writer_t json = {0};
    if (metadata.len > 0) json_write_stored(&json, metadata.data, metadata.len);
    memory_append_text(out, (cm_str_t){json.text.data, json.text.len}, whole);
    buffer_free(&json.text);
}

void memory_append_floats(buffer_t *out, const float *floats, uint32_t n) {
    for (uint32_t i = 0; i < n && i < SHOWN_FLOATS; i++) {
        if (i > 0) buffer_append_text(out, ", ");
        text_append_float(out, floats[i]);
    }
    if (n > SHOWN_FLOATS) buffer_append_format(out, ", ... (%u in all)", n);
}
