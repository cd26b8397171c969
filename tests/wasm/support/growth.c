/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* growth.c - a memory that is not shared moves when it grows, as far as JavaScript can see: Emscripten hears of it, or printf would read nothing. */
#include "plat_pages.h"

#include <emscripten/heap.h>

void *__real_plat_pages_alloc(size_t bytes);
void *__wrap_plat_pages_alloc(size_t bytes);
void emscripten_notify_memory_growth(size_t memory);

void *__wrap_plat_pages_alloc(size_t bytes) {
    void *pages = __real_plat_pages_alloc(bytes);
    emscripten_notify_memory_growth(0);
    return pages;
}
