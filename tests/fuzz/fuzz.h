/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * fuzz.h - one file is a fuzzer and a test. With libFuzzer (`./build.sh fuzz`) LLVMFuzzerTestOneInput() is fed with what it invents; without, main() replays the files of a
 * corpus folder, and mutations of them from a fixed seed: a regression test that needs no special compiler.
 *
 *     NAME FOLDER [ROUNDS]      every file of FOLDER, and ROUNDS mutations of each
 *
 * Adding a fuzzer: tests/fuzz/NAME.c that defines fuzz_one(), and a folder tests/fuzz/corpus/NAME with a few small inputs.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Must come back whatever the bytes are. What it promises it checks with REQUIRE. */
static void fuzz_one(const uint8_t *bytes, size_t n_bytes);

#define REQUIRE(cond)                                                                            \
    do {                                                                                         \
        if (!(cond)) {                                                                           \
            fprintf(stdout, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond), fflush(stdout); \
            abort();                                                                             \
        }                                                                                        \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
    fuzz_one(bytes, n_bytes);
    return 0;
}

#ifndef CM_LIBFUZZER
#define FUZZ_MOST_BYTES (1u << 20)

static uint64_t fuzz_random(uint64_t *state) {
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state;
}

/* A few changes of the kinds that libFuzzer makes: bits, bytes, edges of number ranges, pieces moved, the end cut off. */
static size_t fuzz_mutate(uint8_t *bytes, size_t n, uint64_t *state) {
    static const uint8_t edges[] = {0, 1, 0x7F, 0x80, 0xFF, '"', '\\', '{', '-'};
    for (uint64_t left = 1 + fuzz_random(state) % 6; left > 0 && n > 0; left--) {
        size_t at = fuzz_random(state) % n;
        switch (fuzz_random(state) % 6) {
        case 0: bytes[at] ^= (uint8_t)(1u << fuzz_random(state) % 8); break;
        case 1: bytes[at] = edges[fuzz_random(state) % sizeof edges]; break;
        case 2: memset(bytes + at, edges[fuzz_random(state) % 5], n - at < 4 ? n - at : 4); break;
        case 3: memmove(bytes + at, bytes + fuzz_random(state) % n, (n - at) / 2 < 16 ? (n - at) / 2 : 0); break;
        case 4: n = at + 1; break;
        default: bytes[at] = (uint8_t)fuzz_random(state); break;
        }
    }
    return n;
}

static size_t fuzz_read(const char *folder, const char *name, uint8_t *bytes) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    size_t n = fread(bytes, 1, FUZZ_MOST_BYTES, file);
    fclose(file);
    return n;
}

/* Copies are as large as the input, so that reading behind its end is seen by the address sanitizer. */
static void fuzz_copy(const uint8_t *bytes, size_t n) {
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy) abort();
    memcpy(copy, bytes, n);
    fuzz_one(copy, n);
    free(copy);
}

int main(int argc, char **argv) {
    static uint8_t bytes[FUZZ_MOST_BYTES], changed[FUZZ_MOST_BYTES];
    unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 0, n_files = 0, n_runs = 0;
    uint64_t state = UINT64_C(88172645463325252);
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
    if (!folder) return fprintf(stderr, "usage: %s FOLDER [ROUNDS]\n", argv[0]), 2;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        size_t n = fuzz_read(argv[1], entry->d_name, bytes);
        fuzz_copy(bytes, n);
        n_files++;
        for (unsigned long i = 0; i < rounds; i++, n_runs++) {
            memcpy(changed, bytes, n);
            fuzz_copy(changed, fuzz_mutate(changed, n, &state));
        }
    }
    closedir(folder);
    printf("# %lu files, %lu mutations of them\n%s\n", n_files, n_runs, n_files ? "1 passed, 0 failed" : "0 passed, 1 failed");
    return n_files == 0;
}
#endif

#endif
