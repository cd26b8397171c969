/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * words.h - reads the word vectors that extract.mjs made, for benchmarks and the demo. Header-only, C and C++.
 *
 * Held-out queries: 1,000 words, evenly spaced over the words in use (every 341st of all 341,479), are queries and not in the index, in every
 * program that uses this file.
 */
#ifndef BENCH_WORDS_H
#define BENCH_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_DIMENSIONS 100u
#define WORDS_QUERIES 1000u

typedef struct words {
    uint32_t n;      /* words */
    float *vectors;  /* n * 100, most frequent word first */
    char **text;     /* n terminated strings */
    char *text_file; /* what they point into */
} words_t;

/* n: words in use, more than 1,000. */
static inline bool words_is_query(uint32_t n, uint32_t i) {
    uint32_t every = n / WORDS_QUERIES;
    return i % every == every / 2 && i / every < WORDS_QUERIES;
}

static inline void *words_read_file(const char *folder, const char *name, size_t at_most, size_t *n_bytes) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "Error: cannot read %s\nHint: node bench/words/extract.mjs %s\n", path, folder);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    if (size > at_most) size = at_most;
    rewind(file);
    char *bytes = (char *)malloc(size + 1);
    if (!bytes || fread(bytes, 1, size, file) != size) {
        fprintf(stderr, "Error: reading %s failed\n", path);
        exit(1);
    }
    bytes[size] = 0;
    fclose(file);
    *n_bytes = size;
    return bytes;
}

/* The `limit` most frequent words (0: all). Ends the program with a message when the files are missing. */
static inline words_t words_load(const char *folder, uint32_t limit) {
    words_t words;
    memset(&words, 0, sizeof words);
    size_t row = WORDS_DIMENSIONS * sizeof(float), n_bytes;
    words.vectors = (float *)words_read_file(folder, "words.f32", limit ? limit * row : SIZE_MAX, &n_bytes);
    words.n = (uint32_t)(n_bytes / row);
    words.text_file = (char *)words_read_file(folder, "words.txt", SIZE_MAX, &n_bytes);
    words.text = (char **)malloc(words.n * sizeof(char *));
    char *at = words.text_file;
    for (uint32_t i = 0; i < words.n; i++) {
        words.text[i] = at;
        at = strchr(at, '\n');
        if (!at) {
            fprintf(stderr, "Error: words.txt holds %u words, words.f32 %u\n", i, words.n);
            exit(1);
        }
        *at++ = 0;
    }
    return words;
}

static inline const float *words_vector(const words_t *words, uint32_t i) {
    return words->vectors + (size_t)i * WORDS_DIMENSIONS;
}

/* The first n words that are no queries, into rows (room for n), and n_queries of the 1,000 queries, evenly spaced; returns how many rows there are. */
static inline uint32_t words_split(const words_t *words, uint32_t n, uint32_t *rows, uint32_t n_queries, uint32_t *queries) {
    uint32_t n_rows = 0, n_chosen = 0, every = words->n / WORDS_QUERIES;
    for (uint32_t i = 0; i < words->n && n_rows < n; i++)
        if (!words_is_query(words->n, i)) rows[n_rows++] = i;
    for (uint32_t i = 0; i < words->n && n_chosen < n_queries; i++)
        if (words_is_query(words->n, i) && i / every % (WORDS_QUERIES / n_queries) == 0) queries[n_chosen++] = i;
    return n_rows;
}

static inline void words_free(words_t *words) {
    free(words->vectors);
    free(words->text);
    free(words->text_file);
}

#endif
