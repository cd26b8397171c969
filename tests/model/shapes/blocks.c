/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * blocks.c - core/memory/blocks.c: a block has one owner at a time, whose bytes nobody else touches, whether it comes from a free stack, from the frontier or
 * from a chunk that two threads want at once. [B1] [B3] Blocks are in chunks here, as in WebAssembly.
 */
#include "memory/blocks.h"
#include "model/model.h"

#define CHUNK_BYTES 65536u
#define SMALL 8u /* one granule with its header */

static cmi_blocks_t *blocks;
static plat_a32_t passed_on; /* a block from one thread to another */

static void open_blocks(void) {
    blocks = cmi_blocks_open();
    MODEL_CHECK(blocks != NULL);
    plat_store_relaxed(&passed_on, CMI_NO_BLOCK);
    MODEL_CHECK(cmi_blocks_alloc(blocks, SMALL) != CMI_NO_BLOCK);
}
static void open_with(uint32_t n_free) {
    uint32_t handle[4];
    open_blocks();
    for (uint32_t i = 0; i < n_free; i++) handle[i] = cmi_blocks_alloc(blocks, SMALL);
    for (uint32_t i = 0; i < n_free; i++) cmi_blocks_free(blocks, handle[i]);
}
static void open_1_free(void) {
    open_with(1);
}
static void open_2_free(void) {
    open_with(2);
}
static void open_3_free(void) {
    open_with(3);
}
/* So little is left of the chunk that the next block of `SMALL * 3` bytes starts a new one, and the rest is recycled. */
static void open_at_the_end_of_a_chunk(void) {
    open_blocks();
    while (cmi_blocks_bytes_used(blocks) + 32 < CHUNK_BYTES) cmi_blocks_alloc(blocks, SMALL);
}

static uint32_t alloc_as(uint32_t self, uint32_t n_bytes) {
    uint32_t handle = cmi_blocks_alloc(blocks, n_bytes);
    MODEL_CHECK(handle != CMI_NO_BLOCK);
    uint32_t *bytes = cmi_blocks_at(blocks, handle);
    bytes[0] = self;
    return handle;
}
static void free_as(uint32_t self, uint32_t handle) {
    MODEL_CHECK(*(uint32_t *)cmi_blocks_at(blocks, handle) == self);
    cmi_blocks_free(blocks, handle);
}

static void alloc_free_1(void) {
    free_as(1, alloc_as(1, SMALL));
}
static void alloc_free_2(void) {
    free_as(2, alloc_as(2, SMALL));
}
static void alloc_free_3(void) {
    free_as(3, alloc_as(3, SMALL));
}
static void alloc_1(void) {
    alloc_as(1, SMALL);
}
static void alloc_two_free_two(void) {
    uint32_t first = alloc_as(2, SMALL), second = alloc_as(2, SMALL);
    free_as(2, second);
    free_as(2, first);
}
static void alloc_two_free_first(void) {
    uint32_t first = alloc_as(2, SMALL);
    alloc_as(2, SMALL);
    free_as(2, first);
}
static void alloc_larger_1(void) {
    alloc_as(1, 3 * SMALL + 4);
}
static void alloc_larger_2(void) {
    alloc_as(2, 3 * SMALL + 4);
}
static void alloc_big_1(void) {
    alloc_as(1, CHUNK_BYTES + 1);
}
static void alloc_big_2(void) {
    alloc_as(2, 2 * CHUNK_BYTES);
}

/* No block is in a free stack twice. */
static void two_more_differ(void) {
    MODEL_CHECK(cmi_blocks_alloc(blocks, SMALL) != cmi_blocks_alloc(blocks, SMALL));
}

/* What is freed comes back, whoever else frees meanwhile. */
static uint32_t mine[2];

static void open_with_two(void) {
    open_blocks();
    for (uint32_t i = 0; i < 2; i++) mine[i] = alloc_as(i, SMALL);
}
static void free_0(void) {
    free_as(0, mine[0]);
}
static void free_1(void) {
    free_as(1, mine[1]);
}
static void both_come_back(void) {
    uint32_t first = cmi_blocks_alloc(blocks, SMALL), second = cmi_blocks_alloc(blocks, SMALL);
    MODEL_CHECK((first == mine[0] && second == mine[1]) || (first == mine[1] && second == mine[0]));
}

SHAPE(blocks, two_at_the_frontier, open_blocks, NULL, alloc_1, alloc_free_2)
SHAPE(blocks, two_for_one_free_block, open_1_free, NULL, alloc_free_1, alloc_free_2)
LONG_SHAPE(blocks, three_for_two_free_blocks, 40000, open_2_free, NULL, alloc_free_1, alloc_free_2, alloc_free_3)
SHAPE(blocks, aba_of_the_head, open_3_free, NULL, alloc_1, alloc_two_free_two)
LONG_SHAPE(blocks, aba_while_one_stays_out, 40000, open_3_free, NULL, alloc_1, alloc_two_free_first, alloc_free_3)
SHAPE(blocks, two_need_the_same_new_chunk, open_at_the_end_of_a_chunk, two_more_differ, alloc_larger_1, alloc_larger_2)
SHAPE(blocks, the_rest_of_a_chunk_is_recycled, open_at_the_end_of_a_chunk, two_more_differ, alloc_larger_1, alloc_free_2)
/* The first new chunk is one thread's, and the next one's the rest of it. */
static void alloc_most_of_a_chunk_1(void) {
    alloc_as(1, 61000);
}
static void alloc_most_of_a_chunk_2(void) {
    alloc_as(2, 40000);
}
SHAPE(blocks, the_rest_of_another_threads_chunk_is_recycled, open_at_the_end_of_a_chunk, two_more_differ, alloc_most_of_a_chunk_1,
      alloc_most_of_a_chunk_2)

SHAPE(blocks, big_beside_big, open_blocks, NULL, alloc_big_1, alloc_big_2)
SHAPE(blocks, big_beside_small, open_at_the_end_of_a_chunk, NULL, alloc_big_1, alloc_larger_2)

SHAPE(blocks, nothing_freed_is_lost, open_with_two, both_come_back, free_0, free_1)

/* One thread makes it, another reads and frees it, the first takes it again. */
static void make_and_pass_on(void) {
    uint32_t handle = alloc_as(1, 3 * SMALL + 4);
    plat_store_release(&passed_on, handle);
    alloc_as(1, 3 * SMALL + 4);
}
static void receive_and_free(void) {
    uint32_t handle = plat_load_acquire(&passed_on);
    if (handle != CMI_NO_BLOCK) free_as(1, handle);
}
SHAPE(blocks, freed_by_another_thread, open_at_the_end_of_a_chunk, NULL, make_and_pass_on, receive_and_free)
