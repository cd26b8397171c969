/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* progress.h - one line on standard error, when that is a terminal and the work takes longer than a second. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

/* n_total 0: unknown. Cheap enough to call for every memory. */
void progress_show(uint64_t n_memories, uint64_t n_bytes, uint64_t n_bytes_total);
void progress_show_share(double done, const char *doing); /* done in [0,1] */
void progress_clear(void);

#endif
