/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* operations.h - the operations behind chronomind.h, for api.c, which has checked pointers and struct sizes. Contracts are those of chronomind.h. */
#ifndef CMI_OPERATIONS_H
#define CMI_OPERATIONS_H

#include "base/base.h"

/* Where a copy goes: cm_get()'s last arguments. */
typedef struct cmi_room {
    void *buffer;
    size_t capacity;
    size_t *needed; /* never NULL here */
} cmi_room_t;

cm_status_t cmi_store_close(cm_store_t *store);
cm_status_t cmi_thread_attach(cm_store_t *store, cm_thread_t **out);
void cmi_thread_detach(cm_thread_t *thread);
cm_status_t cmi_thread_abandon(cm_store_t *store, uint32_t slot);

cm_status_t cmi_store_insert(cm_thread_t *thread, const cm_memory_t *memory);
cm_status_t cmi_store_remove(cm_thread_t *thread, cm_str_t id);
cm_status_t cmi_store_get(cm_thread_t *thread, cm_str_t id, cm_memory_t *out, cmi_room_t room);
cm_status_t cmi_store_access(cm_thread_t *thread, cm_str_t id, int64_t now_ms, cm_memory_t *out, cmi_room_t room);
cm_status_t cmi_store_get_hit(cm_thread_t *thread, uint32_t slot, uint32_t generation, cm_memory_t *out, cmi_room_t room);
cm_status_t cmi_store_update(cm_thread_t *thread, cm_str_t id, const cm_update_t *update);
cm_status_t cmi_store_relate(cm_thread_t *thread, cm_str_t id, cm_str_t to);
cm_status_t cmi_store_unrelate(cm_thread_t *thread, cm_str_t id, cm_str_t to);
uint64_t cmi_store_apply_decay(cm_thread_t *thread, int64_t now_ms);
bool cmi_store_contains(cm_thread_t *thread, cm_str_t id);
cm_status_t cmi_store_search(cm_thread_t *thread, const float *vector, uint32_t dimensions, const cm_search_t *options, cm_hit_t *hits,
                             size_t *n_hits);
void cmi_store_explain(const cm_search_report_t *report, const cm_hit_t *hit, cm_why_t *out);
cm_status_t cmi_store_related(cm_thread_t *thread, cm_str_t id, uint32_t depth, cm_related_t *out, uint32_t capacity, uint32_t *n);
cm_status_t cmi_store_context_summary(cm_thread_t *thread, cm_str_t context, cm_context_summary_t *out, float *mean, uint32_t dimensions);
cm_status_t cmi_store_consolidate(cm_thread_t *thread, const cm_consolidate_t *options, uint64_t *n_absorbed);
cm_status_t cmi_store_next(cm_thread_t *thread, uint64_t *cursor, cm_memory_t *out, cmi_room_t room);
cm_status_t cmi_store_next_context(cm_thread_t *thread, uint64_t *cursor, cm_context_stat_t *out, cmi_room_t room);
void cmi_store_stats(cm_thread_t *thread, cm_stats_t *out);
cm_status_t cmi_store_top_references(cm_thread_t *thread, uint32_t n, cm_reference_t *out, uint32_t *n_out, cmi_room_t room);

#endif
