/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* platform.c - the machine as the core sees it while it is being modelled: pages from the checker's pool, no time, no chance; and what the core gives back, watched. */
#include "memory/blocks.h"
#include "memory/items.h"
#include "model/plain.h"
#include "plat_clock.h"
#include "plat_cpu.h"
#include "plat_pages.h"
#include "plat_random.h"
#include "plat_spill.h"

#define MOST_RESERVED_BYTES (1u << 20)

const plat_pages_caps_t *plat_pages_caps(void) {
    static const plat_pages_caps_t chunked = {4096, false, false}, flat = {4096, true, false};
    return plain_arenas_are_flat() ? &flat : &chunked;
}

void *plat_pages_alloc(size_t bytes) {
    return plain_pages(bytes);
}

void *plat_pages_reserve(size_t bytes) {
    return plain_arenas_are_flat() && bytes <= MOST_RESERVED_BYTES ? plain_pages(bytes) : NULL;
}

void plat_pages_free(void *address, size_t bytes) {
    (void)bytes;
    if (address) plain_pages_free(address);
}

void plat_pages_wish_huge(void *address, size_t bytes) {
    (void)address, (void)bytes;
}

/* Files are not modelled: no shape opens one. */
const char *plat_spill_open(plat_spill_t *spill, const char *folder, size_t n_bytes) {
    (void)spill, (void)folder, (void)n_bytes;
    return "not modelled";
}

bool plat_spill_ensure(plat_spill_t *spill, uint64_t n_bytes) {
    (void)spill, (void)n_bytes;
    return false;
}

void plat_spill_close(plat_spill_t *spill) {
    (void)spill;
}

int64_t plat_clock_now_ms(void) {
    return 0;
}

uint64_t plat_clock_monotonic_ns(void) {
    return 0;
}

bool plat_cpu_has(plat_cpu_feature_t feature) {
    return feature == PLAT_CPU_BASELINE;
}

const char *plat_cpu_isa_override(void) {
    return NULL;
}

uint64_t plat_random_u64(void) {
    return 1;
}

/* ---- what is given back ----------------------------------------------------------------------------------------------------- */

/* All of an item but the word that links the stack of free ones, which a late take may read. */
static uint8_t *body_of(const cmi_items_t *items, uint32_t index) {
    return (uint8_t *)cmi_items_at(items, index) + sizeof(plat_a32_t);
}

static size_t body_bytes(const cmi_items_t *items) {
    return (size_t)items->arena.stride_bytes - sizeof(plat_a32_t);
}

cm_status_t __real_cmi_items_take(cmi_items_t *items, uint32_t *index);
cm_status_t __wrap_cmi_items_take(cmi_items_t *items, uint32_t *index);
cm_status_t __wrap_cmi_items_take(cmi_items_t *items, uint32_t *index) {
    cm_status_t status = __real_cmi_items_take(items, index);
    if (status == CM_OK) model_reuse(body_of(items, *index), body_bytes(items));
    return status;
}

void __real_cmi_items_give(cmi_items_t *items, uint32_t index);
void __wrap_cmi_items_give(cmi_items_t *items, uint32_t index);
void __wrap_cmi_items_give(cmi_items_t *items, uint32_t index) {
    model_free(body_of(items, index), body_bytes(items));
    __real_cmi_items_give(items, index);
}

uint32_t __real_cmi_blocks_alloc(cmi_blocks_t *blocks, uint32_t n_bytes);
uint32_t __wrap_cmi_blocks_alloc(cmi_blocks_t *blocks, uint32_t n_bytes);
uint32_t __wrap_cmi_blocks_alloc(cmi_blocks_t *blocks, uint32_t n_bytes) {
    uint32_t handle = __real_cmi_blocks_alloc(blocks, n_bytes);
    if (handle != CMI_NO_BLOCK) model_reuse(cmi_blocks_at(blocks, handle), n_bytes);
    return handle;
}

void __real_cmi_blocks_free(cmi_blocks_t *blocks, uint32_t handle);
void __wrap_cmi_blocks_free(cmi_blocks_t *blocks, uint32_t handle);
void __wrap_cmi_blocks_free(cmi_blocks_t *blocks, uint32_t handle) {
    model_free(cmi_blocks_at(blocks, handle), cmi_blocks_len(blocks, handle));
    __real_cmi_blocks_free(blocks, handle);
}
