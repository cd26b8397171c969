/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * disk_crashes.c - the power fails after every file operation of a save, and what was not flushed is there or not: in every state that the disk may be found in, the snapshot is the old or the
 * new one; once cm_save_file() has said CM_OK, the new one.
 *
 * The disk is simulated (support/sim_disk.h). After each operation all states are gone through: every subset of the unflushed changes of names, with the unflushed bytes dropped, kept, kept as
 * every prefix of sectors (with and without the full length), as every suffix, with a sector torn, and as random choices of sectors. A state's snapshot is compared with the bytes of
 * both, whose loading was checked; other bytes, if there ever were any, are loaded, and fail the test.
 */
#include "support/sim_disk.h"
#include "support/snapshot.h"

#define PATH "/disk/agent.chrono"
#define NAME "agent.chrono"

enum { MOST_BYTES = 4096, /* that a write takes: many operations */ RANDOM_CHOICES = 32, ERRORS_SHOWN = 3 };

typedef enum found { OLD = 1, FRESH = 2, NOTHING = 4, DAMAGED = 8 } found_t;

static struct {
    fixture_t old, fresh;
    memory_file_t old_bytes, fresh_bytes;
    const char *target;
    unsigned allowed;  /* of found_t */
    uint64_t n_states; /* gone through */
    uint64_t n_of_kind[9];
    uint64_t n_wrong;
    uint64_t n_unflushed; /* states in which the name leads to a file with unflushed bytes: none, when flushing comes before renaming */
} s;

static fixture_t filled(uint32_t n) {
    cm_config_t config = small_config(64);
    fixture_t f = fixture_open(&config);
    fill(&f, n);
    return f;
}

/* ---- going through the states ----------------------------------------------------------------------------------------------------------- */

static bool equals(const uint8_t *bytes, size_t n_bytes, const memory_file_t *file) {
    return n_bytes == file->n_bytes && memcmp(bytes, file->bytes, n_bytes) == 0;
}

static found_t look_at(const uint8_t *bytes, size_t n_bytes) {
    if (equals(bytes, n_bytes, &s.old_bytes)) return OLD;
    if (equals(bytes, n_bytes, &s.fresh_bytes)) return FRESH;
    return DAMAGED;
}

/* Whether cm_load_file() would notice: part of the message only. */
static const char *load_of(const uint8_t *bytes, size_t n_bytes) {
    memory_file_t file = {0};
    cm_store_t *store;
    cm_error_t error;
    memory_file_write(&file, bytes, n_bytes);
    bool loads = load_from_memory(&file, &store, &error) == CM_OK;
    if (loads) cm_close(store);
    memory_file_free(&file);
    return loads ? "which even loads" : "which does not load";
}

static void visit(disk_call_t call, uint64_t n_operation, unsigned changes, disk_loss_t loss, uint64_t n) {
    static uint8_t bytes[DISK_BYTES];
    int file = disk_surviving_name(s.target, changes);
    size_t n_bytes = file >= 0 ? disk_survivors(file, loss, n, bytes) : 0;
    found_t found = file >= 0 ? look_at(bytes, n_bytes) : NOTHING;
    s.n_states++;
    s.n_of_kind[found]++;
    s.n_unflushed += file >= 0 && disk_n_dirty(file) > 0;
    if (found & s.allowed) return;
    if (s.n_wrong++ < ERRORS_SHOWN)
        printf("# after operation %" PRIu64 " (%s), changes of names %x, loss %d of %" PRIu64 ": found %s\n", n_operation,
               disk_call_names[call], changes, (int)loss, n,
               found == OLD       ? "the old one"
               : found == FRESH   ? "the new one"
               : found == NOTHING ? "nothing"
                                  : load_of(bytes, n_bytes));
}

/* Only one file at a time has unflushed bytes. */
static size_t n_dirty(void) {
    size_t n = 0;
    for (int i = 0; i < DISK_FILES; i++)
        if (disk.files[i].used) n = CMI_MAX(n, disk_n_dirty(i));
    return n;
}

static void visit_all(disk_call_t call, uint64_t operation) {
    uint64_t n = n_dirty();
    for (unsigned changes = 0; changes < 1u << disk.n_changes; changes++) {
        visit(call, operation, changes, LOSS_DROPPED, 0);
        if (n == 0) continue;
        visit(call, operation, changes, LOSS_KEPT, 0);
        for (uint64_t i = 0; i < n; i++) {
            visit(call, operation, changes, LOSS_PREFIX, i);
            visit(call, operation, changes, LOSS_PREFIX_SIZED, i);
            visit(call, operation, changes, LOSS_TORN, i);
            if (i > 0) visit(call, operation, changes, LOSS_SUFFIX, i);
        }
        for (uint64_t i = 0; i < RANDOM_CHOICES; i++) visit(call, operation, changes, LOSS_SOME, i);
    }
}

static void begin(unsigned allowed) {
    s.target = NAME;
    s.allowed = allowed;
    s.n_states = s.n_wrong = s.n_unflushed = 0;
    memset(s.n_of_kind, 0, sizeof s.n_of_kind);
    disk_format();
    disk_control.most_bytes = MOST_BYTES;
}

static void end(const char *what) {
    printf("# %s: %" PRIu64 " states, %" PRIu64 " old, %" PRIu64 " new, %" PRIu64 " without; %" PRIu64 " wrong\n", what, s.n_states,
           s.n_of_kind[OLD], s.n_of_kind[FRESH], s.n_of_kind[NOTHING], s.n_wrong);
    CHECK_EQ_U64(s.n_wrong, 0);
}

static cm_status_t save(fixture_t *f) {
    disk_control.after = visit_all;
    cm_status_t status = cm_save_file(f->thread, PATH);
    disk_control.after = NULL;
    return status;
}

/* The disk as it is now, without a further operation. */
static void visit_now(unsigned allowed) {
    s.allowed = allowed;
    visit_all(disk_control.trace[disk_control.n - 1], disk_control.n);
}

/* ---- the tests ------------------------------------------------------------------------------------------------------------------------------ */

/* What "the old one" and "the new one" mean: their bytes load, and give the memories of their stores. */
TEST(both_snapshots_load) {
    fixture_t old = load_fixture(&s.old_bytes), fresh = load_fixture(&s.fresh_bytes);
    check_same_memories(&old, &s.old);
    check_same_memories(&fresh, &s.fresh);
    fixture_close(&old);
    fixture_close(&fresh);
}

TEST(a_save_over_an_old_snapshot) {
    begin(OLD | FRESH);
    disk_put(NAME, s.old_bytes.bytes, s.old_bytes.n_bytes, 0640);
    CHECK_STATUS(save(&s.fresh), CM_OK);
    CHECK(s.n_of_kind[OLD] > 0 && s.n_of_kind[FRESH] > 0);
    visit_now(FRESH);
    CHECK_MSG(s.n_states >= 10000, "only %" PRIu64 " states", s.n_states);
    CHECK_EQ_U64(s.n_unflushed, 0);
    end("over an old one");
}

TEST(a_save_where_none_was) {
    begin(NOTHING | FRESH);
    CHECK_STATUS(save(&s.fresh), CM_OK);
    CHECK(s.n_of_kind[NOTHING] > 0 && s.n_of_kind[FRESH] > 0);
    visit_now(FRESH);
    end("where none was");
}

TEST(a_save_through_a_symbolic_link) {
    begin(OLD | FRESH);
    s.target = "elsewhere.chrono";
    disk_put(s.target, s.old_bytes.bytes, s.old_bytes.n_bytes, 0640);
    disk_put_link(NAME, s.target);
    CHECK_STATUS(save(&s.fresh), CM_OK);
    visit_now(FRESH);
    end("through a link");
}

/* What the first save flushed stays flushed in the second: the older one never comes back. */
TEST(a_save_after_a_save) {
    begin(OLD | FRESH);
    disk_put(NAME, s.old_bytes.bytes, s.old_bytes.n_bytes, 0640);
    CHECK_STATUS(save(&s.fresh), CM_OK);
    s.allowed = FRESH;
    CHECK_STATUS(save(&s.fresh), CM_OK);
    visit_now(FRESH);
    s.allowed = FRESH | OLD;
    CHECK_STATUS(save(&s.old), CM_OK); /* the old store becomes the newest */
    visit_now(OLD);
    end("three saves");
}

/* One operation fails, in the middle of which the power may fail, too, and afterwards. False when the save has fewer operations. */
static bool fail_and_crash(uint64_t at, int error) {
    disk_format();
    disk_control.most_bytes = MOST_BYTES * 8; /* fewer states of writing: those were gone through */
    disk_put(NAME, s.old_bytes.bytes, s.old_bytes.n_bytes, 0640);
    disk_control.fault.at = at;
    disk_control.fault.error = error;
    s.allowed = OLD | FRESH;
    cm_status_t status = save(&s.fresh);
    bool renamed = disk_holds(NAME, s.fresh_bytes.bytes, s.fresh_bytes.n_bytes);
    visit_now(status == CM_OK ? FRESH : renamed ? OLD | FRESH : OLD);
    return disk_control.n >= at;
}

TEST(a_failure_and_then_a_crash) {
    static const int errors[] = {EIO, EINTR, ENOSPC};
    begin(0);
    for (size_t i = 0; i < 3; i++) {
        uint64_t at = 1;
        while (fail_and_crash(at, errors[i])) at++;
        CHECK(at > 15);
    }
    end("a failure and a crash");
}

static struct {
    uint64_t at;
    disk_t disk;
} kept;

static void keep_disk(disk_call_t call, uint64_t n) {
    (void)call;
    if (n == kept.at) kept.disk = disk;
}

/* A machine that lost power after operation `at` of a save starts again. False when the save has fewer operations. */
static bool crash_and_restart(uint64_t at, unsigned changes, disk_loss_t loss) {
    disk_format();
    disk_put(NAME, s.old_bytes.bytes, s.old_bytes.n_bytes, 0640);
    disk_control.most_bytes = MOST_BYTES * 8;
    disk_control.after = keep_disk;
    kept.at = at;
    CHECK_STATUS(cm_save_file(s.fresh.thread, PATH), CM_OK);
    if (disk_control.n < at) return false;
    disk = kept.disk;
    disk_restart(changes, loss, at);
    cm_store_t *store = NULL;
    cm_error_t error = {CM_OK, ""};
    CHECK_MSG(cm_load_file(PATH, NULL, &store, &error) == CM_OK, "after operation %d: %s", (int)at, error.message);
    if (store) {
        uint64_t n = cm_len(store);
        CHECK(n == cm_len(s.old.store) || n == cm_len(s.fresh.store));
        CHECK_STATUS(cm_close(store), CM_OK);
    }
    CHECK_STATUS(cm_save_file(s.fresh.thread, PATH), CM_OK);
    visit_now(FRESH);
    return true;
}

/* With a stray temporary file perhaps: the snapshot loads through the file layer, and the next save works. */
TEST(life_goes_on_after_a_crash) {
    begin(FRESH);
    uint64_t at = 1;
    while (crash_and_restart(at, 0, LOSS_DROPPED)) {
        crash_and_restart(at, ~0u, LOSS_KEPT);
        crash_and_restart(at, ~0u, LOSS_DROPPED);
        crash_and_restart(at, ~0u, LOSS_SOME);
        at++;
    }
    CHECK(at > 15);
    end("starting again");
}

int main(void) {
    bool full = getenv("CM_TEST_LENGTH") && strcmp(getenv("CM_TEST_LENGTH"), "full") == 0;
    s.old = filled(60);
    s.fresh = filled(full ? 300 : 160);
    s.old_bytes = save_to_memory(&s.old);
    s.fresh_bytes = save_to_memory(&s.fresh);
    printf("# old %zu bytes, new %zu bytes\n", s.old_bytes.n_bytes, s.fresh_bytes.n_bytes);
    RUN(both_snapshots_load);
    RUN(a_save_over_an_old_snapshot);
    RUN(a_save_where_none_was);
    RUN(a_save_through_a_symbolic_link);
    RUN(a_save_after_a_save);
    RUN(a_failure_and_then_a_crash);
    RUN(life_goes_on_after_a_crash);
    memory_file_free(&s.old_bytes);
    memory_file_free(&s.fresh_bytes);
    fixture_close(&s.old);
    fixture_close(&s.fresh);
    return tap_done();
}
