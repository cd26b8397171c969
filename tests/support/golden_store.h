/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* golden_store.h - a store of tests/golden in the state in which the original was asked: four removals, then m5 inserted again. */
#ifndef TEST_GOLDEN_STORE_H
#define TEST_GOLDEN_STORE_H

#include "support/golden.h"
#include "support/snapshot.h"

static inline cm_str_t golden_str(const json_t *text) {
    return (cm_str_t){text->text, strlen(text->text)};
}

static inline cm_status_t golden_insert(fixture_t *f, const json_t *golden) {
    float vector[16];
    cm_str_t relationships[16];
    cm_memory_t memory = CM_MEMORY_INIT;
    const json_t *data = json_at(golden, "data"), *names = json_at(golden, "relationships");
    for (uint32_t i = 0; i < data->n; i++) vector[i] = (float)data->items[i].number;
    for (uint32_t i = 0; i < names->n; i++) relationships[i] = golden_str(&names->items[i]);
    memory.id = golden_str(json_at(golden, "id")), memory.context = golden_str(json_at(golden, "context"));
    memory.vector = vector, memory.dimensions = data->n;
    memory.relationships = relationships, memory.n_relationships = names->n;
    memory.importance = (float)json_at(golden, "importance")->number;
    memory.decay_rate = (float)json_at(golden, "decay_rate")->number;
    memory.created_ms = (int64_t)json_at(golden, "timestamp_ms")->number;
    return cm_insert(f->thread, &memory);
}

static inline fixture_t golden_open(const json_t *golden) {
    const json_t *of = json_at(golden, "config"), *memories = json_at(golden, "memories"), *removed = json_at(golden, "removed");
    cm_config_t config = CM_CONFIG_INIT;
    config.dimensions = (uint32_t)json_at(of, "dimensions")->number;
    config.max_memories = (uint32_t)json_at(of, "max_memories")->number;
    config.max_relationships = (uint32_t)json_at(of, "max_relationships")->number;
    config.base_decay_rate = (float)json_at(of, "base_decay_rate")->number;
    config.temporal_weight = (float)json_at(of, "temporal_weight")->number;
    config.similarity_threshold = (float)json_at(of, "similarity_threshold")->number;
    config.clock_ms = fixed_clock;
    fixture_t f = fixture_open(&config);
    for (uint32_t i = 0; i < memories->n; i++) CHECK_STATUS(golden_insert(&f, &memories->items[i]), CM_OK);
    for (uint32_t i = 0; i < removed->n; i++) CHECK_STATUS(cm_remove(f.thread, golden_str(&removed->items[i])), CM_OK);
    CHECK_STATUS(golden_insert(&f, json_at(golden, "reinserted")), CM_OK);
    return f;
}

/* What consolidate() of the original left. */
static inline bool golden_survived(const json_t *golden, const char *id) {
    const json_t *ids = json_at(golden, "ids_after_consolidate");
    for (uint32_t i = 0; i < ids->n; i++)
        if (strcmp(ids->items[i].text, id) == 0) return true;
    return false;
}

#endif
