/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* memory.h - memories as a store gives them, and as they are printed (docs/CLI.md, section 3). */
#ifndef CLI_MEMORY_H
#define CLI_MEMORY_H

#include "chronomind.h"
#include "json_writer.h"

/* As the calls of the library; what *out points to is in *room until the next copy into it. */
cm_status_t memory_get(cm_thread_t *thread, cm_str_t id, cm_memory_t *out, buffer_t *room);
cm_status_t memory_get_hit(cm_thread_t *thread, uint32_t slot, uint32_t generation, cm_memory_t *out, buffer_t *room);
cm_status_t memory_access(cm_thread_t *thread, cm_str_t id, int64_t now_ms, cm_memory_t *out, buffer_t *room);
cm_status_t memory_next(cm_thread_t *thread, uint64_t *cursor, cm_memory_t *out, buffer_t *room);

/* Members of a JSON object. */
void memory_add_attributes(json_writer_t *out, const cm_memory_t *memory); /* from "importance" to "metadata" */
void memory_add_relationships(json_writer_t *out, const cm_memory_t *memory);
void memory_add_text(json_writer_t *out, cm_str_t text);
void memory_add_metadata(json_writer_t *out, cm_str_t metadata);
void memory_add_floats(json_writer_t *out, const char *key, const float *floats, uint32_t n);

/* For people: "(none)" where there is nothing. `whole`: not only the first 64 characters. */
void memory_append_relationships(buffer_t *out, const cm_memory_t *memory);
void memory_append_text(buffer_t *out, cm_str_t text, bool whole);
void memory_append_metadata(buffer_t *out, cm_str_t metadata, bool whole);
void memory_append_floats(buffer_t *out, const float *floats, uint32_t n); /* the first 8 */

#endif
