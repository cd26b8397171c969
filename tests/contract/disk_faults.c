/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * disk_faults.c - the k-th file operation of a save, and of a load, fails: for every k, and every way to fail.
 *
 * cm_save_file() and cm_load_file() run on a simulated disk (support/sim_disk.h). Whatever fails says CM_E_IO and the reason; a save that failed has left the old snapshot as it was, no
 * temporary file and no open descriptor; and the same call succeeds when nothing fails any more. What may fail without harm (a short write, EINTR while writing or reading, chown) does none.
 * One failure comes too late for the old snapshot: flushing the folder, when the new one has its name already. It is reported, and the new one is whole.
 */
#include "support/sim_disk.h"
#include "support/snapshot.h"

#include "plat_file.h"

#define PATH "/disk/agent.chrono"
#define NAME "agent.chrono"
#define MOST_BYTES 16384 /* that a write takes, so that there are several */

typedef struct snapshots {
    fixture_t old, fresh;
    memory_file_t old_bytes, fresh_bytes;
} snapshots_t;

static snapshots_t s;

static fixture_t filled(uint32_t n) {
    cm_config_t config = small_config(64);
    fixture_t f = fixture_open(&config);
    fill(&f, n);
    return f;
}

typedef enum before { AN_OLD_ONE, NONE, A_LINK_TO_AN_OLD_ONE, N_BEFORE } before_t;
static const char *const before_names[] = {"over an old snapshot", "where none was", "through a symbolic link"};

static int n_names(before_t before) {
    return before == A_LINK_TO_AN_OLD_ONE ? 2 : before == NONE ? 0 : 1;
}

static const char *target(before_t before) {
    return before == A_LINK_TO_AN_OLD_ONE ? "elsewhere.chrono" : NAME;
}

static void prepare(before_t before) {
    disk_format();
    if (before != NONE) disk_put(target(before), s.old_bytes.bytes, s.old_bytes.n_bytes, 0640);
    if (before == A_LINK_TO_AN_OLD_ONE) disk_put_link(NAME, target(before));
    disk_control.most_bytes = MOST_BYTES;
}

static bool holds_old(before_t before) {
    return before == NONE ? !disk_file(NAME) : disk_holds(target(before), s.old_bytes.bytes, s.old_bytes.n_bytes);
}

static bool holds_fresh(before_t before) {
    return disk_holds(target(before), s.fresh_bytes.bytes, s.fresh_bytes.n_bytes);
}

static cm_status_t save_with(uint64_t at, int error, bool and_more) {
    disk_control.n = 0;
    disk_control.fault.at = at;
    disk_control.fault.error = error;
    disk_control.fault.and_more = and_more;
    disk_control.count_malloc = true;
    cm_status_t status = cm_save_file(s.fresh.thread, PATH);
    disk_control.count_malloc = false;
    disk_control.fault.at = 0;
    return status;
}

/* ---- what each failure must do ------------------------------------------------------------------------------------------------------- */

typedef enum verdict { HARMLESS, OLD_STAYS, FRESH_IS_THERE, NO_SUCH_FAULT } verdict_t;

static verdict_t verdict_on(disk_call_t call, int error) {
    if (error < 0) return call != CALL_WRITE ? NO_SUCH_FAULT : error == FAULT_SHORT ? HARMLESS : OLD_STAYS;
    switch (call) {
    case CALL_WRITE: return error == EINTR ? HARMLESS : OLD_STAYS;
    case CALL_CLOSE: return error == EINTR ? HARMLESS : OLD_STAYS; /* it is closed */
    case CALL_FCHOWN: return HARMLESS;                             /* tried again for the group alone */
    case CALL_CLOSE_FOLDER: return HARMLESS;
    case CALL_OPEN_FOLDER:
    case CALL_FSYNC_FOLDER: return FRESH_IS_THERE;
    case CALL_MALLOC: return error == ENOMEM ? OLD_STAYS : NO_SUCH_FAULT;
    default: return error == ENOMEM ? NO_SUCH_FAULT : OLD_STAYS;
    }
}

/* The sentence ends with the reason. */
static void check_reason(const char *message, int error, const char *what) {
    const char *reason = plat_file_error(error == FAULT_ZERO ? EIO : error);
    CHECK_MSG(strstr(message, reason), "%s: \"%s\" does not say \"%s\"", what, message, reason);
}

static void check_save(before_t before, uint64_t at, disk_call_t call, int error) {
    verdict_t verdict = verdict_on(call, error);
    if (verdict == NO_SUCH_FAULT) return;
    char what[128];
    snprintf(what, sizeof what, "%s, operation %d (%s), fault %d", before_names[before], (int)at, disk_call_names[call], error);
    prepare(before);
    cm_status_t status = save_with(at, error, false);
    CHECK_MSG(status == (verdict == HARMLESS ? CM_OK : CM_E_IO), "%s: %d %s", what, (int)status, cm_message(s.fresh.thread));
    if (status != CM_OK) check_reason(cm_message(s.fresh.thread), error, what);
    bool says_so = status != CM_OK && strstr(cm_message(s.fresh.thread), "the new snapshot is in place") != NULL;
    CHECK_MSG(says_so == (verdict == FRESH_IS_THERE), "%s: \"%s\"", what, cm_message(s.fresh.thread));
    CHECK_MSG(verdict == OLD_STAYS ? holds_old(before) : holds_fresh(before), "%s: not the snapshot that must be there", what);
    int expected = verdict == OLD_STAYS ? n_names(before) : CMI_MAX(n_names(before), 1);
    CHECK_MSG(disk_n_names() == expected, "%s: %d names are there, expected %d", what, disk_n_names(), expected);
    CHECK_MSG(disk_n_open() == 0, "%s: %d descriptors are open", what, disk_n_open());
    if (before != NONE && status == CM_OK && call != CALL_FCHOWN) CHECK_EQ_U64(disk_file(target(before))->mode, 0640);
    CHECK_MSG(save_with(0, 0, false) == CM_OK && holds_fresh(before), "%s: and no save after it", what);
}

static const int faults[] = {EIO, ENOSPC, EINTR, EDQUOT, ENOMEM, FAULT_SHORT, FAULT_ZERO};

TEST(every_operation_of_a_save_fails) {
    for (before_t before = AN_OLD_ONE; before < N_BEFORE; before++) {
        prepare(before);
        CHECK_STATUS(save_with(0, 0, false), CM_OK);
        CHECK(holds_fresh(before));
        uint64_t n = disk_control.n;
        static disk_call_t trace[DISK_OPERATIONS];
        memcpy(trace, disk_control.trace, sizeof trace);
        for (uint64_t at = 1; at <= n; at++)
            for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) check_save(before, at, trace[at - 1], faults[i]);
        printf("# %s: %" PRIu64 " operations\n", before_names[before], n);
        CHECK(n >= 15);
    }
}

/* The whole disk is gone from there on: a temporary file cannot be removed either, but nothing else is left behind. */
TEST(every_operation_from_the_k_th_on_fails) {
    for (before_t before = AN_OLD_ONE; before < N_BEFORE; before++) {
        prepare(before);
        CHECK_STATUS(save_with(0, 0, false), CM_OK);
        uint64_t n = disk_control.n;
        static disk_call_t trace[DISK_OPERATIONS];
        memcpy(trace, disk_control.trace, sizeof trace);
        bool renamed = false;
        for (uint64_t at = 1; at < n; at++) { /* the last, closing the folder, is harmless */
            prepare(before);
            CHECK_STATUS(save_with(at, EIO, true), CM_E_IO);
            CHECK_MSG(renamed ? holds_fresh(before) : holds_old(before), "%s, from operation %d (%s) on", before_names[before], (int)at,
                      disk_call_names[trace[at - 1]]);
            CHECK_EQ_U64(disk_n_open(), 0);
            CHECK(disk_n_names() <= CMI_MAX(n_names(before), 1) + 1);
            CHECK_MSG(save_with(0, 0, false) == CM_OK && holds_fresh(before), "and no save after it");
            renamed |= trace[at - 1] == CALL_RENAME;
        }
    }
}

TEST(a_name_that_is_taken_is_not_used) {
    prepare(AN_OLD_ONE);
    CHECK_STATUS(save_with(0, 0, false), CM_OK);
    uint64_t at = 1;
    while (disk_control.trace[at - 1] != CALL_CREATE) at++;
    prepare(AN_OLD_ONE);
    CHECK_STATUS(save_with(at, EEXIST, false), CM_OK);
    CHECK(holds_fresh(AN_OLD_ONE));
    prepare(AN_OLD_ONE);
    CHECK_STATUS(save_with(at, EEXIST, true), CM_E_IO); /* not for ever */
    CHECK(holds_old(AN_OLD_ONE));
    CHECK_EQ_U64(disk_n_names(), 1);
}

/* ---- loading ----------------------------------------------------------------------------------------------------------------------------- */

static cm_status_t load_with(uint64_t at, int error, cm_store_t **store, cm_error_t *why) {
    cm_load_options_t options = CM_LOAD_INIT;
    options.clock_ms = fixed_clock;
    disk_control.n = 0;
    disk_control.fault.at = at;
    disk_control.fault.error = error;
    disk_control.count_malloc = true;
    cm_status_t status = cm_load_file(PATH, &options, store, why);
    disk_control.count_malloc = false;
    disk_control.fault.at = 0;
    return status;
}

static bool load_is_unharmed(disk_call_t call, int error) {
    if (call == CALL_PREAD) return error == EINTR || error == FAULT_SHORT;
    return call == CALL_CLOSE;
}

static void check_load(uint64_t at, disk_call_t call, int error) {
    if ((call == CALL_MALLOC) != (error == ENOMEM) || (error < 0 && call != CALL_PREAD)) return;
    char what[128];
    snprintf(what, sizeof what, "operation %d (%s), fault %d", (int)at, disk_call_names[call], error);
    cm_store_t *store = (cm_store_t *)&s; /* must become NULL */
    cm_error_t why = {CM_OK, ""};
    cm_status_t status = load_with(at, error, &store, &why);
    bool unharmed = load_is_unharmed(call, error);
    CHECK_MSG(status == (unharmed ? CM_OK : CM_E_IO), "%s: %d %s", what, (int)status, why.message);
    CHECK_MSG(disk_n_open() == 0, "%s: %d descriptors are open", what, disk_n_open());
    if (status == CM_OK) {
        fixture_t loaded = fixture_of(store);
        check_same_memories(&loaded, &s.old);
        fixture_close(&loaded);
    } else {
        CHECK(store == NULL);
        CHECK_EQ_U64(why.status, CM_E_IO);
        check_reason(why.message, error, what);
    }
}

TEST(every_operation_of_a_load_fails) {
    prepare(AN_OLD_ONE);
    cm_store_t *store;
    CHECK_STATUS(load_with(0, 0, &store, NULL), CM_OK);
    CHECK_STATUS(cm_close(store), CM_OK);
    uint64_t n = disk_control.n;
    static disk_call_t trace[DISK_OPERATIONS];
    memcpy(trace, disk_control.trace, sizeof trace);
    for (uint64_t at = 1; at <= n; at++)
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) check_load(at, trace[at - 1], faults[i]);
    printf("# %" PRIu64 " operations\n", n);
    CHECK(n > 8);
    CHECK(holds_old(AN_OLD_ONE));
}

int main(void) {
    s.old = filled(60);
    s.fresh = filled(120);
    s.old_bytes = save_to_memory(&s.old);
    s.fresh_bytes = save_to_memory(&s.fresh);
    printf("# old %zu bytes, new %zu bytes\n", s.old_bytes.n_bytes, s.fresh_bytes.n_bytes);
    RUN(every_operation_of_a_save_fails);
    RUN(every_operation_from_the_k_th_on_fails);
    RUN(a_name_that_is_taken_is_not_used);
    RUN(every_operation_of_a_load_fails);
    memory_file_free(&s.old_bytes);
    memory_file_free(&s.fresh_bytes);
    fixture_close(&s.old);
    fixture_close(&s.fresh);
    return tap_done();
}
