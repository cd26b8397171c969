// SPDX-License-Identifier: MIT OR Apache-2.0
/** A worker of workers.test.mjs: attaches to the store that it was given, does what `job` says, and reports. */
import { parentPort, workerData } from 'node:worker_threads';
import { ChronoMind } from '../../js/dist/index.js';
import { randomFrom, randomVector } from './support.mjs';

const { shared, job, number, dimensions, nMemories } = workerData;

function vectorOf(i) {
    return randomVector(randomFrom(1000 * number + i), dimensions);
}

const jobs = {
    /** Inserts its own memories, fights for common ones, searches and reads in between. */
    mixed(mind) {
        let wrong = 0;
        for (let i = 0; i < nMemories; i++) {
            mind.insert({ id: `w${number}-${i}`, vector: vectorOf(i), context: `w${number}`, timestamp: 0, text: `text ${i}` });
            mind.insert({ id: `common-${i % 16}`, vector: vectorOf(i), relationships: [`w${number}-${i}`], timestamp: 0 });
            if (i % 7 === 0) mind.remove(`common-${(i * 5) % 16}`);
            const own = mind.get(`w${number}-${i >> 1}`);
            if (own?.text !== `text ${i >> 1}` || own.vector[0] !== vectorOf(i >> 1)[0]) wrong++;
            if (i % 5 === 0 && !mind.search(vectorOf(i), { k: 3, ef: 64, temporalWeight: 0 }).some((hit) => hit.distance < 1e-5)) wrong++;
        }
        return { wrong };
    },
    /** Until it is terminated. */
    endless(mind) {
        parentPort.postMessage({ started: true });
        for (let i = 0; ; i = (i + 1) % nMemories) {
            mind.insert({ id: `endless-${i}`, vector: vectorOf(i), timestamp: 0 });
            mind.search(vectorOf(i), { k: 1 });
        }
    },
    look(mind) {
        return { size: mind.size, ids: [...mind].map((memory) => memory.id).sort(), config: mind.config, build: mind.build };
    },
    /** Everything that searches, changes and sums up, on the store of another thread. */
    everything(mind) {
        const vector = vectorOf(0);
        mind.update('a', { context: 'worker', text: 'from the worker', importance: 0.5, now: 0 });
        mind.relate('a', 'b');
        mind.relate('b', 'c');
        mind.unrelate('c', 'd');
        const hits = mind.search(vector, { now: 0, why: true, filter: ({ metadata }) => metadata?.keep === true });
        let code;
        try {
            mind.search(vector, { filter: () => mind.has('a') });
        } catch (error) {
            code = error.code;
        }
        return {
            found: hits.map(({ id, why }) => [id, why.recencyPart]),
            code,
            strategy: mind.lastSearch.strategy,
            related: mind.related('a', { depth: 2 }),
            summary: mind.contextSummary('worker').count,
            faded: mind.applyDecay({ now: 3_600_000 }),
            consolidated: mind.consolidate({ threshold: 0.99, onProgress: () => {} }),
        };
    },
    /** Stays, and answers questions, after the thread that shared the store has closed it. */
    outlive(mind) {
        return new Promise((resolve) => {
            parentPort.postMessage({ started: true });
            parentPort.once('message', () => {
                mind.insert({ id: 'later', vector: vectorOf(1) });
                resolve({ size: mind.size, live: mind.check().live, found: mind.search(vectorOf(1), { k: 1, temporalWeight: 0 })[0].id });
            });
        });
    },
};

const mind = await ChronoMind.attach(shared);
const result = await jobs[job](mind);
mind.close();
parentPort.postMessage(result);
