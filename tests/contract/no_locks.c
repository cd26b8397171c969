/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * no_locks.c - "no call below takes a lock or calls malloc": counted, not claimed.
 *
 * This program defines the C library's allocator and the locks of pthreads itself; each definition counts a call on the calling thread while that
 * thread is watched, and passes it on. Two threads attach, are watched over 100,000 mixed operations, and detach: the counts must be zero. What they see
 * covers every library in the process (liburcu, libc), because a definition in the program comes first for all of them.
 *
 * Pages are counted apart (mmap, munmap): an open store on a flat address range takes none. In chunks (an address-space limit) growing takes some, one
 * per chunk: printed, and bounded.
 *
 * The allocator belongs to the sanitizers where they are compiled in: there the operations run all the same, and only the counting is left out.
 */
#define _GNU_SOURCE
#include "support/snapshot.h"
#include "support/vectors.h"

#include "plat_thread.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#define SANITIZED \
    (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer) || SANITIZED_BY_GCC)
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED_BY_GCC 1
#else
#define SANITIZED_BY_GCC 0
#endif

/* ---- counting ------------------------------------------------------------------------------------------------------------------------- */

typedef struct counts {
    uint64_t allocations, locks, pages;
    const char *first; /* the first function that was counted as one of the former two */
} counts_t;

/* Volatile, because the compiler knows of malloc that it changes no variable of the program. */
static _Thread_local volatile bool watched;
static _Thread_local volatile counts_t counts;

static void watch(void) {
    counts = (counts_t){0};
    watched = true;
}

static counts_t unwatch(void) {
    watched = false;
    return counts;
}

#if !SANITIZED

static void note(volatile uint64_t *count, const char *name) {
    if (!watched) return;
    if (!counts.first) counts.first = name;
    ++*count;
}

/* The C library's own definition. */
static void *next_definition(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

/* dlsym() may allocate before it has told where the allocator is: from here, never to be freed. */
static char early[8192];
static size_t early_used;

static bool is_early(const void *p) {
    return (const char *)p >= early && (const char *)p < early + sizeof early;
}

static void *early_alloc(size_t n_bytes) {
    void *p = early + early_used;
    early_used += (n_bytes + 15) & ~(size_t)15;
    if (early_used > sizeof early) abort();
    return p;
}

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
} next;

static bool finding_allocator;

static bool have_allocator(void) {
    if (next.aligned_alloc) return true;
    if (finding_allocator) return false;
    finding_allocator = true; /* before main(), one thread */
    next.malloc = (void *(*)(size_t))next_definition("malloc");
    next.calloc = (void *(*)(size_t, size_t))next_definition("calloc");
    next.realloc = (void *(*)(void *, size_t))next_definition("realloc");
    next.free = (void (*)(void *))next_definition("free");
    next.posix_memalign = (int (*)(void **, size_t, size_t))next_definition("posix_memalign");
    next.aligned_alloc = (void *(*)(size_t, size_t))next_definition("aligned_alloc");
    return true;
}

void *malloc(size_t n_bytes) {
    note(&counts.allocations, "malloc");
    return have_allocator() ? next.malloc(n_bytes) : early_alloc(n_bytes);
}
void *calloc(size_t n, size_t n_bytes) {
    note(&counts.allocations, "calloc");
    return have_allocator() ? next.calloc(n, n_bytes) : early_alloc(n * n_bytes);
}
void *realloc(void *p, size_t n_bytes) {
    note(&counts.allocations, "realloc");
    if (have_allocator() && !is_early(p)) return next.realloc(p, n_bytes);
    void *copy = malloc(n_bytes);
    if (copy && p)
        memcpy(copy, p, n_bytes < (size_t)(early + sizeof early - (char *)p) ? n_bytes : (size_t)(early + sizeof early - (char *)p));
    return copy;
}
void free(void *p) {
    if (p) note(&counts.allocations, "free");
    if (!is_early(p) && have_allocator()) next.free(p);
}
int posix_memalign(void **out, size_t alignment, size_t n_bytes) {
    note(&counts.allocations, "posix_memalign");
    return have_allocator() ? next.posix_memalign(out, alignment, n_bytes) : 12;
}
void *aligned_alloc(size_t alignment, size_t n_bytes) {
    note(&counts.allocations, "aligned_alloc");
    return have_allocator() ? next.aligned_alloc(alignment, n_bytes) : NULL;
}

/* A lock of one argument, or two: count, pass on. */
#define LOCK1(name, type)                                                    \
    int name(type *object) {                                                 \
        static int (*passed_on)(type *);                                     \
        note(&counts.locks, #name);                                          \
        if (!passed_on) passed_on = (int (*)(type *))next_definition(#name); \
        return passed_on(object);                                            \
    }
#define LOCK2(name, type, type2)                                                      \
    int name(type *object, type2 *second) {                                           \
        static int (*passed_on)(type *, type2 *);                                     \
        note(&counts.locks, #name);                                                   \
        if (!passed_on) passed_on = (int (*)(type *, type2 *))next_definition(#name); \
        return passed_on(object, second);                                             \
    }

LOCK1(pthread_mutex_lock, pthread_mutex_t)
LOCK1(pthread_mutex_trylock, pthread_mutex_t)
LOCK2(pthread_mutex_timedlock, pthread_mutex_t, const struct timespec)
LOCK1(pthread_rwlock_rdlock, pthread_rwlock_t)
LOCK1(pthread_rwlock_wrlock, pthread_rwlock_t)
LOCK1(pthread_rwlock_tryrdlock, pthread_rwlock_t)
LOCK1(pthread_rwlock_trywrlock, pthread_rwlock_t)
LOCK2(pthread_cond_wait, pthread_cond_t, pthread_mutex_t)
LOCK1(pthread_cond_signal, pthread_cond_t)
LOCK1(pthread_cond_broadcast, pthread_cond_t)
LOCK1(pthread_barrier_wait, pthread_barrier_t)
LOCK1(sem_wait, sem_t)
LOCK1(sem_trywait, sem_t)
LOCK1(sem_post, sem_t)

int pthread_spin_lock(pthread_spinlock_t *lock) {
    static int (*passed_on)(pthread_spinlock_t *);
    note(&counts.locks, "pthread_spin_lock");
    if (!passed_on) passed_on = (int (*)(pthread_spinlock_t *))next_definition("pthread_spin_lock");
    return passed_on(lock);
}

void *mmap(void *address, size_t n_bytes, int protection, int flags, int file, off_t offset) {
    if (watched) counts.pages++;
    return (void *)syscall(SYS_mmap, address, n_bytes, protection, flags, file, offset);
}
int munmap(void *address, size_t n_bytes) {
    if (watched) counts.pages++;
    return (int)syscall(SYS_munmap, address, n_bytes);
}

/* ---- the control: the counters count --------------------------------------------------------------------------------------------------- */

static void *volatile escaped; /* or the compiler removes the pair of malloc and free */

#define COUNTS_ONE(field, ...)                                                                   \
    do {                                                                                         \
        watch();                                                                                 \
        __VA_ARGS__;                                                                             \
        counts_t after = unwatch();                                                              \
        CHECK_MSG(after.field == 1, "%s: counted %" PRIu64 " times", #__VA_ARGS__, after.field); \
    } while (0)

TEST(the_counters_count) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    pthread_spinlock_t spin;
    sem_t semaphore;
    void *p = NULL;
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    sem_init(&semaphore, 0, 1);
    COUNTS_ONE(allocations, escaped = malloc(100));
    COUNTS_ONE(allocations, escaped = realloc(escaped, 1000));
    COUNTS_ONE(allocations, free(escaped));
    COUNTS_ONE(allocations, escaped = calloc(10, 10));
    free(escaped);
    COUNTS_ONE(allocations, CHECK(posix_memalign(&p, 64, 100) == 0));
    free(p);
    COUNTS_ONE(allocations, escaped = aligned_alloc(64, 128));
    free(escaped);
    COUNTS_ONE(allocations, escaped = strdup("through the C library"));
    free(escaped);
    COUNTS_ONE(locks, pthread_mutex_lock(&mutex));
    COUNTS_ONE(locks, pthread_mutex_trylock(&mutex));
    pthread_mutex_unlock(&mutex);
    COUNTS_ONE(locks, pthread_rwlock_rdlock(&rwlock));
    pthread_rwlock_unlock(&rwlock);
    COUNTS_ONE(locks, pthread_rwlock_wrlock(&rwlock));
    pthread_rwlock_unlock(&rwlock);
    COUNTS_ONE(locks, pthread_spin_lock(&spin));
    COUNTS_ONE(locks, pthread_cond_signal(&condition));
    COUNTS_ONE(locks, sem_wait(&semaphore));
    COUNTS_ONE(pages, p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    COUNTS_ONE(pages, munmap(p, 4096));
    free(escaped = malloc(1));
    CHECK_EQ_U64(counts.allocations, 0); /* nobody was watching */
}

/* And through the library: attaching is SETUP, and takes what it needs. */
TEST(setup_is_counted_where_it_is_watched) {
    cm_config_t config = small_config(8);
    cm_store_t *store;
    cm_thread_t *thread;
    watch();
    CHECK_STATUS(cm_open(&config, &store, NULL), CM_OK);
    CHECK_STATUS(cm_attach(store, &thread), CM_OK);
    cm_detach(thread);
    CHECK_STATUS(cm_close(store), CM_OK);
    counts_t after = unwatch();
    CHECK_MSG(after.pages > 5, "%" PRIu64 " calls for pages", after.pages);
    CHECK_MSG(strcmp(cm_epoch_name(), "own") == 0 || after.locks > 0, "liburcu registers threads under its mutex: not seen");
}

#endif

/* ---- 100,000 mixed operations on two threads ---------------------------------------------------------------------------------------------- */

enum { DIM = 16, N_THREADS = 2, OPERATIONS = 50000, IDS = 20000, N_KINDS = 14 };

typedef struct worker {
    cm_store_t *store;
    uint32_t name;
    const float *vectors; /* IDS rows */
    void *buffer;
    counts_t counts;
    uint32_t n_done[N_KINDS], n_bad;
    plat_thread_t *thread;
} worker_t;

static void insert_one(worker_t *w, cm_thread_t *thread, uint32_t number, rng_t *rng) {
    static const char *const contexts[] = {"default", "work", "home", "a context whose name is a little longer than the others"};
    static char text[3000];
    char id[16], names[4][16];
    cm_str_t relationships[4];
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = numbered_id(id, sizeof id, "m", number);
    memory.vector = w->vectors + (size_t)rng_below(rng, IDS) * DIM, memory.dimensions = DIM;
    memory.context = (cm_str_t){contexts[number % 4], strlen(contexts[number % 4])};
    memory.n_relationships = rng_below(rng, 5);
    for (uint32_t i = 0; i < memory.n_relationships; i++)
        relationships[i] = numbered_id(names[i], sizeof names[i], "m", rng_below(rng, IDS));
    memory.relationships = relationships;
    memory.text = (cm_str_t){text, rng_below(rng, 2) ? rng_below(rng, sizeof text) : 0};
    w->n_bad += cm_insert(thread, &memory) != CM_OK;
}

static bool there_or_not(cm_status_t status) {
    return status == CM_OK || status == CM_E_NOT_FOUND;
}

/* Looks at its bytes, as a caller's would. */
static bool is_short(void *context, const cm_candidate_t *candidate) {
    return candidate->text.len < 1000 && candidate->id.len > *(const uint32_t *)context;
}

static void search_one(worker_t *w, cm_thread_t *thread, rng_t *rng) {
    static const uint32_t least_len = 2;
    cm_hit_t hits[10];
    cm_memory_t memory;
    size_t n;
    cm_search_t options = CM_SEARCH_INIT;
    uint32_t filters = rng_below(rng, 2) ? 1 : rng_below(rng, 16);
    options.mode = (cm_search_mode_t)(rng_below(rng, 50) ? rng_below(rng, 2) : CM_SEARCH_EXACT); /* which looks at everything */
    options.temporal_weight = (float)rng_below(rng, 5) / 4;
    if (filters % 3 == 0) options.context = CM_STR("work");
    if (filters & 4) options.min_importance = 0.2f, options.created_after_ms = NOW_MS - 1000000;
    if (filters & 8) options.filter = is_short, options.filter_context = (void *)&least_len;
    w->n_bad += cm_search(thread, w->vectors + (size_t)rng_below(rng, IDS) * DIM, DIM, &options, hits, &n) != CM_OK;
    if (n == 0) return;
    cm_why_t why;
    cm_search_report_t report;
    cm_last_search(thread, &report), cm_explain(&report, &hits[0], &why);
    cm_status_t status = cm_get_hit(thread, hits[n - 1].slot, hits[n - 1].generation, &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL);
    w->n_bad += status != CM_OK && status != CM_E_STALE;
}

static bool there_full_or_not(cm_status_t status) {
    return there_or_not(status) || status == CM_E_TOO_LARGE;
}

static void update_one(worker_t *w, cm_thread_t *thread, cm_str_t name, rng_t *rng) {
    static char text[2000];
    cm_update_t update = CM_UPDATE_INIT;
    update.fields = 1 + rng_below(rng, 31), update.importance = 0.5f, update.decay_rate = (float)rng_below(rng, 3);
    update.context = rng_below(rng, 2) ? CM_STR("work") : CM_STR("another one");
    update.text = (cm_str_t){text, rng_below(rng, sizeof text)}, update.metadata = CM_STR("{}");
    w->n_bad += !there_or_not(cm_update(thread, name, &update));
}

/* These two take scratch pages, by contract: pages are counted apart, and not here. */
static void look_with_pages(cm_thread_t *thread, worker_t *w, cm_str_t name) {
    cm_related_t related[64];
    cm_context_summary_t summary;
    float mean[DIM];
    uint32_t n;
    uint64_t pages = counts.pages;
    cm_status_t status = cm_related(thread, name, 2, related, 64, &n);
    w->n_bad += !there_or_not(status) && status != CM_E_BUFFER;
    w->n_bad += cm_context_summary(thread, CM_STR("home"), &summary, mean, DIM) != CM_OK;
    counts.pages = pages;
}

static void look_around(worker_t *w, cm_thread_t *thread, uint64_t *cursor, uint64_t *context_cursor) {
    cm_memory_t memory;
    cm_context_stat_t context;
    if (cm_next(thread, cursor, &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_END) *cursor = 0;
    if (cm_next_context(thread, context_cursor, &context, w->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_END) *context_cursor = 0;
}

/* Failures have messages, and messages take no memory either. */
static void go_wrong(worker_t *w, cm_thread_t *thread) {
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = CM_STR("no vector");
    w->n_bad += cm_insert(thread, &memory) != CM_E_ARGUMENT;
    w->n_bad += cm_remove(thread, CM_STR("nobody")) != CM_E_NOT_FOUND || cm_message(thread)[0] == 0;
}

static void operate(worker_t *w, cm_thread_t *thread) {
    rng_t rng = rng_seed(w->name);
    uint64_t cursor = 0, context_cursor = 0;
    cm_memory_t memory;
    cm_stats_t stats;
    char id[16], to[16];
    for (uint32_t i = 0; i < (SANITIZED ? OPERATIONS / 8 : OPERATIONS); i++) { /* which takes minutes there */
        uint32_t dice = rng_below(&rng, 100), number = rng_below(&rng, IDS), kind;
        cm_str_t name = numbered_id(id, sizeof id, "m", number);
        if (dice < 26) kind = 0, insert_one(w, thread, number, &rng);
        else if (dice < 33) kind = 1, w->n_bad += !there_or_not(cm_remove(thread, name));
        else if (dice < 40) kind = 2, w->n_bad += !there_or_not(cm_get(thread, name, &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL));
        else if (dice < 47)
            kind = 3, w->n_bad += !there_or_not(cm_access(thread, name, NOW_MS + i, &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL));
        else if (dice < 60) kind = 4, search_one(w, thread, &rng);
        else if (dice < 73) kind = 5, look_around(w, thread, &cursor, &context_cursor);
        else if (dice < 76) kind = 6, go_wrong(w, thread);
        else if (dice < 79) kind = 7, (void)cm_contains(thread, name);
        else if (dice < 80) kind = 8, w->n_bad += cm_stats(thread, &stats) != CM_OK;
        else if (dice < 88) kind = 9, update_one(w, thread, name, &rng);
        else if (dice < 94)
            kind = 10, w->n_bad += !there_full_or_not(cm_relate(thread, name, numbered_id(to, sizeof to, "m", rng_below(&rng, IDS))));
        else if (dice < 97)
            kind = 11, w->n_bad += !there_or_not(cm_unrelate(thread, name, numbered_id(to, sizeof to, "m", rng_below(&rng, 40))));
        else if (dice == 97 && number % 4 == 0) kind = 12, w->n_bad += cm_apply_decay(thread, NOW_MS + i, NULL) != CM_OK;
        else if (dice == 98 && number % 4 == 0) kind = 13, look_with_pages(thread, w, name);
        else kind = 7, (void)cm_contains(thread, name);
        w->n_done[kind]++;
    }
}

static void work(void *argument) {
    worker_t *w = argument;
    cm_thread_t *thread;
    if (cm_attach(w->store, &thread) != CM_OK) {
        w->n_bad++;
        return;
    }
    watch();
    operate(w, thread);
    w->counts = unwatch();
    cm_detach(thread);
}

/* Returns the page calls of both threads. */
static uint64_t run_mixed_operations(void) {
    cm_config_t config = small_config(DIM);
    config.max_memories = 40000; /* slots for every insert */
    fixture_t f = fixture_open(&config);
    rng_t rng = rng_seed(1);
    float *vectors = vectors_uniform(&rng, IDS, DIM);
    worker_t workers[N_THREADS];
    uint64_t n_pages = 0;
    for (uint32_t i = 0; i < N_THREADS; i++) {
        workers[i] = (worker_t){.store = f.store, .name = i + 1, .vectors = vectors, .buffer = malloc(MEMORY_BUFFER_BYTES)};
        workers[i].thread = plat_thread_spawn(work, &workers[i]);
    }
    for (uint32_t i = 0; i < N_THREADS; i++) {
        plat_thread_join(workers[i].thread);
        CHECK_EQ_U64(workers[i].n_bad, 0);
        for (uint32_t kind = 0; kind < N_KINDS; kind++)
            CHECK_MSG(workers[i].n_done[kind] > (SANITIZED ? 5 : 80), "kind %u was done %u times", kind, workers[i].n_done[kind]);
        CHECK_MSG(workers[i].counts.allocations == 0 && workers[i].counts.locks == 0,
                  "thread %u: %" PRIu64 " allocations, %" PRIu64 " locks, the first was %s", i, workers[i].counts.allocations,
                  workers[i].counts.locks, workers[i].counts.first ? workers[i].counts.first : "?");
        n_pages += workers[i].counts.pages;
        free(workers[i].buffer);
    }
    CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
    fixture_close(&f);
    free(vectors);
    return n_pages;
}

TEST(operations_take_no_lock_and_no_memory) {
    uint64_t n_pages = run_mixed_operations();
    printf("# 100,000 operations: %" PRIu64 " calls for pages\n", n_pages);
    CHECK_EQ_U64(n_pages, 0);
}

/* Address space, from the kernel. */
static void limit_address_space(uint64_t more_bytes) {
    unsigned long pages = 0;
    struct rlimit limit;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%lu", &pages) != 1) pages = 0;
    if (file) fclose(file);
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = more_bytes == 0 ? limit.rlim_max : (rlim_t)(pages * (uint64_t)sysconf(_SC_PAGESIZE) + more_bytes);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

TEST(in_chunks_they_take_pages_and_nothing_else) {
    limit_address_space((uint64_t)900 << 20); /* too little for the range of the blocks */
    uint64_t n_pages = run_mixed_operations();
    limit_address_space(0);
    printf("# 100,000 operations in chunks: %" PRIu64 " calls for pages\n", n_pages);
    CHECK_MSG(n_pages < 2000, "%" PRIu64 " calls for pages", n_pages);
    CHECK(SANITIZED || n_pages > 10);
}

int main(void) {
#if SANITIZED
    printf("# a sanitizer owns the allocator: the operations run, uncounted\n");
#else
    RUN(the_counters_count);
    RUN(setup_is_counted_where_it_is_watched);
#endif
    RUN(operations_take_no_lock_and_no_memory);
    RUN(in_chunks_they_take_pages_and_nothing_else);
    return tap_done();
}
