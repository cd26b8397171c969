// SPDX-License-Identifier: MIT OR Apache-2.0
/** Updates, relationships, decay, summaries and consolidation: on both builds of both toolchains. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, MODULES, moduleOf, open, randomFrom, randomVector, refuses } from './support.mjs';

const HOUR = 3_600_000;
const NOW = Date.UTC(2024, 0, 1);

const east = {
    id: 'east',
    vector: [1, 0, 0],
    context: 'travel',
    importance: 0.25,
    decayRate: 0.5,
    relationships: ['north'],
    timestamp: NOW,
    text: 'sunrise',
    metadata: { floor: 1 },
};

for (const module of MODULES) {
    const openOne = (t, options) => open(t, { dimensions: 3, clock: () => NOW, wasmModule: moduleOf(module), ...options });

    test(`${module.name}: update changes what is given, and nothing else`, async (t) => {
        const mind = await openOne(t);
        mind.insert(east);
        let expected = mind.get('east');
        for (const changes of [
            { importance: 0.75 },
            { decayRate: 0.125 },
            { context: 'дом' },
            { text: 'sunset' },
            { metadata: [1, 'x'] },
            { text: null },
            { metadata: null },
            { text: 'both', metadata: { a: 1 } },
            { text: '', metadata: undefined },
            { importance: 0, decayRate: 0, context: 'default', text: 'all', metadata: false },
        ]) {
            mind.update('east', { ...changes, now: NOW + 5 });
            const wanted = Object.fromEntries(Object.entries(changes).filter(([, change]) => change !== undefined));
            if (wanted.text === null) wanted.text = '';
            if (wanted.metadata === null) wanted.metadata = undefined;
            expected = { ...expected, ...wanted };
            assert.deepEqual(mind.get('east'), expected, JSON.stringify(changes));
        }
        assert.deepEqual(mind.search([1, 0, 0], { context: 'travel' }), []);
        assert.equal(mind.search([1, 0, 0], { context: 'default' })[0].text, 'all');
        const copy = await load(t, mind.toBytes(), { wasmModule: moduleOf(module) });
        assert.deepEqual(copy.get('east'), expected);
        mind.check();
    });

    test(`${module.name}: an importance that was set fades from then on`, async (t) => {
        const mind = await openOne(t);
        mind.insert({ ...east, decayRate: 0.1 });
        mind.update('east', { importance: 0.5, now: new Date(NOW + 10 * HOUR) });
        assert.equal(mind.applyDecay({ now: NOW + 10 * HOUR }), 0);
        assert.equal(mind.get('east').importance, 0.5);
        assert.equal(mind.applyDecay({ now: NOW + 20 * HOUR }), 1);
        assert.ok(Math.abs(mind.get('east').importance - 0.5 * Math.exp(-1)) < 1e-6);
    });

    test(`${module.name}: relate, unrelate, related`, async (t) => {
        const mind = await openOne(t, { maxRelationships: 4 });
        for (const id of ['a', 'b', 'c', 'd', 'e', 'alone']) mind.insert({ id, vector: [1, 2, 3], text: `text of ${id}` });
        for (const [from, to] of ['ab', 'ac', 'bd', 'ce', 'da', 'ca', 'aa']) mind.relate(from, to);
        mind.relate('a', 'ghost');
        mind.relate('a', 'b');
        assert.deepEqual(mind.get('a').relationships, ['b', 'c', 'a', 'ghost'], 'already there is not again there');
        refuses('CM_E_TOO_LARGE', /relationships of "a" are full: at most maxRelationships \(4\)/, () => mind.relate('a', 'e'));
        const steps = (id, options) => mind.related(id, options).map((related) => [related.id, related.depth].join(' '));
        assert.deepEqual(steps('a'), ['b 1', 'c 1']);
        assert.deepEqual(mind.related('a', { depth: 2 }), [
            { id: 'b', depth: 1 },
            { id: 'c', depth: 1 },
            { id: 'd', depth: 2 },
            { id: 'e', depth: 2 },
        ]);
        assert.deepEqual(steps('d', { depth: Number.POSITIVE_INFINITY }), ['a 1', 'b 2', 'c 2', 'e 3']);
        assert.deepEqual(steps('a', { depth: 0 }), []);
        assert.deepEqual(steps('alone', { depth: 9 }), []);
        const [{ memory, ...rest }] = mind.related('a', { memories: true });
        assert.deepEqual([rest, memory], [{ id: 'b', depth: 1 }, mind.get('b')]);
        mind.remove('c');
        assert.deepEqual(steps('a', { depth: 3 }), ['b 1', 'd 2']);
        mind.unrelate('a', 'b');
        mind.unrelate('a', 'b');
        assert.deepEqual(mind.get('a').relationships, ['c', 'a', 'ghost']);
        assert.deepEqual(steps('a', { depth: 3 }), []);
        mind.relate('a', 'e');
        assert.deepEqual(steps('a'), ['e 1']);
        mind.check();
    });

    test(`${module.name}: more related memories than fit at first`, async (t) => {
        const mind = await openOne(t, { maxMemories: 1000 });
        for (let i = 0; i < 600; i++) mind.insert({ id: `m${i}`, vector: [i, 1, 1], relationships: [`m${2 * i + 1}`, `m${2 * i + 2}`] });
        const all = mind.related('m0', { depth: Number.POSITIVE_INFINITY });
        assert.deepEqual(
            all.map(({ id }) => id),
            Array.from({ length: 599 }, (_, i) => `m${i + 1}`),
        );
        assert.ok(all.every(({ id, depth }) => depth === Math.floor(Math.log2(Number(id.slice(1)) + 1))));
    });

    test(`${module.name}: importance fades once per interval`, async (t) => {
        let now = NOW;
        const mind = await openOne(t, { baseDecayRate: 0.2, clock: () => now });
        mind.insert({ id: 'base', vector: [1, 0, 0], importance: 1 });
        mind.insert({ id: 'own', vector: [1, 0, 0], importance: 1, decayRate: 0.4 });
        mind.insert({ id: 'later', vector: [1, 0, 0], importance: 1, timestamp: NOW + 100 * HOUR });
        const near = (id, expected) => assert.ok(Math.abs(mind.get(id).importance - expected) < 1e-6, `${id}: ${mind.get(id).importance}`);
        assert.equal(mind.applyDecay(), 0);
        now += 2 * HOUR;
        assert.equal(mind.applyDecay(), 2);
        assert.equal(mind.applyDecay(), 0);
        near('base', Math.exp(-0.4));
        near('own', Math.exp(-0.8));
        near('later', 1);
        mind.access('own', NOW + 3 * HOUR);
        assert.equal(mind.applyDecay({ now: '2024-01-01T04:00:00Z' }), 2);
        near('base', Math.exp(-0.8));
        near('own', Math.exp(-0.8 - 0.4));
    });

    test(`${module.name}: a context in numbers`, async (t) => {
        const mind = await openOne(t);
        mind.insert({ id: 'a', vector: [1, 2, 3], context: 'дом', importance: 0.25 });
        mind.insert({ id: 'b', vector: [2, 4, -3], context: 'дом', importance: 0.75 });
        mind.insert({ id: 'c', vector: [9, 9, 9] });
        assert.deepEqual(mind.contextSummary('дом'), { count: 2, averageImportance: 0.5, centroid: new Float32Array([1.5, 3, 0]) });
        assert.deepEqual(mind.contextSummary('default'), { count: 1, averageImportance: 0.5, centroid: new Float32Array([9, 9, 9]) });
        const none = { count: 0, averageImportance: 0, centroid: new Float32Array(3) };
        assert.deepEqual(mind.contextSummary('unknown'), none);
        mind.remove('c');
        assert.deepEqual(mind.contextSummary('default'), none);
        mind.update('a', { context: 'default' });
        assert.deepEqual(mind.contextSummary('дом').centroid, new Float32Array([2, 4, -3]));
        mind.contextSummary('default').centroid.fill(7);
        assert.deepEqual([...mind.contextSummary('default').centroid], [1, 2, 3], 'it is a copy');
    });

    test(`${module.name}: near-duplicates become one`, async (t) => {
        const mind = await openOne(t, { similarityThreshold: 0.9 });
        mind.insert({ id: 'weak', vector: [1, 0.01, 0], importance: 0.2, relationships: ['x', 'strong'], text: 'weak' });
        mind.insert({ id: 'strong', vector: [1, 0, 0], importance: 0.8, relationships: ['y'], text: 'strong' });
        mind.insert({ id: 'other', vector: [0, 1, 0], importance: 0.9 });
        mind.insert({ id: 'similar', vector: [1, 0.7, 0], importance: 0.1 });
        assert.deepEqual(mind.consolidate(), { absorbed: 1 });
        assert.deepEqual([mind.size, mind.has('weak')], [3, false]);
        const { relationships, importance, text } = mind.get('strong');
        assert.deepEqual([relationships, importance, text], [['y', 'x'], Math.fround(0.8), 'strong']);
        assert.deepEqual(mind.consolidate(), { absorbed: 0 });
        assert.deepEqual(mind.consolidate({ threshold: 0.75 }), { absorbed: 1 });
        assert.deepEqual([...mind].map(({ id }) => id).sort(), ['other', 'strong']);
        mind.check();
    });

    test(`${module.name}: consolidation reports, and can be stopped`, async (t) => {
        const mind = await openOne(t, { maxMemories: 12000 });
        const random = randomFrom(3);
        const fill = () => {
            for (let i = 0; i < 1500; i++) {
                const vector = randomVector(random, 3);
                mind.insert({ id: `a${i}`, vector, importance: 1 });
                mind.insert({ id: `b${i}`, vector: vector.map((x) => x * 2) });
            }
        };
        fill();
        const seen = [];
        const { absorbed } = mind.consolidate({ threshold: 0.999999, onProgress: (done) => seen.push(done) });
        assert.ok(absorbed >= 1500 && mind.size === 3000 - absorbed, `${absorbed}`);
        assert.ok(seen.length > 1 && seen.every((done, i) => done >= 0 && done <= 1 && done >= (seen[i - 1] ?? 0)), seen.join(' '));
        fill();
        const whole = mind.size;
        const stop = new AbortController();
        const options = { threshold: 0.999999, signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) };
        assert.throws(() => mind.consolidate(options), /enough/);
        assert.throws(() => mind.consolidate(options), /enough/, 'aborted before it began');
        assert.throws(
            () =>
                mind.consolidate({
                    threshold: 0.999999,
                    onProgress: () => {
                        throw new TypeError('mine');
                    },
                }),
            { name: 'TypeError', message: 'mine' },
        );
        refuses('CM_E_BUSY', /filter or progress callback/, () =>
            mind.consolidate({ threshold: 0.999999, onProgress: () => mind.size && mind.get('a1') }),
        );
        assert.ok(mind.size <= whole);
        mind.check();
        mind.consolidate({ threshold: 0.999999 });
        assert.ok(mind.size <= 1500);
        assert.equal(mind.check().unreachable, 0);
    });
}
