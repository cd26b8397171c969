/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * decay.c - importance fades with time that nobody asked for the memory.
 *
 *     importance *= exp(-rate * hours since the later of the last access and decayed_ms)
 *
 * ONCE PER INTERVAL  decayed_ms is a high-water mark. A sweep that moves it by a CAS from the value that it computed the interval from owns the interval, and multiplies; one that
 *          fails looks again from the new mark. Factors commute, so it does not matter which of two owners multiplies first.
 * PROGRESS lock-free: a repetition happens only because another sweep, access or update of this memory succeeded.
 */
#include "store/operations.h"
#include "store/score.h"
#include "store/store_impl.h"

typedef struct sweep {
    const cm_store_t *store;
    int64_t now_ms;
    uint64_t n_decayed;
} sweep_t;

/* The start of the interval up to now that this call owns from here on; false when nothing is left to decay. */
static bool claim(cmi_record_t *record, int64_t now_ms, int64_t *from_ms) {
    uint64_t mark = plat_load_relaxed(&record->decayed_ms); /* relaxed, all of it: independent numbers, each re-checked by its CAS */
    do {
        int64_t accessed_ms = (int64_t)plat_load_relaxed(&record->accessed_ms);
        *from_ms = CMI_MAX(accessed_ms, (int64_t)mark);
        if (*from_ms >= now_ms) return false;
    } while (!plat_cas_relaxed(&record->decayed_ms, &mark, (uint64_t)now_ms)); /* retry: another sweep moved the mark */
    return true;
}

static void multiply(plat_a32_t *importance, double factor) {
    uint32_t bits = plat_load_relaxed(importance);                                                                  /* relaxed: as above */
    while (!plat_cas_relaxed(importance, &bits, cmi_float_bits((float)((double)cmi_bits_float(bits) * factor)))) {} /* retry: it changed */
}

static void decay(void *context, uint32_t slot) {
    sweep_t *sweep = context;
    cmi_record_t *record = cmi_record_at(sweep->store, slot);
    int64_t from_ms;
    if (!claim(record, sweep->now_ms, &from_ms)) return;
    float rate = cmi_rate_in_force(sweep->store, cmi_record_given_rate(record));
    multiply(&record->importance, cmi_retention(cmi_decay_exponent(from_ms, sweep->now_ms, rate)));
    sweep->n_decayed++;
}

uint64_t cmi_store_apply_decay(cm_thread_t *thread, int64_t now_ms) {
    sweep_t sweep = {thread->store, cmi_time_of(thread->store, now_ms), 0};
    cmi_thread_pin(thread);
    cmi_store_each(thread->store, decay, &sweep);
    cmi_thread_unpin(thread);
    return sweep.n_decayed;
}
