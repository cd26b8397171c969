/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * blocks.h - variable-size memory for ids, relationships and payloads, named by u32 handles (valid in every thread and on every target; below 2^31).
 *
 * Size classes over one growing range; freed blocks go to a Treiber stack per class, whose head carries a tag against ABA.
 * Lock-free; freeing is what a grace period's callback does (memory/reclaim.h), so it may run on any thread.
 */
#ifndef CMI_BLOCKS_H
#define CMI_BLOCKS_H

#include "base/base.h"
#include "plat_atomic.h"

typedef struct cmi_blocks cmi_blocks_t;

#define CMI_NO_BLOCK 0u

/* SETUP. NULL when the machine gives no memory. */
cmi_blocks_t *cmi_blocks_open(void);
void cmi_blocks_close(cmi_blocks_t *blocks);

/* A block for n_bytes (1 .. 2 MiB), contents undefined, aligned to 8 bytes. CMI_NO_BLOCK when the machine gives no memory. */
uint32_t cmi_blocks_alloc(cmi_blocks_t *blocks, uint32_t n_bytes);

/* The caller knows that nobody can reach the block any more. */
void cmi_blocks_free(cmi_blocks_t *blocks, uint32_t handle);

/* Address and size asked for. */
void *cmi_blocks_at(const cmi_blocks_t *blocks, uint32_t handle);
uint32_t cmi_blocks_len(const cmi_blocks_t *blocks, uint32_t handle);

/* Bytes in blocks handed out and not freed, and bytes taken from the machine. */
uint64_t cmi_blocks_bytes_used(const cmi_blocks_t *blocks);
uint64_t cmi_blocks_bytes_reserved(const cmi_blocks_t *blocks);

#endif
