// SPDX-License-Identifier: MIT OR Apache-2.0
// One store, several worker threads: each inserts its own memories while it searches for those of the others, in shared memory, without a copy and without a lock.
// Run: node examples/worker-threads.mjs
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { ChronoMind } from 'chronomind';

const WORKERS = 3;
const EACH = 400;
const DIMENSIONS = 16;

/** Stands for an embedding: the same numbers for the same text. */
function embed(text) {
    let state = 1;
    for (const letter of text) state = (Math.imul(state, 31) + letter.charCodeAt(0)) >>> 0;
    return Array.from({ length: DIMENSIONS }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 31 - 1;
    });
}

if (isMainThread) {
    const mind = await ChronoMind.open({ dimensions: DIMENSIONS, maxMemories: 10_000, temporalWeight: 0 });
    const workers = Array.from({ length: WORKERS }, (_, number) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: { shared: mind.share(), number } }); // share() once for every worker
        return once(worker, 'message');
    });
    for (const [{ number, found }] of await Promise.all(workers)) {
        console.log(`worker ${number} inserted ${EACH} and found ${found > 0 ? 'memories of others' : 'none of the others'} meanwhile`);
    }
    const missing = Array.from({ length: WORKERS * EACH }, (_, i) => `worker ${i % WORKERS}, memory ${Math.floor(i / WORKERS)}`).filter(
        (text) => mind.search(embed(text), { k: 1 })[0].text !== text,
    );
    console.log(`${mind.size} memories, of which ${missing.length} are not found`);
    mind.check(); // walks the whole store
    mind.close();
} else {
    const { shared, number } = workerData;
    const mind = await ChronoMind.attach(shared);
    let found = 0;
    for (let i = 0; i < EACH; i++) {
        const text = `worker ${number}, memory ${i}`;
        mind.insert({ id: text, vector: embed(text), text });
        const others = mind.search(embed(text), { k: 5, filter: (memory) => !memory.id.startsWith(`worker ${number},`) });
        found += others.length;
    }
    mind.close();
    parentPort.postMessage({ number, found });
}
