/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * layout.c - offsets, sizes, constants and statuses of chronomind.h as a table that wasm/layout.mjs turns into js/src/generated.ts.
 *
 * A module of its own, compiled for the same target and never shipped: JavaScript repeats no number of the C side, and the released
 * modules carry no table.
 */
#include "chronomind.h"

/* One row. `kind` says how a field is read: u32, i64, f32, ..., str; for rows that are no field it says what the row is. */
typedef struct row {
    const char *kind;
    const char *owner; /* the struct; "" for constants and statuses */
    const char *name;
    const char *text; /* of a status */
    int32_t value;    /* offset, size, constant or status */
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
#define CONSTANT(name) {"constant", "", #name, "", (int32_t)(name)},
#define STATUS(name, value, text) {"status", "", #name, text, (value)},

/* clang-format off */
static const row_t rows[] = {
    CM_STATUS_LIST(STATUS)

    CONSTANT(CM_MAX_ID_BYTES) CONSTANT(CM_MAX_CONTEXT_BYTES) CONSTANT(CM_MAX_PAYLOAD_BYTES) CONSTANT(CM_MAX_DIMENSIONS) CONSTANT(CM_MAX_MEMORIES)
    CONSTANT(CM_MAX_M) CONSTANT(CM_MAX_EF) CONSTANT(CM_MAX_K) CONSTANT(CM_MAX_THREADS) CONSTANT(CM_MAX_RELATIONSHIPS)
    CONSTANT(CM_METRIC_COSINE) CONSTANT(CM_METRIC_DOT) CONSTANT(CM_METRIC_L2SQ)
    CONSTANT(CM_VECTORS_F32) CONSTANT(CM_VECTORS_BF16) CONSTANT(CM_VECTORS_I8)
    CONSTANT(CM_SEARCH_BEST) CONSTANT(CM_SEARCH_RERANK) CONSTANT(CM_SEARCH_EXACT)
    CONSTANT(CM_STRATEGY_NONE) CONSTANT(CM_STRATEGY_GRAPH) CONSTANT(CM_STRATEGY_STREAMS) CONSTANT(CM_STRATEGY_SCAN)
    CONSTANT(CM_UPDATE_IMPORTANCE) CONSTANT(CM_UPDATE_DECAY_RATE) CONSTANT(CM_UPDATE_CONTEXT) CONSTANT(CM_UPDATE_TEXT) CONSTANT(CM_UPDATE_METADATA)

    SIZE(cm_str_t)
    FIELD(cm_str_t, data) FIELD(cm_str_t, len)

    SIZE(cm_error_t)
    FIELD(cm_error_t, status) FIELD(cm_error_t, message)

    SIZE(cm_config_t)
    FIELD(cm_config_t, dimensions) FIELD(cm_config_t, max_memories) FIELD(cm_config_t, base_decay_rate) FIELD(cm_config_t, temporal_weight)
    FIELD(cm_config_t, similarity_threshold) FIELD(cm_config_t, max_relationships) FIELD(cm_config_t, m) FIELD(cm_config_t, ef_construction)
    FIELD(cm_config_t, ef_search) FIELD(cm_config_t, metric) FIELD(cm_config_t, vectors) FIELD(cm_config_t, max_threads)
    FIELD(cm_config_t, seed)

    SIZE(cm_memory_t)
    FIELD(cm_memory_t, dimensions) FIELD(cm_memory_t, id) FIELD(cm_memory_t, vector) FIELD(cm_memory_t, context)
    FIELD(cm_memory_t, relationships) FIELD(cm_memory_t, n_relationships) FIELD(cm_memory_t, importance) FIELD(cm_memory_t, decay_rate)
    FIELD(cm_memory_t, access_count) FIELD(cm_memory_t, created_ms) FIELD(cm_memory_t, accessed_ms) FIELD(cm_memory_t, text)
    FIELD(cm_memory_t, metadata)

    SIZE(cm_update_t)
    FIELD(cm_update_t, fields) FIELD(cm_update_t, importance) FIELD(cm_update_t, decay_rate) FIELD(cm_update_t, context)
    FIELD(cm_update_t, text) FIELD(cm_update_t, metadata) FIELD(cm_update_t, now_ms)

    SIZE(cm_search_t)
    FIELD(cm_search_t, k) FIELD(cm_search_t, ef) FIELD(cm_search_t, temporal_weight) FIELD(cm_search_t, now_ms) FIELD(cm_search_t, context)
    FIELD(cm_search_t, mode) FIELD(cm_search_t, budget) FIELD(cm_search_t, min_importance) FIELD(cm_search_t, max_importance)
    FIELD(cm_search_t, created_after_ms) FIELD(cm_search_t, created_before_ms)

    SIZE(cm_candidate_t)
    FIELD(cm_candidate_t, id) FIELD(cm_candidate_t, context) FIELD(cm_candidate_t, text) FIELD(cm_candidate_t, metadata)
    FIELD(cm_candidate_t, importance) FIELD(cm_candidate_t, access_count) FIELD(cm_candidate_t, created_ms) FIELD(cm_candidate_t, accessed_ms)

    SIZE(cm_hit_t)
    FIELD(cm_hit_t, slot) FIELD(cm_hit_t, generation) FIELD(cm_hit_t, score) FIELD(cm_hit_t, distance) FIELD(cm_hit_t, recency)
    FIELD(cm_hit_t, importance) FIELD(cm_hit_t, created_ms) FIELD(cm_hit_t, access_count)

    SIZE(cm_search_report_t)
    FIELD(cm_search_report_t, bound) FIELD(cm_search_report_t, graph_bound) FIELD(cm_search_report_t, n_distances)
    FIELD(cm_search_report_t, n_recency_distances) FIELD(cm_search_report_t, temporal_weight) FIELD(cm_search_report_t, ef)
    FIELD(cm_search_report_t, now_ms) FIELD(cm_search_report_t, strategy)

    SIZE(cm_why_t)
    FIELD(cm_why_t, distance_part) FIELD(cm_why_t, recency_part) FIELD(cm_why_t, age_hours)

    SIZE(cm_related_t)
    FIELD(cm_related_t, slot) FIELD(cm_related_t, generation) FIELD(cm_related_t, depth)

    SIZE(cm_context_summary_t)
    FIELD(cm_context_summary_t, n_memories) FIELD(cm_context_summary_t, average_importance)

    SIZE(cm_consolidate_t)
    FIELD(cm_consolidate_t, similarity_threshold)

    SIZE(cm_stats_t)
    FIELD(cm_stats_t, n_memories) FIELD(cm_stats_t, n_components) FIELD(cm_stats_t, max_memories) FIELD(cm_stats_t, n_contexts)
    FIELD(cm_stats_t, average_importance) FIELD(cm_stats_t, n_slots_used) FIELD(cm_stats_t, n_slots) FIELD(cm_stats_t, bytes_reserved)
    FIELD(cm_stats_t, bytes_vectors) FIELD(cm_stats_t, bytes_index) FIELD(cm_stats_t, bytes_records) FIELD(cm_stats_t, bytes_blocks)
    FIELD(cm_stats_t, n_retired)

    SIZE(cm_context_stat_t)
    FIELD(cm_context_stat_t, context) FIELD(cm_context_stat_t, n_memories)

    SIZE(cm_reference_t)
    FIELD(cm_reference_t, id) FIELD(cm_reference_t, n_references)

    SIZE(cm_check_report_t)
    FIELD(cm_check_report_t, n_live) FIELD(cm_check_report_t, n_dead) FIELD(cm_check_report_t, n_links)
    FIELD(cm_check_report_t, n_unreachable) FIELD(cm_check_report_t, top_level)

    SIZE(cm_load_options_t)
    FIELD(cm_load_options_t, max_memories) FIELD(cm_load_options_t, max_threads)
};
/* clang-format on */

const row_t *layout_rows(void) {
    return rows;
}

uint32_t layout_n_rows(void) {
    return sizeof rows / sizeof rows[0];
}

const char *layout_version(void) {
    return CM_VERSION_STRING;
}
