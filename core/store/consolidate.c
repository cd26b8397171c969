/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "store/operations.h"
#include "store/store_impl.h"
cm_status_t cmi_store_consolidate(cm_thread_t *thread, const cm_consolidate_t *options, uint64_t *n_absorbed) {
    (void)options;
    *n_absorbed = 0;
    return cmi_no_memory(&thread->error, "consolidate");
}
