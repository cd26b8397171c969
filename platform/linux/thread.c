/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* thread.c - plat_thread.h over pthreads: the only file that knows them. Sleeping and waking: futex.c. */
#define _GNU_SOURCE
#include "plat_thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

struct plat_thread {
    pthread_t thread;
    void (*body)(void *argument);
    void *argument;
};

struct plat_rwlock {
    pthread_rwlock_t lock;
};

static void *run(void *handle) {
    plat_thread_t *thread = handle;
    thread->body(thread->argument);
    return NULL;
}

plat_thread_t *plat_thread_spawn(void (*body)(void *argument), void *argument) {
    plat_thread_t *thread = malloc(sizeof *thread);
    if (!thread) return NULL;
    thread->body = body;
    thread->argument = argument;
    if (pthread_create(&thread->thread, NULL, run, thread) == 0) return thread;
    free(thread);
    return NULL;
}

void plat_thread_join(plat_thread_t *thread) {
    pthread_join(thread->thread, NULL);
    free(thread);
}

unsigned plat_thread_cpus(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1; /* more than 1024 processors */
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}

/* glibc lets readers starve writers unless told otherwise; the baseline should be a lock as one would choose it. */
plat_rwlock_t *plat_rwlock_open(void) {
    plat_rwlock_t *lock = malloc(sizeof *lock);
    if (!lock) return NULL;
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
#ifdef __GLIBC__
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    int failed = pthread_rwlock_init(&lock->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    if (!failed) return lock;
    free(lock);
    return NULL;
}

void plat_rwlock_close(plat_rwlock_t *lock) {
    if (!lock) return;
    pthread_rwlock_destroy(&lock->lock);
    free(lock);
}

void plat_rwlock_read(plat_rwlock_t *lock) {
    pthread_rwlock_rdlock(&lock->lock);
}

void plat_rwlock_write(plat_rwlock_t *lock) {
    pthread_rwlock_wrlock(&lock->lock);
}

void plat_rwlock_unlock(plat_rwlock_t *lock) {
    pthread_rwlock_unlock(&lock->lock);
}
