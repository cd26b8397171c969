/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * store_model.h - what the fuzzer of stores remembers of every memory it put in: id, vector, context, text, metadata, by copy. Importance, times and
 * relationships are the business of tests/contract/property.c.
 */
#ifndef STORE_MODEL_H
#define STORE_MODEL_H

#include "chronomind.h"
#include "fuzz/support/fuzz.h"

enum { MODEL_MOST = 128, MODEL_DIMENSIONS = 24 };

typedef struct known {
    char *id, *context, *text, *metadata;
    size_t n_id, n_context, n_text, n_metadata;
    float vector[MODEL_DIMENSIONS];
} known_t;

typedef struct model {
    known_t all[MODEL_MOST];
    uint32_t n;
} model_t;

static inline void model_keep(char **at, size_t *n, cm_str_t string) {
    char *copy = malloc(string.len + 1);
    if (string.len > 0) memcpy(copy, string.data, string.len);
    free(*at);
    *at = copy;
    *n = string.len;
}

static inline known_t *model_find(model_t *model, cm_str_t id) {
    for (uint32_t i = 0; i < model->n; i++)
        if (model->all[i].n_id == id.len && memcmp(model->all[i].id, id.data, id.len) == 0) return &model->all[i];
    return NULL;
}

static inline void model_insert(model_t *model, const cm_memory_t *memory) {
    known_t *known = model_find(model, memory->id);
    if (!known) {
        FUZZ_CHECK(model->n < MODEL_MOST, "the model is too small");
        known = &model->all[model->n++];
        *known = (known_t){0};
        model_keep(&known->id, &known->n_id, memory->id);
    }
    model_keep(&known->context, &known->n_context, memory->context);
    model_keep(&known->text, &known->n_text, memory->text);
    model_keep(&known->metadata, &known->n_metadata, memory->metadata);
    memcpy(known->vector, memory->vector, memory->dimensions * sizeof(float));
}

static inline void model_remove(model_t *model, known_t *known) {
    free(known->id), free(known->context), free(known->text), free(known->metadata);
    *known = model->all[--model->n];
}

static inline void model_free(model_t *model) {
    while (model->n > 0) model_remove(model, &model->all[0]);
}

static inline bool model_same(const char *at, size_t n, cm_str_t string) {
    return n == string.len && (n == 0 || memcmp(at, string.data, n) == 0);
}

static inline void model_compare(const known_t *known, const cm_memory_t *memory) {
    FUZZ_CHECK(model_same(known->id, known->n_id, memory->id), "another id");
    FUZZ_CHECK(memcmp(known->vector, memory->vector, memory->dimensions * sizeof(float)) == 0, "another vector");
    FUZZ_CHECK(model_same(known->context, known->n_context, memory->context), "another context");
    FUZZ_CHECK(model_same(known->text, known->n_text, memory->text), "another text");
    FUZZ_CHECK(model_same(known->metadata, known->n_metadata, memory->metadata), "other metadata");
}

#endif
