// SPDX-License-Identifier: MIT OR Apache-2.0
/** Memories packed for the map: a clone of many small vectors would copy the buffer they share once for each. */
import { BASE_DECAY_RATE, START } from './memories.js';

/** Of memories as they were inserted, or as the store gives them. */
export function pointsOf(memories) {
    const dimensions = memories[0]?.vector.length ?? 0;
    const vectors = new Float32Array(memories.length * dimensions);
    const rates = new Float32Array(memories.length);
    const created = new Float64Array(memories.length);
    memories.forEach(({ vector, decayRate, timestamp, createdAt }, i) => {
        vectors.set(vector, i * dimensions);
        rates[i] = decayRate || BASE_DECAY_RATE;
        created[i] = timestamp ?? createdAt ?? START;
    });
    return { ids: memories.map(({ id }) => id), dimensions, vectors, rates, created };
}

export function buffersOf({ vectors, rates, created }) {
    return [vectors.buffer, rates.buffer, created.buffer];
}
