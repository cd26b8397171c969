/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * save.c - cm_save: a cut through the store (cut.h), streamed section by section (writer.h).
 *
 * READERS  the saver itself: pinned once, for the whole call, so that what the cut holds stays readable. Blocks that others retire
 *          meanwhile wait for it.
 * WRITERS  not hindered. Of what they do after the cut, accesses and other changes in place may be in the snapshot; inserts and removals
 *          are not.
 * Nothing is read twice, so that nothing can contradict itself: attributes while writing `records`, strings while writing `strings`.
 */
#include "persist/cut.h"
#include "persist/writer.h"

typedef struct saver {
    cm_store_t *store;
    cmi_cut_t cut;
    cmi_writer_t writer;
} saver_t;

static bool failed(const saver_t *saver) {
    return saver->writer.status != CM_OK;
}

static void write_config(saver_t *saver) {
    uint8_t bytes[CMI_CONFIG_BYTES];
    cmi_config_encode(cmi_store_config(saver->store), bytes);
    cmi_writer_begin(&saver->writer, CMI_SECTION_CONFIG, sizeof bytes, 1);
    cmi_writer_put(&saver->writer, bytes, sizeof bytes);
    cmi_writer_end(&saver->writer);
}

static void write_meta(saver_t *saver) {
    uint32_t n_slots = saver->cut.header.n_slots;
    cmi_writer_begin(&saver->writer, CMI_SECTION_META, CMI_META_BYTES, n_slots);
    for (uint32_t slot = 0; slot < n_slots && !failed(saver); slot++) {
        uint8_t row[CMI_META_BYTES];
        uint32_t parent;
        cmi_put_u64(row, cmi_cut_meta(&saver->cut, slot, &parent));
        cmi_put_u32(row + 8, parent);
        cmi_writer_put(&saver->writer, row, sizeof row);
    }
    cmi_writer_end(&saver->writer);
}

static void write_list(saver_t *saver, uint32_t slot, uint32_t level) {
    uint32_t list[2 * CM_MAX_M];
    cm_status_t status = CM_OK;
    uint32_t n = cmi_cut_list(&saver->cut, slot, level, list, &status);
    if (status != CM_OK)
        saver->writer.status = cmi_fail(saver->writer.error, status,
                                        "node %u, which is being inserted, has no place for the link to its parent: save again", slot);
    cmi_writer_put(&saver->writer, list, (uint64_t)n * sizeof *list);
}

static void write_lists0(saver_t *saver) {
    uint32_t n_slots = saver->cut.header.n_slots;
    cmi_writer_begin(&saver->writer, CMI_SECTION_LISTS0, (uint64_t)saver->cut.graph->cap0 * sizeof(uint32_t), n_slots);
    for (uint32_t slot = 0; slot < n_slots && !failed(saver); slot++) write_list(saver, slot, 0);
    cmi_writer_end(&saver->writer);
}

/* Per slot in order, its levels from 1 up. */
static void write_upper(saver_t *saver) {
    const cmi_header_t *header = &saver->cut.header;
    cmi_writer_begin(&saver->writer, CMI_SECTION_UPPER, (uint64_t)saver->cut.graph->params.m * sizeof(uint32_t), header->n_upper);
    for (uint32_t slot = 0; slot < header->n_slots && !failed(saver); slot++) {
        uint32_t parent, top_level = cmi_meta_level(cmi_cut_meta(&saver->cut, slot, &parent));
        for (uint32_t level = 1; level <= top_level; level++) write_list(saver, slot, level);
    }
    cmi_writer_end(&saver->writer);
}

static void write_zeros(cmi_writer_t *writer, uint64_t n_bytes) {
    static const uint8_t zeros[1024];
    for (; n_bytes > sizeof zeros; n_bytes -= sizeof zeros) cmi_writer_put(writer, zeros, sizeof zeros);
    cmi_writer_put(writer, zeros, n_bytes);
}

/* Tombstones keep theirs: searches walk through them by distance. */
static void write_vectors(saver_t *saver) {
    uint32_t n_slots = saver->cut.header.n_slots;
    const cmi_hnsw_params_t *params = &saver->cut.graph->params;
    uint64_t row_bytes = cmi_row_vector_bytes(params->vectors, params->dimensions);
    cmi_writer_begin(&saver->writer, CMI_SECTION_VECTORS, row_bytes, n_slots);
    for (uint32_t slot = 0; slot < n_slots && !failed(saver); slot++) {
        if (cmi_cut_bit(saver->cut.present, slot)) cmi_writer_put(&saver->writer, cmi_hnsw_row(saver->cut.graph, slot), row_bytes);
        else write_zeros(&saver->writer, row_bytes);
    }
    cmi_writer_end(&saver->writer);
}

static void write_record(saver_t *saver, uint32_t slot) {
    cmi_memory_view_t view;
    uint8_t bytes[CMI_RECORD_BYTES];
    cmi_store_view(saver->store, slot, &view);
    cmi_record_row_t row = {slot, view.access_count, view.created_ms, view.accessed_ms, view.decayed_ms, view.importance, view.decay_rate};
    cmi_record_encode(&row, bytes);
    cmi_writer_put(&saver->writer, bytes, sizeof bytes);
}

static void write_records(saver_t *saver) {
    const cmi_header_t *header = &saver->cut.header;
    cmi_writer_begin(&saver->writer, CMI_SECTION_RECORDS, CMI_RECORD_BYTES, header->n_memories);
    for (uint32_t slot = 0; slot < header->n_slots && !failed(saver); slot++)
        if (cmi_cut_bit(saver->cut.current, slot)) write_record(saver, slot);
    cmi_writer_end(&saver->writer);
}

static bool same(cm_str_t a, cm_str_t b) {
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* A context that repeats the one before is not written again: one agent, or one conversation after the other, is how stores are filled. */
static void write_strings_of(saver_t *saver, uint32_t slot, cm_str_t *context) {
    cmi_writer_t *writer = &saver->writer;
    cmi_memory_view_t view;
    uint8_t bytes[CMI_STRINGS_HEAD_BYTES];
    cmi_store_view(saver->store, slot, &view);
    if (context->len > 0 && same(*context, view.context)) view.context.len = 0;
    else *context = view.context; /* labels live as long as the store */
    cmi_strings_head_t head = {(uint32_t)view.id.len,    (uint32_t)view.context.len, view.n_relationships,
                               view.relationships_bytes, (uint32_t)view.text.len,    (uint32_t)view.metadata.len};
    cmi_strings_head_encode(&head, bytes);
    cmi_writer_put(writer, bytes, sizeof bytes);
    cmi_writer_put(writer, view.id.data, head.id_bytes);
    cmi_writer_put(writer, view.context.data, head.context_bytes);
    cmi_writer_put(writer, view.relationships, head.relationships_bytes);
    cmi_writer_put(writer, view.text.data, head.text_bytes);
    cmi_writer_put(writer, view.metadata.data, head.metadata_bytes);
}

static void write_strings(saver_t *saver) {
    const cmi_header_t *header = &saver->cut.header;
    cm_str_t context = {NULL, 0};
    cmi_writer_begin(&saver->writer, CMI_SECTION_STRINGS, 0, header->n_memories);
    for (uint32_t slot = 0; slot < header->n_slots && !failed(saver); slot++)
        if (cmi_cut_bit(saver->cut.current, slot)) write_strings_of(saver, slot, &context);
    cmi_writer_end(&saver->writer);
}

static cm_status_t write_all(saver_t *saver, const cm_sink_t *sink, cm_error_t *error) {
    cmi_writer_open(&saver->writer, sink, &saver->cut.header, error);
    write_config(saver);
    write_meta(saver);
    write_lists0(saver);
    write_upper(saver);
    write_vectors(saver);
    write_records(saver);
    write_strings(saver);
    cm_status_t status = cmi_writer_finish(&saver->writer);
    cmi_writer_close(&saver->writer);
    return status;
}

cm_status_t cm_save(cm_thread_t *thread, const cm_sink_t *sink) {
    if (!thread) return CM_E_ARGUMENT;
    cm_error_t *error = cmi_thread_error(thread);
    if (!sink || !sink->write) return cmi_fail(error, CM_E_ARGUMENT, "sink: a write function is needed");
    saver_t saver = {.store = cmi_thread_store(thread)};
    cmi_thread_pin(thread);
    cm_status_t status = cmi_cut_open(&saver.cut, saver.store, error);
    if (status == CM_OK) status = write_all(&saver, sink, error);
    cmi_cut_close(&saver.cut);
    cmi_thread_unpin(thread);
    return status;
}
