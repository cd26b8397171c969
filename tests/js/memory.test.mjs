// SPDX-License-Identifier: MIT OR Apache-2.0
/** Memory is given back, and stacks have room: looked at from below the class, where the WebAssembly memory is in sight. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Core } from '../../js/dist/core.js';
import { ChronoMind } from '../../js/dist/index.js';
import { instantiate } from '../../js/dist/loader.js';
import { BUILDS, load, noWorkers, open, randomFrom, randomVector } from './support.mjs';

const ROUNDS = 200;
const DIMENSIONS = 512;
const MIB = 1 << 20;

const random = randomFrom(21);
const vectors = Array.from({ length: 60 }, () => randomVector(random, DIMENSIONS));

function fill(mind) {
    for (const [i, vector] of vectors.entries()) mind.insert({ id: `m${i}`, vector, text: 'x'.repeat(1000), relationships: ['m1', 'm2'] });
    mind.remove('m3');
    mind.search(vectors[4], { k: 50 });
    mind.search(vectors[5], { k: 5, why: true, filter: ({ metadata }) => metadata === undefined });
    mind.update('m6', { context: 'other', text: 'y'.repeat(2000), decayRate: 1 });
    mind.relate('m7', 'm8');
    mind.related('m9', { depth: 3, memories: true });
    mind.contextSummary('other');
    mind.applyDecay();
    mind.consolidate();
    mind.stats();
    mind.check();
}

/** The resident bytes after each of many rounds, without the first ones, in which everything is set up. */
async function growth(round) {
    for (let i = 0; i < 20; i++) await round(i);
    const before = process.memoryUsage().rss;
    for (let i = 20; i < ROUNDS; i++) await round(i);
    return process.memoryUsage().rss - before;
}

for (const build of BUILDS) {
    test(`${build}: ${ROUNDS} stores opened, filled and closed`, async (t) => {
        const grown = await growth(async () => {
            const mind = await ChronoMind.open({ dimensions: DIMENSIONS, maxMemories: 1000, efConstruction: 16, m: 8, build });
            fill(mind);
            mind.close();
        });
        t.diagnostic(`${(grown / MIB).toFixed(1)} MiB more at the end`);
        assert.ok(grown < 60 * MIB, `${grown} bytes: a store takes more than a MiB, ${ROUNDS} of them ${ROUNDS} MiB`);
    });

    test(`${build}: ${ROUNDS} snapshots loaded and refused`, async () => {
        const mind = await ChronoMind.open({ dimensions: DIMENSIONS, maxMemories: 1000, efConstruction: 16, m: 8, build });
        fill(mind);
        const bytes = mind.toBytes();
        mind.close();
        const grown = await growth(async (i) => {
            const damaged = bytes.slice();
            damaged[(i * 997 * 101) % damaged.length] ^= 4;
            (await ChronoMind.load(bytes, { build })).close();
            await assert.rejects(ChronoMind.load(damaged, { build }), { name: 'ChronoMindError' });
            await assert.rejects(ChronoMind.open({ m: 0, build }), { code: 'CM_E_CONFIG' });
        });
        assert.ok(grown < 60 * MIB, `${grown} bytes`);
    });

    test(`${build}: one memory serves store after store, and does not grow`, async () => {
        const instance = await instantiate({ build });
        const nBytes = () => instance.memory.buffer.byteLength;
        const config = { dimensions: DIMENSIONS, max_memories: 1000 };
        const memory = (i) => ({ id: `m${i}`, vector: vectors[i], relationships: ['a'], text: 'x'.repeat(3000), metadata: '' });
        let after;
        for (let round = 0; round < 30; round++) {
            const core = Core.open(instance, config);
            for (let i = 0; i < 50; i++) core.insert(memory(i));
            for (let i = 0; i < 25; i++) core.remove(`m${i}`);
            core.search(vectors[0], { k: 3000 });
            core.check();
            core.close();
            after ??= nBytes();
            assert.equal(nBytes(), after, `round ${round}`);
            assert.throws(() => Core.open(instance, { dimensions: 0 }), { code: 'CM_E_CONFIG' });
        }
    });

    test(`${build}: what is refused for its length is not copied first`, async () => {
        const instance = await instantiate({ build });
        const core = Core.open(instance, { dimensions: 4, max_memories: 100 });
        const good = { id: 'x', vector: [1, 2, 3, 4], relationships: [], text: '', metadata: '' };
        core.insert({ ...good, text: 'x'.repeat(MIB) }); // the longest that is allowed, and its room
        const before = instance.memory.buffer.byteLength;
        const long = 'x'.repeat(50 * MIB);
        for (const change of [
            { text: long },
            { id: long },
            { context: long },
            { relationships: [long] },
            { relationships: Array(1e6).fill('y') },
        ]) {
            assert.throws(() => core.insert({ ...good, ...change }), { name: 'ChronoMindError' });
        }
        assert.throws(() => core.insert({ ...good, vector: new Float32Array(1e7) }), { code: 'CM_E_DIMENSION' });
        const grown = instance.memory.buffer.byteLength - before;
        assert.ok(grown < 8 * MIB, `${grown} bytes`);
        core.close();
    });

    test(`${build}: what is written, replaced and removed without end takes memory with an end`, async (t) => {
        const mind = await open(t, { dimensions: 4, maxMemories: 4000, efConstruction: 16, m: 4, build });
        const churn = (round) => {
            for (let i = 0; i < 50; i++) mind.insert({ id: `m${i}`, vector: [i, round, 1, 2], text: 'x'.repeat(20000) });
            for (let i = 0; i < 50; i++) mind.access(`m${i}`);
        };
        for (let round = 0; round < 5; round++) churn(round);
        const before = mind.stats().bytes.reserved;
        for (let round = 0; round < 30; round++) churn(round);
        const grown = mind.stats().bytes.reserved - before;
        assert.ok(grown < 4 * MIB, `${grown} bytes after 30 MB of replaced texts`);
    });
}

test('workers that come and go leave nothing behind', { skip: noWorkers }, async (t) => {
    const mind = await open(t, { dimensions: 4, maxMemories: 100 });
    mind.insert({ id: 'a', vector: [1, 2, 3, 4] });
    const sizes = [];
    for (let i = 0; i < 60; i++) {
        const shared = mind.share();
        const worker = await ChronoMind.attach(shared);
        assert.equal(worker.search([1, 2, 3, 4])[0].id, 'a');
        worker.close();
        assert.equal(await mind.abandon(mind.share()), true);
        sizes.push(shared.memory.buffer.byteLength);
    }
    assert.equal(sizes.at(-1), sizes[2]);
});

test('the stack of a worker has room to spare', { skip: noWorkers }, async (t) => {
    const MARK = 0xa5;
    const [pageBytes, tlsBytes] = [65536, 4096];
    const mind = await open(t, { dimensions: 300, maxMemories: 3000, m: 64 });
    const shared = mind.share();
    const stack = new Uint8Array(shared.memory.buffer, shared.seat.page + tlsBytes, pageBytes - tlsBytes).fill(MARK);
    const worker = await ChronoMind.attach(shared);
    for (let i = 0; i < 600; i++) worker.insert({ id: `m${i}`, vector: randomVector(random, 300), relationships: [`m${i - 1}`] });
    for (let i = 0; i < 300; i++) worker.remove(`m${i}`);
    worker.search(vectors[0].subarray(0, 300), { k: 1000, ef: 2000 });
    assert.throws(() => worker.insert({ id: 'x'.repeat(9999), vector: [] }), { code: 'CM_E_ID' });
    for (const mode of ['best', 'rerank', 'exact'])
        worker.search(vectors[1].subarray(0, 300), { k: 30, mode, why: true, filter: ({ text }) => text === '' });
    for (let i = 300; i < 600; i++) worker.update(`m${i}`, { context: `c${i % 9}`, text: 'x'.repeat(i), decayRate: i });
    for (let i = 300; i < 600; i++) worker.relate(`m${i}`, `m${599 - i}`);
    worker.related('m599', { depth: 400 });
    worker.contextSummary('c1');
    worker.applyDecay();
    worker.consolidate({ threshold: 0.1, onProgress: () => {} });
    worker.stats();
    worker.check();
    await load(t, worker.toBytes());
    const inner = await ChronoMind.attach(worker.share());
    inner.close();
    worker.close();
    const used = stack.length - stack.findIndex((byte) => byte !== MARK);
    t.diagnostic(`${used} of ${stack.length} bytes used`);
    assert.ok(used > 100, 'the worker ran on this stack');
    assert.ok(used < stack.length / 3, `${used} bytes`);
});
