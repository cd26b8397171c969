/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * load.c - cm_load: a store out of a snapshot whose bytes nobody vouches for.
 *
 * Three lines of defence: the reader hands out verified blocks of sections whose extents fit the file (reader.h); this file tests every
 * number before it is used as an index, a length or a state; and check() then walks the result.
 * Until all of that passed the store is nobody's; a fault closes it. One thread.
 */
#include "index/beam.h"
#include "persist/reader.h"
#include "store/operations.h"
#include "store/store.h"

#include "plat_pages.h"

typedef struct loader {
    cmi_reader_t reader;
    cm_config_t config;
    cm_store_t *store;
    cm_thread_t *thread;
    cmi_hnsw_t *graph;
    cm_error_t *error; /* the caller's, or our own */
} loader_t;

/* ---- configuration ---- */

static cm_status_t read_config(loader_t *loader, const cm_custom_metric_t *custom) {
    cmi_cursor_t cursor;
    cm_error_t why;
    cm_status_t status = cmi_reader_expect(&loader->reader, CMI_SECTION_CONFIG, CMI_CONFIG_BYTES, 1);
    if (status != CM_OK) return status;
    status = cmi_cursor_open(&cursor, &loader->reader, CMI_SECTION_CONFIG, CMI_CONFIG_BYTES);
    const uint8_t *bytes = status == CM_OK ? cmi_cursor_take(&cursor, CMI_CONFIG_BYTES) : NULL;
    if (bytes) {
        cmi_config_decode(bytes, &loader->config);
        loader->config.custom = *custom;
        if (loader->config.metric == CM_METRIC_CUSTOM && !custom->distance)
            cursor.status = cmi_fail(loader->error, CM_E_CONFIG,
                                     "the snapshot's metric is custom: pass the functions that it was written with in options.custom");
        else if (cmi_config_validate(&loader->config, &why) != CM_OK)
            cursor.status = cmi_cursor_fault(&cursor, CMI_CONFIG_BYTES, "%s", why.message);
    }
    status = cursor.status;
    cmi_cursor_close(&cursor);
    return status;
}

static cm_status_t check_counts(const loader_t *loader) {
    const cmi_header_t *header = &loader->reader.header;
    bool has_entry = header->entry_slot != CMI_NONE;
    if (header->n_memories > header->n_slots || header->n_memories > loader->config.max_memories ||
        (header->n_memories > 0 && !has_entry) ||
        (has_entry && (header->entry_slot >= header->n_slots || header->entry_level > CMI_MAX_LEVEL)))
        return cmi_fail(loader->error, CM_E_CORRUPT,
                        "snapshot header, offset 8: %u memories in %u slots, of at most %u, with entry point %u do not fit together",
                        header->n_memories, header->n_slots, loader->config.max_memories, header->entry_slot);
    if (!cmi_beams_are_valid(header->beams))
        return cmi_fail(loader->error, CM_E_CORRUPT, "snapshot header, offset 32: %U says nothing about beams", header->beams);
    return CM_OK;
}

static uint64_t vector_bytes(const loader_t *loader) {
    return cmi_row_vector_bytes(loader->config.vectors, loader->config.dimensions);
}

/* The sections have the rows that header and configuration say: after this, counts are bounded by the file. */
static cm_status_t check_shapes(const loader_t *loader) {
    const cmi_reader_t *reader = &loader->reader;
    const cmi_header_t *header = &reader->header;
    uint64_t m_bytes = (uint64_t)loader->config.m * sizeof(uint32_t);
    cm_status_t status = check_counts(loader);
    if (status == CM_OK) status = cmi_reader_expect(reader, CMI_SECTION_META, CMI_META_BYTES, header->n_slots);
    if (status == CM_OK) status = cmi_reader_expect(reader, CMI_SECTION_LISTS0, 2 * m_bytes, header->n_slots);
    if (status == CM_OK) status = cmi_reader_expect(reader, CMI_SECTION_UPPER, m_bytes, header->n_upper);
    if (status == CM_OK) status = cmi_reader_expect(reader, CMI_SECTION_VECTORS, vector_bytes(loader), header->n_slots);
    if (status == CM_OK) status = cmi_reader_expect(reader, CMI_SECTION_RECORDS, CMI_RECORD_BYTES, header->n_memories);
    if (status == CM_OK) status = cmi_reader_expect(reader, CMI_SECTION_STRINGS, 0, header->n_memories);
    return status;
}

static cm_status_t apply_options(loader_t *loader, const cm_load_options_t *options) {
    cm_config_t *config = &loader->config;
    uint32_t n_memories = loader->reader.header.n_memories;
    if (options->max_memories != 0) config->max_memories = options->max_memories;
    if (options->max_threads != 0) config->max_threads = options->max_threads;
    config->clock_ms = options->clock_ms;
    config->clock_context = options->clock_context;
    config->spill_folder = options->spill_folder;
    if (config->max_memories >= n_memories) return CM_OK;
    return cmi_fail(loader->error, CM_E_CAPACITY, "max_memories is %u, but the snapshot holds %u memories", config->max_memories,
                    n_memories);
}

static cm_status_t open_store(loader_t *loader) {
    cm_status_t status = cmi_store_open(&loader->config, loader->reader.header.n_slots, &loader->store, loader->error);
    if (status != CM_OK) return status;
    status = cmi_thread_attach(loader->store, &loader->thread);
    if (status != CM_OK) return cmi_fail(loader->error, status, "attaching to the store being loaded: %s", cm_strerror(status));
    loader->graph = cmi_store_graph(loader->store);
    return CM_OK;
}

/* ---- graph ---- */

/* meta, lists0 and upper, read in parallel: one slot's row of each at a time. */
typedef struct graph_loader {
    loader_t *loader;
    cmi_cursor_t meta, lists0, upper;
    uint32_t *lists; /* all lists of one slot */
    uint32_t n_upper, n_live;
} graph_loader_t;

#define MAX_LISTS_BYTES ((2u + CMI_MAX_LEVEL) * CM_MAX_M * sizeof(uint32_t))

static bool is_node(uint64_t meta) {
    return cmi_meta_state(meta) == CMI_LIVE || cmi_meta_state(meta) == CMI_DEAD;
}

static cm_status_t check_meta(const graph_loader_t *g, uint32_t slot, uint64_t meta, uint32_t parent) {
    const cmi_header_t *header = &g->loader->reader.header;
    uint32_t state = (uint32_t)cmi_meta_state(meta), level = cmi_meta_level(meta), flags = cmi_meta_flags(meta);
    if (!is_node(meta)) {
        if (meta == cmi_meta_make(0, 0, 0, CMI_FREE) && parent == CMI_NONE) return CM_OK;
        return cmi_cursor_fault(&g->meta, CMI_META_BYTES, "slot %u is in state %u, level %u, flags %x: neither a node nor a free slot",
                                slot, state, level, flags);
    }
    if (flags != CMI_FLAG_LINKED) return cmi_cursor_fault(&g->meta, CMI_META_BYTES, "node %u has flags %x", slot, flags);
    if (level > CMI_MAX_LEVEL || level > header->n_upper - g->n_upper)
        return cmi_cursor_fault(&g->meta, CMI_META_BYTES, "node %u has level %u, but %u upper rows are left", slot, level,
                                header->n_upper - g->n_upper);
    if (parent != CMI_NONE && (parent >= header->n_slots || parent == slot))
        return cmi_cursor_fault(&g->meta, CMI_META_BYTES, "node %u has parent %u of %u slots", slot, parent, header->n_slots);
    return CM_OK;
}

/* Only what makes following a link safe; levels, duplicates and the tree are check()'s. Without a branch per place: CMI_NONE + 1 is 0. */
static cm_status_t check_links(const cmi_cursor_t *cursor, const uint32_t *list, uint32_t n, uint32_t n_slots) {
    uint32_t highest = 0;
    for (uint32_t i = 0; i < n; i++) highest = CMI_MAX(highest, list[i] + 1u);
    if (highest <= n_slots) return CM_OK;
    return cmi_cursor_fault(cursor, (uint64_t)n * sizeof *list, "a link to %u, but there are %u slots", highest - 1, n_slots);
}

static cm_status_t check_no_links(const graph_loader_t *g, const uint32_t *list, uint32_t slot) {
    for (uint32_t i = 0; i < g->loader->graph->cap0; i++)
        if (list[i] != CMI_NONE)
            return cmi_cursor_fault(&g->lists0, (uint64_t)g->loader->graph->cap0 * sizeof *list, "slot %u is free, but has links", slot);
    return CM_OK;
}

/* The lists of a node as one piece: where they lie when there is only level 0. */
static cm_status_t take_lists(graph_loader_t *g, uint32_t level, const uint32_t **out) {
    uint32_t n_slots = g->loader->reader.header.n_slots, cap0 = g->loader->graph->cap0, m = g->loader->graph->params.m;
    const uint32_t *list = (const uint32_t *)(const void *)cmi_cursor_take(&g->lists0, (uint64_t)cap0 * sizeof *list);
    if (!list) return g->lists0.status;
    *out = list;
    cm_status_t status = check_links(&g->lists0, list, cap0, n_slots);
    if (status != CM_OK || level == 0) return status;
    const uint32_t *upper = (const uint32_t *)(const void *)cmi_cursor_take(&g->upper, (uint64_t)level * m * sizeof *upper);
    if (!upper) return g->upper.status;
    memcpy(g->lists, list, cap0 * sizeof *list);
    memcpy(g->lists + cap0, upper, (size_t)level * m * sizeof *upper);
    *out = g->lists;
    return check_links(&g->upper, upper, level * m, n_slots);
}

static cm_status_t load_slot(graph_loader_t *g, uint32_t slot) {
    const uint32_t *lists = NULL;
    const uint8_t *row = cmi_cursor_take(&g->meta, CMI_META_BYTES);
    if (!row) return g->meta.status;
    uint64_t meta = cmi_get_u64(row);
    uint32_t parent = cmi_get_u32(row + 8), level = cmi_meta_level(meta);
    cm_status_t status = check_meta(g, slot, meta, parent);
    if (status == CM_OK) status = take_lists(g, level, &lists);
    if (status == CM_OK && !is_node(meta)) status = check_no_links(g, lists, slot);
    if (status != CM_OK) return status;
    g->n_upper += level;
    g->n_live += cmi_meta_state(meta) == CMI_LIVE;
    status = cmi_hnsw_restore_slot(g->loader->graph, slot, meta, parent, lists);
    if (status == CM_E_CORRUPT)
        return cmi_cursor_fault(&g->meta, CMI_META_BYTES, "node %u has level %u: more upper levels than any store has", slot, level);
    if (status != CM_OK) return cmi_fail(g->loader->error, status, "restoring node %u: %s", slot, cm_strerror(status));
    return CM_OK;
}

static cm_status_t load_slots(graph_loader_t *g) {
    const cmi_header_t *header = &g->loader->reader.header;
    cm_status_t status = cmi_hnsw_restore_begin(g->loader->graph, header->n_slots);
    if (status != CM_OK) return cmi_no_slots(g->loader->store, g->loader->error);
    for (uint32_t slot = 0; slot < header->n_slots && status == CM_OK; slot++) status = load_slot(g, slot);
    if (status != CM_OK) return status;
    if (g->n_upper != header->n_upper)
        return cmi_cursor_fault(&g->meta, 0, "the levels add up to %u upper rows, the header says %u", g->n_upper, header->n_upper);
    if (g->n_live != header->n_memories)
        return cmi_cursor_fault(&g->meta, 0, "%u live nodes, but %u memories", g->n_live, header->n_memories);
    uint64_t entry = header->entry_slot == CMI_NONE ? CMI_NO_ENTRY : (uint64_t)header->entry_level << 32 | header->entry_slot;
    cmi_hnsw_restore_end(g->loader->graph, entry, header->beams);
    return CM_OK;
}

static cm_status_t load_graph(loader_t *loader) {
    graph_loader_t g = {.loader = loader};
    g.lists = (uint32_t *)plat_pages_alloc(MAX_LISTS_BYTES);
    cm_status_t status = g.lists ? CM_OK
                                 : cmi_fail(loader->error, CM_E_NO_MEMORY, "the machine gave no %u bytes for the lists of a node",
                                            (uint32_t)MAX_LISTS_BYTES);
    if (status == CM_OK) status = cmi_cursor_open(&g.meta, &loader->reader, CMI_SECTION_META, CMI_META_BYTES);
    if (status == CM_OK) status = cmi_cursor_open(&g.lists0, &loader->reader, CMI_SECTION_LISTS0, MAX_LISTS_BYTES);
    if (status == CM_OK) status = cmi_cursor_open(&g.upper, &loader->reader, CMI_SECTION_UPPER, MAX_LISTS_BYTES);
    if (status == CM_OK) status = load_slots(&g);
    cmi_cursor_close(&g.upper);
    cmi_cursor_close(&g.lists0);
    cmi_cursor_close(&g.meta);
    plat_pages_free(g.lists, MAX_LISTS_BYTES);
    return status;
}

/* ---- vectors ---- */

static cm_status_t load_vector(loader_t *loader, cmi_cursor_t *cursor, uint32_t slot) {
    uint32_t dimensions = loader->config.dimensions, bad;
    const void *vector = cmi_cursor_take(cursor, vector_bytes(loader));
    if (!vector) return cursor->status;
    if (!is_node(cmi_hnsw_meta(loader->graph, slot))) return CM_OK;
    if (!cmi_hnsw_set_stored(loader->graph, slot, vector, &bad))
        return cmi_cursor_fault(cursor, (uint64_t)(dimensions - bad) * (vector_bytes(loader) / dimensions),
                                "component %u of the vector of node %u is not finite", bad, slot);
    return CM_OK;
}

static cm_status_t load_vectors(loader_t *loader) {
    cmi_cursor_t cursor;
    cm_status_t status = cmi_cursor_open(&cursor, &loader->reader, CMI_SECTION_VECTORS, vector_bytes(loader));
    for (uint32_t slot = 0; slot < loader->reader.header.n_slots && status == CM_OK; slot++) status = load_vector(loader, &cursor, slot);
    cmi_cursor_close(&cursor);
    return status;
}

/* ---- memories ---- */

/* records and strings, read in parallel: one memory of each at a time. */
typedef struct memory_loader {
    loader_t *loader;
    cmi_cursor_t records, strings;
    uint64_t n_slots_seen; /* slots ascend: the next is at least this */
    uint32_t context_bytes;
    char context[CM_MAX_CONTEXT_BYTES]; /* of the memory before */
} memory_loader_t;

static cm_status_t take_record(memory_loader_t *l, cmi_memory_view_t *view, uint32_t *slot) {
    cmi_record_row_t row;
    const uint8_t *bytes = cmi_cursor_take(&l->records, CMI_RECORD_BYTES);
    if (!bytes) return l->records.status;
    cmi_record_decode(bytes, &row);
    if (row.slot >= l->loader->reader.header.n_slots || cmi_meta_state(cmi_hnsw_meta(l->loader->graph, row.slot)) != CMI_LIVE)
        return cmi_cursor_fault(&l->records, CMI_RECORD_BYTES, "a memory in slot %u, which is no live node", row.slot);
    if (row.slot < l->n_slots_seen) return cmi_cursor_fault(&l->records, CMI_RECORD_BYTES, "slot %u is out of order", row.slot);
    l->n_slots_seen = (uint64_t)row.slot + 1;
    *slot = row.slot;
    view->created_ms = row.created_ms;
    view->accessed_ms = row.accessed_ms;
    view->decayed_ms = row.decayed_ms;
    view->importance = row.importance;
    view->decay_rate = row.decay_rate;
    view->access_count = row.access_count;
    return CM_OK;
}

static bool head_within_limits(const cmi_strings_head_t *head) {
    return head->id_bytes <= CM_MAX_ID_BYTES && head->context_bytes <= CM_MAX_CONTEXT_BYTES &&
           head->n_relationships <= CM_MAX_RELATIONSHIPS && head->relationships_bytes <= CM_MAX_RELATIONSHIPS * (4u + CM_MAX_ID_BYTES) &&
           head->text_bytes <= CM_MAX_PAYLOAD_BYTES && head->metadata_bytes <= CM_MAX_PAYLOAD_BYTES - head->text_bytes;
}

/* True when the packed relationships are n strings that fill their bytes. */
static bool relationships_hold(const uint8_t *packed, uint32_t n_bytes, uint32_t n) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (n_bytes - at < 4) return false;
        uint32_t length = cmi_get_u32(packed + at);
        if (length > n_bytes - at - 4) return false;
        at += 4 + length;
    }
    return at == n_bytes;
}

static cm_str_t cut_str(const uint8_t **next, uint32_t n_bytes) {
    cm_str_t str = {(const char *)*next, n_bytes};
    *next += n_bytes;
    return str;
}

static void resolve_context(memory_loader_t *l, cmi_memory_view_t *view) {
    if (view->context.len > 0) {
        memcpy(l->context, view->context.data, view->context.len);
        l->context_bytes = (uint32_t)view->context.len;
    }
    view->context = (cm_str_t){l->context, l->context_bytes}; /* in the first memory perhaps empty: cmi_store_restore() refuses that */
}

static cm_status_t take_strings(memory_loader_t *l, cmi_memory_view_t *view, uint64_t *entry_bytes) {
    cmi_strings_head_t head;
    const uint8_t *bytes = cmi_cursor_take(&l->strings, CMI_STRINGS_HEAD_BYTES);
    if (!bytes) return l->strings.status;
    cmi_strings_head_decode(bytes, &head);
    if (!head_within_limits(&head)) return cmi_cursor_fault(&l->strings, CMI_STRINGS_HEAD_BYTES, "a string is longer than its limit");
    uint32_t n_bytes = head.id_bytes + head.context_bytes + head.relationships_bytes + head.text_bytes + head.metadata_bytes;
    if (head.id_bytes == 0) return cmi_cursor_fault(&l->strings, CMI_STRINGS_HEAD_BYTES, "an empty id");
    const uint8_t *next = cmi_cursor_take(&l->strings, n_bytes);
    if (!next) return l->strings.status;
    *entry_bytes = CMI_STRINGS_HEAD_BYTES + (uint64_t)n_bytes;
    view->id = cut_str(&next, head.id_bytes);
    view->context = cut_str(&next, head.context_bytes);
    view->relationships = next;
    next += head.relationships_bytes;
    view->relationships_bytes = head.relationships_bytes;
    view->n_relationships = head.n_relationships;
    view->text = cut_str(&next, head.text_bytes);
    view->metadata = cut_str(&next, head.metadata_bytes);
    if (!relationships_hold(view->relationships, head.relationships_bytes, head.n_relationships))
        return cmi_cursor_fault(&l->strings, *entry_bytes, "the relationships of %S do not fill their %u bytes", &view->id,
                                head.relationships_bytes);
    resolve_context(l, view);
    return CM_OK;
}

static cm_status_t load_memory(memory_loader_t *l) {
    cmi_memory_view_t view = {0};
    cm_error_t why;
    uint64_t entry_bytes = 0;
    uint32_t slot = 0;
    cm_status_t status = take_record(l, &view, &slot);
    if (status == CM_OK) status = take_strings(l, &view, &entry_bytes);
    if (status != CM_OK) return status;
    status = cmi_store_restore(l->loader->thread, slot, &view, &why);
    if (status == CM_OK) return CM_OK;
    if (status == CM_E_CORRUPT) return cmi_cursor_fault(&l->strings, entry_bytes, "the memory in slot %u: %s", slot, why.message);
    return cmi_fail(l->loader->error, status, "%s", why.message);
}

static cm_status_t load_memories(loader_t *loader) {
    memory_loader_t l = {.loader = loader};
    cm_status_t status = cmi_cursor_open(&l.records, &loader->reader, CMI_SECTION_RECORDS, CMI_RECORD_BYTES);
    if (status == CM_OK) status = cmi_cursor_open(&l.strings, &loader->reader, CMI_SECTION_STRINGS, CMI_MAX_STRINGS_BYTES);
    cmi_store_restore_begin(loader->thread);
    for (uint32_t i = 0; i < loader->reader.header.n_memories && status == CM_OK; i++) status = load_memory(&l);
    if (status == CM_OK) status = cmi_store_restore_end(loader->thread, loader->error);
    if (status == CM_OK && !cmi_cursor_at_end(&l.strings))
        status = cmi_cursor_fault(&l.strings, 0, "bytes behind the strings of the last memory");
    cmi_cursor_close(&l.strings);
    cmi_cursor_close(&l.records);
    return status;
}

/* ---- the whole ---- */

static cm_status_t check_store(loader_t *loader) {
    cm_check_report_t report;
    cm_error_t why;
    cm_status_t status = cmi_store_check(loader->thread, &report, &why);
    if (status == CM_OK) return CM_OK;
    if (status == CM_E_INVARIANT)
        return cmi_fail(loader->error, CM_E_CORRUPT, "snapshot sections meta to strings, offset %U: check() finds: %s",
                        loader->reader.section[CMI_SECTION_META - 1].offset, why.message);
    return cmi_fail(loader->error, status, "%s", why.message);
}

static cm_status_t load(loader_t *loader, const cm_source_t *source, const cm_load_options_t *options) {
    cm_status_t status = cmi_reader_open(&loader->reader, source, loader->error);
    if (status == CM_OK) status = read_config(loader, &options->custom);
    if (status == CM_OK) status = check_shapes(loader);
    if (status == CM_OK) status = apply_options(loader, options);
    if (status == CM_OK) status = open_store(loader);
    if (status == CM_OK) status = load_graph(loader);
    if (status == CM_OK) status = load_vectors(loader);
    if (status == CM_OK) status = load_memories(loader);
    if (status == CM_OK) status = check_store(loader);
    cmi_reader_close(&loader->reader);
    return status;
}

cm_status_t cm_load(const cm_source_t *source, const cm_load_options_t *options, cm_store_t **out, cm_error_t *error) {
    static const cm_load_options_t defaults = CM_LOAD_INIT;
    cm_error_t unwanted;
    if (!error) error = &unwanted;
    if (!out) return cmi_fail(error, CM_E_ARGUMENT, "out: a place for the store is needed");
    *out = NULL;
    if (!source || !source->read) return cmi_fail(error, CM_E_ARGUMENT, "source: a read function is needed");
    if (!options) options = &defaults;
    if (options->size != sizeof *options)
        return cmi_fail(error, CM_E_ARGUMENT, "options.size is %u: begin with CM_LOAD_INIT", options->size);
    loader_t loader = {.error = error};
    cm_status_t status = load(&loader, source, options);
    if (loader.thread) cmi_thread_detach(loader.thread);
    if (status == CM_OK) *out = loader.store;
    else if (loader.store) cmi_store_close(loader.store);
    return status;
}
