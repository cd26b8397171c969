/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hash.c - the hash of ids and contexts.
 *
 * Multiply and fold: two words go in, xored with secrets that come from the seed; both halves of their 128-bit product go on, so every
 * input bit reaches low and high output bits. 16 bytes per step, the last 16 bytes overlap the step before them, so there is no byte loop.
 * Whoever does not know the seed can neither build collisions in bulk nor meet the one weakness of the scheme (a word equal to its secret
 * makes the product zero). The result is the same on every target: ids hash alike natively and in WebAssembly.
 */
#include "base/base.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read in the machine's order");

/* Fractional bits of the square roots of 2, 3 and 5. */
#define KEY_FIRST 0x6A09E667F3BCC908u
#define KEY_SECOND 0xBB67AE8584CAA73Bu
#define KEY_LENGTH 0x3C6EF372FE94F82Bu

static inline uint64_t load_word(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline uint64_t load_half(const uint8_t *p) {
    uint32_t half;
    memcpy(&half, p, sizeof half);
    return half;
}

/* Low xor high half of the 128-bit product. wasm32 has no 64 x 64 -> 128 multiplication (and nothing to lend one): four small ones. */
static inline uint64_t fold_multiply(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__) && !defined(__wasm__)
    __extension__ typedef unsigned __int128 u128_t;
    u128_t product = (u128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t a_low = (uint32_t)a, a_high = a >> 32, b_low = (uint32_t)b, b_high = b >> 32;
    uint64_t low = a_low * b_low;
    uint64_t middle = a_high * b_low + (low >> 32);          /* at most 2^64 - 2^33 + 1 + 2^32: no overflow */
    uint64_t middle_low = a_low * b_high + (uint32_t)middle; /* the same */
    uint64_t high = a_high * b_high + (middle >> 32) + (middle_low >> 32);
    return ((middle_low << 32) | (uint32_t)low) ^ high;
#endif
}

uint64_t cmi_mix(uint64_t word) {
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
    return word ^ (word >> 31);
}

uint64_t cmi_hash(const void *bytes, size_t n_bytes, uint64_t seed) {
    const uint8_t *p = bytes;
    uint64_t key = cmi_mix(seed ^ KEY_FIRST);
    uint64_t state = cmi_mix(seed + KEY_SECOND);
    uint64_t first, second;

    if (n_bytes > 16) {
        const uint8_t *last = p + n_bytes - 16;
        for (; p < last; p += 16) state = fold_multiply(load_word(p) ^ key, load_word(p + 8) ^ state);
        first = load_word(last), second = load_word(last + 8);
    } else if (n_bytes >= 8) {
        first = load_word(p), second = load_word(p + n_bytes - 8);
    } else if (n_bytes >= 4) {
        first = load_half(p), second = load_half(p + n_bytes - 4);
    } else if (n_bytes > 0) { /* one to three bytes: the first, the middle and the last */
        first = (uint64_t)p[0] << 16 | (uint64_t)p[n_bytes / 2] << 8 | p[n_bytes - 1], second = 0;
    } else {
        first = 0, second = 0;
    }
    return fold_multiply(key ^ KEY_LENGTH ^ (uint64_t)n_bytes, fold_multiply(first ^ key, second ^ state) ^ state);
}
