/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* importer.c - see importer.h. */
#include "importer.h"

#include "progress.h"
#include "report.h"

static const char FIELDS_HINT[] = "see 'chronomind save --help' for the fields of a record";

static const char *hint_for(cm_status_t status) {
    if (status == CM_E_CAPACITY || status == CM_E_INDEX_FULL) return "raise --max-memories";
    if (status == CM_E_NO_MEMORY) return "the machine gave no more memory; lower --max-memories";
    return FIELDS_HINT;
}

static int refuse(const importer_t *importer, const record_t *record, buffer_t *problem) {
    bool length = record->states[FIELD_ID] == FIELD_GOOD && record->states[FIELD_DATA] == FIELD_GOOD &&
                  (importer->config.dimensions ? record->n_data != importer->config.dimensions
                                               : record->n_data == 0 || record->n_data > CM_MAX_DIMENSIONS);
    const char *hint = FIELDS_HINT;
    if (length && importer->fixed) hint = "every vector must have the length that --dimensions says";
    if (length && !importer->fixed) hint = "every vector must have as many numbers as the first one; --dimensions can say how many";
    return record_report(record, importer->input->name, buffer_text(problem), hint);
}

static int open_store(importer_t *importer, uint32_t dimensions) {
    cm_error_t error;
    importer->config.dimensions = dimensions;
    cm_status_t status = cm_open(&importer->config, &importer->store, &error);
    if (status == CM_E_CONFIG) return report(STATUS_USAGE, "try 'chronomind save --help'", "%s", error.message);
    if (status != CM_OK) return report(STATUS_FAILED, hint_for(status), "%s", error.message);
    status = cm_attach(importer->store, &importer->thread);
    return status == CM_OK ? STATUS_OK : report(STATUS_FAILED, hint_for(status), "%s", cm_strerror(status));
}

static void list_relationships(importer_t *importer, const record_t *record, cm_memory_t *memory) {
    buffer_t *list = &importer->relationships;
    const size_t n = record->relationship_lengths.len / sizeof(size_t);
    const size_t *lengths = (const size_t *)(const void *)record->relationship_lengths.data;
    const char *at = record->relationships.data;
    buffer_clear(list);
    for (size_t i = 0; i < n; i++) {
        const cm_str_t id = {at, lengths[i]};
        buffer_append(list, &id, sizeof id);
        if (at) at += lengths[i];
    }
    memory->relationships = (const cm_str_t *)(const void *)list->data;
    memory->n_relationships = (uint32_t)n;
}

static cm_str_t string_of(const buffer_t *buffer) {
    return (cm_str_t){buffer->data ? buffer->data : "", buffer->len};
}

static cm_memory_t memory_of(importer_t *importer, const record_t *record) {
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = string_of(&record->id);
    memory.vector = (const float *)(const void *)record->data.data;
    memory.dimensions = (uint32_t)record->n_data;
    memory.context = record->states[FIELD_CONTEXT] == FIELD_GOOD ? string_of(&record->context) : importer->context;
    memory.created_ms = record->states[FIELD_TIMESTAMP] == FIELD_GOOD ? record->created_ms : importer->now_ms;
    memory.text = string_of(&record->text);
    memory.metadata = string_of(&record->metadata);
    if (record->states[FIELD_IMPORTANCE] == FIELD_GOOD) memory.importance = record->importance;
    if (record->states[FIELD_DECAY_RATE] == FIELD_GOOD) memory.decay_rate = record->decay_rate;
    list_relationships(importer, record, &memory);
    return memory;
}

int importer_take(void *context, record_t *record) {
    importer_t *importer = context;
    if (interrupt_seen()) return interrupt_report();
    buffer_t problem = {0};
    int status = STATUS_OK;
    if (!record_judge(record, importer->config.dimensions, &problem)) status = refuse(importer, record, &problem);
    buffer_free(&problem);
    if (status == STATUS_OK && !importer->store) status = open_store(importer, (uint32_t)record->n_data);
    if (status) return status;
    if (importer->normalize) record_normalize(record);
    const cm_memory_t memory = memory_of(importer, record);
    cm_status_t inserted = cm_insert(importer->thread, &memory);
    if (inserted != CM_OK) return record_report(record, importer->input->name, cm_message(importer->thread), hint_for(inserted));
    progress_show(record->number, importer->input->n_bytes_read, importer->input->n_bytes_total);
    return STATUS_OK;
}

void importer_close(importer_t *importer) {
    if (importer->thread) cm_detach(importer->thread);
    cm_close(importer->store);
    buffer_free(&importer->relationships);
}
