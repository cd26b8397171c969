/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * chronomind.h - the whole public API.
 *
 * A store holds memories: an id, a vector, a context, importance, timestamps, relationships and a payload. Searches are wait-free,
 * writes are lock-free, and any number of threads use one store at once.
 *
 *     cm_config_t config = CM_CONFIG_INIT;
 *     config.dimensions = 4;
 *     cm_store_t *store;  cm_thread_t *thread;
 *     cm_open(&config, &store, NULL);
 *     cm_attach(store, &thread);                      // once per thread
 *     float v[4] = {.1f, .2f, .3f, .4f};
 *     cm_memory_t memory = CM_MEMORY_INIT;
 *     memory.id = CM_STR("first"), memory.vector = v, memory.dimensions = 4;
 *     cm_insert(thread, &memory);
 *     cm_hit_t hits[3];  size_t n;
 *     cm_search_t query = CM_SEARCH_INIT;
 *     query.k = 3;
 *     cm_search(thread, v, 4, &query, hits, &n);
 *
 * Conventions
 *   - Every function that can fail returns cm_status_t: CM_OK (0), or a negative code. The sentence that names the field and the
 *     value is cm_message(thread), or the cm_error_t of the functions that have no thread yet. A failed call changes nothing.
 *   - Option structs begin with their size and are initialised by the macro of the same name (CM_CONFIG_INIT, ...), which holds
 *     the defaults. Zero is a legitimate importance or weight, so it cannot also mean "default".
 *   - Strings are pointer + length, UTF-8, without terminator. Nothing given to a call is kept after it returns.
 *   - Results are copied into the caller's buffers; nothing returned points into the store.
 *   - Times are milliseconds since the Unix epoch. CM_NOW asks the store's clock.
 *   - No call below takes a lock or calls malloc, except those marked SETUP.
 *
 * Threads: a cm_store_t is shared. A cm_thread_t belongs to the thread that attached it and is not thread-safe.
 */
#ifndef CHRONOMIND_H
#define CHRONOMIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define CM_API
#else
#define CM_API __attribute__((visibility("default")))
#endif

#define CM_VERSION_MAJOR 0
#define CM_VERSION_MINOR 1
#define CM_VERSION_PATCH 0
#define CM_VERSION_STRING "0.1.0"

/* ---- status ------------------------------------------------------------------------------------------------------------ */

/* X(name, value, "sentence"). Append-only; the TypeScript error table is generated from this list. */
/* clang-format off */
#define CM_STATUS_LIST(X)                                                                \
    X(CM_OK, 0, "ok")                                                                    \
    X(CM_END, 1, "no more elements")                                                     \
    X(CM_E_ARGUMENT, -1, "an argument is missing or malformed")                          \
    X(CM_E_CONFIG, -2, "a configuration value breaks its rule")                          \
    X(CM_E_DIMENSION, -3, "the vector has the wrong number of dimensions")               \
    X(CM_E_NOT_FINITE, -4, "the vector holds a NaN or an infinity")                      \
    X(CM_E_ID, -5, "the id is empty, too long, or not UTF-8")                            \
    X(CM_E_RANGE, -6, "a value lies outside its range")                                  \
    X(CM_E_NOT_FOUND, -7, "no memory has this id")                                       \
    X(CM_E_STALE, -8, "the memory behind this handle was replaced or removed")           \
    X(CM_E_CAPACITY, -9, "the store holds max_memories memories")                        \
    X(CM_E_INDEX_FULL, -10, "no index slots are left")                                   \
    X(CM_E_NO_MEMORY, -11, "the machine gave no more memory")                            \
    X(CM_E_BUFFER, -12, "the caller's buffer is too small")                              \
    X(CM_E_TOO_LARGE, -13, "a text, metadata, label or list is longer than its limit")   \
    X(CM_E_UTF8, -14, "a string is not UTF-8")                                           \
    X(CM_E_THREADS, -15, "more threads attached than the store was opened for")          \
    X(CM_E_BUSY, -16, "threads are still attached")                                      \
    X(CM_E_IO, -17, "reading or writing failed")                                         \
    X(CM_E_NOT_SNAPSHOT, -18, "the bytes are not a ChronoMind snapshot")                 \
    X(CM_E_VERSION, -19, "the snapshot has a format this version cannot read")           \
    X(CM_E_CORRUPT, -20, "the snapshot is damaged")                                      \
    X(CM_E_INVARIANT, -21, "check() found a violated invariant")                         \
    X(CM_E_CLOSED, -22, "the store is closed")
/* clang-format on */

typedef enum cm_status {
#define CM_STATUS_ENUM(name, value, text) name = value,
    CM_STATUS_LIST(CM_STATUS_ENUM)
#undef CM_STATUS_ENUM
} cm_status_t;

/* The sentence of a status; never NULL, "unknown status" for a number that is none. Thread-safe. */
CM_API const char *cm_strerror(cm_status_t status);

/* What went wrong, for calls without a thread. */
typedef struct cm_error {
    cm_status_t status;
    char message[252]; /* names the field, the value and the remedy; always terminated */
} cm_error_t;

/* "0.1.0" */
CM_API const char *cm_version(void);

/* ---- strings, limits --------------------------------------------------------------------------------------------------- */

typedef struct cm_str {
    const char *data;
    size_t len;
} cm_str_t;

/* From a string literal. */
#define CM_STR(literal) ((cm_str_t){(literal), sizeof(literal) - 1})

#define CM_MAX_ID_BYTES 1024u           /* id and relationship */
#define CM_MAX_CONTEXT_BYTES 1024u      /* context label */
#define CM_MAX_PAYLOAD_BYTES (1u << 20) /* text + metadata of one memory, together */
#define CM_MAX_DIMENSIONS 65536u
#define CM_MAX_MEMORIES (1u << 30)
#define CM_MAX_M 256u
#define CM_MAX_EF 65536u /* ef_construction, ef_search and a query's ef */
#define CM_MAX_K 16384u
#define CM_MAX_THREADS 1024u
#define CM_MAX_RELATIONSHIPS 4096u
#define CM_MAX_RELATIONSHIPS_BYTES (1u << 20) /* of one memory: the bytes of the ids, and 4 for each */

/* ---- configuration ----------------------------------------------------------------------------------------------------- */

typedef enum cm_metric {
    CM_METRIC_COSINE = 0, /* 1 - a.b / (|a||b|), in [0,2]; a zero vector is at distance 2 from everything */
    CM_METRIC_DOT = 1,    /* 1 - a.b */
    CM_METRIC_L2SQ = 2    /* sum of (a-b)^2 */
} cm_metric_t;

#define CM_NOW INT64_MIN /* "ask the store's clock" */

typedef struct cm_config {
    uint32_t size;              /* sizeof(cm_config_t) */
    uint32_t dimensions;        /* > 0 */
    uint32_t max_memories;      /* > 0 */
    float base_decay_rate;      /* per hour, finite, > 0; used where a memory's own rate is 0 */
    float temporal_weight;      /* [0,1]: share of recency in the score */
    float similarity_threshold; /* (0,1): consolidate absorbs above it */
    uint32_t max_relationships; /* > 0 */
    uint32_t m;                 /* >= 2: links per node on upper levels, 2m on level 0 */
    uint32_t ef_construction;   /* >= m */
    uint32_t ef_search;         /* > 0 */
    cm_metric_t metric;
    uint32_t max_threads;        /* > 0: threads attached at one time */
    uint64_t seed;               /* of the level generator: same seed, same operations in the same order -> same snapshot bytes */
    int64_t (*clock_ms)(void *); /* NULL: the machine's clock */
    void *clock_context;
} cm_config_t;

/* The defaults. dimensions is 768, as the embedding models that agents use most. */
/* clang-format off */
#define CM_CONFIG_INIT                                                                                   \
    {                                                                                                    \
        .size = sizeof(cm_config_t), .dimensions = 768, .max_memories = 100000, .base_decay_rate = 0.1f, \
        .temporal_weight = 0.3f, .similarity_threshold = 0.95f, .max_relationships = 50, .m = 16,        \
        .ef_construction = 200, .ef_search = 50, .metric = CM_METRIC_COSINE, .max_threads = 64,          \
        .seed = 42, .clock_ms = NULL, .clock_context = NULL                                              \
    }
/* clang-format on */

typedef struct cm_store cm_store_t;   /* shared by all threads */
typedef struct cm_thread cm_thread_t; /* one per thread */

/* SETUP. Opens an empty store. On failure *out is NULL and *error (may be NULL) says which rule was broken. */
CM_API cm_status_t cm_open(const cm_config_t *config, cm_store_t **out, cm_error_t *error);

/* SETUP. Frees everything. CM_E_BUSY while threads are attached; NULL is allowed. */
CM_API cm_status_t cm_close(cm_store_t *store);

/* SETUP. A thread calls attach once before its first operation and detach after its last. CM_E_THREADS beyond max_threads. */
CM_API cm_status_t cm_attach(cm_store_t *store, cm_thread_t **out);
CM_API void cm_detach(cm_thread_t *thread);

/* SETUP. Gives back what a thread held that no longer runs and never will (a terminated Web Worker). `slot` is cm_thread_slot() of
 * the dead thread. Natively with liburcu: CM_E_ARGUMENT. */
CM_API cm_status_t cm_thread_abandon(cm_store_t *store, uint32_t slot);
CM_API uint32_t cm_thread_slot(const cm_thread_t *thread);

/* The message of this thread's last failed call, "" when none failed. Valid until its next call. */
CM_API const char *cm_message(const cm_thread_t *thread);

/* The configuration in force (after load: the snapshot's). */
CM_API void cm_config_of(const cm_store_t *store, cm_config_t *out);

/* ---- memories ---------------------------------------------------------------------------------------------------------- */

typedef struct cm_memory {
    uint32_t size;                 /* sizeof(cm_memory_t) */
    uint32_t dimensions;           /* of vector */
    cm_str_t id;                   /* 1 .. CM_MAX_ID_BYTES bytes */
    const float *vector;           /* finite; returned bit for bit */
    cm_str_t context;              /* 1 .. CM_MAX_CONTEXT_BYTES bytes */
    const cm_str_t *relationships; /* ids, need not exist; duplicates are dropped, the first max_relationships are kept */
    uint32_t n_relationships;
    float importance;      /* [0,1] */
    float decay_rate;      /* per hour, finite, >= 0; 0 = the store's base_decay_rate */
    uint32_t access_count; /* out only */
    int64_t created_ms;    /* CM_NOW */
    int64_t accessed_ms;   /* out only: the last access(), at first created_ms */
    cm_str_t text;         /* optional payload */
    cm_str_t metadata;     /* optional payload: bytes that the store never looks into (JSON, for the CLI and TypeScript) */
} cm_memory_t;

/* clang-format off */
#define CM_MEMORY_INIT                                                                              \
    {                                                                                               \
        .size = sizeof(cm_memory_t), .context = {"default", 7}, .importance = 0.5f, .created_ms = CM_NOW \
    }
/* clang-format on */

/* Inserts, or replaces the memory of the same id; then the old relationships follow the new ones (deduplicated, capped).
 * Lock-free. A search that began before may miss it. CM_E_DIMENSION, CM_E_NOT_FINITE, CM_E_ID, CM_E_RANGE, CM_E_UTF8,
 * CM_E_TOO_LARGE, CM_E_CAPACITY, CM_E_INDEX_FULL, CM_E_NO_MEMORY. */
CM_API cm_status_t cm_insert(cm_thread_t *thread, const cm_memory_t *memory);

/* Lock-free. CM_E_NOT_FOUND. */
CM_API cm_status_t cm_remove(cm_thread_t *thread, cm_str_t id);

/* Copies a memory. The struct's pointers point into `buffer` (aligned to 8 bytes by the caller). *needed (may be NULL) is the size that the
 * copy takes; when it exceeds `capacity`: CM_E_BUFFER, call again. Wait-free. CM_E_NOT_FOUND. */
CM_API cm_status_t cm_get(cm_thread_t *thread, cm_str_t id, cm_memory_t *out, void *buffer, size_t capacity, size_t *needed);

/* As cm_get, and counts the access: access_count + 1, accessed_ms = now_ms (or CM_NOW). Lock-free. */
CM_API cm_status_t cm_access(cm_thread_t *thread, cm_str_t id, int64_t now_ms, cm_memory_t *out, void *buffer, size_t capacity,
                             size_t *needed);

/* Wait-free. False also for an id that cannot exist. */
CM_API bool cm_contains(cm_thread_t *thread, cm_str_t id);

/* Memories in the store. Wait-free. */
CM_API uint64_t cm_len(const cm_store_t *store);

/* ---- search ------------------------------------------------------------------------------------------------------------ */

typedef struct cm_search {
    uint32_t size;         /* sizeof(cm_search_t) */
    uint32_t k;            /* 1 .. CM_MAX_K */
    uint32_t ef;           /* 0: the store's ef_search; at most CM_MAX_EF. The pool is max(ef, 3k) */
    float temporal_weight; /* [0,1]; negative: the store's */
    int64_t now_ms;        /* CM_NOW */
    cm_str_t context;      /* len 0: all contexts */
} cm_search_t;

/* clang-format off */
#define CM_SEARCH_INIT                                                                     \
    {                                                                                      \
        .size = sizeof(cm_search_t), .k = 10, .ef = 0, .temporal_weight = -1.0f, .now_ms = CM_NOW \
    }
/* clang-format on */

/* 40 bytes, the same on every target, so that JavaScript reads hits as one typed array. */
typedef struct cm_hit {
    uint32_t slot; /* with generation: a handle for cm_get_hit() */
    uint32_t generation;
    float score;    /* (1-w) * distance/2 + w * recency; lower is better */
    float distance; /* under the store's metric */
    float recency;  /* 1 - exp(-rate * age in hours): 0 is fresh, 1 is old; a future timestamp counts as age 0 */
    float importance;
    int64_t created_ms;
    uint32_t access_count;
    uint32_t reserved;
} cm_hit_t;

/* The k best by score among the max(ef, 3k) nearest by distance, best first. `hits` has room for options->k. Wait-free.
 * CM_E_DIMENSION, CM_E_NOT_FINITE, CM_E_RANGE (k = 0), CM_E_UTF8. options may be NULL (the defaults). */
CM_API cm_status_t cm_search(cm_thread_t *thread, const float *vector, uint32_t dimensions, const cm_search_t *options, cm_hit_t *hits,
                             size_t *n_hits);

/* The memory behind a hit. As cm_get; CM_E_STALE when it was replaced or removed meanwhile. */
CM_API cm_status_t cm_get_hit(cm_thread_t *thread, uint32_t slot, uint32_t generation, cm_memory_t *out, void *buffer, size_t capacity,
                              size_t *needed);

/* Distances computed by this thread's last cm_search. */
CM_API uint64_t cm_last_distances(const cm_thread_t *thread);

/* ---- looking at the whole store ---------------------------------------------------------------------------------------- */

/* Iteration: start with cursor 0; each call copies one memory (as cm_get) and advances; CM_END after the last. With CM_E_BUFFER the cursor
 * stays. Weakly consistent: a memory that exists throughout is seen exactly once. Each call is wait-free. */
CM_API cm_status_t cm_next(cm_thread_t *thread, uint64_t *cursor, cm_memory_t *out, void *buffer, size_t capacity, size_t *needed);

typedef struct cm_stats {
    uint64_t n_memories;
    uint64_t n_components; /* n_memories * dimensions */
    uint64_t max_memories;
    uint64_t n_contexts;       /* with at least one memory */
    double average_importance; /* 0 when empty */
    uint64_t n_slots_used;     /* index slots, tombstones included */
    uint64_t n_slots;
    uint64_t bytes_reserved; /* from the machine, for everything in this store */
    uint64_t bytes_vectors;  /* of n_slots_used */
    uint64_t bytes_index;    /* links, levels, states of n_slots_used */
    uint64_t bytes_records;  /* attributes and id map entries */
    uint64_t bytes_blocks;   /* ids, relationships, payloads */
    uint64_t n_retired;      /* waiting for a grace period */
} cm_stats_t;

/* Wait-free (a scan of all records). */
CM_API cm_status_t cm_stats(cm_thread_t *thread, cm_stats_t *out);

typedef struct cm_context_stat {
    cm_str_t context;
    uint64_t n_memories;
} cm_context_stat_t;

/* Contexts that hold memories, one per call, in the order in which they first appeared; cursor and CM_END as in cm_next. */
CM_API cm_status_t cm_next_context(cm_thread_t *thread, uint64_t *cursor, cm_context_stat_t *out, void *buffer, size_t capacity,
                                   size_t *needed);

typedef struct cm_reference {
    cm_str_t id;
    uint64_t n_references; /* memories whose relationships name it; it need not exist */
} cm_reference_t;

/* The n most referenced ids, count descending, then id ascending (by bytes). Strings point into `buffer`. Takes scratch pages from the
 * machine for its duration. CM_E_BUFFER, CM_E_NO_MEMORY. */
CM_API cm_status_t cm_top_references(cm_thread_t *thread, uint32_t n, cm_reference_t *out, uint32_t *n_out, void *buffer, size_t capacity,
                                     size_t *needed);

/* Walks everything and reports the first violated invariant as CM_E_INVARIANT with a message. Only conclusive while nobody writes. SETUP:
 * takes scratch pages. *report may be NULL. */
typedef struct cm_check_report {
    uint64_t n_live; /* nodes */
    uint64_t n_dead; /* tombstones */
    uint64_t n_links;
    uint64_t n_unreachable; /* live nodes that no path from the entry point reaches: must be 0 */
    uint32_t top_level;
    uint32_t reserved;
} cm_check_report_t;
CM_API cm_status_t cm_check(cm_thread_t *thread, cm_check_report_t *report);

/* ---- snapshots --------------------------------------------------------------------------------------------------------- */

/* Bytes leave through a sink and come from a source; 0 = success, anything else ends the call with CM_E_IO and that number in the message. */
typedef struct cm_sink {
    void *context;
    int (*write)(void *context, const void *bytes, size_t n_bytes); /* called in order, no seeking */
} cm_sink_t;

typedef struct cm_source {
    void *context;
    uint64_t n_bytes;
    int (*read)(void *context, uint64_t offset, void *bytes, size_t n_bytes); /* all or nothing */
} cm_source_t;

typedef struct cm_load_options {
    uint32_t size;         /* sizeof(cm_load_options_t) */
    uint32_t max_memories; /* 0: the snapshot's; else it must hold the snapshot's memories */
    uint32_t max_threads;  /* 0: 64 */
    int64_t (*clock_ms)(void *);
    void *clock_context;
} cm_load_options_t;

#define CM_LOAD_INIT {.size = sizeof(cm_load_options_t)}

/* Writes a snapshot (docs/FORMAT.md). Runs while others read and write: it holds each memory that existed throughout, once. */
CM_API cm_status_t cm_save(cm_thread_t *thread, const cm_sink_t *sink);

/* SETUP. A new store from a snapshot; trusts nothing. On failure *out is NULL: CM_E_NOT_SNAPSHOT, CM_E_VERSION, CM_E_CORRUPT (with section
 * and offset), CM_E_IO, CM_E_CAPACITY, CM_E_NO_MEMORY. options may be NULL. */
CM_API cm_status_t cm_load(const cm_source_t *source, const cm_load_options_t *options, cm_store_t **out, cm_error_t *error);

/* The same over a file (native builds). Saving replaces the file atomically: whatever goes wrong, the old one survives. */
CM_API cm_status_t cm_save_file(cm_thread_t *thread, const char *path);
CM_API cm_status_t cm_load_file(const char *path, const cm_load_options_t *options, cm_store_t **out, cm_error_t *error);

/* ---- the bare index ---------------------------------------------------------------------------------------------------- */

/* Vectors in, nearest ids out; no ids of your own, no time. Four implementations of one contract: the lock-free graph, the same algorithm behind one
 * rwlock and in 16 locked shards (to compare with), and brute force (the oracle). */
typedef enum cm_index_kind { CM_INDEX_LOCKFREE = 0, CM_INDEX_RWLOCK = 1, CM_INDEX_SHARDED = 2, CM_INDEX_BRUTE = 3 } cm_index_kind_t;

typedef struct cm_index_config {
    uint32_t size;
    cm_index_kind_t kind;
    uint32_t dimensions;
    uint32_t capacity; /* vectors, removed ones included */
    cm_metric_t metric;
    uint32_t m;
    uint32_t ef_construction;
    uint32_t max_threads;
    uint64_t seed;
} cm_index_config_t;

/* clang-format off */
#define CM_INDEX_CONFIG_INIT                                                                                                \
    {                                                                                                                       \
        .size = sizeof(cm_index_config_t), .kind = CM_INDEX_LOCKFREE, .dimensions = 768, .capacity = 100000,                \
        .metric = CM_METRIC_COSINE, .m = 16, .ef_construction = 200, .max_threads = 64, .seed = 42                          \
    }
/* clang-format on */

typedef struct cm_index cm_index_t;
typedef struct cm_index_thread cm_index_thread_t;

typedef struct cm_neighbor {
    uint32_t id;
    float distance;
} cm_neighbor_t;

CM_API cm_status_t cm_index_open(const cm_index_config_t *config, cm_index_t **out, cm_error_t *error); /* SETUP */
CM_API cm_status_t cm_index_close(cm_index_t *index);                                                   /* SETUP */
CM_API cm_status_t cm_index_attach(cm_index_t *index, cm_index_thread_t **out);                         /* SETUP */
CM_API void cm_index_detach(cm_index_thread_t *thread);                                                 /* SETUP */

/* Ids are handed out by the index, below `capacity`. */
CM_API cm_status_t cm_index_insert(cm_index_thread_t *thread, const float *vector, uint32_t dimensions, uint32_t *id);
CM_API cm_status_t cm_index_remove(cm_index_thread_t *thread, uint32_t id);

/* The k nearest live vectors, nearest first; ef is raised to k. `out` has room for k. Brute force ignores ef. */
CM_API cm_status_t cm_index_search(cm_index_thread_t *thread, const float *vector, uint32_t dimensions, uint32_t k, uint32_t ef,
                                   cm_neighbor_t *out, size_t *n_out);
CM_API uint64_t cm_index_len(const cm_index_t *index);
CM_API cm_status_t cm_index_check(cm_index_thread_t *thread, cm_check_report_t *report);
CM_API const char *cm_index_message(const cm_index_thread_t *thread);

/* Distances computed by this thread since it attached, and bytes that the index takes from the machine per its use. */
CM_API uint64_t cm_index_distances(const cm_index_thread_t *thread);
CM_API uint64_t cm_index_bytes(const cm_index_t *index);

/* ---- kernels ----------------------------------------------------------------------------------------------------------- */

/* The instruction set the distance kernels run on: "avx512", "avx2", "sse2", "neon", "simd128" or "scalar". The environment variable CHRONOMIND_ISA
 * (read once, natively) picks a lower one. Results are the same bits on all of them. */
CM_API const char *cm_isa(void);

/* "urcu" or "own". */
CM_API const char *cm_epoch_name(void);

#ifdef __cplusplus
}
#endif
#endif
