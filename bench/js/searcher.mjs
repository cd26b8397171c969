// SPDX-License-Identifier: MIT OR Apache-2.0
/** A worker of workers.mjs: searches (or inserts) while its control word says so, and counts in the word behind it. */
import { parentPort, workerData } from 'node:worker_threads';
import { ChronoMind } from '../../js/dist/index.js';

const { share, control, job, vectors, dimensions, k, ef } = workerData;
const n = vectors.length / dimensions;
const rows = Array.from({ length: n }, (_, i) => vectors.subarray(i * dimensions, (i + 1) * dimensions));
const mind = await ChronoMind.attach(share);

/** New memories until there are none left, then the same again: then each is a replacement. */
const work = {
    search: (i) => mind.search(rows[i % n], { k, ef }),
    insert: (i) => mind.insert({ id: `more-${i % n}`, vector: rows[i % n] }),
}[job];

parentPort.postMessage('ready');
for (let i = 0; ; ) {
    Atomics.wait(control, 0, 0);
    while (Atomics.load(control, 0) === 1) {
        work(i++);
        Atomics.add(control, 1, 1);
    }
}
