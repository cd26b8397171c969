// SPDX-License-Identifier: MIT OR Apache-2.0
/** One worker that searches, inserts or merges in the store that another worker opened: the same memory, not a copy. */
import { ChronoMind } from '/chronomind/web.js';
import { serveCalls, tell } from './calls.js';
import { insertOn, searchOn } from './live-loops.js';

const SLICE_MS = 20;

const ending = new AbortController();

async function withStore(shared, action) {
    const mind = await ChronoMind.attach(shared);
    try {
        return await action(mind);
    } finally {
        mind.close();
    }
}

serveCalls({
    search: (shared, ids) =>
        withStore(shared, (mind) =>
            searchOn(mind, ids, { sliceMs: SLICE_MS, signal: ending.signal, report: (counts) => tell('counts', counts) }),
        ),
    insert: (shared, from) =>
        withStore(shared, (mind) =>
            insertOn(mind, from, {
                sliceMs: SLICE_MS,
                signal: ending.signal,
                report: (counts) => tell('counts', counts),
                onInserted: (points) => tell('inserted', points),
            }),
        ),
    /** Others search and insert meanwhile. */
    consolidate: (shared, threshold) =>
        withStore(shared, (mind) => mind.consolidate({ threshold, onProgress: (done) => tell('progress', done) })),
    stop() {
        ending.abort();
    },
});
