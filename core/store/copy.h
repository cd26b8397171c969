/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* copy.h - a memory out of the store, into the caller's struct and buffer. */
#ifndef CMI_COPY_H
#define CMI_COPY_H

#include "store/operations.h"
#include "store/store_impl.h"

/* Bytes that the copy of a memory takes; sets *room.needed, and fails with CM_E_BUFFER when the room is smaller. */
cm_status_t cmi_copy_measure(cm_thread_t *thread, const cmi_memory_view_t *view, cmi_room_t room);

/* The room is large enough. The struct's pointers lead into the buffer: references | vector | strings. */
void cmi_copy_memory(const cm_thread_t *thread, const cmi_memory_view_t *view, cm_memory_t *out, cmi_room_t room);

/* Sets *room.needed; CM_E_BUFFER when the room is smaller. */
cm_status_t cmi_room_for(cm_thread_t *thread, uint64_t n_bytes, cmi_room_t room);

/* Copies a string to *next and moves *next behind it. */
cm_str_t cmi_copy_str(char **next, cm_str_t string);

#endif
