// SPDX-License-Identifier: MIT OR Apache-2.0
/** Numbers from a seed. */

/** The same numbers in [0, 1) on every machine. */
export function randomFrom(seed) {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0; // mulberry32
        let x = Math.imul(state ^ (state >>> 15), state | 1);
        x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
        return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
    };
}

/** A vector of numbers in [-1, 1). */
export function randomVector(random, dimensions) {
    return Float32Array.from({ length: dimensions }, () => random() * 2 - 1);
}
