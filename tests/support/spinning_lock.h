/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * spinning_lock.h - the lock of the control, in place of platform/linux/thread.c: a reader-writer lock that spins, step by step, so that waiting shows. One at a time.
 */
#ifndef TEST_SPINNING_LOCK_H
#define TEST_SPINNING_LOCK_H

#include "plat_thread.h"

#include <stdatomic.h>

void plat_atomic_step(void);

struct plat_rwlock {
    _Atomic int holders; /* -1: a writer */
};
static struct plat_rwlock the_lock;

plat_rwlock_t *plat_rwlock_open(void) {
    the_lock.holders = 0;
    return &the_lock;
}
void plat_rwlock_close(plat_rwlock_t *lock) {
    (void)lock;
}
static void take_lock(plat_rwlock_t *lock, bool writes) {
    for (;;) {
        plat_atomic_step();
        int held = lock->holders;
        if ((writes ? held == 0 : held >= 0) && atomic_compare_exchange_strong(&lock->holders, &held, writes ? -1 : held + 1)) return;
    }
}
void plat_rwlock_read(plat_rwlock_t *lock) {
    take_lock(lock, false);
}
void plat_rwlock_write(plat_rwlock_t *lock) {
    take_lock(lock, true);
}
void plat_rwlock_unlock(plat_rwlock_t *lock) {
    plat_atomic_step();
    if (lock->holders < 0) lock->holders = 0;
    else lock->holders--;
}

#endif
