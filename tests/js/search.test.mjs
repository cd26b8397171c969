// SPDX-License-Identifier: MIT OR Apache-2.0
/** What a search finds, what filters may do, and what a search says about itself: on both builds of both toolchains. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MODULES, moduleOf, open, randomFrom, randomVector, refuses } from './support.mjs';

const HOUR = 3_600_000;
const NOW = Date.UTC(2024, 0, 1);
const DIMENSIONS = 8;
const KINDS = ['note', 'task', 'fact'];

for (const module of MODULES) {
    /** n memories m0, m1, ... of growing age, each 1 hour older. */
    async function filled(t, n, options) {
        const mind = await open(t, { dimensions: DIMENSIONS, clock: () => NOW, wasmModule: moduleOf(module), ...options });
        const random = randomFrom(n);
        for (let i = 0; i < n; i++) {
            mind.insert({
                id: `m${i}`,
                vector: randomVector(random, DIMENSIONS),
                context: i % 4 === 0 ? 'fourth' : 'rest',
                importance: (i % 11) / 10,
                timestamp: NOW - i * HOUR,
                text: `text ${i}`,
                metadata: { i, kind: KINDS[i % 3] },
            });
        }
        return mind;
    }

    const query = randomVector(randomFrom(5), DIMENSIONS);
    const idsOf = (hits) => hits.map((hit) => hit.id);
    const numberOf = ({ id }) => Number(id.slice(1));

    test(`${module.name}: the modes, and what each says about its answer`, async (t) => {
        const mind = await filled(t, 3000, { maxMemories: 3000 });
        assert.equal(mind.build, module.build);
        const { strategy, distances, ef } = mind.lastSearch;
        assert.deepEqual([strategy, distances, ef], ['none', 0, 0], 'before the first search');
        const exact = mind.search(query, { k: 20, exact: true });
        assert.deepEqual(mind.lastSearch, {
            bound: 0,
            graphBound: 0,
            strategy: 'scan',
            distances: 3000,
            recencyDistances: 0,
            ef: 0,
            temporalWeight: Math.fround(0.3),
            now: NOW,
        });
        assert.deepEqual(mind.search(query, { k: 20, mode: 'exact' }), exact);
        const best = mind.search(query, { k: 20, mode: 'best' });
        assert.deepEqual(mind.search(query, { k: 20 }), best, 'best is what one gets');
        const report = mind.lastSearch;
        assert.ok(['streams', 'scan'].includes(report.strategy) && report.distances <= 3000 && report.bound >= 0);
        assert.ok(best.filter(({ id }) => idsOf(exact).includes(id)).length >= 19);
        mind.search(query, { k: 20, mode: 'rerank', temporalWeight: 0.5, now: NOW + HOUR });
        const { strategy: graph, temporalWeight, now, recencyDistances } = mind.lastSearch;
        assert.deepEqual([graph, temporalWeight, now, recencyDistances], ['graph', 0.5, NOW + HOUR, 0]);
        mind.search(query, { k: 3, budget: 40, temporalWeight: 0.5 });
        assert.ok(mind.lastSearch.distances < 600 && mind.lastSearch.bound > 0, 'a budget is kept, and costs certainty');
        mind.search(query, { context: 'nobody' });
        assert.equal(mind.lastSearch.strategy, 'none');
    });

    test(`${module.name}: hits show what their memories hold, however much`, async (t) => {
        const mind = await open(t, { dimensions: DIMENSIONS, maxMemories: 20, wasmModule: moduleOf(module) });
        const random = randomFrom(4);
        const lengths = [0, 1, 7, 8, 9, 5000, 16384, 16385, 40000, 3, 0, 100000];
        const held = new Map();
        for (const [i, length] of lengths.entries()) {
            const payload = { context: `c${i % 3}`, text: 'é'.repeat(length), metadata: i % 2 === 0 ? { i } : null };
            mind.insert({ id: `m${i}`, vector: randomVector(random, DIMENSIONS), ...payload });
            held.set(`m${i}`, payload);
        }
        const hits = mind.search(query, { k: 20 });
        assert.deepEqual(idsOf(hits).sort(), [...held.keys()].sort());
        for (const { id, context, text, metadata } of hits) assert.deepEqual({ context, text, metadata }, held.get(id), id);
    });

    test(`${module.name}: the bound holds`, async (t) => {
        const mind = await filled(t, 2000, { maxMemories: 2000, m: 4, efConstruction: 10 });
        const random = randomFrom(12);
        for (let i = 0; i < 60; i++) {
            const [vector, k] = [randomVector(random, DIMENSIONS), 1 + Math.floor(random() * 10)];
            const options = { k, temporalWeight: random(), ef: 1 + Math.floor(random() * 20), budget: random() < 0.5 ? 200 : undefined };
            const hits = mind.search(vector, options);
            const { bound } = mind.lastSearch;
            const found = new Set(idsOf(hits));
            const missed = mind.search(vector, { ...options, budget: undefined, exact: true, k: 2 * k }).find(({ id }) => !found.has(id));
            assert.ok(missed === undefined || missed.score >= hits.at(-1).score - bound - 1e-6, `search ${i}: ${bound}`);
        }
    });

    test(`${module.name}: importance and time`, async (t) => {
        const mind = await filled(t, 300, { maxMemories: 400 });
        const all = (options) =>
            mind
                .search(query, { k: 400, ...options })
                .map(numberOf)
                .sort((a, b) => a - b);
        const expected = (passes) => Array.from({ length: 300 }, (_, i) => i).filter(passes);
        assert.deepEqual(
            all({ minImportance: 0.5 }),
            expected((i) => i % 11 >= 5),
        );
        assert.deepEqual(
            all({ maxImportance: 0.3 }),
            expected((i) => i % 11 <= 3),
        );
        assert.deepEqual(
            all({ minImportance: 0.7, maxImportance: 0.7 }),
            expected((i) => i % 11 === 7),
        );
        for (const after of [NOW - 20 * HOUR, new Date(NOW - 20 * HOUR), '2023-12-31T04:00:00Z', '2023-12-31T06:00:00+02:00']) {
            assert.deepEqual(
                all({ after }),
                expected((i) => i <= 20),
                String(after),
            );
            assert.deepEqual(
                all({ before: after }),
                expected((i) => i > 20),
                String(after),
            );
        }
        assert.deepEqual(all({ after: NOW - 9 * HOUR, before: NOW - 5 * HOUR, context: 'fourth' }), [8]);
        assert.deepEqual(all({ after: NOW + 1 }), []);
    });

    test(`${module.name}: a filter sees each memory as it is, and chooses`, async (t) => {
        const mind = await filled(t, 300, { maxMemories: 400 });
        mind.access('m3', NOW + 5);
        const seen = new Map();
        const look = ({ id, context, text, metadata, importance, accessCount, createdAt, accessedAt }) => {
            seen.set(id, { context, text, metadata, importance, accessCount, createdAt, accessedAt });
            return true;
        };
        assert.equal(mind.search(query, { k: 400, filter: look }).length, 300);
        assert.equal(seen.size, 300);
        for (const [id, memory] of seen) {
            const { vector, relationships, decayRate, id: same, ...rest } = mind.get(id);
            assert.deepEqual(memory, rest, same);
        }
        for (const mode of ['best', 'rerank', 'exact']) {
            const hits = mind.search(query, { k: 10, mode, filter: ({ metadata }) => metadata.kind === 'task' });
            assert.ok(hits.length > 0 && hits.every(({ metadata }) => metadata.kind === 'task'), mode);
        }
        const some = mind.search(query, { k: 400, filter: ({ text }) => /7$/.test(text), context: 'rest', minImportance: 0.2 });
        const expected = Array.from({ length: 300 }, (_, i) => i).filter((i) => i % 10 === 7 && i % 4 !== 0 && i % 11 >= 2);
        assert.deepEqual(
            some.map(numberOf).sort((a, b) => a - b),
            expected,
        );
        assert.deepEqual(mind.search(query, { filter: () => false }), []);
        assert.equal(mind.search(query, { filter: () => 'yes' }).length, 10, 'what counts as true is true');
        assert.equal(mind.search(query, { filter: () => undefined }).length, 0);
    });

    test(`${module.name}: a filter of a narrow and of a wide set in a store that is not scanned`, async (t) => {
        const mind = await filled(t, 3000, { maxMemories: 3000 });
        for (const [every, least] of [
            [2, 9],
            [300, 10],
        ]) {
            const filter = ({ metadata }) => metadata.i % every === 0;
            const exact = idsOf(mind.search(query, { exact: true, filter }));
            const hits = mind.search(query, { filter });
            assert.ok(hits.every(({ id }) => Number(id.slice(1)) % every === 0));
            assert.ok(idsOf(hits).filter((id) => exact.includes(id)).length >= least, `every ${every}`);
        }
    });

    test(`${module.name}: a filter that throws ends the search, once, and the store is whole`, async (t) => {
        const mind = await filled(t, 300, { maxMemories: 400 });
        const before = Buffer.from(mind.toBytes());
        for (const error of [new RangeError('mine'), 'a string', undefined]) {
            let calls = 0;
            let caught = 'nothing';
            const filter = () => {
                if (++calls === 5) throw error;
                return true;
            };
            try {
                mind.search(query, { filter });
            } catch (thrown) {
                caught = thrown;
            }
            assert.equal(caught, error);
            assert.equal(calls, 5, 'it is not called again');
        }
        assert.ok(before.equals(mind.toBytes()));
        assert.equal(mind.search(query).length, 10);
        mind.check();
        refuses('CM_E_ARGUMENT', /^filter gave a promise/, () => mind.search(query, { filter: async () => false }));
    });

    test(`${module.name}: a filter cannot use its own store; the search goes on when it tries`, async (t) => {
        const mind = await filled(t, 300, { maxMemories: 400 });
        const attempts = {
            search: () => mind.search(query),
            get: () => mind.get('m1'),
            access: () => mind.access('m1'),
            has: () => mind.has('m1'),
            insert: () => mind.insert({ id: 'new', vector: query }),
            update: () => mind.update('m1', { text: 'new' }),
            remove: () => mind.remove('m1'),
            relate: () => mind.relate('m1', 'm2'),
            related: () => mind.related('m1'),
            summary: () => mind.contextSummary('rest'),
            decay: () => mind.applyDecay(),
            consolidate: () => mind.consolidate(),
            stats: () => mind.stats(),
            check: () => mind.check(),
            lastSearch: () => mind.lastSearch,
            iterate: () => [...mind],
            toBytes: () => mind.toBytes(),
            close: () => mind.close(),
        };
        if (module.build === 'threads') attempts.share = () => mind.share();
        const expected = mind.search(query, { k: 20, filter: ({ metadata }) => metadata.kind !== 'note' });
        for (const [name, attempt] of Object.entries(attempts)) {
            const codes = new Set();
            const filter = ({ metadata }) => {
                try {
                    attempt();
                } catch (error) {
                    codes.add(error.code);
                }
                return metadata.kind !== 'note';
            };
            assert.deepEqual(mind.search(query, { k: 20, filter }), expected, name);
            assert.deepEqual([...codes], ['CM_E_BUSY'], name);
            refuses('CM_E_BUSY', /filter or progress callback/, () => mind.search(query, { filter: attempt }));
        }
        assert.deepEqual([mind.size, mind.has('new'), mind.search(query).length], [300, false, 10]);
        mind.check();
    });

    test(`${module.name}: a filter may use another store, even search it with a filter`, async (t) => {
        const mind = await filled(t, 60, { maxMemories: 100 });
        const other = await filled(t, 90, { maxMemories: 100 });
        const filter = ({ id }) =>
            other.search(query, { k: 90, filter: ({ metadata }) => metadata.kind === 'task' }).some((hit) => hit.id === id);
        const hits = mind.search(query, { k: 60, filter });
        assert.deepEqual(
            hits.map(numberOf).sort((a, b) => a - b),
            Array.from({ length: 20 }, (_, i) => 3 * i + 1),
        );
    });

    test(`${module.name}: what a filter kept is of no use later, and says so`, async (t) => {
        const mind = await filled(t, 30, { maxMemories: 40 });
        let kept;
        let read;
        mind.search(query, {
            filter: (memory) => {
                if (memory.id === 'm3') kept = memory;
                if (memory.id === 'm4') read = [memory, memory.text, memory.metadata];
                return true;
            },
        });
        assert.deepEqual([kept.id, kept.context, kept.createdAt], ['m3', 'rest', NOW - 3 * HOUR]);
        refuses('CM_E_STALE', /^text can be read inside the filter only/, () => kept.text);
        refuses('CM_E_STALE', /^metadata can be read inside the filter only.*get\("m3"\)/, () => kept.metadata);
        assert.deepEqual([read[0].text, read[0].metadata], [read[1], read[2]], 'what was read stays');
    });
}
