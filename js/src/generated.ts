// SPDX-License-Identifier: MIT OR Apache-2.0
// Written by wasm/build.sh from core/include/chronomind.h. Do not edit.

/** The version of the library that these numbers belong to. */
export const VERSION = '0.1.0';

/** Pages of memory that the modules ask for at least. */
export const INITIAL_PAGES = 4;

/** Every status of the library with its sentence. */
export const STATUS = {
    CM_OK: { value: 0, text: "ok" },
    CM_END: { value: 1, text: "no more elements" },
    CM_E_ARGUMENT: { value: -1, text: "an argument is missing or malformed" },
    CM_E_CONFIG: { value: -2, text: "a configuration value breaks its rule" },
    CM_E_DIMENSION: { value: -3, text: "the vector has the wrong number of dimensions" },
    CM_E_NOT_FINITE: { value: -4, text: "the vector holds a NaN or an infinity" },
    CM_E_ID: { value: -5, text: "the id is empty, too long, or not UTF-8" },
    CM_E_RANGE: { value: -6, text: "a value lies outside its range" },
    CM_E_NOT_FOUND: { value: -7, text: "no memory has this id" },
    CM_E_STALE: { value: -8, text: "the memory behind this handle was replaced or removed" },
    CM_E_CAPACITY: { value: -9, text: "the store holds max_memories memories" },
    CM_E_INDEX_FULL: { value: -10, text: "no index slots are left" },
    CM_E_NO_MEMORY: { value: -11, text: "the machine gave no more memory" },
    CM_E_BUFFER: { value: -12, text: "the caller's buffer is too small" },
    CM_E_TOO_LARGE: { value: -13, text: "a text, metadata, label or list is longer than its limit" },
    CM_E_UTF8: { value: -14, text: "a string is not UTF-8" },
    CM_E_THREADS: { value: -15, text: "more threads attached than the store was opened for" },
    CM_E_BUSY: { value: -16, text: "threads are still attached" },
    CM_E_IO: { value: -17, text: "reading or writing failed" },
    CM_E_NOT_SNAPSHOT: { value: -18, text: "the bytes are not a ChronoMind snapshot" },
    CM_E_VERSION: { value: -19, text: "the snapshot has a format this version cannot read" },
    CM_E_CORRUPT: { value: -20, text: "the snapshot is damaged" },
    CM_E_INVARIANT: { value: -21, text: "check() found a violated invariant" },
    CM_E_CLOSED: { value: -22, text: "the store is closed" },
    CM_E_CANCELLED: { value: -23, text: "the caller's callback asked to stop" },
} as const;

export const CM_MAX_ID_BYTES = 1024;
export const CM_MAX_CONTEXT_BYTES = 1024;
export const CM_MAX_PAYLOAD_BYTES = 1048576;
export const CM_MAX_DIMENSIONS = 65536;
export const CM_MAX_MEMORIES = 1073741824;
export const CM_MAX_M = 256;
export const CM_MAX_EF = 65536;
export const CM_MAX_K = 16384;
export const CM_MAX_THREADS = 1024;
export const CM_MAX_RELATIONSHIPS = 4096;
export const CM_METRIC_COSINE = 0;
export const CM_METRIC_DOT = 1;
export const CM_METRIC_L2SQ = 2;
export const CM_VECTORS_F32 = 0;
export const CM_VECTORS_BF16 = 1;
export const CM_VECTORS_I8 = 2;
export const CM_SEARCH_BEST = 0;
export const CM_SEARCH_RERANK = 1;
export const CM_SEARCH_EXACT = 2;
export const CM_STRATEGY_NONE = 0;
export const CM_STRATEGY_GRAPH = 1;
export const CM_STRATEGY_STREAMS = 2;
export const CM_STRATEGY_SCAN = 3;
export const CM_UPDATE_IMPORTANCE = 1;
export const CM_UPDATE_DECAY_RATE = 2;
export const CM_UPDATE_CONTEXT = 4;
export const CM_UPDATE_TEXT = 8;
export const CM_UPDATE_METADATA = 16;

export const cm_str_t = {
    size: 8,
    fields: {
        data: { at: 0, kind: 'ptr' },
        len: { at: 4, kind: 'u32' },
    },
} as const;

export const cm_error_t = {
    size: 256,
    fields: {
        status: { at: 0, kind: 'i32' },
        message: { at: 4, kind: 'text' },
    },
} as const;

export const cm_config_t = {
    size: 88,
    fields: {
        dimensions: { at: 4, kind: 'u32' },
        max_memories: { at: 8, kind: 'u32' },
        base_decay_rate: { at: 12, kind: 'f32' },
        temporal_weight: { at: 16, kind: 'f32' },
        similarity_threshold: { at: 20, kind: 'f32' },
        max_relationships: { at: 24, kind: 'u32' },
        m: { at: 28, kind: 'u32' },
        ef_construction: { at: 32, kind: 'u32' },
        ef_search: { at: 36, kind: 'u32' },
        metric: { at: 40, kind: 'u32' },
        vectors: { at: 44, kind: 'u32' },
        max_threads: { at: 48, kind: 'u32' },
        seed: { at: 56, kind: 'u64' },
    },
} as const;

export const cm_memory_t = {
    size: 80,
    fields: {
        dimensions: { at: 4, kind: 'u32' },
        id: { at: 8, kind: 'str' },
        vector: { at: 16, kind: 'ptr' },
        context: { at: 20, kind: 'str' },
        relationships: { at: 28, kind: 'ptr' },
        n_relationships: { at: 32, kind: 'u32' },
        importance: { at: 36, kind: 'f32' },
        decay_rate: { at: 40, kind: 'f32' },
        access_count: { at: 44, kind: 'u32' },
        created_ms: { at: 48, kind: 'i64' },
        accessed_ms: { at: 56, kind: 'i64' },
        text: { at: 64, kind: 'str' },
        metadata: { at: 72, kind: 'str' },
    },
} as const;

export const cm_update_t = {
    size: 48,
    fields: {
        fields: { at: 4, kind: 'u32' },
        importance: { at: 8, kind: 'f32' },
        decay_rate: { at: 12, kind: 'f32' },
        context: { at: 16, kind: 'str' },
        text: { at: 24, kind: 'str' },
        metadata: { at: 32, kind: 'str' },
        now_ms: { at: 40, kind: 'i64' },
    },
} as const;

export const cm_search_t = {
    size: 72,
    fields: {
        k: { at: 4, kind: 'u32' },
        ef: { at: 8, kind: 'u32' },
        temporal_weight: { at: 12, kind: 'f32' },
        now_ms: { at: 16, kind: 'i64' },
        context: { at: 24, kind: 'str' },
        mode: { at: 32, kind: 'u32' },
        budget: { at: 36, kind: 'u32' },
        min_importance: { at: 40, kind: 'f32' },
        max_importance: { at: 44, kind: 'f32' },
        created_after_ms: { at: 48, kind: 'i64' },
        created_before_ms: { at: 56, kind: 'i64' },
    },
} as const;

export const cm_candidate_t = {
    size: 64,
    fields: {
        id: { at: 8, kind: 'str' },
        context: { at: 16, kind: 'str' },
        text: { at: 24, kind: 'str' },
        metadata: { at: 32, kind: 'str' },
        importance: { at: 40, kind: 'f32' },
        access_count: { at: 44, kind: 'u32' },
        created_ms: { at: 48, kind: 'i64' },
        accessed_ms: { at: 56, kind: 'i64' },
    },
} as const;

export const cm_hit_t = {
    size: 40,
    fields: {
        slot: { at: 0, kind: 'u32' },
        generation: { at: 4, kind: 'u32' },
        score: { at: 8, kind: 'f32' },
        distance: { at: 12, kind: 'f32' },
        recency: { at: 16, kind: 'f32' },
        importance: { at: 20, kind: 'f32' },
        created_ms: { at: 24, kind: 'i64' },
        access_count: { at: 32, kind: 'u32' },
    },
} as const;

export const cm_search_report_t = {
    size: 56,
    fields: {
        bound: { at: 0, kind: 'f64' },
        graph_bound: { at: 8, kind: 'f64' },
        n_distances: { at: 16, kind: 'u64' },
        n_recency_distances: { at: 24, kind: 'u64' },
        temporal_weight: { at: 32, kind: 'f32' },
        ef: { at: 36, kind: 'u32' },
        now_ms: { at: 40, kind: 'i64' },
        strategy: { at: 48, kind: 'u32' },
    },
} as const;

export const cm_why_t = {
    size: 24,
    fields: {
        distance_part: { at: 0, kind: 'f64' },
        recency_part: { at: 8, kind: 'f64' },
        age_hours: { at: 16, kind: 'f64' },
    },
} as const;

export const cm_related_t = {
    size: 16,
    fields: {
        slot: { at: 0, kind: 'u32' },
        generation: { at: 4, kind: 'u32' },
        depth: { at: 8, kind: 'u32' },
    },
} as const;

export const cm_context_summary_t = {
    size: 16,
    fields: {
        n_memories: { at: 0, kind: 'u64' },
        average_importance: { at: 8, kind: 'f64' },
    },
} as const;

export const cm_consolidate_t = {
    size: 16,
    fields: {
        similarity_threshold: { at: 4, kind: 'f32' },
    },
} as const;

export const cm_stats_t = {
    size: 112,
    fields: {
        n_memories: { at: 0, kind: 'u64' },
        n_components: { at: 8, kind: 'u64' },
        max_memories: { at: 16, kind: 'u64' },
        n_contexts: { at: 24, kind: 'u64' },
        average_importance: { at: 32, kind: 'f64' },
        n_slots_used: { at: 40, kind: 'u64' },
        n_slots: { at: 48, kind: 'u64' },
        bytes_reserved: { at: 56, kind: 'u64' },
        bytes_vectors: { at: 64, kind: 'u64' },
        bytes_index: { at: 72, kind: 'u64' },
        bytes_records: { at: 80, kind: 'u64' },
        bytes_blocks: { at: 88, kind: 'u64' },
        n_retired: { at: 96, kind: 'u64' },
    },
} as const;

export const cm_context_stat_t = {
    size: 16,
    fields: {
        context: { at: 0, kind: 'str' },
        n_memories: { at: 8, kind: 'u64' },
    },
} as const;

export const cm_reference_t = {
    size: 16,
    fields: {
        id: { at: 0, kind: 'str' },
        n_references: { at: 8, kind: 'u64' },
    },
} as const;

export const cm_check_report_t = {
    size: 40,
    fields: {
        n_live: { at: 0, kind: 'u64' },
        n_dead: { at: 8, kind: 'u64' },
        n_links: { at: 16, kind: 'u64' },
        n_unreachable: { at: 24, kind: 'u64' },
        top_level: { at: 32, kind: 'u32' },
    },
} as const;

export const cm_load_options_t = {
    size: 36,
    fields: {
        max_memories: { at: 4, kind: 'u32' },
        max_threads: { at: 8, kind: 'u32' },
    },
} as const;
