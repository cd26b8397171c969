/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * layout.c - offsets, sizes, limits and statuses of chronomind.h as a table that wasm/layout.mjs turns into js/src/generated.ts.
 *
 * A module of its own, compiled for the same target and never shipped: JavaScript repeats no number of the C side, and the released
 * modules carry no table.
 */
#include "chronomind.h"

/* One row. `kind` says how a field is read: u32, i64, f32, ..., str; for rows that are no field it says what the row is. */
typedef struct row {
    const char *kind;
    const char *owner; /* the struct; "" for limits and statuses */
    const char *name;
    const char *text; /* of a status */
    int32_t value;    /* offset, size, limit or status */
} row_t;

#define KIND(struct_type, field)        \
    _Generic(((struct_type *)0)->field, \
        int8_t: "i8",                   \
        uint8_t: "u8",                  \
        int32_t: "i32",                 \
        uint32_t: "u32",                \
        int64_t: "i64",                 \
        uint64_t: "u64",                \
        float: "f32",                   \
        double: "f64",                  \
        cm_str_t: "str",                \
        char *: "text",                 \
        const char *: "ptr",            \
        const float *: "ptr",           \
        const cm_str_t *: "ptr",        \
        void *: "ptr",                  \
        default: "u32")

#define SIZE(type) {"size", #type, "", "", (int32_t)sizeof(type)},
#define FIELD(type, field) {KIND(type, field), #type, #field, "", (int32_t)offsetof(type, field)},
#define LIMIT(name) {"limit", "", #name, "", (int32_t)(name)},
#define STATUS(name, value, text) {"status", "", #name, text, (value)},

static const row_t rows[] = {
    CM_STATUS_LIST(STATUS)

        LIMIT(CM_MAX_ID_BYTES) LIMIT(CM_MAX_CONTEXT_BYTES) LIMIT(CM_MAX_PAYLOAD_BYTES) LIMIT(CM_MAX_DIMENSIONS) LIMIT(CM_MAX_MEMORIES)
            LIMIT(CM_MAX_M) LIMIT(CM_MAX_EF) LIMIT(CM_MAX_K) LIMIT(CM_MAX_THREADS) LIMIT(CM_MAX_RELATIONSHIPS) LIMIT(
                CM_METRIC_COSINE) LIMIT(CM_METRIC_DOT) LIMIT(CM_METRIC_L2SQ)

                SIZE(cm_str_t) FIELD(cm_str_t, data) FIELD(cm_str_t, len)

                    SIZE(cm_error_t) FIELD(cm_error_t, status) FIELD(cm_error_t, message)

                        SIZE(cm_config_t) FIELD(cm_config_t, dimensions) FIELD(cm_config_t, max_memories) FIELD(
                            cm_config_t, base_decay_rate) FIELD(cm_config_t, temporal_weight) FIELD(cm_config_t, similarity_threshold)
                            FIELD(cm_config_t, max_relationships) FIELD(cm_config_t, m) FIELD(cm_config_t, ef_construction) FIELD(
                                cm_config_t, ef_search) FIELD(cm_config_t, metric) FIELD(cm_config_t, max_threads) FIELD(cm_config_t, seed)

                                SIZE(cm_memory_t) FIELD(cm_memory_t, dimensions) FIELD(cm_memory_t, id) FIELD(cm_memory_t, vector)
                                    FIELD(cm_memory_t, context) FIELD(cm_memory_t, relationships) FIELD(cm_memory_t, n_relationships)
                                        FIELD(cm_memory_t, importance) FIELD(cm_memory_t, decay_rate) FIELD(cm_memory_t, access_count)
                                            FIELD(cm_memory_t, created_ms) FIELD(cm_memory_t, accessed_ms) FIELD(cm_memory_t, text) FIELD(
                                                cm_memory_t, metadata)

                                                SIZE(cm_search_t) FIELD(cm_search_t, k) FIELD(cm_search_t, ef) FIELD(
                                                    cm_search_t, temporal_weight) FIELD(cm_search_t, now_ms) FIELD(cm_search_t, context)

                                                    SIZE(cm_hit_t) FIELD(cm_hit_t, slot) FIELD(cm_hit_t, generation) FIELD(cm_hit_t, score)
                                                        FIELD(cm_hit_t, distance) FIELD(cm_hit_t, recency) FIELD(cm_hit_t, importance)
                                                            FIELD(cm_hit_t, created_ms) FIELD(cm_hit_t, access_count)

                                                                SIZE(cm_stats_t) FIELD(cm_stats_t, n_memories)
                                                                    FIELD(cm_stats_t, n_components) FIELD(cm_stats_t, max_memories) FIELD(
                                                                        cm_stats_t, n_contexts) FIELD(cm_stats_t, average_importance)
                                                                        FIELD(cm_stats_t, n_slots_used) FIELD(cm_stats_t, n_slots) FIELD(
                                                                            cm_stats_t, bytes_reserved) FIELD(cm_stats_t, bytes_vectors)
                                                                            FIELD(cm_stats_t, bytes_index) FIELD(cm_stats_t, bytes_records)
                                                                                FIELD(cm_stats_t, bytes_blocks) FIELD(cm_stats_t, n_retired)

                                                                                    SIZE(cm_context_stat_t) FIELD(
                                                                                        cm_context_stat_t, context) FIELD(cm_context_stat_t,
                                                                                                                          n_memories)

                                                                                        SIZE(cm_reference_t) FIELD(cm_reference_t, id)
                                                                                            FIELD(cm_reference_t, n_references)

                                                                                                SIZE(cm_check_report_t) FIELD(
                                                                                                    cm_check_report_t,
                                                                                                    n_live) FIELD(cm_check_report_t, n_dead)
                                                                                                    FIELD(cm_check_report_t, n_links) FIELD(
                                                                                                        cm_check_report_t, n_unreachable)
                                                                                                        FIELD(cm_check_report_t, top_level)

                                                                                                            SIZE(cm_load_options_t)
                                                                                                                FIELD(cm_load_options_t,
                                                                                                                      max_memories)
                                                                                                                    FIELD(cm_load_options_t,
                                                                                                                          max_threads)};

const row_t *layout_rows(void) {
    return rows;
}

uint32_t layout_n_rows(void) {
    return sizeof rows / sizeof rows[0];
}

const char *layout_version(void) {
    return CM_VERSION_STRING;
}
