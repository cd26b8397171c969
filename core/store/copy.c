/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* copy.c - see copy.h. */
#include "store/copy.h"

#include "store/relationships.h"

cm_status_t cmi_room_for(cm_thread_t *thread, uint64_t n_bytes, cmi_room_t room) {
    *room.needed = (size_t)n_bytes;
    if (n_bytes == 0 || (room.buffer && n_bytes <= room.capacity)) return CM_OK;
    return cmi_fail(&thread->error, CM_E_BUFFER, "the buffer has %U bytes, the copy needs %U: call again with a larger one",
                    (uint64_t)room.capacity, n_bytes);
}

static uint64_t vector_bytes(const cm_thread_t *thread) {
    return (uint64_t)thread->store->config.dimensions * sizeof(float);
}

cm_status_t cmi_copy_measure(cm_thread_t *thread, const cmi_memory_view_t *view, cmi_room_t room) {
    uint64_t strings = (uint64_t)view->id.len + view->context.len + view->text.len + view->metadata.len + view->relationships_bytes -
                       view->n_relationships * sizeof(uint32_t);
    return cmi_room_for(thread, view->n_relationships * sizeof(cm_str_t) + vector_bytes(thread) + strings, room);
}

cm_str_t cmi_copy_str(char **next, cm_str_t string) {
    cm_str_t copy = {*next, string.len};
    if (string.len > 0) memcpy(*next, string.data, string.len);
    *next += string.len;
    return copy;
}

void cmi_copy_memory(const cm_thread_t *thread, const cmi_memory_view_t *view, cm_memory_t *out, cmi_room_t room) {
    cm_str_t *relationships = room.buffer;
    float *vector = (float *)(relationships + view->n_relationships);
    char *next = (char *)vector + vector_bytes(thread);
    const cmi_rows_t *rows = &thread->store->graph.full;
    const float *floats = cmi_row_floats(rows, view->row, vector);
    if (floats != vector) memcpy(vector, floats, (size_t)vector_bytes(thread));
    cmi_relationships_t list = {view->n_relationships, view->relationships_bytes, view->relationships};
    for (uint32_t i = 0; i < view->n_relationships; i++) relationships[i] = cmi_copy_str(&next, cmi_relationships_pop(&list));
    *out = (cm_memory_t){
        .size = sizeof *out,
        .dimensions = thread->store->config.dimensions,
        .id = cmi_copy_str(&next, view->id),
        .vector = vector,
        .context = cmi_copy_str(&next, view->context),
        .relationships = relationships,
        .n_relationships = view->n_relationships,
        .importance = view->importance,
        .decay_rate = view->decay_rate,
        .access_count = view->access_count,
        .created_ms = view->created_ms,
        .accessed_ms = view->accessed_ms,
        .text = cmi_copy_str(&next, view->text),
        .metadata = cmi_copy_str(&next, view->metadata),
    };
}
