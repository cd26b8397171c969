/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* relate.h - changing the relationships of a memory while others do, too. */
#ifndef CMI_RELATE_H
#define CMI_RELATE_H

#include "store/relationships.h"
#include "store/store_impl.h"

/* Adds a list behind the relationships of whatever memory the id entry names (none: nothing to do), but for links to itself. False when the machine gives no memory. Lock-free; pinned,
 * prepared: retires one block. */
bool cmi_relate_list(cm_thread_t *thread, uint32_t entry, cmi_relationships_t list);

/* The same for the list of a memory that another of its id replaced: links to itself stay. */
bool cmi_relate_hand_on(cm_thread_t *thread, uint32_t entry, cmi_relationships_t list);

#endif
