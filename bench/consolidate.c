/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * consolidate.c - consolidation of word vectors with 5 % planted near-duplicates, against comparing all pairs: the same survivors, in a fraction of the time, also while others read and write.
 *
 * Usage: consolidate WORDS_FOLDER N_MEMORIES
 *
 * One memory in twenty is a copy of another with a little noise (similarity .96 to 1); some are copies of copies, so that there are clusters and chains. The oracle does what
 * cm_consolidate promises by a double loop with the library's own kernels, four at a time, over those not yet absorbed. Two readers search, two writers insert, replace and remove memories far
 * from all others meanwhile. Fails where survivors differ, a planted pair is seen to vanish, check() finds something, or the processor time is more than a
 * twentieth of the oracle's.
 */
#include "distance/distance.h"
#include "support.h"
#include "words/words.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#define NOW_MS 1767225600000ll
#define D WORDS_DIMENSIONS
#define MOST_RATIO (1.0 / 20)

typedef struct member {
    float vector[D];
    float inverse_norm, importance;
    int64_t created_ms;
    char id[16];
    bool absorbed;
} member_t;

static uint32_t n_members;
static member_t *members; /* in the order of consolidation */

/* ---- data ----------------------------------------------------------------------------------------------------------------------------- */

static void add_noise(float *vector, uint64_t seed) {
    double length = 0, scale = 0.28 * unit(seed); /* similarity down to about .96 */
    for (uint32_t d = 0; d < D; d++) length += (double)vector[d] * vector[d];
    for (uint32_t d = 0; d < D; d++) vector[d] += (float)(scale * sqrt(3 * length / D) * (2 * unit(seed * 1000 + d) - 1));
}

static int in_order(const void *a, const void *b) {
    const member_t *x = a, *y = b;
    if (x->importance != y->importance) return x->importance > y->importance ? -1 : 1;
    if (x->created_ms != y->created_ms) return x->created_ms < y->created_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

static void make_members(const char *folder, uint32_t n) {
    words_t words = words_load(folder, 0);
    n_members = n < words.n ? n : words.n;
    members = calloc(n_members, sizeof *members);
    for (uint32_t i = 0; i < n_members; i++) {
        member_t *m = &members[i];
        if (i % 20 == 19) {
            memcpy(m->vector, members[mix(i) % i].vector, sizeof m->vector); /* of a copy, now and then */
            add_noise(m->vector, i);
        } else memcpy(m->vector, words_vector(&words, i), sizeof m->vector);
        double length = 0;
        for (uint32_t d = 0; d < D; d++) length += (double)m->vector[d] * m->vector[d];
        m->inverse_norm = length > 0 ? (float)(1 / sqrt(length)) : 0;
        m->importance = (float)(mix(i + 77) % 10) / 10;
        m->created_ms = NOW_MS - (int64_t)(mix(i + 99) % 1000);
        snprintf(m->id, sizeof m->id, "m%u", i);
    }
    words_free(&words);
}

static void insert(cm_thread_t *thread, const char *id, const float *vector, float importance, int64_t created_ms) {
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = (cm_str_t){id, strlen(id)};
    memory.vector = vector, memory.dimensions = D;
    memory.importance = importance, memory.created_ms = created_ms;
    must(cm_insert(thread, &memory), "inserting", cm_message(thread));
}

static cm_store_t *open_store(void) {
    cm_config_t config = CM_CONFIG_INIT;
    cm_store_t *store;
    cm_thread_t *thread;
    cm_error_t error;
    config.dimensions = D, config.max_memories = 2 * n_members + 100000;
    must(cm_open(&config, &store, &error), "opening", error.message);
    must(cm_attach(store, &thread), "attaching", NULL);
    for (uint32_t i = 0; i < n_members; i++) insert(thread, members[i].id, members[i].vector, members[i].importance, members[i].created_ms);
    cm_detach(thread);
    return store;
}

/* ---- the oracle --------------------------------------------------------------------------------------------------------------------- */

/* Who absorbed whom: keeper_of[j] is the place of j's absorber. */
static double run_oracle(double threshold, uint32_t *keeper_of) {
    const cmi_kernels_t *kernels = cmi_kernels();
    qsort(members, n_members, sizeof *members, in_order);
    double start = seconds();
    for (uint32_t i = 0; i < n_members; i++) {
        if (members[i].absorbed) continue;
        for (uint32_t j = i + 1; j < n_members;) {
            uint32_t n = 0, place[4];
            const void *rows[4];
            float dot[4];
            for (; j < n_members && n < 4; j++)
                if (!members[j].absorbed) place[n] = j, rows[n++] = members[j].vector;
            if (n == 4) kernels->dot.four(members[i].vector, rows, D, dot);
            else
                for (uint32_t k = 0; k < n; k++) dot[k] = kernels->dot.one(members[i].vector, rows[k], D);
            for (uint32_t k = 0; k < n; k++) {
                float distance = 1.0f - dot[k] * (members[i].inverse_norm * members[place[k]].inverse_norm);
                if (!((double)distance < 1.0 - threshold)) continue;
                members[place[k]].absorbed = true;
                keeper_of[place[k]] = i;
            }
        }
    }
    return seconds() - start;
}

/* ---- others, meanwhile -------------------------------------------------------------------------------------------------------------- */

typedef struct other {
    cm_store_t *store;
    atomic_bool *stop;
    const uint32_t *keeper_of;
    uint32_t number;
    uint64_t n_operations, n_vanished, n_twice;
} other_t;

/* Absorbed memories go once and never come back, and absorbers that are absorbed themselves do not exist in the oracle's answer: so a look at the absorbed one, then at its keeper, must see one of them. */
static void *read_on(void *argument) {
    other_t *other = argument;
    cm_thread_t *thread;
    must(cm_attach(other->store, &thread), "attaching", NULL);
    for (uint64_t round = other->number; !atomic_load(other->stop); round += 2) {
        uint32_t j = (uint32_t)(mix(round) % n_members);
        cm_hit_t hits[10];
        size_t n;
        must(cm_search(thread, members[j].vector, D, NULL, hits, &n), "searching", cm_message(thread));
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < a; b++) other->n_twice += hits[a].slot == hits[b].slot;
        const char *id = members[j].id, *keeper = members[members[j].absorbed ? other->keeper_of[j] : j].id;
        other->n_vanished += !cm_contains(thread, (cm_str_t){id, strlen(id)}) && !cm_contains(thread, (cm_str_t){keeper, strlen(keeper)});
        other->n_operations++;
    }
    cm_detach(thread);
    return NULL;
}

/* Memories of their own: every vector is far from all words and from the others'. */
static void *write_on(void *argument) {
    other_t *other = argument;
    cm_thread_t *thread;
    must(cm_attach(other->store, &thread), "attaching", NULL);
    for (uint64_t round = 0; !atomic_load(other->stop) && round < 40000; round++) {
        char id[32];
        float vector[D];
        for (uint32_t d = 0; d < D; d++) vector[d] = (float)(unit(round * 1000 + d + (uint64_t)other->number * 123457) - 0.5);
        snprintf(id, sizeof id, "w%u-%u", other->number, (uint32_t)(mix(round) % 500));
        if (round % 4 == 3) cm_remove(thread, (cm_str_t){id, strlen(id)});
        else insert(thread, id, vector, 0.5f, NOW_MS);
        other->n_operations++;
    }
    cm_detach(thread);
    return NULL;
}

/* ---- comparing ------------------------------------------------------------------------------------------------------------------------ */

static uint32_t count_differences(cm_store_t *store) {
    cm_thread_t *thread;
    uint32_t n = 0;
    must(cm_attach(store, &thread), "attaching", NULL);
    for (uint32_t i = 0; i < n_members; i++)
        n += cm_contains(thread, (cm_str_t){members[i].id, strlen(members[i].id)}) == members[i].absorbed;
    must(cm_check(thread, NULL), "check()", cm_message(thread));
    cm_detach(thread);
    return n;
}

/* Of the calling thread: with more threads than processors the clock on the wall says nothing about the work. */
static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool run(const char *title, const uint32_t *keeper_of, double oracle, uint32_t n_others) {
    cm_store_t *store = open_store();
    cm_thread_t *thread;
    atomic_bool stop = false;
    other_t others[4] = {0};
    pthread_t ids[4];
    uint64_t n_absorbed, n_vanished = 0, n_twice = 0, n_reads = 0, n_writes = 0;
    must(cm_attach(store, &thread), "attaching", NULL);
    for (uint32_t i = 0; i < n_others; i++) {
        others[i] = (other_t){.store = store, .stop = &stop, .keeper_of = keeper_of, .number = i};
        pthread_create(&ids[i], NULL, i % 2 ? write_on : read_on, &others[i]);
    }
    double start = seconds(), cpu_start = cpu_seconds();
    must(cm_consolidate(thread, NULL, &n_absorbed), "consolidating", cm_message(thread));
    double time = seconds() - start, cpu = cpu_seconds() - cpu_start;
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < n_others; i++) {
        pthread_join(ids[i], NULL);
        n_vanished += others[i].n_vanished, n_twice += others[i].n_twice;
        *(i % 2 ? &n_writes : &n_reads) += others[i].n_operations;
    }
    cm_detach(thread);
    uint32_t n_different = count_differences(store);
    cm_close(store);
    bool passed = n_different == 0 && n_vanished == 0 && n_twice == 0 && cpu <= MOST_RATIO * oracle;
    printf("%-28s %6.3f s (%.3f s of its own), %5.1f times faster than all pairs (%.1f); absorbed %llu, %u differ, %llu vanished, %llu "
           "twice; meanwhile %llu reads, "
           "%llu writes%s\n",
           title, time, cpu, oracle / time, oracle / cpu, (unsigned long long)n_absorbed, n_different, (unsigned long long)n_vanished,
           (unsigned long long)n_twice, (unsigned long long)n_reads, (unsigned long long)n_writes, passed ? "" : "  MISSED");
    return passed;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "Usage: consolidate WORDS_FOLDER N_MEMORIES\n");
        return 2;
    }
    make_members(argv[1], (uint32_t)strtoul(argv[2], NULL, 10));
    uint32_t *keeper_of = calloc(n_members, sizeof *keeper_of), n = 0;
    double oracle = run_oracle((double)0.95f, keeper_of);
    for (uint32_t i = 0; i < n_members; i++) n += members[i].absorbed;
    printf("%u memories, all pairs: %.2f s, %u absorbed\n", n_members, oracle, n);
    bool passed = run("alone", keeper_of, oracle, 0);
    passed &= run("with 2 readers and 2 writers", keeper_of, oracle, 4);
    printf("%d passed, %d failed\n", passed, !passed);
    return !passed;
}
