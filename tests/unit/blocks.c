/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * blocks.c - the allocator of ids, relationships and payloads, over a flat range and over chunks (an address-space limit makes the machine
 * refuse the range; that is what WebAssembly does, too).
 *
 * Proves: blocks of every size, aligned, disjoint; freed ones come back; accounting; a typed "no" when memory ends; under threads no granule is
 * ever in two blocks at a time (the stack's tag).
 */
#include "memory/blocks.h"
#include "plat_atomic.h"
#include "plat_thread.h"
#include "support/tap.h"
#include "support/vectors.h"

#include <sys/resource.h>
#include <unistd.h>

#define MOST_BYTES (2u << 20)
#define MiB ((uint64_t)1 << 20)

/* ---- both modes ----------------------------------------------------------------------------------------------------------------- */

/* Address space in use, from the kernel: pages in the first number of statm. */
static uint64_t address_space(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%lu", &pages) != 1) pages = 0;
    if (file) fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Lets the process have so much address space more; 0: as much as there is. */
static void limit_address_space(uint64_t more_bytes) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = more_bytes == 0 ? limit.rlim_max : (rlim_t)(address_space() + more_bytes);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

/* The smallest flat range is 1 GiB: with less to be had the blocks live in chunks. */
static cmi_blocks_t *open_blocks(bool chunked) {
    if (chunked) limit_address_space(700 * MiB);
    cmi_blocks_t *blocks = cmi_blocks_open();
    CHECK(blocks != NULL);
    return blocks;
}

static void close_blocks(cmi_blocks_t *blocks) {
    CHECK_EQ_U64(cmi_blocks_bytes_used(blocks), 0);
    cmi_blocks_close(blocks);
    limit_address_space(0);
}

/* Flat blocks reserve what they touched only; the mode shows in what the first block costs: nothing but its granules, or a chunk. */
static void the_mode_is_what_the_test_says(bool chunked) {
    cmi_blocks_t *blocks = open_blocks(chunked);
    uint32_t handle = cmi_blocks_alloc(blocks, 8);
    CHECK_MSG((cmi_blocks_bytes_reserved(blocks) >= 65536) == chunked, "%s, but the first block took %" PRIu64 " bytes",
              chunked ? "chunked" : "flat", cmi_blocks_bytes_reserved(blocks));
    cmi_blocks_free(blocks, handle);
    close_blocks(blocks);
}

/* ---- one thread ----------------------------------------------------------------------------------------------------------------- */

/* One at a time, first and last byte written: the class of every size fits it, and what it wastes is bounded. */
static void every_size_has_a_block(bool chunked) {
    cmi_blocks_t *blocks = open_blocks(chunked);
    for (uint32_t n = 1; n <= MOST_BYTES; n += n < 70000 ? 1 : 1 + n % 7) {
        uint32_t handle = cmi_blocks_alloc(blocks, n);
        if (handle == CMI_NO_BLOCK) {
            CHECK_MSG(false, "no block of %u bytes", n);
            break;
        }
        uint8_t *bytes = cmi_blocks_at(blocks, handle);
        bytes[0] = bytes[n - 1] = 0xA5;
        uint64_t used = cmi_blocks_bytes_used(blocks);
        if ((uintptr_t)bytes % 8 != 0 || cmi_blocks_len(blocks, handle) != n) CHECK_MSG(false, "%u bytes: address %p", n, (void *)bytes);
        if (used < n || used > (n <= 120 ? n + 8 + 15 : (uint64_t)(n + 8) * 9 / 8 + 16))
            CHECK_MSG(false, "a block of %u bytes takes %" PRIu64, n, used);
        cmi_blocks_free(blocks, handle);
    }
    close_blocks(blocks);
}

/* Sizes around every class boundary, all held at once and filled to the last byte. */
static uint32_t boundary_sizes(uint32_t *out) {
    uint32_t n = 0;
    for (uint32_t eighth = 8; eighth <= MOST_BYTES / 8; eighth *= 2)
        for (uint32_t step = 8; step < 16; step++)
            for (int around = -17; around <= 9; around += 13) {
                int64_t size = (int64_t)eighth / 8 * step + around;
                if (size >= 1 && size <= MOST_BYTES) out[n++] = (uint32_t)size;
            }
    out[n++] = MOST_BYTES;
    return n;
}

static void blocks_do_not_overlap(bool chunked) {
    enum { MOST = 1000 };
    static uint32_t sizes[MOST], handles[MOST];
    cmi_blocks_t *blocks = open_blocks(chunked);
    uint32_t n = boundary_sizes(sizes);
    CHECK(n > 300 && n < MOST);
    for (uint32_t i = 0; i < n; i++) {
        handles[i] = cmi_blocks_alloc(blocks, sizes[i]);
        CHECK(handles[i] != CMI_NO_BLOCK);
        memset(cmi_blocks_at(blocks, handles[i]), (int)(i % 251), sizes[i]);
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *bytes = cmi_blocks_at(blocks, handles[i]);
        uint32_t n_wrong = 0;
        for (uint32_t j = 0; j < sizes[i]; j++) n_wrong += bytes[j] != i % 251;
        CHECK_MSG(n_wrong == 0 && cmi_blocks_len(blocks, handles[i]) == sizes[i], "block %u of %u bytes: %u bytes changed", i, sizes[i],
                  n_wrong);
    }
    for (uint32_t i = 0; i < n; i++) cmi_blocks_free(blocks, handles[i]);
    close_blocks(blocks);
}

/* The same sizes again and again take nothing more from the machine. */
static void freed_blocks_come_back(bool chunked) {
    enum { N = 600, ROUNDS = 40 };
    static uint32_t handles[N];
    cmi_blocks_t *blocks = open_blocks(chunked);
    uint64_t after_first = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint64_t used = 0;
        for (uint32_t i = 0; i < N; i++) {
            handles[i] = cmi_blocks_alloc(blocks, 1 + i * i % 90000);
            CHECK(handles[i] != CMI_NO_BLOCK && cmi_blocks_bytes_used(blocks) > used);
            used = cmi_blocks_bytes_used(blocks);
        }
        for (uint32_t i = 0; i < N; i++) cmi_blocks_free(blocks, handles[(i * 7 + round) % N]);
        CHECK_EQ_U64(cmi_blocks_bytes_used(blocks), 0);
        if (round == 0) after_first = cmi_blocks_bytes_reserved(blocks);
        CHECK(after_first >= used);
    }
    CHECK_EQ_U64(cmi_blocks_bytes_reserved(blocks), after_first);
    close_blocks(blocks);
}

/* ---- the end of memory ------------------------------------------------------------------------------------------------------------ */

/* In chunks, with 64 MiB to be had: blocks of one size until there are no more; then none fails that fits into what was freed. */
static void exhaust(uint32_t n_bytes) {
    enum { MOST = 4096 };
    static uint32_t handles[MOST];
    cmi_blocks_t *blocks = open_blocks(true);
    limit_address_space(64 * MiB);
    uint32_t n = 0;
    while (n < MOST && (handles[n] = cmi_blocks_alloc(blocks, n_bytes)) != CMI_NO_BLOCK) n++;
    CHECK_MSG(n < MOST && n >= 16, "%u blocks of %u bytes", n, n_bytes);
    CHECK_EQ_U64(cmi_blocks_alloc(blocks, n_bytes), CMI_NO_BLOCK);
    for (uint32_t i = 0; i < n; i += 2) cmi_blocks_free(blocks, handles[i]);
    for (uint32_t i = 0; i < n; i += 2) CHECK((handles[i] = cmi_blocks_alloc(blocks, n_bytes)) != CMI_NO_BLOCK);
    CHECK_EQ_U64(cmi_blocks_alloc(blocks, n_bytes), CMI_NO_BLOCK);
    limit_address_space(0);
    uint32_t more = cmi_blocks_alloc(blocks, n_bytes); /* the refusal left nothing behind that stands in the way */
    CHECK(more != CMI_NO_BLOCK);
    if (more != CMI_NO_BLOCK) cmi_blocks_free(blocks, more);
    for (uint32_t i = 0; i < n; i++) cmi_blocks_free(blocks, handles[i]);
    close_blocks(blocks);
}

TEST(the_end_of_memory_is_said_and_survived) {
    exhaust(40000);
    exhaust(1u << 20);
}

/* ---- threads ------------------------------------------------------------------------------------------------------------------------- */

#define N_THREADS 4u
#define HELD 12u
#define MOST_WORDS (1u << 18) /* granules that the stress can reach */

static plat_a32_t owner_of[MOST_WORDS]; /* of each granule: the thread whose block it is in, 0 when in none */

typedef struct worker {
    cmi_blocks_t *blocks;
    uint32_t name; /* from 1 */
    uint32_t rounds;
    uint32_t n_bad;
    plat_thread_t *thread;
} worker_t;

static uint32_t granules(uint32_t n_bytes) {
    return (n_bytes + 8 + 15) / 16;
}

static void claim(worker_t *worker, uint32_t handle, uint32_t n_bytes, uint32_t from, uint32_t to) {
    for (uint32_t i = 0; i < granules(n_bytes); i++) {
        uint32_t expected = from;
        if (handle + i >= MOST_WORDS || !plat_cas_relaxed(&owner_of[handle + i], &expected, to)) worker->n_bad++;
    }
}

/* Few sizes, so that the threads fight for few stacks; blocks are held for a while, and freed in another order than they came. */
static void alloc_and_free(void *argument) {
    worker_t *worker = argument;
    rng_t rng = rng_seed(worker->name);
    uint32_t handles[HELD] = {0};
    for (uint32_t round = 0; round < worker->rounds + HELD; round++) {
        uint32_t at = round < worker->rounds ? rng_below(&rng, HELD) : round - worker->rounds;
        if (handles[at] != CMI_NO_BLOCK) {
            uint8_t *bytes = cmi_blocks_at(worker->blocks, handles[at]);
            uint32_t n_bytes = cmi_blocks_len(worker->blocks, handles[at]);
            worker->n_bad += bytes[0] != worker->name || bytes[n_bytes - 1] != worker->name;
            claim(worker, handles[at], n_bytes, worker->name, 0);
            cmi_blocks_free(worker->blocks, handles[at]);
            handles[at] = CMI_NO_BLOCK;
        } else if (round < worker->rounds) {
            uint32_t n_bytes = 8 + 16 * rng_below(&rng, 3);
            handles[at] = cmi_blocks_alloc(worker->blocks, n_bytes);
            claim(worker, handles[at], n_bytes, 0, worker->name);
            uint8_t *bytes = cmi_blocks_at(worker->blocks, handles[at]);
            bytes[0] = bytes[n_bytes - 1] = (uint8_t)worker->name;
        }
    }
}

static void no_block_is_handed_out_twice(bool chunked) {
    const char *length = getenv("CM_TEST_LENGTH");
    uint32_t rounds = length && strcmp(length, "full") == 0 ? 10000000 : 1000000;
    memset(owner_of, 0, sizeof owner_of);
    cmi_blocks_t *blocks = open_blocks(chunked);
    worker_t workers[N_THREADS];
    for (uint32_t i = 0; i < N_THREADS; i++) {
        workers[i] = (worker_t){.blocks = blocks, .name = i + 1, .rounds = rounds};
        workers[i].thread = plat_thread_spawn(alloc_and_free, &workers[i]);
    }
    for (uint32_t i = 0; i < N_THREADS; i++) {
        plat_thread_join(workers[i].thread);
        CHECK_EQ_U64(workers[i].n_bad, 0);
    }
    for (uint32_t i = 0; i < MOST_WORDS; i++) CHECK(plat_load_relaxed(&owner_of[i]) == 0);
    CHECK_MSG(cmi_blocks_bytes_reserved(blocks) <= MiB, "%u blocks at a time took %" PRIu64 " bytes", N_THREADS * HELD,
              cmi_blocks_bytes_reserved(blocks));
    close_blocks(blocks);
}

/* Fresh chunks and runs of them are taken by several threads at once: blocks beyond a chunk, and small ones that do not fit its rest. */
typedef struct taker {
    cmi_blocks_t *blocks;
    uint32_t name, n_bad;
    uint32_t handles[64];
    plat_thread_t *thread;
} taker_t;

static uint32_t size_for(uint32_t i) {
    static const uint32_t sizes[] = {200000, 30000, 70000, 50, 131072, 64000, 9000, 65528};
    return sizes[i % 8];
}

static void take_chunks(void *argument) {
    taker_t *taker = argument;
    for (uint32_t i = 0; i < 64; i++) {
        taker->handles[i] = cmi_blocks_alloc(taker->blocks, size_for(i + taker->name));
        if (taker->handles[i] == CMI_NO_BLOCK) taker->n_bad++;
        else memset(cmi_blocks_at(taker->blocks, taker->handles[i]), (int)(taker->name * 64 + i), size_for(i + taker->name));
    }
}

static void check_and_free_taken(taker_t *taker) {
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t n_wrong = 0, n_bytes = size_for(i + taker->name);
        if (taker->handles[i] == CMI_NO_BLOCK) continue;
        const uint8_t *bytes = cmi_blocks_at(taker->blocks, taker->handles[i]);
        for (uint32_t j = 0; j < n_bytes; j++) n_wrong += bytes[j] != (uint8_t)(taker->name * 64 + i);
        CHECK_MSG(n_wrong == 0, "thread %u, block %u: %u bytes changed", taker->name, i, n_wrong);
        cmi_blocks_free(taker->blocks, taker->handles[i]);
    }
    CHECK_EQ_U64(taker->n_bad, 0);
}

static void fresh_memory_is_shared_out_once(bool chunked) {
    for (uint32_t round = 0; round < 20; round++) {
        cmi_blocks_t *blocks = open_blocks(chunked);
        static taker_t takers[N_THREADS];
        for (uint32_t i = 0; i < N_THREADS; i++) {
            takers[i] = (taker_t){.blocks = blocks, .name = i};
            takers[i].thread = plat_thread_spawn(take_chunks, &takers[i]);
        }
        for (uint32_t i = 0; i < N_THREADS; i++) plat_thread_join(takers[i].thread);
        for (uint32_t i = 0; i < N_THREADS; i++) check_and_free_taken(&takers[i]);
        close_blocks(blocks);
    }
}

#define IN_BOTH_MODES(name) \
    TEST(name##_flat) {     \
        name(false);        \
    }                       \
    TEST(name##_chunked) {  \
        name(true);         \
    }
IN_BOTH_MODES(the_mode_is_what_the_test_says)
IN_BOTH_MODES(every_size_has_a_block)
IN_BOTH_MODES(blocks_do_not_overlap)
IN_BOTH_MODES(freed_blocks_come_back)
IN_BOTH_MODES(no_block_is_handed_out_twice)
IN_BOTH_MODES(fresh_memory_is_shared_out_once)

#define RUN_BOTH(name) (RUN(name##_flat), RUN(name##_chunked))

int main(void) {
    RUN_BOTH(the_mode_is_what_the_test_says);
    RUN_BOTH(every_size_has_a_block);
    RUN_BOTH(blocks_do_not_overlap);
    RUN_BOTH(freed_blocks_come_back);
    RUN(the_end_of_memory_is_said_and_survived);
    RUN_BOTH(no_block_is_handed_out_twice);
    RUN_BOTH(fresh_memory_is_shared_out_once);
    return tap_done();
}
