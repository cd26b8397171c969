// SPDX-License-Identifier: MIT OR Apache-2.0
/** What the class promises, on both builds. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { ChronoMind, ChronoMindError } from '../../js/dist/index.js';
import { BUILDS, load, moduleBytes, open, randomFrom, randomVector, refuses, rejects, temporaryFolder } from './support.mjs';

const HOUR = 3_600_000;
const NOW = Date.UTC(2024, 0, 1);

const east = {
    id: 'east',
    vector: [1, 0, 0],
    context: 'travel',
    importance: 0.25,
    decayRate: 0.5,
    relationships: ['north', 'nowhere'],
    timestamp: '2024-01-01T01:00:00+01:00',
    text: 'sunrise ☀ \u{1f305}',
    metadata: { floor: [1, 2.5, null], ключ: 'значение' },
};

for (const build of BUILDS) {
    const openOne = (t, options) => open(t, { dimensions: 3, build, ...options });

    test(`${build}: every field of a memory comes back`, async (t) => {
        const mind = await openOne(t);
        assert.equal(mind.build, build);
        mind.insert(east);
        assert.deepEqual(mind.get('east'), {
            id: 'east',
            vector: new Float32Array([1, 0, 0]),
            context: 'travel',
            importance: 0.25,
            decayRate: 0.5,
            relationships: ['north', 'nowhere'],
            accessCount: 0,
            createdAt: NOW,
            accessedAt: NOW,
            text: 'sunrise ☀ \u{1f305}',
            metadata: { floor: [1, 2.5, null], ключ: 'значение' },
        });
    });

    test(`${build}: defaults of a memory`, async (t) => {
        const mind = await openOne(t, { clock: () => NOW });
        mind.insert({ id: 'x', vector: new Float64Array([0.1, 0.2, 0.3]) });
        const { vector, ...rest } = mind.get('x');
        assert.deepEqual(vector, new Float32Array([0.1, 0.2, 0.3]));
        assert.deepEqual(rest, {
            id: 'x',
            context: 'default',
            importance: 0.5,
            decayRate: 0,
            relationships: [],
            accessCount: 0,
            createdAt: NOW,
            accessedAt: NOW,
            text: '',
            metadata: undefined,
        });
    });

    test(`${build}: vectors come back bit for bit`, async (t) => {
        const mind = await openOne(t, { metric: 'l2' });
        const vector = new Float32Array([-0, 1e-45, 3.4028235e38]);
        mind.insert({ id: 'x', vector });
        assert.deepEqual(new Uint32Array(mind.get('x').vector.buffer), new Uint32Array(vector.buffer));
        mind.insert({ id: 'y', vector: { length: 3, 0: 1, 1: 2, 2: 3 } });
        mind.insert({ id: 'z', vector: new Int8Array([-1, 0, 1]) });
        assert.deepEqual([...mind.get('y').vector, ...mind.get('z').vector], [1, 2, 3, -1, 0, 1]);
    });

    test(`${build}: strings come back whatever their script and length, in a memory and in a hit`, async (t) => {
        const mind = await openOne(t);
        const letters = ['a', '\u007f', '\u0080', 'é', 'ÿ', 'Ā', '€', '\u{1f600}'];
        for (const letter of letters) {
            for (const before of [0, 1, 10, 22, 23, 24, 25, 40]) {
                const text = 'x'.repeat(before) + letter;
                mind.insert({ id: text, vector: [1, 2, 3], context: text, text });
                const { id, context, text: stored } = mind.get(text);
                assert.deepEqual([id, context, stored], [text, text, text]);
                const [hit] = mind.search([1, 2, 3], { k: 1, context: text });
                assert.deepEqual([hit.id, hit.context, hit.text], [text, text, text]);
            }
        }
        assert.equal(mind.size, letters.length * 8);
    });

    test(`${build}: metadata is any JSON value`, async (t) => {
        const mind = await openOne(t);
        for (const metadata of [null, false, 0, '', 'text', [], {}, [1, { a: '"\\\n' }], new Date(NOW)]) {
            mind.insert({ id: 'x', vector: [1, 2, 3], metadata });
            assert.deepEqual(mind.get('x').metadata, JSON.parse(JSON.stringify(metadata)));
        }
    });

    test(`${build}: an id given again replaces the memory and keeps its relationships behind the new ones`, async (t) => {
        const mind = await openOne(t, { maxRelationships: 3 });
        mind.insert(east);
        mind.insert({ id: 'east', vector: [0, 1, 0], relationships: ['up', 'north', 'up'] });
        const memory = mind.get('east');
        assert.deepEqual(memory.relationships, ['up', 'north', 'nowhere']);
        assert.deepEqual([memory.context, memory.text, mind.size], ['default', '', 1]);
        assert.deepEqual([...memory.vector], [0, 1, 0]);
    });

    test(`${build}: has, remove, size; what is not there is undefined or false`, async (t) => {
        const mind = await openOne(t);
        assert.deepEqual(
            [mind.size, mind.has('a'), mind.get('a'), mind.access('a'), mind.remove('a')],
            [0, false, undefined, undefined, false],
        );
        for (const id of ['a', 'b', 'ü'.repeat(512)]) mind.insert({ id, vector: [1, 2, 3] });
        assert.deepEqual([mind.size, mind.has('a'), mind.has('ü'.repeat(512))], [3, true, true]);
        assert.equal(mind.remove('a'), true);
        assert.deepEqual([mind.size, mind.has('a'), mind.get('a'), mind.remove('a')], [2, false, undefined, false]);
        assert.deepEqual(
            mind
                .search([1, 2, 3])
                .map((hit) => hit.id)
                .sort(),
            ['b', 'ü'.repeat(512)],
        );
        mind.insert({ id: 'a', vector: [3, 2, 1] });
        assert.deepEqual([...mind.get('a').vector], [3, 2, 1]);
    });

    test(`${build}: access counts, and notes the latest time`, async (t) => {
        let now = NOW;
        const mind = await openOne(t, { clock: () => now });
        mind.insert({ id: 'a', vector: [1, 2, 3] });
        now += 5;
        assert.deepEqual(pick(mind.access('a')), { accessCount: 1, accessedAt: NOW + 5, createdAt: NOW });
        assert.deepEqual(pick(mind.access('a', new Date(NOW + 7))), { accessCount: 2, accessedAt: NOW + 7, createdAt: NOW });
        assert.deepEqual(pick(mind.access('a', NOW + 1)), { accessCount: 3, accessedAt: NOW + 7, createdAt: NOW });
        assert.deepEqual(pick(mind.get('a')), { accessCount: 3, accessedAt: NOW + 7, createdAt: NOW });
        function pick({ accessCount, accessedAt, createdAt }) {
            return { accessCount, accessedAt, createdAt };
        }
    });

    test(`${build}: search ranks by distance and age, and says why`, async (t) => {
        const mind = await openOne(t, { baseDecayRate: 0.5 });
        mind.insert({ id: 'old', vector: [1, 0, 0], timestamp: NOW - 10 * HOUR, text: 'o', metadata: 1 });
        mind.insert({ id: 'new', vector: [1, 1, 0], timestamp: NOW });
        const similarFirst = mind.search([1, 0, 0], { temporalWeight: 0, now: NOW });
        assert.deepEqual(
            similarFirst.map((hit) => hit.id),
            ['old', 'new'],
        );
        const [hit] = similarFirst;
        assert.deepEqual(
            { ...hit, distance: 0, score: 0, recency: 0 },
            {
                id: 'old',
                score: 0,
                distance: 0,
                recency: 0,
                importance: 0.5,
                context: 'default',
                text: 'o',
                metadata: 1,
                createdAt: NOW - 10 * HOUR,
                accessCount: 0,
            },
        );
        const freshFirst = mind.search([1, 0, 0], { temporalWeight: 1, now: NOW });
        assert.deepEqual(
            freshFirst.map(({ id }) => id),
            ['new', 'old'],
        );
        assert.ok(Math.abs(freshFirst[1].score - (1 - Math.exp(-5))) < 1e-6);
        for (const temporalWeight of [undefined, 0, 0.25, 1]) {
            for (const hit of mind.search([1, 0.5, 0], { temporalWeight, now: NOW, why: true })) {
                const { why, ...plain } = hit;
                assert.deepEqual(Object.keys(why).sort(), ['ageHours', 'distancePart', 'recencyPart', 'temporalWeight']);
                assert.equal(why.temporalWeight, Math.fround(temporalWeight ?? 0.3));
                assert.equal(why.ageHours, plain.id === 'old' ? 10 : 0);
                assert.ok(Math.abs(why.distancePart + why.recencyPart - plain.score) < 1e-6);
                assert.ok(Math.abs(why.distancePart - ((1 - why.temporalWeight) * plain.distance) / 2) < 1e-12);
                assert.ok(Math.abs(why.recencyPart - why.temporalWeight * plain.recency) < 1e-12);
                const [same] = mind.search([1, 0.5, 0], { temporalWeight, now: NOW }).filter(({ id }) => id === plain.id);
                assert.deepEqual(same, plain, 'without `why` the same hit, and no more');
            }
        }
    });

    test(`${build}: search options: k, context, ef, the store's clock`, async (t) => {
        let now = NOW;
        const mind = await openOne(t, { clock: () => now });
        const random = randomFrom(7);
        for (let i = 0; i < 300; i++)
            mind.insert({ id: `m${i}`, vector: randomVector(random, 3), context: i % 3 === 0 ? 'third' : 'rest' });
        assert.equal(mind.search([1, 0, 0]).length, 10);
        assert.equal(mind.search([1, 0, 0], { k: 25 }).length, 25);
        assert.equal(mind.search([1, 0, 0], { k: 16384 }).length, 300);
        const third = mind.search([1, 0, 0], { k: 200, context: 'third' });
        assert.equal(third.length, 100);
        assert.ok(third.every((hit) => hit.context === 'third' && Number(hit.id.slice(1)) % 3 === 0));
        assert.deepEqual(mind.search([1, 0, 0], { context: 'unknown' }), []);
        assert.equal(mind.search([1, 0, 0], { k: 5, ef: 1 }).length, 5);
        assert.equal(mind.search([1, 0, 0], { k: 1 })[0].recency, 0);
        now += 1000 * HOUR;
        assert.ok(mind.search([1, 0, 0], { k: 1 })[0].recency > 0.99);
        const exact = [...mind].map(({ id, vector: [x, y, z] }) => [1 - x / Math.hypot(x, y, z), id]).sort(([a], [b]) => a - b);
        assert.deepEqual(
            mind.search([1, 0, 0], { k: 10, temporalWeight: 0 }).map((hit) => hit.id),
            exact.slice(0, 10).map(([, id]) => id),
        );
    });

    test(`${build}: iteration sees every memory once, also while they change`, async (t) => {
        const mind = await openOne(t);
        assert.deepEqual([...mind], []);
        for (let i = 0; i < 50; i++) mind.insert({ id: `m${i}`, vector: [i, 1, 2], text: 'x'.repeat(i * 997) });
        const seen = [];
        for (const memory of mind) {
            if (seen.length === 10) mind.remove('m49');
            if (seen.length === 10) mind.insert({ id: 'm0', vector: [9, 9, 9] });
            assert.equal(memory.text.length, memory.id === 'm0' && memory.vector[0] === 9 ? 0 : Number(memory.id.slice(1)) * 997);
            seen.push(memory.id);
        }
        assert.equal(new Set(seen).size, seen.length);
        for (let i = 1; i < 49; i++) assert.ok(seen.includes(`m${i}`), `m${i}`);
    });

    test(`${build}: stats and check`, async (t) => {
        const mind = await openOne(t, { maxMemories: 1000, metric: 'dot' });
        mind.insert(east);
        mind.insert({ id: 'a', vector: [0, 1, 0], relationships: ['nowhere'], importance: 1 });
        mind.insert({ id: 'b', vector: [0, 0, 1], relationships: ['nowhere', 'east', 'north'], importance: 1 });
        mind.insert({ id: 'gone', vector: [0, 0, 1], context: 'gone' });
        mind.remove('gone');
        const { bytes, slots, slotsUsed, retired, ...stats } = mind.stats();
        assert.deepEqual(stats, {
            memories: 3,
            components: 9,
            maxMemories: 1000,
            dimensions: 3,
            metric: 'dot',
            averageImportance: 0.75,
            contexts: [
                { context: 'default', memories: 2 },
                { context: 'travel', memories: 1 },
            ],
            mostReferenced: [
                { id: 'nowhere', references: 3 },
                { id: 'north', references: 2 },
                { id: 'east', references: 1 },
            ],
        });
        assert.deepEqual([slotsUsed, slots > 1000, retired >= 0], [4, true, true]);
        for (const [name, n] of Object.entries(bytes)) assert.ok(n > 0 && Number.isSafeInteger(n), name);
        assert.ok(bytes.vectors + bytes.index + bytes.records + bytes.blocks <= bytes.reserved);
        assert.deepEqual(Object.entries(mind.check()).slice(0, 2), [
            ['live', 3],
            ['dead', 1],
        ]);
        assert.equal(mind.check().unreachable, 0);
    });

    test(`${build}: equal counts are in the order of the UTF-8 bytes, which that of UTF-16 is not`, async (t) => {
        const mind = await openOne(t);
        const names = ['a', 'b', '\ufb00', '\u{1f600}', '\u{1f600}a'];
        for (const [i, name] of names.toReversed().entries())
            mind.insert({ id: `m${i}`, vector: [i, 1, 1], context: name, relationships: [name] });
        const { contexts, mostReferenced } = mind.stats();
        assert.deepEqual(
            contexts.map(({ context }) => context),
            names,
        );
        assert.deepEqual(
            mostReferenced.map(({ id }) => id),
            names,
        );
    });

    test(`${build}: insertBatch takes any iterable, reports, lets others run, and can be stopped`, async (t) => {
        const mind = await openOne(t, { maxMemories: 20000 });
        const random = randomFrom(1);
        const many = Array.from({ length: 3000 }, (_, i) => ({ id: String(i), vector: randomVector(random, 3) }));
        const reports = [];
        let ticks = 0;
        const timer = setInterval(() => ticks++, 1);
        assert.equal(await mind.insertBatch(many, { onProgress: (done, total) => reports.push([done, total]) }), 3000);
        clearInterval(timer);
        assert.deepEqual(reports.at(-1), [3000, 3000]);
        assert.ok(reports.length > 2 && ticks > 0, `${reports.length} reports, ${ticks} ticks`);
        assert.ok(reports.every(([done], i) => i === 0 || done >= reports[i - 1][0]));
        const stream = (async function* () {
            for (const letter of 'abc') yield { id: letter, vector: [1, 2, 3] };
        })();
        assert.equal(await mind.insertBatch(stream), 3);
        assert.equal(await mind.insertBatch(new Set([{ id: 'set', vector: [1, 2, 3] }])), 1);
        assert.equal(await mind.insertBatch([]), 0);
        assert.equal(mind.size, 3004);

        const stop = new AbortController();
        const onProgress = (done) => done > 0 && stop.abort(new Error('enough'));
        await assert.rejects(mind.insertBatch(many, { signal: stop.signal, onProgress }), /enough/);
        await assert.rejects(mind.insertBatch([{ id: 'never', vector: [1, 2, 3] }], { signal: AbortSignal.abort() }), {
            name: 'AbortError',
        });
        assert.equal(mind.has('never'), false);
    });

    test(`${build}: a batch stops at the memory that is refused, and says which`, async (t) => {
        const mind = await openOne(t);
        const batch = [
            { id: 'a', vector: [1, 2, 3] },
            { id: 'b', vector: [1, 2] },
            { id: 'c', vector: [1, 2, 3] },
        ];
        const error = await rejects('CM_E_DIMENSION', /2 dimensions/, () => mind.insertBatch(batch));
        assert.equal(error.index, 1);
        assert.deepEqual([mind.has('a'), mind.has('c'), mind.size], [true, false, 1]);
    });

    test(`${build}: a snapshot holds everything, as bytes and as a file`, async (t) => {
        const folder = temporaryFolder(t);
        const path = join(folder, 'agent.chrono');
        const mind = await openOne(t, { path, maxMemories: 500, seed: 7n, efSearch: 77 });
        const random = randomFrom(3);
        for (let i = 0; i < 200; i++) mind.insert({ ...east, id: `m${i}`, vector: randomVector(random, 3), text: 'x'.repeat(i) });
        mind.remove('m7');
        mind.access('m8', NOW + 9);
        await mind.save();
        const bytes = mind.toBytes();
        assert.ok(Buffer.from(bytes).equals(readFileSync(path)));
        for (const from of [path, pathToFileURL(path), bytes, bytes.buffer, new Blob([bytes]), new DataView(bytes.buffer)]) {
            const copy = await load(t, from, { build });
            assert.equal(copy.size, 199);
            assert.deepEqual(copy.config, mind.config);
            assert.deepEqual([...copy].sort(byId), [...mind].sort(byId));
            assert.deepEqual(copy.search([1, 0, 0], { now: NOW }), mind.search([1, 0, 0], { now: NOW }));
            assert.ok(Buffer.from(copy.toBytes()).equals(Buffer.from(bytes)), 'and saving it again gives the same bytes');
        }
        const again = await openOne(t, { path });
        assert.equal(again.size, 199);
        again.insert({ id: 'more', vector: [1, 2, 3] });
        await again.save();
        assert.equal((await load(t, path)).size, 200);
        await again.save(pathToFileURL(join(folder, 'elsewhere.chrono')));
        assert.ok(existsSync(join(folder, 'elsewhere.chrono')));
    });

    test(`${build}: loading with more room`, async (t) => {
        const small = await openOne(t, { maxMemories: 2 });
        small.insert({ id: 'a', vector: [1, 2, 3] });
        small.insert({ id: 'b', vector: [1, 2, 3] });
        refuses('CM_E_CAPACITY', /maxMemories \(2\)/, () => small.insert({ id: 'c', vector: [1, 2, 3] }));
        const large = await load(t, small.toBytes(), { build, maxMemories: 3, clock: () => NOW });
        large.insert({ id: 'c', vector: [1, 2, 3] });
        assert.deepEqual([large.size, large.config.maxMemories, large.get('c').createdAt], [3, 3, NOW]);
        await rejects('CM_E_CAPACITY', /maxMemories is 1/, () => ChronoMind.load(small.toBytes(), { build, maxMemories: 1 }));
    });

    test(`${build}: a closed store`, async (t) => {
        const mind = await openOne(t);
        mind.insert({ id: 'a', vector: [1, 2, 3] });
        const iteration = mind[Symbol.iterator]();
        iteration.next();
        mind.close();
        mind.close();
        mind[Symbol.for('Symbol.dispose')]?.();
        const calls = {
            insert: () => mind.insert({ id: 'b', vector: [1, 2, 3] }),
            get: () => mind.get('a'),
            access: () => mind.access('a'),
            remove: () => mind.remove('a'),
            has: () => mind.has('a'),
            size: () => mind.size,
            update: () => mind.update('a', { text: '' }),
            relate: () => mind.relate('a', 'b'),
            unrelate: () => mind.unrelate('a', 'b'),
            related: () => mind.related('a'),
            search: () => mind.search([1, 2, 3]),
            lastSearch: () => mind.lastSearch,
            applyDecay: () => mind.applyDecay(),
            contextSummary: () => mind.contextSummary('default'),
            consolidate: () => mind.consolidate(),
            stats: () => mind.stats(),
            check: () => mind.check(),
            iterate: () => [...mind],
            'iterate on': () => iteration.next(),
            toBytes: () => mind.toBytes(),
            share: () => build === 'threads' && mind.share(),
        };
        for (const [name, call] of Object.entries(calls)) {
            if (name === 'share' && build !== 'threads') continue;
            const error = refuses('CM_E_CLOSED', /closed/, call);
            assert.equal(error.status, -22, name);
        }
        const folder = temporaryFolder(t);
        await rejects('CM_E_CLOSED', /closed/, () => mind.save(join(folder, 'x')));
        assert.equal(existsSync(join(folder, 'x')), false);
        await rejects('CM_E_CLOSED', /closed/, () => mind.insertBatch([{ id: 'b', vector: [1, 2, 3] }]));
        assert.equal(inspect(mind), 'ChronoMind { closed }');
    });
}

test('vectors in fewer bits: what get() returns, and how near hits are', async (t) => {
    for (const vectors of ['f32', 'bf16', 'i8']) {
        const mind = await open(t, { dimensions: 3, vectors });
        mind.insert({ id: 'a', vector: [1, 0.3, -7.7] });
        const kept = Array.from(mind.get('a').vector);
        const rounded = [1, 0.30078125, -7.6875];
        assert.deepEqual(kept, vectors === 'bf16' ? rounded : [1, 0.3, -7.7].map(Math.fround));
        const [hit] = mind.search(kept, { k: 1, temporalWeight: 0 });
        assert.ok(hit.id === 'a' && hit.distance < 1e-6);
        const loaded = await load(t, mind.toBytes());
        assert.equal(loaded.config.vectors, vectors);
        assert.deepEqual(Array.from(loaded.get('a').vector), kept);
    }
});

test('config: the defaults, and what was given', async (t) => {
    assert.deepEqual((await open(t)).config, {
        dimensions: 768,
        maxMemories: 100000,
        baseDecayRate: Math.fround(0.1),
        temporalWeight: Math.fround(0.3),
        similarityThreshold: Math.fround(0.95),
        maxRelationships: 50,
        m: 16,
        efConstruction: 200,
        efSearch: 50,
        metric: 'cosine',
        vectors: 'f32',
        maxThreads: 64,
        seed: 42n,
    });
    const given = {
        dimensions: 5,
        maxMemories: 6,
        baseDecayRate: 0.5,
        temporalWeight: 0.25,
        similarityThreshold: 0.75,
        maxRelationships: 7,
        m: 8,
        efConstruction: 9,
        efSearch: 10,
        metric: 'l2',
        vectors: 'i8',
        maxThreads: 11,
        seed: 18446744073709551615n,
    };
    assert.deepEqual((await open(t, given)).config, given);
});

test('the module may come from anywhere', async (t) => {
    const bytes = moduleBytes('single-thread');
    const url = new URL('../../js/dist/chronomind-st.wasm', import.meta.url);
    const ways = [
        { wasmBinary: bytes },
        { wasmBinary: new Uint8Array(bytes).buffer },
        { wasmModule: new WebAssembly.Module(bytes) },
        { wasmUrl: url },
    ];
    for (const way of [...ways, { wasmUrl: url.href }, { wasmUrl: url.pathname }]) {
        const mind = await open(t, { dimensions: 3, ...way });
        mind.insert(east);
        assert.deepEqual([mind.build, mind.size], ['single-thread', 1]);
    }
    await rejects('CM_E_ENVIRONMENT', /magic|length/, () => ChronoMind.open({ wasmBinary: new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]) }));
    await rejects('CM_E_ENVIRONMENT', /no such file/i, () => ChronoMind.open({ wasmUrl: 'none.wasm' }));
    await rejects('CM_E_ENVIRONMENT', /https:\/\/example/, () => ChronoMind.open({ wasmUrl: 'https://example.invalid/x.wasm' }));
});

test('the class: no construction, no cloning, a name in the console', async (t) => {
    refuses('CM_E_ARGUMENT', /open\(\)/, () => new ChronoMind());
    const mind = await open(t, { dimensions: 3 });
    assert.throws(() => structuredClone(mind), { name: 'DataCloneError' });
    assert.equal(inspect(mind), `ChronoMind { size: 0, build: '${mind.build}' }`);
    const error = refuses('CM_E_ID', /id is empty/, () => mind.insert({ id: '', vector: [1, 2, 3] }));
    assert.ok(error instanceof ChronoMindError && error instanceof Error);
    assert.equal(error.status, -5);
    assert.equal('index' in error, false);
});

test('a store that nobody closed and nobody reaches is closed', async () => {
    const { Core } = await import('../../js/dist/core.js');
    const closed = new Promise((resolve) => {
        const close = Core.prototype.close;
        Core.prototype.close = function () {
            close.call(this);
            resolve(true);
        };
    });
    await (async () => (await ChronoMind.open({ dimensions: 3 })).insert(east))();
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    const deadline = setTimeout(() => assert.fail('not collected'), 10_000);
    const timer = setInterval(collect, 10);
    assert.equal(await closed, true);
    clearInterval(timer);
    clearTimeout(deadline);
});

function byId(a, b) {
    return a.id < b.id ? -1 : 1;
}
