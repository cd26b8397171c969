// SPDX-License-Identifier: MIT OR Apache-2.0
// A store that the page fills with a pool of workers, while a worker of its own listens to it: all in one shared memory. Without the headers of
// vite.config.js the same code runs on the page alone.
import { ChronoMind } from 'chronomind';
import { WorkerPool } from 'chronomind/pool';

const DIMENSIONS = 8;
const N = 500;

/** Stands for an embedding. */
const vectorOf = (i) => Array.from({ length: DIMENSIONS }, (_, d) => Math.sin(i * (d + 1)));

/** `options` go to ChronoMind.open(), `say` gets what happens, line by line. */
export async function run(options, say) {
    const mind = await ChronoMind.open({ dimensions: DIMENSIONS, maxMemories: 2000, temporalWeight: 0, ...options });
    say(`build: ${mind.build}`);

    const pool = await WorkerPool.open(mind, { workers: 2 });
    say(`pool: ${pool.size} workers`);
    await pool.insertBatch(Array.from({ length: N }, (_, i) => ({ id: `memory ${i}`, vector: vectorOf(i) })));
    const found = await pool.searchBatch([vectorOf(7), vectorOf(N - 1)], { k: 1 });
    say(`found: ${found.map(([hit]) => hit.id).join(', ')}`);
    await pool.close();

    if (mind.build === 'threads') say(`worker: ${await askWorker(mind, vectorOf(42))}`);
    say(`memories: ${mind.size}`);
    mind.close();
}

/** A worker of the app's own: it attaches to the store, searches it, and leaves a memory there. */
async function askWorker(mind, vector) {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    try {
        const answer = await new Promise((resolve, reject) => {
            worker.onmessage = ({ data }) => resolve(data);
            worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
            worker.postMessage({ shared: mind.share(), vector });
        });
        return `${answer}, and left "${mind.get('from the worker').text}"`;
    } finally {
        worker.terminate();
    }
}
