/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * platform.c - pages, clock, random, threads and files on this machine. Files are tested in a fresh folder under /tmp; what needs a user without
 * root's rights (permissions) or a full disk (RLIMIT_FSIZE and /dev/full stand in for it) runs in a child process.
 */
#define _GNU_SOURCE
#include "plat_atomic.h"
#include "plat_clock.h"
#include "plat_file.h"
#include "plat_pages.h"
#include "plat_thread.h"
#include "support/random_words.h"
#include "support/tap.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || \
    __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SHADOW_MEMORY 1
#else
#define SHADOW_MEMORY 0
#endif

static char folder[64];

/* A path in the test's folder; the four newest stay valid. */
static const char *in_folder(const char *name) {
    static char paths[4][256];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, 256, "%s/%s", folder, name);
    return path;
}

static int write_file(const char *path, const char *text) {
    plat_file_writer_t *writer;
    int error = plat_file_writer_open(path, &writer);
    if (error) return error;
    error = plat_file_writer_write(writer, text, strlen(text));
    if (!error) return plat_file_writer_commit(writer, NULL);
    plat_file_writer_abort(writer);
    return error;
}

static bool holds(const char *path, const char *text) {
    plat_file_reader_t *reader;
    if (plat_file_reader_open(path, &reader)) return false;
    char bytes[256] = {0};
    uint64_t n = plat_file_reader_bytes(reader);
    bool same = n == strlen(text) && n < sizeof bytes && plat_file_reader_read(reader, 0, bytes, (size_t)n) == 0 &&
                strcmp(bytes, text) == 0;
    plat_file_reader_close(reader);
    return same;
}

static int n_entries(void) {
    DIR *dir = opendir(folder);
    int n = 0;
    for (struct dirent *entry; (entry = readdir(dir));) n += entry->d_name[0] != '.' || strncmp(entry->d_name, ".chronomind", 11) == 0;
    closedir(dir);
    return n;
}

/* Runs `body` in a child, as nobody when this is root; true when it returned 0. Its own report goes through the exit status. */
static bool in_child(int (*body)(void), bool as_nobody) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (as_nobody && geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(99);
        _exit(body());
    }
    int status;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) printf("# child: wait status 0x%x\n", (unsigned)status);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- pages, clock, random, threads -------------------------------------------------------------------------------------- */

TEST(pages_are_zeroed_aligned_and_writable) {
    size_t sizes[] = {1, 4096, 100000, 8u << 20};
    for (int i = 0; i < 4; i++) {
        unsigned char *page = plat_pages_alloc(sizes[i]);
        CHECK(page != NULL);
        CHECK_EQ_U64((uintptr_t)page % 64, 0);
        CHECK(page[0] == 0 && page[sizes[i] - 1] == 0);
        memset(page, 1, sizes[i]);
        plat_pages_free(page, sizes[i]);
    }
    plat_pages_free(NULL, 4096);
}

TEST(impossible_sizes_give_null) {
    CHECK(plat_pages_alloc(SIZE_MAX / 2) == NULL);
    CHECK(plat_pages_reserve(SIZE_MAX / 2) == NULL);
}

TEST(a_reservation_costs_nothing_until_touched) {
    const size_t bytes = (size_t)64 << 30;
    CHECK(plat_pages_caps()->can_reserve);
    unsigned char *range = plat_pages_reserve(bytes);
    if (range) { /* a machine may be configured to refuse */
        plat_pages_wish_huge(range, bytes);
        range[bytes - 1] = 7;
        CHECK(range[0] == 0 && range[bytes - 1] == 7);
    }
    plat_pages_free(range, bytes);
}

static int reserve_under_a_limit(void) {
    struct rlimit limit = {(rlim_t)1 << 30, (rlim_t)1 << 30};
    if (setrlimit(RLIMIT_AS, &limit) != 0) return 1;
    void *small = plat_pages_alloc(1 << 20);
    return plat_pages_reserve((size_t)4 << 30) != NULL || small == NULL;
}

TEST(an_address_space_limit_refuses_a_reservation) {
    if (!SHADOW_MEMORY) CHECK(in_child(reserve_under_a_limit, false)); /* shadow memory lies above any limit */
}

TEST(clocks_tell_the_time) {
    CHECK(plat_clock_now_ms() > 1700000000000); /* November 2023 */
    uint64_t last = plat_clock_monotonic_ns();
    for (int i = 0; i < 1000; i++) {
        uint64_t now = plat_clock_monotonic_ns();
        CHECK(now >= last);
        last = now;
    }
}

static plat_rwlock_t *lock;
static int guarded;

static void add_under_lock(void *argument) {
    for (int i = 0; i < 10000; i++) {
        plat_rwlock_write(lock);
        guarded++;
        plat_rwlock_unlock(lock);
    }
    plat_fetch_add_acq_rel((plat_a32_t *)argument, 1u);
}

TEST(threads_run_and_the_lock_excludes) {
    plat_a32_t n_done = 0;
    lock = plat_rwlock_open();
    CHECK(plat_thread_cpus() >= 1);
    plat_thread_t *threads[3];
    for (int i = 0; i < 3; i++) threads[i] = plat_thread_spawn(add_under_lock, &n_done);
    for (int i = 0; i < 3; i++) plat_thread_join(threads[i]);
    plat_rwlock_read(lock);
    plat_rwlock_read(lock); /* readers share */
    CHECK(guarded == 30000);
    plat_rwlock_unlock(lock);
    plat_rwlock_unlock(lock);
    plat_rwlock_close(lock);
    CHECK_EQ_U64(n_done, 3);
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

TEST(a_file_is_written_and_read_back) {
    CHECK_STATUS(write_file(in_folder("a"), "hello"), 0);
    CHECK(holds(in_folder("a"), "hello"));
    CHECK_STATUS(write_file(in_folder("a"), "other"), 0);
    CHECK(holds(in_folder("a"), "other"));
    CHECK_STATUS(write_file(in_folder("a"), ""), 0);
    CHECK(holds(in_folder("a"), ""));
    CHECK(n_entries() == 1);
    unlink(in_folder("a"));
}

TEST(pieces_of_any_size_arrive_in_order) {
    enum { BYTES = 5000011 };
    unsigned char *bytes = malloc(BYTES), *back = malloc(BYTES);
    for (int i = 0; i < BYTES; i++) bytes[i] = (unsigned char)((i * 2654435761u) >> 24);
    size_t pieces[] = {1, 7, 1u << 20, (1u << 20) - 1, 1000003, 3, (1u << 20) + 1};
    plat_file_writer_t *writer;
    CHECK_STATUS(plat_file_writer_open(in_folder("big"), &writer), 0);
    size_t at = 0;
    for (int i = 0; at < BYTES; i++) {
        size_t n = pieces[i % 7] < BYTES - at ? pieces[i % 7] : BYTES - at;
        CHECK_STATUS(plat_file_writer_write(writer, bytes + at, n), 0);
        at += n;
    }
    CHECK_STATUS(plat_file_writer_commit(writer, NULL), 0);
    plat_file_reader_t *reader;
    CHECK_STATUS(plat_file_reader_open(in_folder("big"), &reader), 0);
    CHECK_EQ_U64(plat_file_reader_bytes(reader), BYTES);
    CHECK_STATUS(plat_file_reader_read(reader, 0, back, BYTES), 0);
    CHECK(memcmp(bytes, back, BYTES) == 0);
    CHECK_STATUS(plat_file_reader_read(reader, 4999999, back, 12), 0);
    CHECK(memcmp(bytes + 4999999, back, 12) == 0);
    CHECK_STATUS(plat_file_reader_read(reader, 4999999, back, 13), EIO); /* one byte too many */
    CHECK_STATUS(plat_file_reader_read(reader, UINT64_MAX, back, 1), EIO);
    CHECK_STATUS(plat_file_reader_read(reader, BYTES, back, 0), 0);
    plat_file_reader_close(reader);
    free(bytes);
    free(back);
    unlink(in_folder("big"));
}

TEST(the_old_file_stays_until_commit) {
    CHECK_STATUS(write_file(in_folder("a"), "old"), 0);
    plat_file_writer_t *writer;
    CHECK_STATUS(plat_file_writer_open(in_folder("a"), &writer), 0);
    CHECK_STATUS(plat_file_writer_write(writer, "new", 3), 0);
    CHECK(holds(in_folder("a"), "old"));
    CHECK(n_entries() == 2);
    plat_file_writer_abort(writer);
    CHECK(holds(in_folder("a"), "old"));
    CHECK(n_entries() == 1);
    unlink(in_folder("a"));
    plat_file_writer_abort(NULL);
}

TEST(two_writers_do_not_disturb_each_other) {
    plat_file_writer_t *first, *second;
    CHECK_STATUS(plat_file_writer_open(in_folder("a"), &first), 0);
    CHECK_STATUS(plat_file_writer_open(in_folder("a"), &second), 0);
    CHECK_STATUS(plat_file_writer_write(first, "first", 5), 0);
    CHECK_STATUS(plat_file_writer_write(second, "second", 6), 0);
    CHECK_STATUS(plat_file_writer_commit(second, NULL), 0);
    CHECK(holds(in_folder("a"), "second"));
    CHECK_STATUS(plat_file_writer_commit(first, NULL), 0);
    CHECK(holds(in_folder("a"), "first"));
    CHECK(n_entries() == 1);
    unlink(in_folder("a"));
}

TEST(permissions_follow_the_old_file_or_the_umask) {
    struct stat status;
    mode_t old_umask = umask(027);
    CHECK_STATUS(write_file(in_folder("a"), "1"), 0);
    CHECK(stat(in_folder("a"), &status) == 0);
    CHECK_EQ_U64(status.st_mode & 0777, 0640);
    chmod(in_folder("a"), 0604);
    CHECK_STATUS(write_file(in_folder("a"), "2"), 0);
    CHECK(stat(in_folder("a"), &status) == 0);
    CHECK_EQ_U64(status.st_mode & 0777, 0604);
    umask(old_umask);
    unlink(in_folder("a"));
}

TEST(a_symbolic_link_stays_a_link) {
    struct stat status;
    mkdir(in_folder("sub"), 0755);
    CHECK_STATUS(write_file(in_folder("sub/target"), "old"), 0);
    CHECK(symlink("sub/target", in_folder("link")) == 0);
    CHECK(symlink("link", in_folder("link2")) == 0);
    CHECK_STATUS(write_file(in_folder("link2"), "new"), 0);
    CHECK(lstat(in_folder("link2"), &status) == 0 && S_ISLNK(status.st_mode));
    CHECK(lstat(in_folder("link"), &status) == 0 && S_ISLNK(status.st_mode));
    CHECK(holds(in_folder("sub/target"), "new"));
    unlink(in_folder("sub/target")); /* a link to nothing creates its target */
    CHECK_STATUS(write_file(in_folder("link"), "again"), 0);
    CHECK(holds(in_folder("sub/target"), "again"));
    CHECK(symlink("loop", in_folder("loop")) == 0);
    CHECK_STATUS(write_file(in_folder("loop"), "x"), ELOOP);
    unlink(in_folder("loop"));
    unlink(in_folder("link"));
    unlink(in_folder("link2"));
    unlink(in_folder("sub/target"));
    rmdir(in_folder("sub"));
}

TEST(what_is_not_a_file_is_refused) {
    plat_file_writer_t *writer;
    plat_file_reader_t *reader;
    CHECK_STATUS(plat_file_writer_open(folder, &writer), EISDIR);
    CHECK(writer == NULL);
    CHECK_STATUS(plat_file_writer_open(in_folder("missing/a"), &writer), ENOENT);
    CHECK_STATUS(plat_file_writer_open("", &writer), ENOENT);
    CHECK_STATUS(plat_file_reader_open(folder, &reader), EISDIR);
    CHECK(reader == NULL);
    CHECK_STATUS(plat_file_reader_open(in_folder("missing"), &reader), ENOENT);
    CHECK_STATUS(plat_file_reader_open("", &reader), ENOENT);
    CHECK(mkfifo(in_folder("pipe"), 0600) == 0);
    CHECK_STATUS(plat_file_reader_open(in_folder("pipe"), &reader), ESPIPE); /* and does not hang */
    unlink(in_folder("pipe"));
    CHECK_STATUS(write_file(in_folder("a"), "x"), 0);
    CHECK_STATUS(plat_file_writer_open(in_folder("a/b"), &writer), ENOTDIR);
    unlink(in_folder("a"));
    char long_path[PATH_MAX + 10];
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    CHECK_STATUS(plat_file_writer_open(long_path, &writer), ENAMETOOLONG);
    CHECK_STATUS(write_file("/dev/null", "bytes for nobody"), 0);
    struct stat status;
    CHECK(stat("/dev/null", &status) == 0 && S_ISCHR(status.st_mode)); /* written to, not replaced */
}

static int without_permission(void) {
    plat_file_writer_t *writer;
    plat_file_reader_t *reader;
    if (plat_file_writer_open(in_folder("locked/new"), &writer) != EACCES) return 1;
    if (plat_file_writer_open(in_folder("open/readonly"), &writer) != EACCES) return 2;
    if (plat_file_reader_open(in_folder("open/secret"), &reader) != EACCES) return 3;
    return 0;
}

TEST(missing_permission_is_an_error) {
    chmod(folder, 0755);
    mkdir(in_folder("locked"), 0555);
    mkdir(in_folder("open"), 0777);
    chmod(in_folder("open"), 0777);
    write_file(in_folder("open/readonly"), "r");
    chmod(in_folder("open/readonly"), 0444);
    write_file(in_folder("open/secret"), "s");
    chmod(in_folder("open/secret"), 0);
    CHECK(in_child(without_permission, true));
    CHECK(holds(in_folder("open/readonly"), "r"));
    unlink(in_folder("open/readonly"));
    unlink(in_folder("open/secret"));
    rmdir(in_folder("locked"));
    rmdir(in_folder("open"));
}

/* A file that may not grow beyond a limit fails like one on a full disk: a short write, then an error. */
static int write_beyond_a_limit(void) {
    struct rlimit limit = {3u << 20, 3u << 20};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    plat_file_writer_t *writer;
    if (plat_file_writer_open(in_folder("a"), &writer) != 0) return 2;
    static char piece[1000000];
    int error = 0;
    for (int i = 0; i < 5; i++) {
        int now = plat_file_writer_write(writer, piece, sizeof piece);
        if (error && now != error) return 3; /* the first error stays */
        error = now;
    }
    if (error != EFBIG) return 4;
    return plat_file_writer_commit(writer, NULL) == EFBIG ? 0 : 5;
}

TEST(a_full_disk_leaves_the_old_file) {
    CHECK_STATUS(write_file(in_folder("a"), "old"), 0);
    CHECK(in_child(write_beyond_a_limit, false));
    CHECK(holds(in_folder("a"), "old"));
    CHECK(n_entries() == 1);
    unlink(in_folder("a"));
    if (access("/dev/full", W_OK) == 0) CHECK_STATUS(write_file("/dev/full", "x"), ENOSPC);
}

TEST(errors_have_sentences) {
    CHECK(strcmp(plat_file_error(ENOENT), "No such file or directory") == 0);
    CHECK(strlen(plat_file_error(ENOSPC)) > 5);
    CHECK(strlen(plat_file_error(99999)) > 5);
}

int main(void) {
    strcpy(folder, "/tmp/chronomind-test-XXXXXX");
    if (!mkdtemp(folder)) return 2;
    RUN(pages_are_zeroed_aligned_and_writable);
    RUN(impossible_sizes_give_null);
    RUN(a_reservation_costs_nothing_until_touched);
    RUN(an_address_space_limit_refuses_a_reservation);
    RUN(clocks_tell_the_time);
    RUN(random_words_differ);
    RUN(threads_run_and_the_lock_excludes);
    RUN(a_file_is_written_and_read_back);
    RUN(pieces_of_any_size_arrive_in_order);
    RUN(the_old_file_stays_until_commit);
    RUN(two_writers_do_not_disturb_each_other);
    RUN(permissions_follow_the_old_file_or_the_umask);
    RUN(a_symbolic_link_stays_a_link);
    RUN(what_is_not_a_file_is_refused);
    RUN(missing_permission_is_an_error);
    RUN(a_full_disk_leaves_the_old_file);
    RUN(errors_have_sentences);
    rmdir(folder);
    return tap_done();
}
