/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* futex.c - the part of plat_thread.h that waits for a word to change. */
#define _GNU_SOURCE
#include "plat_thread.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

void plat_thread_sleep(plat_a32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void plat_thread_wake(plat_a32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
