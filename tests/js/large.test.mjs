// SPDX-License-Identifier: MIT OR Apache-2.0
/** The ends of a store: memory that a worker makes larger while others read, as many workers as it has places, more bytes than a signed number holds, and no more memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep, startWorker } from './anywhere.mjs';
import { BUILDS, isFull, moduleBytes, open, randomFrom, randomVector, refuses } from './support.mjs';

const MIB = 1 << 20;
const WORKER = new URL('./large-worker.mjs', import.meta.url);

test('a worker makes the memory larger while others read', async (t) => {
    const mind = await open(t, { dimensions: 8, maxMemories: 20000, efConstruction: 16, m: 4 });
    for (let i = 0; i < 50; i++) mind.insert({ id: `old ${i}`, vector: randomVector(randomFrom(i), 8), text: `text ${i}` });
    const words = new Int32Array(new SharedArrayBuffer(4));
    const worker = startWorker(WORKER);
    t.after(() => worker.terminate());
    const shared = mind.share();
    const nBefore = shared.memory.buffer.byteLength;
    const nMemories = isFull ? 1200 : 150; // a quarter of a MiB each
    const grown = worker.ask('grow', { shared, words, nMemories });
    let [reads, newest] = [0, 0];
    let isOver = false;
    grown.finally(() => {
        isOver = true;
    });
    while (!isOver) {
        const n = Atomics.load(words, 0);
        for (let i = 0; i < 20; i++, reads++) {
            assert.equal(mind.get(`old ${i}`).text, `text ${i}`);
            const [hit] = mind.search(randomVector(randomFrom(i), 8), { k: 1, exact: true, temporalWeight: 0 });
            assert.equal(hit.text, `text ${i}`);
        }
        if (n > 0)
            assert.match(
                mind.get(`new ${n - 1}`).text,
                new RegExp(`^${n - 1} x+$`),
                'what lies in memory that this thread has not yet seen',
            );
        newest = n;
        await sleep(0);
    }
    assert.equal(await grown, nMemories);
    const nAfter = shared.memory.buffer.byteLength;
    assert.ok(nAfter > nBefore + nMemories * (MIB / 4), `${nBefore} to ${nAfter} bytes`);
    assert.equal(mind.check().live, nMemories + 50);
    t.diagnostic(`${nBefore / MIB} to ${(nAfter / MIB).toFixed(0)} MiB, ${reads} reads meanwhile, at the last ${newest} were new`);
});

for (const build of BUILDS) {
    test(`${build}: views of a memory that grows during a call stay valid`, async (t) => {
        const mind = await open(t, { dimensions: 8, maxMemories: 20000, efConstruction: 16, m: 4, build });
        const other = await open(t, { dimensions: 8, build });
        other.insert({ id: 'x', vector: randomVector(randomFrom(1), 8) });
        for (let i = 0; i < 100; i++) {
            mind.insert({ id: `m${i}`, vector: randomVector(randomFrom(i), 8), text: String(i).repeat(50000) });
            const { vector, text } = mind.get(`m${i >> 1}`);
            assert.deepEqual(vector, randomVector(randomFrom(i >> 1), 8));
            assert.equal(text.length, String(i >> 1).length * 50000);
        }
        let nAsked = 0;
        mind.search(randomVector(randomFrom(3), 8), {
            k: 100,
            filter: ({ text }) => {
                nAsked++;
                return other.has('x') && text.length > 0; // this call may not change its own store, but another
            },
        });
        assert.ok(nAsked >= 100);
        assert.equal(mind.check().live, 100);
    });
}

test('32 workers attached; for more threads than places there is a typed error', async (t) => {
    const nWorkers = 32;
    const mind = await open(t, { dimensions: 8, maxMemories: 5000, maxThreads: nWorkers + 1, efConstruction: 16, m: 4 });
    const shares = Array.from({ length: nWorkers }, () => mind.share());
    refuses('CM_E_THREADS', /maxThreads/, () => mind.share());
    const workers = shares.map(() => startWorker(WORKER));
    t.after(() => Promise.all(workers.map((worker) => worker.terminate())));
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const answers = workers.map((worker, number) => worker.ask('meet', { shared: shares[number], gate, nWorkers, number, nMemories: 40 }));
    for (const wrong of await Promise.all(answers)) assert.equal(wrong, 0);
    assert.equal(Atomics.load(gate, 0), nWorkers, 'all were attached at one time');
    assert.deepEqual([mind.size, mind.check().unreachable], [nWorkers * 40, 0]);
    const again = mind.share(); // all have left
    assert.equal(await mind.abandon(again), true);
});

/** A host that gives no more than so many pages. */
function limitMemory(t, nPages) {
    const { Memory } = WebAssembly;
    WebAssembly.Memory = class extends Memory {
        constructor(options) {
            if (options.maximum > nPages) throw new RangeError('the host gives no such memory');
            super(options);
        }
    };
    t.after(() => {
        WebAssembly.Memory = Memory;
    });
}

/** Inserts until there is no more memory; then all the rest must go on. Returns how many there are. */
function fillUp(mind, textBytes, most) {
    const text = 'x'.repeat(textBytes);
    const vectorOf = (i) => [i + 1, 1, 2, i % 7];
    let n = 0;
    const error = refuses('CM_E_NO_MEMORY', /memory/, () => {
        for (; n < most; n++) mind.insert({ id: `m${n}`, vector: vectorOf(n), text: `${n} ${text}` });
    });
    assert.equal(error.code, 'CM_E_NO_MEMORY');
    assert.equal(mind.size, n);
    try {
        assert.deepEqual([mind.check().live, mind.check().unreachable], [n, 0]);
    } catch (cause) {
        assert.equal(cause.code, 'CM_E_NO_MEMORY'); // it needs some, too
    }
    refuses('CM_E_NO_MEMORY', /snapshot/, () => mind.toBytes()); // and this a MiB
    for (let i = 0; i < n; i += Math.ceil(n / 50)) {
        assert.ok(mind.get(`m${i}`).text.startsWith(`${i} x`));
        assert.equal(mind.search(vectorOf(i), { k: 1, exact: true, temporalWeight: 0 })[0].distance, 0);
    }
    refuses('CM_E_NO_MEMORY', /memory/, () => mind.insert({ id: 'one more', vector: vectorOf(n), text }));
    mind.insert({ id: 'm0', vector: vectorOf(0), text: 'short' }); // a replacement that needs little
    for (let i = 1; i < 12; i++) assert.equal(mind.remove(`m${i}`), true);
    for (let i = 0; i < 300; i++) {
        mind.access('m0', i); // what was removed is reclaimed as others go on
        mind.update('m0', { metadata: { i } });
    }
    for (let i = 1; i < 6; i++) mind.insert({ id: `m${i}`, vector: vectorOf(i), text: `${i} ${text}` });
    assert.equal(mind.size, n - 6);
    const there = Array.from(mind, ({ id, text }) => [id, text.split(' ')[0]]);
    assert.equal(new Set(there.map(([id]) => id)).size, n - 6);
    assert.ok(
        there.every(([id, number]) => id === 'm0' || id === `m${number}`),
        'all that is there is right',
    );
    return n;
}

for (const build of BUILDS) {
    test(`${build}: beyond the maximum of the memory there is a typed error, and the store goes on`, async (t) => {
        const isWhole = isFull && build === 'threads'; // 4 GiB; V8 takes minutes to make a memory so large that is not shared
        if (!isWhole) limitMemory(t, 1024);
        const wasmModule = new WebAssembly.Module(moduleBytes(build)); // one of its own, or the memory of a closed store would serve again
        const mind = await open(t, { dimensions: 4, metric: 'l2', maxMemories: 20000, m: 4, efConstruction: 16, wasmModule });
        const n = fillUp(mind, isWhole ? 700_000 : 30_000, 20000);
        const { reserved } = mind.stats().bytes;
        t.diagnostic(`${n} memories, ${(reserved / MIB).toFixed(0)} MiB`);
        assert.ok(reserved > (isWhole ? 3500 : 40) * MIB, `${reserved} bytes`);
    });
}

test('a store of 1.5 GB of large vectors', { skip: isFull ? false : 'long form only' }, async (t) => {
    const dimensions = 65536;
    const mind = await open(t, { dimensions, maxMemories: 6500, m: 4, efConstruction: 8, efSearch: 32 });
    const base = randomVector(randomFrom(1), dimensions);
    const vectorOf = (i) => {
        const vector = base.slice();
        vector.set(randomVector(randomFrom(1000 + i), 4096), (i % 16) * 4096);
        return vector;
    };
    const nMemories = 6200;
    const start = performance.now();
    for (let i = 0; i < nMemories; i++) mind.insert({ id: `m${i}`, vector: vectorOf(i), timestamp: 0 });
    const seconds = (performance.now() - start) / 1000;
    const worker = startWorker(WORKER);
    t.after(() => worker.terminate());
    const { size, distance } = await worker.ask('look', { shared: mind.share(), vector: vectorOf(nMemories - 1) });
    assert.equal(size, nMemories);
    assert.ok(distance < 1e-5);
    for (let i = 0; i < nMemories; i += 311) {
        const vector = vectorOf(i);
        assert.deepEqual(mind.get(`m${i}`).vector, vector);
        assert.equal(mind.search(vector, { k: 1, exact: true, temporalWeight: 0 })[0].id, `m${i}`);
    }
    const { vectors, reserved } = mind.stats().bytes;
    assert.ok(vectors > 1.5e9, `${vectors} bytes`);
    assert.equal(mind.check().live, nMemories);
    t.diagnostic(
        `${nMemories} vectors of ${dimensions}: ${(vectors / 1e9).toFixed(2)} GB, ${(reserved / 1e9).toFixed(2)} reserved, ${seconds.toFixed(0)} s`,
    );
});
