// SPDX-License-Identifier: MIT OR Apache-2.0
/** The worker pool: what it finds and inserts is what the calling thread would, whatever happens to its workers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { WorkerPool } from '../../js/dist/pool/pool.js';
import { open, randomFrom, randomVector, refuses, rejects } from './support.mjs';

const DIMENSIONS = 16;
const DYING = new URL('./dying-worker.mjs', import.meta.url);

function memories(n, seed = 1) {
    const random = randomFrom(seed);
    return Array.from({ length: n }, (_, i) => ({
        id: `m${i}`,
        vector: randomVector(random, DIMENSIONS),
        context: `c${i % 3}`,
        timestamp: i,
        metadata: { i },
    }));
}

function dyingAfter(nTasks) {
    process.env.DIE_AFTER = String(nTasks);
    return DYING;
}

async function openPool(t, mind, options) {
    const pool = await WorkerPool.open(mind, options);
    t.after(() => pool.close());
    return pool;
}

test('a batch of searches finds what the calling thread finds, in the order of the queries', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 4000 });
    const pool = await openPool(t, mind, { workers: 2 });
    assert.deepEqual([pool.size, pool.reason], [2, undefined]);
    assert.equal(await pool.insertBatch(memories(2000)), 2000);
    const random = randomFrom(9);
    const queries = Array.from({ length: 333 }, () => randomVector(random, DIMENSIONS));
    const options = { k: 5, now: 3_600_000, context: 'c1', why: true };
    const steps = [];
    const found = await pool.searchBatch(queries, { ...options, onProgress: (done, total) => steps.push([done, total]) });
    assert.deepEqual(
        found,
        queries.map((query) => mind.search(query, options)),
    );
    assert.deepEqual(steps.at(-1), [333, 333]);
    assert.ok(
        steps.every(([done], i) => i === 0 || done > steps[i - 1][0]),
        'progress only grows',
    );
    assert.deepEqual(await pool.searchBatch([]), []);
    assert.deepEqual([mind.check().live, mind.check().unreachable], [2000, 0]);
});

test('a filter, which cannot be posted, is asked on the calling thread', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 500 });
    const pool = await openPool(t, mind, { workers: 1 });
    await pool.insertBatch(memories(200));
    const filter = ({ metadata }) => metadata.i % 2 === 0;
    const [hits] = await pool.searchBatch([memories(1)[0].vector], { filter });
    assert.ok(hits.length > 0 && hits.every(({ metadata }) => metadata.i % 2 === 0));
});

test('all queries of a batch are asked at one moment, the own clock has its say', async (t) => {
    let now = 1000;
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 500, clock: () => now });
    const pool = await openPool(t, mind, { workers: 2 });
    const timeless = memories(100).map(({ timestamp, ...memory }) => memory);
    await pool.insertBatch(timeless);
    assert.ok([...mind].every(({ createdAt }) => createdAt === 1000));
    now = 3_601_000;
    const found = await pool.searchBatch(
        timeless.map(({ vector }) => vector),
        { why: true, k: 1 },
    );
    assert.ok(found.every(([hit]) => Math.abs(hit.why.ageHours - 1) < 1e-9));
});

test('sources that come one by one, sets, generators; progress knows the total where there is one', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 5000 });
    const pool = await openPool(t, mind, { workers: 2 });
    const totals = new Set();
    const onProgress = (_done, total) => totals.add(total);
    async function* slowly() {
        for (const memory of memories(1500)) yield memory;
    }
    assert.equal(await pool.insertBatch(slowly(), { onProgress }), 1500);
    assert.equal(await pool.insertBatch(new Set(memories(1600).slice(1500)), { onProgress }), 100);
    assert.deepEqual([...totals], [undefined, 100]);
    assert.equal(mind.size, 1600);
});

test('an error says which memory or query it was, and the rest of the store is unharmed', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 2000 });
    const pool = await openPool(t, mind, { workers: 2 });
    const list = memories(500);
    list[303] = { ...list[303], vector: [1, 2] };
    await assert.rejects(pool.insertBatch(list), (error) => error.code === 'CM_E_DIMENSION' && error.index === 303);
    const cyclic = {};
    cyclic.self = cyclic;
    list[303] = { ...memories(304)[303], metadata: cyclic };
    await assert.rejects(pool.insertBatch(list), (error) => error.code === 'CM_E_ARGUMENT' && error.index === 303);
    const queries = list.map(() => new Float32Array(DIMENSIONS).fill(1));
    queries[77] = new Float32Array(DIMENSIONS).fill(Number.NaN);
    await assert.rejects(pool.searchBatch(queries), (error) => error.code === 'CM_E_NOT_FINITE' && error.index === 77);
    queries[77] = [1];
    await assert.rejects(pool.searchBatch(queries), (error) => error.code === 'CM_E_DIMENSION' && error.index === 77);
    await rejects('CM_E_ARGUMENT', /vectors is 5/, () => pool.searchBatch(5));
    await rejects('CM_E_ARGUMENT', /memories/, () => pool.insertBatch({}));
    await rejects('CM_E_RANGE', /k/, () => pool.searchBatch([queries[0]], { k: 0 }));
    mind.check();
});

test('a signal stops a batch between two pieces', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 20000 });
    const pool = await openPool(t, mind, { workers: 2 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (done) => done >= 200 && controller.abort(reason);
    await assert.rejects(pool.insertBatch(memories(5000), { signal: controller.signal, onProgress }), reason);
    assert.ok(mind.size >= 200 && mind.size < 1000, `${mind.size} were inserted`);
    await assert.rejects(pool.searchBatch([], { signal: AbortSignal.abort(reason) }), reason);
    await assert.rejects(
        pool.insertBatch(memories(5), {
            onProgress: () => {
                throw reason;
            },
        }),
        reason,
    );
    mind.check();
});

test('two batches at a time', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 5000 });
    const pool = await openPool(t, mind, { workers: 2 });
    await pool.insertBatch(memories(1000));
    const queries = memories(500).map(({ vector }) => vector);
    const [found] = await Promise.all([
        pool.searchBatch(queries, { k: 1, temporalWeight: 0, ef: 64 }),
        pool.insertBatch(memories(1000, 2).map((memory) => ({ ...memory, id: `new ${memory.id}` }))),
    ]);
    assert.ok(found.every(([hit]) => hit.distance < 1e-5));
    assert.deepEqual([mind.size, mind.check().unreachable], [2000, 0]);
});

test('workers that die are replaced, their pieces done again, their places given back', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 8000, maxThreads: 3 });
    const pool = await openPool(t, mind, { workers: 2, workerUrl: dyingAfter(5) });
    assert.equal(await pool.insertBatch(memories(2000)), 2000);
    const found = await pool.searchBatch(
        memories(2000).map(({ vector }) => vector),
        { k: 1, temporalWeight: 0, ef: 64 },
    );
    assert.ok(found.every(([hit], i) => hit.id === `m${i}`));
    assert.equal(new Set([...mind].map(({ id }) => id)).size, 2000);
    mind.check();
    await pool.close();
    const shares = [mind.share(), mind.share()]; // both places are free again
    for (const shared of shares) assert.equal(await mind.abandon(shared), true);
});

test('a task that kills every worker is an error, and no endless loop', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 100 });
    const pool = await openPool(t, mind, { workers: 1, workerUrl: dyingAfter(1) });
    await rejects('CM_E_ENVIRONMENT', /a worker ended 3 times at the same task/, () => pool.searchBatch([new Float32Array(DIMENSIONS)]));
    mind.check();
});

test('workers that cannot be loaded, more than the store has room for, a closed pool', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 100, maxThreads: 3 });
    const workerUrl = new URL('./no-such-worker.mjs', import.meta.url);
    await rejects('CM_E_ENVIRONMENT', /a worker cannot be started: .*workerUrl/s, () => WorkerPool.open(mind, { workers: 1, workerUrl }));
    await rejects('CM_E_THREADS', /maxThreads/, () => WorkerPool.open(mind, { workers: 3 }));
    await rejects('CM_E_ARGUMENT', /workers is "2"/, () => WorkerPool.open(mind, { workers: '2' }));
    const pool = await WorkerPool.open(mind);
    assert.ok(pool.size >= 1 && pool.size <= 2, 'by itself it takes what there is');
    await pool.close();
    await pool.close();
    await rejects('CM_E_CLOSED', /the pool is closed/, () => pool.searchBatch([]));
    await rejects('CM_E_CLOSED', /the pool is closed/, () => pool.insertBatch([]));
    const shares = [mind.share(), mind.share()];
    refuses('CM_E_THREADS', /maxThreads/, () => mind.share());
    for (const shared of shares) await mind.abandon(shared);
});

test('where nothing can be shared the calling thread works, and its event loop lives on', async (t) => {
    const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 4000, build: 'single-thread' });
    const pool = await openPool(t, mind, { workers: 4 });
    assert.equal(pool.size, 0);
    assert.match(pool.reason, /single-thread/);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await pool.insertBatch(memories(3000));
    const found = await pool.searchBatch(
        memories(3000).map(({ vector }) => vector),
        { k: 1, temporalWeight: 0, ef: 64 },
    );
    clearInterval(timer);
    assert.ok(found.every(([hit], i) => hit.id === `m${i}`));
    assert.ok(ticks > 5, `${ticks} ticks of a timer meanwhile`);
    const none = await openPool(t, await open(t, { dimensions: 2 }), { workers: 0 });
    assert.deepEqual([none.size, none.reason], [0, 'no workers were asked for']);
});

test('a pool that nobody closed does not keep the program running', () => {
    const program = `
        import { ChronoMind } from ${JSON.stringify(new URL('../../js/dist/index.js', import.meta.url))};
        import { WorkerPool } from ${JSON.stringify(new URL('../../js/dist/pool/pool.js', import.meta.url))};
        const mind = await ChronoMind.open({ dimensions: 2, maxMemories: 10 });
        const pool = await WorkerPool.open(mind, { workers: 1 });
        console.log(await pool.insertBatch([{ id: 'a', vector: [1, 2] }]));`;
    const { status, stdout, stderr, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        encoding: 'utf8',
        timeout: 60_000,
    });
    assert.deepEqual([status, signal, stdout, stderr], [0, null, '1\n', '']);
});
