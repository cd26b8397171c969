// SPDX-License-Identifier: MIT OR Apache-2.0
// A page and its workers over one store, from files as they are published. Run: node examples/serve.mjs
import { ChronoMind } from 'chronomind';
import { WorkerPool } from 'chronomind/pool';

const DIMENSIONS = 8;
const N = 1000;

const log = document.getElementById('log');
const say = (line) => log.append(`${line}\n`);

/** Stands for an embedding. */
const vectorOf = (i) => Array.from({ length: DIMENSIONS }, (_, d) => Math.sin(i * (d + 1)));

async function main() {
    const { build, reason } = ChronoMind.capabilities();
    say(`build: ${build} (${reason})`);
    const mind = await ChronoMind.open({ dimensions: DIMENSIONS, maxMemories: 5000, temporalWeight: 0, opfs: 'example.chrono' });
    say(`memories from the last visit: ${mind.size}`);

    const pool = await WorkerPool.open(mind, { workers: 2 }); // without isolation: none, and the page does the work itself
    await pool.insertBatch(Array.from({ length: N }, (_, i) => ({ id: `memory ${i}`, vector: vectorOf(i) })));
    const [[hit]] = await pool.searchBatch([vectorOf(7)], { k: 1 });
    say(`${pool.size} workers found ${hit.id}`);
    await pool.close();

    if (build === 'threads') say(`a worker of the page found ${await askWorker(mind, vectorOf(42))}`);
    await mind.save();
    say(`saved: ${mind.size}`);
    mind.close();
}

/** Module workers have no import map: worker.js imports the package by its path. */
function askWorker(mind, vector) {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    const answer = new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
    });
    worker.postMessage({ shared: mind.share(), vector });
    return answer.finally(() => worker.terminate());
}

main().then(
    () => document.body.setAttribute('data-state', 'done'),
    (error) => {
        say(`${error.code ?? error.name}: ${error.message}`);
        document.body.setAttribute('data-state', 'failed');
    },
);
