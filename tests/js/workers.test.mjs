// SPDX-License-Identifier: MIT OR Apache-2.0
/** Several threads use one store: the same memory, no copies, no messages. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ChronoMind } from '../../js/dist/index.js';
import { load, open, randomFrom, randomVector, refuses, rejects } from './support.mjs';

const DIMENSIONS = 24;

function start(t, workerData) {
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData: { dimensions: DIMENSIONS, ...workerData } });
    t.after(() => worker.terminate());
    return worker;
}

/** What the worker reports when it is done. */
async function reportOf(worker) {
    const [report] = await Promise.race([once(worker, 'message'), once(worker, 'error').then(([error]) => Promise.reject(error))]);
    return report;
}

test('workers insert, replace, remove and search one store; check() finds it whole', async (t) => {
    const [nWorkers, nMemories] = [3, 400];
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 20000, efConstruction: 64 });
    const workers = Array.from({ length: nWorkers }, (_, number) => start(t, { shared: mind.share(), job: 'mixed', number, nMemories }));
    const reports = workers.map(reportOf);
    let isOver = false;
    const allOver = Promise.all(reports).finally(() => (isOver = true));
    const random = randomFrom(77);
    let mine = 0;
    while (!isOver) {
        mind.insert({ id: `main-${mine++}`, vector: randomVector(random, DIMENSIONS), timestamp: 0 });
        assert.ok(mind.search(randomVector(random, DIMENSIONS), { k: 5 }).length > 0);
        await new Promise(setImmediate);
    }
    for (const { wrong } of await allOver) assert.equal(wrong, 0);

    const common = [...mind].filter((memory) => memory.id.startsWith('common-'));
    assert.equal(mind.size, nWorkers * nMemories + mine + common.length);
    const { live, unreachable } = mind.check();
    assert.deepEqual([live, unreachable], [mind.size, 0]);
    const { contexts } = mind.stats();
    for (let number = 0; number < nWorkers; number++) {
        assert.equal(contexts.find(({ context }) => context === `w${number}`)?.memories, nMemories);
        for (let i = 0; i < nMemories; i++) {
            const vector = randomVector(randomFrom(1000 * number + i), DIMENSIONS);
            const [hit] = mind.search(vector, { k: 1, ef: 64, temporalWeight: 0 });
            assert.ok(hit.distance < 1e-5, `w${number}-${i}`);
        }
    }
    const copy = await load(t, mind.toBytes());
    assert.equal(copy.size, mind.size);
    t.diagnostic(`${mine} memories from the main thread, ${nWorkers * nMemories} and ${common.length} common ones from workers`);
});

test('a worker sees what is there, with its own clock', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 100, seed: 5n });
    for (const id of ['a', 'b']) mind.insert({ id, vector: new Float32Array(DIMENSIONS).fill(1) });
    const report = await reportOf(start(t, { shared: mind.share(), job: 'look' }));
    assert.deepEqual(report, { size: 2, ids: ['a', 'b'], config: mind.config, build: 'threads' });
    const here = await ChronoMind.attach(mind.share(), { clock: () => 1234 });
    here.insert({ id: 'c', vector: new Float32Array(DIMENSIONS).fill(2) });
    assert.equal(mind.get('c').createdAt, 1234);
    assert.deepEqual(here.get('c'), mind.get('c'));
    here.close();
    refuses('CM_E_CLOSED', /closed/, () => here.size);
    assert.equal(mind.size, 3);
});

/** `between` runs when a search of `mind` has found its hits and has not asked yet what they show. */
async function interruptible(t, options) {
    const { instantiate } = WebAssembly;
    const hook = { between: undefined };
    WebAssembly.instantiate = async (...parameters) => {
        const { exports } = await instantiate(...parameters);
        const cm_wasm_show = (...numbers) => {
            hook.between?.();
            return exports.cm_wasm_show(...numbers);
        };
        return { exports: { ...exports, cm_wasm_show } };
    };
    try {
        return { mind: await open(t, options), hook };
    } finally {
        WebAssembly.instantiate = instantiate;
    }
}

test('hits that are replaced or removed before they are shown are left out', async (t) => {
    const wasmModule = await WebAssembly.compile(readFileSync(new URL('../../js/dist/chronomind.wasm', import.meta.url)));
    const { mind, hook } = await interruptible(t, { dimensions: DIMENSIONS, maxMemories: 100, temporalWeight: 0, wasmModule });
    const other = await ChronoMind.attach(mind.share());
    t.after(() => other.close());
    const random = randomFrom(12);
    const memories = Array.from('abcdef', (id, i) => ({ id, vector: randomVector(random, DIMENSIONS), text: id.repeat(4000 * i) }));
    for (const memory of memories) mind.insert(memory);
    const shown = () => mind.search(memories[0].vector, { k: 6 }).map(({ id, text }) => [id, text.length]);
    const before = shown();
    assert.equal(before.length, 6);
    hook.between = () => {
        hook.between = undefined;
        other.remove(before[0][0]);
        other.insert({ id: before[2][0], vector: memories[5].vector, text: 'replaced' });
        other.remove(before[5][0]);
        other.update(before[3][0], { text: 'updated' });
    };
    assert.deepEqual(shown(), [before[1], [before[3][0], 7], before[4]]);
    hook.between = () => {
        for (const { id } of memories) other.remove(id);
    };
    assert.deepEqual(shown(), []);
    assert.deepEqual(shown(), []);
});

test('a worker searches with a filter, updates, relates, sums up, fades and consolidates', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 100, clock: () => 0 });
    const random = randomFrom(8);
    for (const id of ['a', 'b', 'c', 'd']) {
        mind.insert({ id, vector: randomVector(random, DIMENSIONS), relationships: ['d'], metadata: { keep: id !== 'b' } });
    }
    mind.insert({ id: 'copy of c', vector: mind.get('c').vector, importance: 0.25, metadata: { keep: false } });
    const { found, ...report } = await reportOf(start(t, { shared: mind.share(), job: 'everything', number: 0 }));
    assert.deepEqual(found.map(([id]) => id).sort(), ['a', 'c', 'd']);
    assert.ok(found.every(([, part]) => part === 0));
    assert.deepEqual(report, {
        code: 'CM_E_BUSY',
        strategy: 'scan',
        related: [
            { id: 'd', depth: 1 },
            { id: 'b', depth: 1 },
            { id: 'c', depth: 2 },
        ],
        summary: 1,
        faded: 5,
        consolidated: { absorbed: 1 },
    });
    const { context, text, relationships } = mind.get('a');
    assert.deepEqual([context, text, relationships], ['worker', 'from the worker', ['d', 'b']]);
    assert.deepEqual(mind.get('c').relationships, []);
    assert.deepEqual([mind.size, mind.has('copy of c'), mind.lastSearch.strategy], [4, false, 'none']);
    mind.check();
});

test('a worker goes on after the thread that opened the store has closed it', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 100 });
    mind.insert({ id: 'first', vector: new Float32Array(DIMENSIONS).fill(1) });
    const worker = start(t, { shared: mind.share(), job: 'outlive', number: 1 });
    assert.deepEqual(await reportOf(worker), { started: true });
    mind.close();
    worker.postMessage('go on');
    assert.deepEqual(await reportOf(worker), { size: 2, live: 2, found: 'later' });
});

test('a terminated worker is abandoned: its place is free again, and the store is whole', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 20000, maxThreads: 2, efConstruction: 32 });
    for (let round = 0; round < 4; round++) {
        const shared = mind.share();
        refuses('CM_E_THREADS', /maxThreads/, () => mind.share());
        const worker = start(t, { shared, job: 'endless', number: round, nMemories: 20 });
        await reportOf(worker);
        await new Promise((resolve) => setTimeout(resolve, 3 + 5 * round));
        await worker.terminate();
        assert.equal(await mind.abandon(shared), true);
        assert.equal(await mind.abandon(shared), false);
        mind.check();
        for (let i = 0; i < 20; i++) mind.remove(`endless-${i}`);
        assert.deepEqual([...mind], []);
        assert.ok(mind.size <= round + 1, 'each death may leave the count one too high, and no more');
        for (let i = 0; i < 100; i++) mind.insert({ id: 'mine', vector: new Float32Array(DIMENSIONS).fill(1) });
        assert.equal(mind.search(new Float32Array(DIMENSIONS).fill(1))[0].id, 'mine');
        assert.equal(mind.remove('mine'), true);
        assert.ok(mind.stats().retired < 200, 'what was retired is collected: the dead thread does not hold it');
    }
});

test('one share is for one worker, and worth nothing after its end', async (t) => {
    const mind = await open(t, { dimensions: 2, maxMemories: 10 });
    const shared = mind.share();
    const worker = await ChronoMind.attach(shared);
    await rejects('CM_E_ARGUMENT', /attached already.*share\(\)/, () => ChronoMind.attach(shared));
    const grandchild = worker.share();
    worker.close();
    await rejects('CM_E_CLOSED', /closed/, () => ChronoMind.attach(shared));
    await rejects('CM_E_CLOSED', /closed/, () => ChronoMind.attach(grandchild));
    const next = await ChronoMind.attach(mind.share());
    await rejects('CM_E_CLOSED', /closed/, () => ChronoMind.attach(shared));
    next.insert({ id: 'x', vector: [1, 2] });
    assert.equal(mind.has('x'), true);
    next.close();
    const unused = mind.share();
    mind.close();
    await rejects('CM_E_CLOSED', /closed/, () => ChronoMind.attach(unused));
});

test('attaching to what is no store, or to one of another version', async (t) => {
    const mind = await open(t, { dimensions: 2, maxMemories: 10 });
    for (const value of [undefined, null, {}, mind, new SharedArrayBuffer(8)]) {
        await rejects('CM_E_ARGUMENT', /must be what share\(\) gave/, () => ChronoMind.attach(value));
    }
    const shared = mind.share();
    await rejects('CM_E_ENVIRONMENT', /version "9\.9\.9", this is 0\.1\.0/, () => ChronoMind.attach({ ...shared, chronomind: '9.9.9' }));
    await rejects('CM_E_ARGUMENT', /^clock is 5/, () => ChronoMind.attach(shared, { clock: 5 }));
    (await ChronoMind.attach(shared)).close();
    const alone = await open(t, { dimensions: 2, build: 'single-thread' });
    refuses('CM_E_ENVIRONMENT', /single-thread.*Cross-Origin-Opener-Policy/, () => alone.share());
    assert.throws(() => new MessageChannel().port1.postMessage(mind), { name: 'DataCloneError' });
});
