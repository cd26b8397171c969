/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* ten_lines.c - what somebody writes first: open a store, insert, search, print. */
#include <chronomind.h>
#include <stdio.h>

int main(void) {
    cm_config_t config = CM_CONFIG_INIT;
    config.dimensions = 4;
    cm_store_t *store;
    cm_thread_t *thread;
    if (cm_open(&config, &store, NULL) != CM_OK || cm_attach(store, &thread) != CM_OK) return 1;
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = CM_STR("first"), memory.vector = (float[]){0.1f, 0.2f, 0.3f, 0.4f}, memory.dimensions = 4;
    if (cm_insert(thread, &memory) != CM_OK) return puts(cm_message(thread));
    cm_hit_t hits[10];
    size_t n;
    if (cm_search(thread, memory.vector, 4, NULL, hits, &n) != CM_OK) return puts(cm_message(thread));
    printf("%zu hit, score %.4f\n", n, (double)hits[0].score);
    cm_detach(thread);
    return cm_close(store);
}
