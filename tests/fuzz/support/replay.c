/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * replay.c - the main program of a harness that was built without libFuzzer: runs it once on every file of the folders, or on the files, that are
 * its arguments. What crashed once and was added to the corpus stays a test, with every compiler and sanitizer.
 *
 * Each file gets a buffer of its exact size, so that the address sanitizer and valgrind see a read beyond it.
 */
#define _GNU_SOURCE
#include "fuzz/support/fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static int n_passed, n_failed;

static uint8_t *read_all(const char *path, size_t *n_bytes) {
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (!file || fstat(fileno(file), &info) != 0) return NULL;
    *n_bytes = (size_t)info.st_size;
    uint8_t *bytes = malloc(*n_bytes);
    bool whole = *n_bytes == 0 || fread(bytes, 1, *n_bytes, file) == *n_bytes;
    fclose(file);
    if (whole) return bytes;
    free(bytes);
    return NULL;
}

static void replay(const char *path) {
    size_t n_bytes = 0;
    uint8_t *bytes = read_all(path, &n_bytes);
    printf("# %s\n", path);
    fflush(stdout); /* the last line before a crash names the file */
    if (!bytes && n_bytes > 0) {
        n_failed++;
        printf("not ok - %s cannot be read\n", path);
        return;
    }
    LLVMFuzzerTestOneInput(bytes, n_bytes);
    free(bytes);
    n_passed++;
}

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static void replay_folder(const char *folder) {
    struct dirent **entries;
    int n = scandir(folder, &entries, is_visible, alphasort);
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        replay(path);
        free(entries[i]);
    }
    if (n >= 0) free(entries);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode)) replay_folder(argv[i]);
        else replay(argv[i]);
    }
    printf("%d passed, %d failed\n", n_passed, n_failed);
    return n_failed > 0 || n_passed == 0;
}
