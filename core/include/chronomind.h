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
 *   - Strings are pointer + length, UTF-8, without terminator. Nothing given to a call is kept after it returns, but for what
 *     cm_config_t says: the callbacks, their contexts, and spill_folder.
 *   - Results are copied into the caller's buffers; nothing returned points into the store.
 *   - Times are milliseconds since the Unix epoch. CM_NOW asks the store's clock.
 *   - No call below takes a lock or calls malloc, except those marked SETUP, and cm_index_*() of the kinds that are there to be
 *     compared with (CM_INDEX_RWLOCK, CM_INDEX_SHARDED), which lock.
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
    X(CM_E_CLOSED, -22, "the store is closed")                                           \
    X(CM_E_CANCELLED, -23, "the caller's callback asked to stop")
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
    CM_METRIC_L2SQ = 2,   /* sum of (a-b)^2 */
    CM_METRIC_CUSTOM = 3  /* cm_config_t.custom */
} cm_metric_t;

/* How vectors are kept. A snapshot says which. Results are the same bits on every machine, whatever is chosen.
 *   bf16  rounded to 16 bits (8 of them precision): half the memory and half the snapshot. get returns what is stored.
 *   i8    as given, and besides in codes of 8 bits, which inserts and nearest-neighbour searches walk over: a quarter more memory, of which they touch a fifth.
 *         What a search found is rescored with the vectors as given, so that distances and scores are exact. Searches with a temporal weight, filters
 *         that scan, and consolidation read the vectors as given. With spill_folder the vectors as given are in a file, and codes, a quarter of them, in memory. */
typedef enum cm_vectors {
    CM_VECTORS_F32 = 0, /* as given: 4 bytes per component */
    CM_VECTORS_BF16 = 1,
    CM_VECTORS_I8 = 2
} cm_vectors_t;

/* A metric of your own, as a pair of functions. Both are called from any thread and at any time, take no lock, and give the same result for the same
 * arguments. A snapshot holds the fact that the metric is custom, not the functions: pass them to cm_load again. */
typedef struct cm_custom_metric {
    /* A number that depends on one vector alone (its norm, say), computed once when a vector is inserted and once per query. May be NULL: 0. */
    float (*prepare)(void *context, const float *vector, uint32_t dimensions);
    /* The distance: symmetric, at least 0, smaller is nearer; a NaN counts as the farthest. a_prepared and b_prepared are what prepare() gave. The score takes
     * distance/2, so a range of [0,2] weighs it like cosine. */
    float (*distance)(void *context, const float *a, float a_prepared, const float *b, float b_prepared, uint32_t dimensions);
    void *context;
} cm_custom_metric_t;

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
    uint32_t ef_search;         /* > 0: see ef in cm_search_t */
    cm_metric_t metric;
    cm_vectors_t vectors;        /* bf16 and i8: not with a custom metric */
    uint32_t max_threads;        /* > 0: threads attached at one time */
    uint64_t seed;               /* of the level generator: same seed, same operations in the same order -> same snapshot bytes */
    int64_t (*clock_ms)(void *); /* NULL: the machine's clock */
    void *clock_context;
    cm_custom_metric_t custom; /* with CM_METRIC_CUSTOM: distance is needed. Not used otherwise */
    /* Vectors as given are kept in a file in this folder, which grows as they come, and the machine keeps in memory what of it is in use: for stores larger
     * than memory, best with CM_VECTORS_I8, whose searches by distance read 2 k + 16 of its rows. NULL: in memory. The file has no name and goes with the store; snapshots do not depend on it. The
     * string must live as long as the store. A disk that cannot read back what it was given ends the process (SIGBUS), as with any mapped file; one that is full is
     * CM_E_NO_MEMORY. Not across fork(). Native builds: CM_E_IO elsewhere, and for a folder in which no file can be made. */
    const char *spill_folder;
} cm_config_t;

/* The defaults. dimensions is 768, as the embedding models that agents use most. */
/* clang-format off */
#define CM_CONFIG_INIT                                                                                   \
    {                                                                                                    \
        .size = sizeof(cm_config_t), .dimensions = 768, .max_memories = 100000, .base_decay_rate = 0.1f, \
        .temporal_weight = 0.3f, .similarity_threshold = 0.95f, .max_relationships = 50, .m = 16,        \
        .ef_construction = 200, .ef_search = 50, .metric = CM_METRIC_COSINE, .vectors = CM_VECTORS_F32,  \
        .max_threads = 64, .seed = 42, .clock_ms = NULL, .clock_context = NULL, .custom = {NULL, NULL, NULL},               \
        .spill_folder = NULL                                                                                                \
    }
/* clang-format on */

typedef struct cm_store cm_store_t;   /* shared by all threads */
typedef struct cm_thread cm_thread_t; /* one per thread */

/* SETUP. Opens an empty store. On failure *out is NULL and *error (may be NULL) says which rule was broken. CM_E_CONFIG, CM_E_NO_MEMORY, CM_E_IO (spill_folder). */
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
    const float *vector;           /* finite; returned bit for bit (with CM_VECTORS_BF16: rounded) */
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

/* Inserts, or replaces the memory of the same id; then the old relationships follow the new ones (deduplicated, capped). None is lost, but
 * one that is added while the replacement happens may be missing for the moment until it is taken over. Lock-free. A search that began
 * before may miss the memory. CM_E_DIMENSION, CM_E_NOT_FINITE, CM_E_ID, CM_E_RANGE, CM_E_UTF8, CM_E_TOO_LARGE, CM_E_CAPACITY,
 * CM_E_INDEX_FULL, CM_E_NO_MEMORY. */
CM_API cm_status_t cm_insert(cm_thread_t *thread, const cm_memory_t *memory);

typedef struct cm_batch {
    uint32_t size; /* sizeof(cm_batch_t) */
    /* That work on it, the caller included. 0: as many as there are processors. Fewer, where the machine or max_threads gives no more. */
    uint32_t threads;
    /* NULL, or called now and then on the calling thread with the share of the batch that is there, in [0,1]; false stops: CM_E_CANCELLED */
    bool (*progress)(void *context, double done);
    void *progress_context;
} cm_batch_t;

#define CM_BATCH_INIT {.size = sizeof(cm_batch_t)}

/* SETUP, and native builds only. Inserts n memories as if by cm_insert(), one after the other, with all processors: ids that come twice, or are there already, are replaced in order. All are checked
 * first (an error names the element: "memories[17]: ..."), and nothing is inserted if one is wrong. They come into existence in order, by rounds of up to 32,768; whatever ends the batch early,
 * the first *n_done of them (may be NULL) are there, whole, and no others. Unless somebody else writes meanwhile, which is allowed, the same memories give the same snapshot bytes
 * for any number of threads (not the bytes that single inserts give). Takes scratch pages: some 300 bytes per memory of a round, and for the time of the batch dimensions + 8 bytes per memory
 * of the store, unless that has codes or is more than 32 times as large as the batch; without memory for these it is slower, and gives other bytes. What others free meanwhile is given
 * back after the round. It starts threads, which wait for each other; nobody else waits for them. options may be NULL. What cm_insert() says, and CM_E_CANCELLED, CM_E_BUSY
 * (from inside a callback). */
CM_API cm_status_t cm_insert_batch(cm_thread_t *thread, const cm_memory_t *memories, size_t n, const cm_batch_t *options, size_t *n_done);

/* Lock-free. CM_E_NOT_FOUND; CM_E_NO_MEMORY, where there is none to note down what to free. */
CM_API cm_status_t cm_remove(cm_thread_t *thread, cm_str_t id);

/* Copies a memory. The struct's pointers point into `buffer` (aligned to 8 bytes by the caller). *needed (may be NULL) is the size that the
 * copy takes; when it exceeds `capacity`: CM_E_BUFFER, call again. Wait-free. CM_E_NOT_FOUND. */
CM_API cm_status_t cm_get(cm_thread_t *thread, cm_str_t id, cm_memory_t *out, void *buffer, size_t capacity, size_t *needed);

/* As cm_get, and counts the access: access_count + 1, accessed_ms = now_ms (or CM_NOW). Lock-free. */
CM_API cm_status_t cm_access(cm_thread_t *thread, cm_str_t id, int64_t now_ms, cm_memory_t *out, void *buffer, size_t capacity,
                             size_t *needed);

/* Attributes that cm_update() changes: its `fields` is the sum of those wanted. */
#define CM_UPDATE_IMPORTANCE 1u
#define CM_UPDATE_DECAY_RATE 2u
#define CM_UPDATE_CONTEXT 4u
#define CM_UPDATE_TEXT 8u
#define CM_UPDATE_METADATA 16u

typedef struct cm_update {
    uint32_t size;     /* sizeof(cm_update_t) */
    uint32_t fields;   /* CM_UPDATE_*, at least one */
    float importance;  /* [0,1]; decays from now_ms on */
    float decay_rate;  /* per hour, finite, >= 0; 0 = the store's base_decay_rate */
    cm_str_t context;  /* 1 .. CM_MAX_CONTEXT_BYTES bytes */
    cm_str_t text;     /* "" drops it */
    cm_str_t metadata; /* "" drops it */
    int64_t now_ms;    /* CM_NOW */
} cm_update_t;

#define CM_UPDATE_INIT {.size = sizeof(cm_update_t), .now_ms = CM_NOW}

/* Changes attributes of a memory in place: vector, id, timestamp, relationships and handle stay. Everything is checked first; then each
 * attribute changes atomically (text and metadata as one), so that a reader may see some of them changed before the others. When the memory
 * is replaced or removed meanwhile, the call may have changed the old one, which a get that began before may still show; so may a call that
 * answers CM_E_NOT_FOUND. Lock-free. CM_E_NOT_FOUND, CM_E_ARGUMENT (no or unknown fields), CM_E_RANGE, CM_E_UTF8, CM_E_TOO_LARGE,
 * CM_E_INDEX_FULL, CM_E_NO_MEMORY. */
CM_API cm_status_t cm_update(cm_thread_t *thread, cm_str_t id, const cm_update_t *update);

/* Adds `to`, which need not exist, behind the relationships of `id`; already there: CM_OK. Never lost to a replacement of `id` that happens meanwhile. Lock-free.
 * CM_E_NOT_FOUND (id), CM_E_ID, CM_E_TOO_LARGE (max_relationships, or CM_MAX_RELATIONSHIPS_BYTES, are there already), CM_E_NO_MEMORY. */
CM_API cm_status_t cm_relate(cm_thread_t *thread, cm_str_t id, cm_str_t to);

/* Takes `to` off the relationships of `id`; not there: CM_OK. Lock-free. CM_E_NOT_FOUND (id), CM_E_ID, CM_E_NO_MEMORY. */
CM_API cm_status_t cm_unrelate(cm_thread_t *thread, cm_str_t id, cm_str_t to);

/* Importance fades: importance *= exp(-rate * hours since the later of the last access and the last sweep), for every memory, up to now_ms (or CM_NOW). Each interval
 * is applied once, however often the sweep runs and however many run at a time: whoever moves a memory's high-water mark by a CAS applies the interval.
 * *n_decayed (may be NULL): memories whose mark moved. Lock-free. */
CM_API cm_status_t cm_apply_decay(cm_thread_t *thread, int64_t now_ms, uint64_t *n_decayed);

/* Wait-free. False also for an id that cannot exist. */
CM_API bool cm_contains(cm_thread_t *thread, cm_str_t id);

/* Memories in the store. Wait-free. */
CM_API uint64_t cm_len(const cm_store_t *store);

/* ---- search ------------------------------------------------------------------------------------------------------------ */

typedef enum cm_search_mode {
    /* The true k best by score. Two streams, nearest first out of the graph and freshest first out of the recency index, until nothing unseen by both can be better;
     * small stores and narrow filters are scanned instead. */
    CM_SEARCH_BEST = 0,
    /* The method of the original, to compare with: the max(ef, 3k) nearest by distance, ranked by score. A fresh memory that is farther away is not seen. */
    CM_SEARCH_RERANK = 1,
    /* Every memory that passes the filters is scored: no graph, bound 0. */
    CM_SEARCH_EXACT = 2
} cm_search_mode_t;

/* What a filter of the caller is shown. Strings point into the store and are gone after the callback. */
typedef struct cm_candidate {
    uint32_t slot, generation; /* for cm_get_hit(), after the search */
    cm_str_t id, context, text, metadata;
    float importance;
    uint32_t access_count;
    int64_t created_ms, accessed_ms;
} cm_candidate_t;

/* True for memories that may be hits. Called on the searching thread, perhaps several times for one memory; must give the same answer each time, take no lock, and not use
 * the thread (CM_E_BUSY). */
typedef bool cm_filter_t(void *context, const cm_candidate_t *candidate);

typedef struct cm_search {
    uint32_t size; /* sizeof(cm_search_t) */
    uint32_t k;    /* 1 .. CM_MAX_K */
    /* 0: the store's ef_search; at most CM_MAX_EF. Where the graph is searched: how many of the nearest it looks at. max(ef, 3k) at first; at temporal weight 0 max(ef, k) on average, a
     * quarter of it where few are nearly as near as the k-th and up to four times as many in a crowd (inner products and custom metrics: always ef) */
    uint32_t ef;
    float temporal_weight; /* [0,1]; negative: the store's */
    int64_t now_ms;        /* CM_NOW */
    cm_str_t context;      /* len 0: all contexts */
    cm_search_mode_t mode;
    uint32_t
        budget; /* most distances to compute, roughly; 0: as many as it takes. When they are used up the report's bounds say what may be missing */
    float min_importance;      /* [0,1] */
    float max_importance;      /* [0,1] */
    int64_t created_after_ms;  /* created_ms >= this; INT64_MIN: no limit */
    int64_t created_before_ms; /* created_ms < this; INT64_MAX: no limit */
    cm_filter_t *filter;       /* NULL: none */
    void *filter_context;
} cm_search_t;

/* clang-format off */
#define CM_SEARCH_INIT                                                                                                     \
    {                                                                                                                      \
        .size = sizeof(cm_search_t), .k = 10, .ef = 0, .temporal_weight = -1.0f, .now_ms = CM_NOW, .mode = CM_SEARCH_BEST, \
        .budget = 0, .min_importance = 0.0f, .max_importance = 1.0f, .created_after_ms = INT64_MIN,                        \
        .created_before_ms = INT64_MAX, .filter = NULL, .filter_context = NULL                                             \
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

/* The k best by score that pass every filter, best first. `hits` has room for options->k. Fewer come back only where fewer pass. Wait-free.
 * CM_E_DIMENSION, CM_E_NOT_FINITE, CM_E_RANGE, CM_E_UTF8, CM_E_BUSY (from inside a filter). options may be NULL (the defaults). */
CM_API cm_status_t cm_search(cm_thread_t *thread, const float *vector, uint32_t dimensions, const cm_search_t *options, cm_hit_t *hits,
                             size_t *n_hits);

typedef enum cm_strategy {
    CM_STRATEGY_NONE = 0,    /* nothing to search: an empty store, an unknown context */
    CM_STRATEGY_GRAPH = 1,   /* the graph alone */
    CM_STRATEGY_STREAMS = 2, /* graph and recency index */
    CM_STRATEGY_SCAN = 3     /* every memory that may pass the filters */
} cm_strategy_t;

/* What a search did, and how far its answer can be trusted. */
typedef struct cm_search_report {
    double
        bound; /* The certificate: no memory outside the hits has a score below that of the last hit minus bound. 0: the answer is exact. Holds whatever the graph
                         * missed. Infinite where fewer than k were found without seeing everything, and for dot products that were not scanned */
    double
        graph_bound; /* the same, if the graph gave every memory within its horizon: 0 unless the budget ended the search, or only the graph was asked (rerank, weight 0) */
    uint64_t n_distances;         /* computed, all told */
    uint64_t n_recency_distances; /* of these, for memories out of the recency index */
    float temporal_weight;        /* in force */
    uint32_t ef;                  /* the last width of the pool; 0 where the graph was not asked */
    int64_t now_ms;               /* in force */
    cm_strategy_t strategy;
    uint32_t reserved;
} cm_search_report_t;

/* Of this thread's last cm_search. */
CM_API void cm_last_search(const cm_thread_t *thread, cm_search_report_t *out);

/* Why a hit scores as it does: score = distance_part + recency_part. */
typedef struct cm_why {
    double distance_part; /* (1-w) * distance/2 */
    double recency_part;  /* w * recency */
    double age_hours;     /* 0 for a timestamp in the future */
} cm_why_t;
CM_API void cm_explain(const cm_search_report_t *report, const cm_hit_t *hit, cm_why_t *out);

/* The memory behind a hit. As cm_get; CM_E_STALE when it was replaced or removed meanwhile. */
CM_API cm_status_t cm_get_hit(cm_thread_t *thread, uint32_t slot, uint32_t generation, cm_memory_t *out, void *buffer, size_t capacity,
                              size_t *needed);

/* ---- relationships, contexts, consolidation ------------------------------------------------------------------------------- */

typedef struct cm_related {
    uint32_t slot, generation; /* a handle for cm_get_hit() */
    uint32_t depth;            /* relationships away from the start: 1 .. */
    uint32_t reserved;
} cm_related_t;

/* The memories that relationships lead to from `id`, at most `depth` steps away, breadth first in the order of the lists; the start is left out, each memory comes once, ids that do
 * not exist are passed over. *n is how many there are; more than `capacity`: CM_E_BUFFER, call again (out may be NULL with capacity 0). Takes scratch pages from the machine
 * for its duration. CM_E_NOT_FOUND, CM_E_BUFFER, CM_E_NO_MEMORY. */
CM_API cm_status_t cm_related(cm_thread_t *thread, cm_str_t id, uint32_t depth, cm_related_t *out, uint32_t capacity, uint32_t *n);

typedef struct cm_context_summary {
    uint64_t n_memories;
    double average_importance; /* 0 when empty */
} cm_context_summary_t;

/* Count, mean importance and component-wise mean vector (zeros when empty) of a context; one that nobody used is empty. `mean` has room for `dimensions` floats, or is NULL.
 * Wait-free (a scan of the context); takes scratch pages. CM_E_DIMENSION, CM_E_RANGE, CM_E_UTF8, CM_E_TOO_LARGE, CM_E_NO_MEMORY. */
CM_API cm_status_t cm_context_summary(cm_thread_t *thread, cm_str_t context, cm_context_summary_t *out, float *mean, uint32_t dimensions);

typedef struct cm_consolidate {
    uint32_t size;              /* sizeof(cm_consolidate_t) */
    float similarity_threshold; /* (0,1); 0: the store's */
    /* NULL, or called now and then with the share of the work that is done, in [0,1]; false stops: what was absorbed stays absorbed, CM_E_CANCELLED */
    bool (*progress)(void *context, double done);
    void *progress_context;
} cm_consolidate_t;

#define CM_CONSOLIDATE_INIT {.size = sizeof(cm_consolidate_t)}

/* Merges near-duplicates: pairs whose cosine similarity is above the threshold. Memories come in order of importance descending, created_ms ascending, id ascending; each that is not
 * yet absorbed absorbs every other that is not yet absorbed and similar enough: its relationships follow (deduplicated, capped, never to itself), the importance is the higher
 * one, and the other is removed. Candidates come out of the graph where the metric is cosine, else from comparing all pairs. Runs while others read and write: what is inserted or replaced
 * meanwhile is left alone. At every moment the absorber of a memory that is gone is there, unless somebody removes it. One run at a time: CM_E_BUSY
 * for a second. *n_absorbed may be NULL. Lock-free; takes scratch pages. options may be NULL. CM_E_RANGE, CM_E_BUSY, CM_E_CANCELLED, CM_E_NO_MEMORY. */
CM_API cm_status_t cm_consolidate(cm_thread_t *thread, const cm_consolidate_t *options, uint64_t *n_absorbed);

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
    uint64_t bytes_reserved; /* memory from the machine, for everything in this store */
    uint64_t bytes_vectors;  /* of n_slots_used */
    uint64_t bytes_index;    /* links, levels, states of n_slots_used */
    uint64_t bytes_records;  /* attributes, id map entries, postings */
    uint64_t bytes_blocks;   /* ids, relationships, payloads, and the upper links of postings */
    uint64_t n_retired;      /* waiting for a grace period */
    uint64_t bytes_spilled;  /* of bytes_vectors: in the file in spill_folder, and not in bytes_reserved */
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
    cm_custom_metric_t custom; /* for snapshots whose metric is CM_METRIC_CUSTOM: distance is needed then (CM_E_CONFIG) */
    const char *spill_folder;  /* as in cm_config_t: where a store keeps its vectors is no property of its snapshot */
} cm_load_options_t;

#define CM_LOAD_INIT {.size = sizeof(cm_load_options_t)}

/* Writes a snapshot (docs/FORMAT.md). Runs while others read and write: it holds each memory that existed throughout, once. CM_E_IO, CM_E_NO_MEMORY. */
CM_API cm_status_t cm_save(cm_thread_t *thread, const cm_sink_t *sink);

/* SETUP. A new store from a snapshot; trusts nothing. On failure *out is NULL: CM_E_NOT_SNAPSHOT, CM_E_VERSION, CM_E_CORRUPT (with section
 * and offset), CM_E_IO, CM_E_CAPACITY, CM_E_NO_MEMORY. options may be NULL. */
CM_API cm_status_t cm_load(const cm_source_t *source, const cm_load_options_t *options, cm_store_t **out, cm_error_t *error);

/* The same over a file (native builds). Saving replaces the file atomically: whatever goes wrong, the old one or the new one is there,
 * whole. It is the old one after every error but one: when the file's folder cannot be flushed in the end, the new one is in place, and the
 * message says that it may not survive a loss of power. */
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
    cm_custom_metric_t custom; /* with CM_METRIC_CUSTOM */
    cm_vectors_t vectors;
    const char *spill_folder; /* as in cm_config_t; not with brute force, which keeps its vectors in memory */
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
