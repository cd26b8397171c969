/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * fuzz.h - what the harnesses of tests/fuzz share: the input as a source of numbers, and a check that ends the program.
 *
 * A harness is one file with LLVMFuzzerTestOneInput. With CM_FUZZ=ON libFuzzer brings the main program; otherwise support/replay.c does, and
 * runs every file of the corpus once. A new harness (the log, format 2 of the original): a file here, its seeds in corpus/NAME, perhaps
 * a dictionary NAME.dict; the build and `./build.sh fuzz` find them by name. Names that begin with cli_ link the command line program, without its main.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds for every input. abort() is what libFuzzer calls a crash. */
#define FUZZ_CHECK(condition, ...)                                                         \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                                                  \
            fprintf(stderr, "\n");                                                         \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

/* The bytes, front to back; behind the end there are zeros. */
typedef struct fuzz_input {
    const uint8_t *at, *end;
} fuzz_input_t;

static inline bool fuzz_at_end(const fuzz_input_t *in) {
    return in->at == in->end;
}

static inline uint8_t fuzz_byte(fuzz_input_t *in) {
    return in->at < in->end ? *in->at++ : 0;
}

static inline uint32_t fuzz_below(fuzz_input_t *in, uint32_t n) {
    return fuzz_byte(in) % n;
}

static inline uint64_t fuzz_word(fuzz_input_t *in, size_t n_bytes) {
    uint64_t word = 0;
    for (size_t i = 0; i < n_bytes; i++) word |= (uint64_t)fuzz_byte(in) << (8 * i);
    return word;
}

/* Any float at all, NaN and infinities among them. */
static inline float fuzz_float(fuzz_input_t *in) {
    uint32_t bits = (uint32_t)fuzz_word(in, sizeof bits);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* As many of the next bytes as there are, at most n. */
static inline const uint8_t *fuzz_bytes(fuzz_input_t *in, size_t *n) {
    const uint8_t *bytes = in->at;
    if (*n > (size_t)(in->end - in->at)) *n = (size_t)(in->end - in->at);
    in->at += *n;
    return bytes;
}

#endif
