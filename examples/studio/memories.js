// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * Words as memories. The vectors are real; what a word cannot have (an age, a kind, importance) is made up from its letters by a fixed rule, so that every visit
 * shows the same.
 */

/** The page's clock starts here. */
export const START = Date.UTC(2026, 0, 1, 12);

export const HOUR = 3_600_000;

/** The oldest memory, in hours. */
const OLDEST_HOURS = 720;

/** Contexts, each with a decay rate per hour: half old after a month, three days, seven hours. */
export const KINDS = [
    { name: 'fact', rate: 0.001, halfOld: 'a month' },
    { name: 'note', rate: 0.01, halfOld: '3 days' },
    { name: 'chat', rate: 0.1, halfOld: '7 hours' },
];

/** The store's own rules. */
export const BASE_DECAY_RATE = 0.01;
export const TEMPORAL_WEIGHT = 0.3;

/** FNV-1a, and a stir, because its high bits hardly change between short words. */
function hash(text) {
    let h = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
}

/** Ages between an hour and a month, as many within a tenth of either: young ones are not rare. */
export function memoryOf(word, vector) {
    const h = hash(word);
    const kind = KINDS[h % KINDS.length];
    const age = OLDEST_HOURS ** ((h >>> 8) / 2 ** 24);
    return {
        id: word,
        text: word,
        vector,
        context: kind.name,
        decayRate: kind.rate,
        importance: 0.2 + 0.8 * ((h & 0xff) / 0xff),
        timestamp: START - Math.round(age * 60) * 60_000,
    };
}

/** The formula of docs/TEMPORAL.md, for drawing. */
export function recencyOf(rate, hours) {
    return 1 - Math.exp(-rate * Math.max(0, hours));
}
