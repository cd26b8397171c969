/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * spill.c - full vectors in a file: the same answers and snapshots as in memory, the file's growth, a folder that cannot be used, a full disk, a killed process.
 */
#include "plat_spill.h"
#include "plat_thread.h"
#include "support/snapshot.h"
#include "support/vectors.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static void make_folder(void) {
    strcpy(folder, "/tmp/chronomind-spill-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

static uint32_t n_files(void) {
    uint32_t n = 0;
    DIR *listed = opendir(folder);
    CHECK(listed != NULL);
    for (struct dirent *entry; listed && (entry = readdir(listed));) n += entry->d_name[0] != '.' || entry->d_name[1] == 'c';
    if (listed) closedir(listed);
    return n;
}

static void remove_folder(void) {
    CHECK_EQ_U64(n_files(), 0);
    CHECK(rmdir(folder) == 0);
}

static cm_stats_t stats_of(fixture_t *f) {
    cm_stats_t stats;
    CHECK_STATUS(cm_stats(f->thread, &stats), CM_OK);
    return stats;
}

static void check_whole(fixture_t *f) {
    cm_check_report_t report;
    cm_status_t status = cm_check(f->thread, &report);
    CHECK_MSG(status == CM_OK, "check: %s", cm_message(f->thread));
}

/* ---- as in memory ---- */

static void same_hits(fixture_t *a, fixture_t *b, uint32_t dimensions) {
    float query[64];
    cm_search_t search = CM_SEARCH_INIT;
    for (uint32_t q = 0; q < 20; q++) {
        cm_hit_t hits_a[10], hits_b[10];
        size_t n_a = 0, n_b = 0;
        vector_of(q, 7, dimensions, query);
        search.k = 10, search.temporal_weight = (float)(q % 3) / 4;
        CHECK_STATUS(cm_search(a->thread, query, dimensions, &search, hits_a, &n_a), CM_OK);
        CHECK_STATUS(cm_search(b->thread, query, dimensions, &search, hits_b, &n_b), CM_OK);
        CHECK(n_a == n_b && n_a == 10);
        for (size_t i = 0; i < n_a; i++)
            CHECK(hits_a[i].slot == hits_b[i].slot && cmi_float_bits(hits_a[i].score) == cmi_float_bits(hits_b[i].score));
    }
}

/* Of 40 dimensions. Checks that the one's vectors are in the file and the other's are not; returns what the one needs less memory for besides. */
static int64_t saved_beside_vectors(fixture_t *memory, fixture_t *file, uint32_t kind) {
    cm_stats_t here = stats_of(memory), there = stats_of(file);
    uint64_t full_bytes = there.n_slots_used * (kind == CM_VECTORS_BF16 ? 96 : 192);
    CHECK_EQ_U64(here.bytes_spilled, 0);
    CHECK_EQ_U64(there.bytes_spilled, full_bytes);
    CHECK_EQ_U64(there.bytes_vectors, here.bytes_vectors);
    return (int64_t)(here.bytes_reserved - there.bytes_reserved - full_bytes);
}

TEST(a_store_in_a_file_answers_like_one_in_memory) {
    enum { DIM = 40, N = 700 };
    make_folder();
    for (uint32_t kind = 0; kind < 3; kind++) {
        cm_config_t config = small_config(DIM);
        config.vectors = (cm_vectors_t)kind;
        fixture_t memory = fixture_open(&config);
        config.spill_folder = folder;
        fixture_t file = fixture_open(&config);
        fill(&memory, N), fill(&file, N);
        same_hits(&memory, &file, DIM);
        check_whole(&file);
        memory_file_t a = save_to_memory(&memory), b = save_to_memory(&file);
        check_same_bytes(&a, &b);
        saved_beside_vectors(&memory, &file, kind);
        fixture_close(&memory), fixture_close(&file);

        cm_load_options_t options = CM_LOAD_INIT;
        cm_error_t error;
        options.clock_ms = fixed_clock, options.spill_folder = folder;
        cm_store_t *store = NULL;
        CHECK_STATUS(cm_load(&MEMORY_SOURCE(&a), &options, &store, &error), CM_OK);
        fixture_t loaded = fixture_of(store);
        memory_file_t c = save_to_memory(&loaded);
        check_same_bytes(&a, &c);
        CHECK(stats_of(&loaded).bytes_spilled > 0);
        fixture_close(&loaded);
        free(a.bytes), free(b.bytes), free(c.bytes);
    }
    remove_folder();
}

/* Inserts alone: memories that were replaced or removed wait for a grace period, and how much memory that takes differs. */
TEST(what_is_in_a_file_is_not_counted_as_memory) {
    enum { DIM = 40, N = 700 };
    make_folder();
    for (uint32_t kind = 0; kind < 3; kind++) {
        cm_config_t config = small_config(DIM);
        config.vectors = (cm_vectors_t)kind;
        fixture_t memory = fixture_open(&config);
        config.spill_folder = folder;
        fixture_t file = fixture_open(&config);
        for (uint32_t i = 0; i < N; i++) {
            CHECK_STATUS(insert_numbered(&memory, "memory-", i, 0), CM_OK);
            CHECK_STATUS(insert_numbered(&file, "memory-", i, 0), CM_OK);
        }
        int64_t saved = saved_beside_vectors(&memory, &file, kind);
        CHECK_MSG(saved > -4096 && saved < 4096, "%" PRId64, saved);
        fixture_close(&memory), fixture_close(&file);
    }
    remove_folder();
}

TEST(a_bare_index_can_be_in_a_file) {
    enum { DIM = 32, N = 300 };
    make_folder();
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    config.dimensions = DIM, config.capacity = N, config.spill_folder = folder;
    cm_index_t *index = NULL;
    cm_index_thread_t *thread = NULL;
    cm_neighbor_t nearest;
    size_t n = 0;
    rng_t rng = rng_seed(3);
    float *rows = vectors_uniform(&rng, N, DIM);
    CHECK_STATUS(cm_index_open(&config, &index, NULL), CM_OK);
    CHECK_STATUS(cm_index_attach(index, &thread), CM_OK);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t id;
        CHECK_STATUS(cm_index_insert(thread, rows + i * DIM, DIM, &id), CM_OK);
    }
    for (uint32_t i = 0; i < N; i++) {
        CHECK_STATUS(cm_index_search(thread, rows + i * DIM, DIM, 1, 40, &nearest, &n), CM_OK);
        CHECK(n == 1 && nearest.id == i);
    }
    cm_index_detach(thread);
    CHECK_STATUS(cm_index_close(index), CM_OK);
    free(rows);
    remove_folder();
}

/* ---- folders that cannot be used ---- */

static void refused(const char *name, const char *why) {
    cm_config_t config = small_config(8);
    cm_store_t *store = (cm_store_t *)&config;
    cm_error_t error = {CM_OK, ""};
    config.spill_folder = name;
    CHECK_STATUS(cm_open(&config, &store, &error), CM_E_IO);
    CHECK(store == NULL);
    CHECK_MSG(strstr(error.message, "spill_folder") && strstr(error.message, name) && strstr(error.message, why), "%s", error.message);

    cm_index_config_t index_config = CM_INDEX_CONFIG_INIT;
    cm_index_t *index = NULL;
    index_config.spill_folder = name;
    CHECK_STATUS(cm_index_open(&index_config, &index, &error), CM_E_IO);
    CHECK(index == NULL);
}

TEST(a_folder_that_cannot_be_used_is_named) {
    char long_name[5000];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    refused("/nowhere/at/all", "No such file");
    refused("", "No such file");
    refused("/dev/null", "Not a directory");
    refused("/proc", "");
    cm_config_t config = small_config(8);
    cm_store_t *store;
    config.spill_folder = long_name;
    CHECK_STATUS(cm_open(&config, &store, NULL), CM_E_IO);
}

/* ---- a full disk ---- */

/* A limit on the size of files says no in the same place as a disk without room. */
static void limit_files(rlim_t n_bytes) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = n_bytes;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

TEST(a_full_disk_is_no_memory_and_nothing_is_lost) {
    enum { DIM = 2048, ROW_BYTES = 4 * DIM + 64, LIMIT = 9 << 20 }; /* two steps of the file, and some */
    make_folder();
    signal(SIGXFSZ, SIG_IGN);
    cm_config_t config = small_config(DIM);
    config.spill_folder = folder;
    fixture_t f = fixture_open(&config);
    limit_files(LIMIT);
    uint32_t n = 0;
    cm_status_t status;
    while (n < 2000 && (status = insert_numbered(&f, "memory-", n, 0)) == CM_OK) n++;
    CHECK_STATUS(status, CM_E_NO_MEMORY);
    CHECK_MSG(strstr(cm_message(f.thread), "spill_folder") && strstr(cm_message(f.thread), folder), "%s", cm_message(f.thread));
    CHECK_EQ_U64(n, (8u << 20) / ROW_BYTES);
    CHECK_STATUS(insert_numbered(&f, "memory-", n, 0), CM_E_NO_MEMORY);
    check_whole(&f);
    CHECK_EQ_U64(cm_len(f.store), n);
    memory_file_t file = save_to_memory(&f);

    cm_load_options_t options = CM_LOAD_INIT;
    cm_store_t *store = NULL;
    cm_error_t error;
    options.spill_folder = folder;
    limit_files(LIMIT / 4);
    CHECK_STATUS(cm_load(&MEMORY_SOURCE(&file), &options, &store, &error), CM_E_NO_MEMORY);
    CHECK_MSG(strstr(error.message, "spill_folder"), "%s", error.message);

    limit_files(RLIM_INFINITY);
    CHECK_STATUS(insert_numbered(&f, "memory-", n, 0), CM_OK);
    check_whole(&f);
    fixture_close(&f);
    free(file.bytes);
    remove_folder();
}

/* ---- two threads, and the end of a process ---- */

typedef struct filler {
    cm_store_t *store;
    uint32_t first;
} filler_t;

static void insert_many(void *context) {
    filler_t *filler = context;
    fixture_t f = fixture_of(filler->store);
    for (uint32_t i = 0; i < 600; i++) CHECK_STATUS(insert_numbered(&f, "memory-", filler->first + i, 0), CM_OK);
    cm_detach(f.thread);
    free(f.buffer);
}

TEST(threads_extend_the_file_together) {
    make_folder();
    cm_config_t config = small_config(4096); /* 256 rows to a step of the file */
    config.max_memories = 4000, config.ef_construction = 8, config.spill_folder = folder;
    fixture_t f = fixture_open(&config);
    filler_t fillers[3];
    plat_thread_t *threads[3];
    for (uint32_t t = 0; t < 3; t++) {
        fillers[t] = (filler_t){f.store, t * 1000};
        threads[t] = plat_thread_spawn(insert_many, &fillers[t]);
    }
    for (uint32_t t = 0; t < 3; t++) plat_thread_join(threads[t]);
    check_whole(&f);
    char id[64];
    cm_memory_t memory;
    float vector[4096];
    for (uint32_t i = 0; i < 1800; i++) {
        uint32_t number = i / 600 * 1000 + i % 600;
        CHECK_STATUS(cm_get(f.thread, numbered_id(id, sizeof id, "memory-", number), &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
        vector_of(number, 0, 4096, vector);
        CHECK(memcmp(memory.vector, vector, sizeof vector) == 0);
    }
    fixture_close(&f);
    remove_folder();
}

TEST(a_killed_process_leaves_no_file) {
    make_folder();
    int pipe_ends[2];
    CHECK(pipe(pipe_ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        cm_config_t config = small_config(64);
        config.spill_folder = folder;
        fixture_t f = fixture_open(&config);
        for (uint32_t i = 0; i < 100; i++) insert_numbered(&f, "memory-", i, 0);
        ssize_t n = write(pipe_ends[1], "x", 1);
        for (;;) (void)(n > 0 && pause());
    }
    char ready;
    CHECK(read(pipe_ends[0], &ready, 1) == 1);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, NULL, 0) == child);
    close(pipe_ends[0]), close(pipe_ends[1]);
    remove_folder();
}

/* ---- the contract alone ---- */

TEST(room_is_asked_for_in_steps_and_stays) {
    make_folder();
    plat_spill_t spill;
    enum { BYTES = 10 << 20 };
    CHECK(plat_spill_open(&spill, folder, BYTES) == NULL);
    struct stat file;
    CHECK(plat_spill_ensure(&spill, 1) && fstat(spill.file, &file) == 0 && file.st_size == 4 << 20);
    CHECK(plat_spill_ensure(&spill, 4 << 20) && fstat(spill.file, &file) == 0 && file.st_size == 4 << 20);
    char seen = 0;
    spill.address[(4 << 20) - 1] = 7;
    CHECK(pread(spill.file, &seen, 1, (4 << 20) - 1) == 1 && seen == 7); /* the page is the file's, and no copy of it */
    CHECK(plat_spill_ensure(&spill, BYTES) && fstat(spill.file, &file) == 0 && file.st_size == BYTES);
    CHECK((uint64_t)file.st_blocks * 512 >= BYTES); /* no holes: nothing that a write could find no room for */
    CHECK(spill.address[(4 << 20) - 1] == 7 && spill.address[BYTES - 1] == 0);
    plat_spill_close(&spill);
    plat_spill_close(&spill);
    remove_folder();
}

int main(void) {
    RUN(a_store_in_a_file_answers_like_one_in_memory);
    RUN(what_is_in_a_file_is_not_counted_as_memory);
    RUN(a_bare_index_can_be_in_a_file);
    RUN(a_folder_that_cannot_be_used_is_named);
    RUN(a_full_disk_is_no_memory_and_nothing_is_lost);
    RUN(threads_extend_the_file_together);
    RUN(a_killed_process_leaves_no_file);
    RUN(room_is_asked_for_in_steps_and_stays);
    return tap_done();
}
