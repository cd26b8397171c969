// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * Searching and inserting without end, in slices between which messages are heard. Run by workers over one shared store, or by turns in one worker where
 * nothing can be shared.
 */
import { memoryOf, START } from './memories.js';
import { pointsOf } from './points.js';
import { fetchWords } from './words.js';

const REPORT_MS = 200;
const CHUNK = 500;

/** A message to oneself: a timer would wait 4 ms. */
function breathe() {
    return new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
            port1.close();
            resolve();
        };
        port2.postMessage(null);
    });
}

/** What a step says when there is nothing more to do. */
const END = -1;

/** Runs `step`, which says how much it did, in slices until END or `signal.aborted`; `report(n)` gets how much was done so far. */
async function inSlices(step, sliceMs, signal, report) {
    let n = 0;
    let reported = performance.now();
    report(0);
    for (let isGoingOn = true; isGoingOn && !signal.aborted; ) {
        const end = performance.now() + sliceMs;
        do {
            const done = await step();
            isGoingOn = done !== END;
            if (isGoingOn) n += done;
        } while (isGoingOn && performance.now() < end);
        if (performance.now() - reported >= REPORT_MS || !isGoingOn) {
            reported = performance.now();
            report(n);
        }
        await breathe();
    }
    report(n);
}

/** An answer is wrong when it has too few hits, or not the best first. */
function isWrong(hits, k) {
    return hits.length < k || hits.some((hit, i) => !Number.isFinite(hit.score) || (i > 0 && hit.score < hits[i - 1].score));
}

/** Searches for the memories `ids` in turn. `report({ n, wrong })`. */
export function searchOn(mind, ids, { sliceMs, signal, report }) {
    const vectors = ids.flatMap((id) => mind.get(id) ?? []).map((memory) => memory.vector);
    if (vectors.length === 0) throw new Error('there is nothing to search for: the store is empty');
    const k = Math.min(10, mind.size);
    let wrong = 0;
    let turn = 0;
    const step = () => {
        const hits = mind.search(vectors[turn++ % vectors.length], { k, now: START });
        if (isWrong(hits, k)) wrong++;
        return 1;
    };
    return inSlices(step, sliceMs, signal, (n) => report({ n, wrong }));
}

/**
 * Inserts the words from `from` on that are not there yet, until the list or the room ends. `report({ n })`; `onInserted(points)` gets them for
 * the map, a chunk at a time. Says why it ended.
 */
export async function insertOn(mind, from, { sliceMs, signal, report, onInserted }) {
    let at = from;
    let chunk = [];
    let turn = 0;
    const fresh = [];
    let reason = 'stopped';
    const handOver = () => {
        if (fresh.length > 0) onInserted(pointsOf(fresh.splice(0)));
    };
    const step = async () => {
        if (turn === chunk.length) {
            handOver();
            const { words, vectorAt } = await fetchWords(at, CHUNK);
            chunk = words.map((word, i) => [word, vectorAt(i)]).filter(([word]) => !mind.has(word));
            at += words.length;
            turn = 0;
            if (words.length === 0) {
                reason = 'the list of words is at its end';
                return END;
            }
            if (chunk.length === 0) return 0;
        }
        const memory = memoryOf(...chunk[turn++]);
        try {
            mind.insert(memory);
        } catch (error) {
            if (!['CM_E_CAPACITY', 'CM_E_INDEX_FULL', 'CM_E_NO_MEMORY'].includes(error.code)) throw error;
            reason = 'the store is full';
            return END;
        }
        fresh.push(memory);
        return 1;
    };
    await inSlices(step, sliceMs, signal, (n) => report({ n }));
    handOver();
    return { reason, at: at - (chunk.length - turn) };
}
