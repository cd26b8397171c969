// SPDX-License-Identifier: MIT OR Apache-2.0
/** Whatever a caller gets wrong is a ChronoMindError that names field and value, and the store has not changed by a byte. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ChronoMind } from '../../js/dist/index.js';
import { BUILDS, open, randomFrom, randomVector, refuses, rejects, temporaryFolder } from './support.mjs';

const good = { id: 'x', vector: [1, 2, 3, 4] };
const cyclic = {};
cyclic.self = cyclic;

/** [what is wrong, changes to a good memory, code, message] */
const memories = [
    ['no id', { id: undefined }, 'CM_E_ARGUMENT', /^id is undefined: must be a string/],
    ['id is a number', { id: 7 }, 'CM_E_ARGUMENT', /^id is 7: must be a string/],
    ['empty id', { id: '' }, 'CM_E_ID', /^id is empty/],
    ['id of 1025 bytes', { id: `${'ü'.repeat(512)}x` }, 'CM_E_ID', /^id "ü.* has 1025 bytes: at most 1024/],
    ['id of 10 million bytes', { id: 'x'.repeat(1e7) }, 'CM_E_ID', /^id "x.* has 10000000 bytes/],
    ['id that UTF-8 cannot hold', { id: 'a\ud800' }, 'CM_E_ID', /^id is "a\ud800": holds half a surrogate pair/],
    ['no vector', { vector: undefined }, 'CM_E_ARGUMENT', /^vector is undefined/],
    ['vector is a number', { vector: 4 }, 'CM_E_ARGUMENT', /^vector is 4/],
    ['vector is a string', { vector: '1,2,3,4' }, 'CM_E_ARGUMENT', /^vector is "1,2,3,4"/],
    ['vector of strings', { vector: [1, 2, '3', 4] }, 'CM_E_ARGUMENT', /^vector\[2\] is "3": must be a number/],
    ['vector of bigints', { vector: new BigInt64Array(4) }, 'CM_E_ARGUMENT', /^vector\[0\] is 0n/],
    // biome-ignore lint/suspicious/noSparseArray: a hole is the point
    ['vector with a hole', { vector: [1, , 3, 4] }, 'CM_E_ARGUMENT', /^vector\[1\] is undefined/],
    ['too few dimensions', { vector: [1, 2, 3] }, 'CM_E_DIMENSION', /^vector has 3 dimensions: this store's vectors have 4/],
    ['too many dimensions', { vector: [1, 2, 3, 4, 5] }, 'CM_E_DIMENSION', /^vector has 5 dimensions/],
    ['no dimensions', { vector: [] }, 'CM_E_DIMENSION', /^vector has 0 dimensions/],
    ['100,000 dimensions', { vector: new Float64Array(100000) }, 'CM_E_DIMENSION', /^vector has 100000 dimensions/],
    ['2^32 + 4 dimensions', { vector: { length: 2 ** 32 + 4 } }, 'CM_E_DIMENSION', /^vector has 4294967295 dimensions/],
    ['half a dimension', { vector: { length: 0.5 } }, 'CM_E_ARGUMENT', /^vector is an object/],
    ['NaN', { vector: [1, Number.NaN, 3, 4] }, 'CM_E_NOT_FINITE', /^vector\[1\] is NaN/],
    ['infinity', { vector: [1, 2, 3, Number.POSITIVE_INFINITY] }, 'CM_E_NOT_FINITE', /^vector\[3\] is inf/],
    ['-infinity', { vector: new Float32Array([Number.NEGATIVE_INFINITY, 2, 3, 4]) }, 'CM_E_NOT_FINITE', /^vector\[0\] is -inf/],
    ['beyond 32-bit floats', { vector: [1e300, 2, 3, 4] }, 'CM_E_NOT_FINITE', /^vector\[0\] is inf/],
    ['importance above 1', { importance: 1.5 }, 'CM_E_RANGE', /^importance is 1\.5: must be 0 \.\. 1/],
    ['importance below 0', { importance: -0.5 }, 'CM_E_RANGE', /^importance is -0\.5/],
    ['importance is NaN', { importance: Number.NaN }, 'CM_E_RANGE', /^importance is NaN/],
    ['importance is text', { importance: '1' }, 'CM_E_ARGUMENT', /^importance is "1": must be a number/],
    ['importance is null', { importance: null }, 'CM_E_ARGUMENT', /^importance is null/],
    ['negative decay rate', { decayRate: -1 }, 'CM_E_RANGE', /^decayRate is -1/],
    ['decay rate is NaN', { decayRate: Number.NaN }, 'CM_E_RANGE', /^decayRate is NaN/],
    ['infinite decay rate', { decayRate: Number.POSITIVE_INFINITY }, 'CM_E_RANGE', /^decayRate is inf/],
    ['empty context', { context: '' }, 'CM_E_RANGE', /^context is empty/],
    ['context of 1025 bytes', { context: 'c'.repeat(1025) }, 'CM_E_TOO_LARGE', /^context "c.* has 1025 bytes/],
    ['context is an object', { context: {} }, 'CM_E_ARGUMENT', /^context is an object \(Object\)/],
    ['context that UTF-8 cannot hold', { context: '\udc00' }, 'CM_E_UTF8', /^context is/],
    ['relationships are a string', { relationships: 'y' }, 'CM_E_ARGUMENT', /^relationships is "y": must be an array/],
    ['a relationship is a number', { relationships: ['y', 1] }, 'CM_E_ARGUMENT', /^relationships\[1\] is 1/],
    ['an empty relationship', { relationships: ['y', ''] }, 'CM_E_ID', /^relationships\[1\] is empty/],
    ['a long relationship', { relationships: ['r'.repeat(1025)] }, 'CM_E_ID', /^relationships\[0\] "r.* has 1025 bytes/],
    ['4097 relationships', { relationships: Array(4097).fill('y') }, 'CM_E_TOO_LARGE', /^relationships has 4097 elements/],
    ['text above 1 MiB', { text: 't'.repeat(1048577) }, 'CM_E_TOO_LARGE', /^text has 1048577 bytes and metadata 0/],
    [
        'text and metadata above 1 MiB',
        { text: 't'.repeat(1048574), metadata: 'm' },
        'CM_E_TOO_LARGE',
        /^text has 1048574 bytes and metadata 3/,
    ],
    ['text of 20 million bytes', { text: 't'.repeat(2e7) }, 'CM_E_TOO_LARGE', /^text has 20000000 bytes/],
    ['text is a number', { text: 1 }, 'CM_E_ARGUMENT', /^text is 1/],
    ['metadata with a cycle', { metadata: cyclic }, 'CM_E_ARGUMENT', /^metadata cannot be written as JSON/],
    ['metadata is a function', { metadata: () => {} }, 'CM_E_ARGUMENT', /^metadata is a function: cannot be written as JSON/],
    ['metadata is a bigint', { metadata: { n: 1n } }, 'CM_E_ARGUMENT', /^metadata cannot be written as JSON: .*BigInt/],
    ['timestamp without zone', { timestamp: '2024-01-01T00:00:00' }, 'CM_E_ARGUMENT', /^timestamp is "2024-01-01T00:00:00": .* offset/],
    ['a day that is none', { timestamp: '2023-02-29' }, 'CM_E_ARGUMENT', /^timestamp is "2023-02-29"/],
    ['an invalid Date', { timestamp: new Date(Number.NaN) }, 'CM_E_RANGE', /^timestamp is an object \(Date\)/],
    ['a time that no Date has', { timestamp: 8640000000000001 }, 'CM_E_RANGE', /^timestamp is 8640000000000001/],
];

const searches = [
    ['vector is missing', [undefined], 'CM_E_ARGUMENT', /^vector is undefined/],
    ['wrong dimension', [[1, 2]], 'CM_E_DIMENSION', /2 dimensions/],
    ['NaN', [[1, 2, Number.NaN, 4]], 'CM_E_NOT_FINITE', /\[2\] is NaN/],
    ['k = 0', [[1, 2, 3, 4], { k: 0 }], 'CM_E_RANGE', /^k is 0/],
    ['k = 16385', [[1, 2, 3, 4], { k: 16385 }], 'CM_E_RANGE', /^k is 16385/],
    ['k = 2^32 - 1', [[1, 2, 3, 4], { k: 0xffffffff }], 'CM_E_RANGE', /^k is 4294967295/],
    ['k = -1', [[1, 2, 3, 4], { k: -1 }], 'CM_E_RANGE', /^k is -1/],
    ['k = 1.5', [[1, 2, 3, 4], { k: 1.5 }], 'CM_E_RANGE', /^k is 1\.5/],
    ['k is NaN', [[1, 2, 3, 4], { k: Number.NaN }], 'CM_E_RANGE', /^k is NaN/],
    ['k is text', [[1, 2, 3, 4], { k: '3' }], 'CM_E_ARGUMENT', /^k is "3"/],
    ['ef above its limit', [[1, 2, 3, 4], { ef: 65537 }], 'CM_E_RANGE', /^ef is 65537/],
    ['weight above 1', [[1, 2, 3, 4], { temporalWeight: 1.5 }], 'CM_E_RANGE', /^temporalWeight is 1\.5/],
    ['weight below 0', [[1, 2, 3, 4], { temporalWeight: -1 }], 'CM_E_RANGE', /^temporalWeight is -1/],
    ['weight is NaN', [[1, 2, 3, 4], { temporalWeight: Number.NaN }], 'CM_E_RANGE', /^temporalWeight is NaN/],
    ['weight is null', [[1, 2, 3, 4], { temporalWeight: null }], 'CM_E_ARGUMENT', /^temporalWeight is null/],
    ['now is nonsense', [[1, 2, 3, 4], { now: 'yesterday' }], 'CM_E_ARGUMENT', /^now is "yesterday"/],
    ['empty context', [[1, 2, 3, 4], { context: '' }], 'CM_E_ARGUMENT', /^context is empty/],
    ['context is a number', [[1, 2, 3, 4], { context: 1 }], 'CM_E_ARGUMENT', /^context is 1/],
    ['options are a number', [[1, 2, 3, 4], 5], 'CM_E_ARGUMENT', /^options is 5/],
    ['mode is unknown', [[1, 2, 3, 4], { mode: 'fast' }], 'CM_E_ARGUMENT', /^mode is "fast": must be "best", "rerank" or "exact"/],
    ['mode is inherited', [[1, 2, 3, 4], { mode: 'toString' }], 'CM_E_ARGUMENT', /^mode is "toString"/],
    ['exact, and another mode', [[1, 2, 3, 4], { mode: 'best', exact: true }], 'CM_E_ARGUMENT', /^mode is "best": but exact is true/],
    ['exact is a number', [[1, 2, 3, 4], { exact: 1 }], 'CM_E_ARGUMENT', /^exact is 1: must be true or false/],
    ['why is text', [[1, 2, 3, 4], { why: 'yes' }], 'CM_E_ARGUMENT', /^why is "yes": must be true or false/],
    ['budget = 0', [[1, 2, 3, 4], { budget: 0 }], 'CM_E_RANGE', /^budget is 0: must be at least 1; leave it out/],
    ['budget = -5', [[1, 2, 3, 4], { budget: -5 }], 'CM_E_RANGE', /^budget is -5/],
    ['budget is infinite', [[1, 2, 3, 4], { budget: Number.POSITIVE_INFINITY }], 'CM_E_RANGE', /^budget is Infinity/],
    ['minImportance below 0', [[1, 2, 3, 4], { minImportance: -0.5 }], 'CM_E_RANGE', /^minImportance is -0\.5: must be 0 \.\. 1/],
    ['maxImportance above 1', [[1, 2, 3, 4], { maxImportance: 1.5 }], 'CM_E_RANGE', /^maxImportance is 1\.5/],
    ['minImportance is NaN', [[1, 2, 3, 4], { minImportance: Number.NaN }], 'CM_E_RANGE', /^minImportance is NaN/],
    ['minImportance is null', [[1, 2, 3, 4], { minImportance: null }], 'CM_E_ARGUMENT', /^minImportance is null/],
    [
        'importance turned round',
        [[1, 2, 3, 4], { minImportance: 0.75, maxImportance: 0.25 }],
        'CM_E_RANGE',
        /^minImportance is 0\.75, above maxImportance, which is 0\.25/,
    ],
    ['after is nonsense', [[1, 2, 3, 4], { after: 'noon' }], 'CM_E_ARGUMENT', /^after is "noon": .* ISO 8601/],
    ['before is an invalid Date', [[1, 2, 3, 4], { before: new Date(Number.NaN) }], 'CM_E_RANGE', /^before is an object \(Date\)/],
    ['after is beyond all dates', [[1, 2, 3, 4], { after: Number.NEGATIVE_INFINITY }], 'CM_E_RANGE', /^after is -Infinity/],
    ['times turned round', [[1, 2, 3, 4], { after: 5, before: 5 }], 'CM_E_RANGE', /^after is 5: must be earlier than before, which is 5/],
    ['filter is an object', [[1, 2, 3, 4], { filter: {} }], 'CM_E_ARGUMENT', /^filter is an object \(Object\): must be a function/],
    ['filter is null', [[1, 2, 3, 4], { filter: null }], 'CM_E_ARGUMENT', /^filter is null: must be a function/],
    ['filter is async', [[1, 2, 3, 4], { filter: async () => true }], 'CM_E_ARGUMENT', /^filter gave a promise/],
];

/** [what is wrong, method, arguments, code, message] */
const calls = [
    ['no changes', 'update', ['m1'], 'CM_E_ARGUMENT', /^changes is undefined: must be an object/],
    ['nothing to change', 'update', ['m1', { now: 5 }], 'CM_E_ARGUMENT', /^changes are none: give importance, decayRate/],
    ['an unknown id', 'update', ['none', { text: 'x' }], 'CM_E_NOT_FOUND', /"none"/],
    ['id is a number', 'update', [1, { text: 'x' }], 'CM_E_ARGUMENT', /^id is 1/],
    ['importance above 1', 'update', ['m1', { text: 'x', importance: 1.5 }], 'CM_E_RANGE', /^importance is 1\.5/],
    ['importance is null', 'update', ['m1', { importance: null }], 'CM_E_ARGUMENT', /^importance is null/],
    ['negative decay rate', 'update', ['m1', { decayRate: -1 }], 'CM_E_RANGE', /^decayRate is -1: .*baseDecayRate/],
    ['empty context', 'update', ['m1', { context: '' }], 'CM_E_RANGE', /^context is empty/],
    ['context of 1025 bytes', 'update', ['m1', { context: 'c'.repeat(1025) }], 'CM_E_TOO_LARGE', /^context "c.* has 1025 bytes/],
    ['text above 1 MiB', 'update', ['m1', { text: 't'.repeat(1048577) }], 'CM_E_TOO_LARGE', /^text has 1048577 bytes/],
    ['text is a number', 'update', ['m1', { text: 1 }], 'CM_E_ARGUMENT', /^text is 1/],
    ['text that UTF-8 cannot hold', 'update', ['m1', { text: '\ud800' }], 'CM_E_UTF8', /^text is/],
    ['metadata with a cycle', 'update', ['m1', { metadata: cyclic }], 'CM_E_ARGUMENT', /^metadata cannot be written as JSON/],
    ['now is nonsense', 'update', ['m1', { text: 'x', now: 'then' }], 'CM_E_ARGUMENT', /^now is "then"/],
    ['relate what is unknown', 'relate', ['none', 'm1'], 'CM_E_NOT_FOUND', /"none"/],
    ['relate a number', 'relate', [7, 'm1'], 'CM_E_ARGUMENT', /^id is 7/],
    ['relate to a number', 'relate', ['m1', 7], 'CM_E_ARGUMENT', /^to is 7/],
    ['relate to nothing', 'relate', ['m1', ''], 'CM_E_ID', /^to is empty: must have 1 \.\. 1024 bytes/],
    ['relate to an id of 1025 bytes', 'relate', ['m1', 'x'.repeat(1025)], 'CM_E_ID', /^to "x.* has 1025 bytes/],
    ['unrelate what is unknown', 'unrelate', ['none', 'm1'], 'CM_E_NOT_FOUND', /"none"/],
    ['unrelate half a character', 'unrelate', ['m1', '\ud800'], 'CM_E_ID', /^to is/],
    ['related to what is unknown', 'related', ['none'], 'CM_E_NOT_FOUND', /"none"/],
    ['depth is -1', 'related', ['m1', { depth: -1 }], 'CM_E_RANGE', /^depth is -1/],
    ['depth is half', 'related', ['m1', { depth: 0.5 }], 'CM_E_RANGE', /^depth is 0\.5/],
    ['depth is null', 'related', ['m1', { depth: null }], 'CM_E_ARGUMENT', /^depth is null/],
    ['memories is a number', 'related', ['m1', { memories: 1 }], 'CM_E_ARGUMENT', /^memories is 1: must be true or false/],
    ['options are a number', 'related', ['m1', 3], 'CM_E_ARGUMENT', /^options is 3/],
    ['decay until nonsense', 'applyDecay', [{ now: 'later' }], 'CM_E_ARGUMENT', /^now is "later"/],
    ['decay options are a number', 'applyDecay', [5], 'CM_E_ARGUMENT', /^options is 5/],
    ['no context', 'contextSummary', [], 'CM_E_ARGUMENT', /^context is undefined/],
    ['the empty context', 'contextSummary', [''], 'CM_E_RANGE', /^context is empty/],
    ['a long context', 'contextSummary', ['c'.repeat(1025)], 'CM_E_TOO_LARGE', /^context "c.* has 1025 bytes/],
    ['threshold = 0', 'consolidate', [{ threshold: 0 }], 'CM_E_RANGE', /^threshold is 0: must be above 0 and below 1/],
    ['threshold = 1', 'consolidate', [{ threshold: 1 }], 'CM_E_RANGE', /^threshold is 1/],
    ['threshold that a 32-bit float rounds to 1', 'consolidate', [{ threshold: 1 - 1e-10 }], 'CM_E_RANGE', /^threshold is 0\.9999999999/],
    ['threshold is NaN', 'consolidate', [{ threshold: Number.NaN }], 'CM_E_RANGE', /^threshold is NaN/],
    ['threshold is text', 'consolidate', [{ threshold: '0.9' }], 'CM_E_ARGUMENT', /^threshold is "0\.9"/],
    ['onProgress is no function', 'consolidate', [{ onProgress: 5 }], 'CM_E_ARGUMENT', /^onProgress is 5: must be a function/],
    ['signal is none', 'consolidate', [{ signal: {} }], 'CM_E_ARGUMENT', /^signal is an object \(Object\): must be an AbortSignal/],
    ['consolidate options are a number', 'consolidate', [5], 'CM_E_ARGUMENT', /^options is 5/],
];

const configs = [
    [{ dimensions: 0 }, /^dimensions is 0/],
    [{ dimensions: 65537 }, /^dimensions is 65537/],
    [{ dimensions: 2.5 }, /^dimensions is 2\.5/],
    [{ dimensions: -1 }, /^dimensions is -1/],
    [{ dimensions: 2 ** 32 }, /^dimensions is 4294967296/],
    [{ maxMemories: 0 }, /^maxMemories is 0/],
    [{ maxMemories: 2 ** 30 + 1 }, /^maxMemories is 1073741825/],
    [{ baseDecayRate: 0 }, /^baseDecayRate is 0/],
    [{ baseDecayRate: -1 }, /^baseDecayRate is -1/],
    [{ baseDecayRate: Number.NaN }, /^baseDecayRate is NaN/],
    [{ baseDecayRate: Number.POSITIVE_INFINITY }, /^baseDecayRate is inf/],
    [{ temporalWeight: 1.5 }, /^temporalWeight is 1\.5/],
    [{ temporalWeight: -0.5 }, /^temporalWeight is -0\.5/],
    [{ temporalWeight: Number.NaN }, /^temporalWeight is NaN/],
    [{ similarityThreshold: 0 }, /^similarityThreshold is 0/],
    [{ similarityThreshold: 1 }, /^similarityThreshold is 1/],
    [{ maxRelationships: 0 }, /^maxRelationships is 0/],
    [{ maxRelationships: 4097 }, /^maxRelationships is 4097/],
    [{ m: 1 }, /^m is 1/],
    [{ m: 257 }, /^m is 257/],
    [{ m: 20, efConstruction: 19 }, /^efConstruction is 19: must be at least m, which is 20/],
    [{ efConstruction: 65537 }, /^efConstruction is 65537/],
    [{ efSearch: 0 }, /^efSearch is 0/],
    [{ efSearch: 65537 }, /^efSearch is 65537/],
    [{ maxThreads: 0 }, /^maxThreads is 0/],
    [{ maxThreads: 1025 }, /^maxThreads is 1025/],
    [{ metric: 'euclid' }, /^metric is "euclid": must be "cosine", "dot" or "l2"/],
    [{ metric: 'toString' }, /^metric is "toString"/],
    [{ seed: -1 }, /^seed is -1/],
    [{ seed: 2n ** 64n }, /^seed is 18446744073709551616n/],
    [{ seed: 0.5 }, /^seed is 0\.5/],
];

for (const build of BUILDS) {
    async function filled(t) {
        const mind = await open(t, { dimensions: 4, maxMemories: 40, build, clock: () => 0 });
        const random = randomFrom(5);
        for (let i = 0; i < 20; i++)
            mind.insert({ id: `m${i}`, vector: randomVector(random, 4), relationships: ['m1'], text: `text ${i}` });
        mind.remove('m3');
        return mind;
    }

    /** Runs a test and compares the whole store, byte for byte, before and after. */
    async function unharmed(mind, action) {
        const before = Buffer.from(mind.toBytes());
        await action();
        assert.ok(before.equals(mind.toBytes()), 'the store changed');
        mind.check();
    }

    test(`${build}: memories that cannot be inserted`, async (t) => {
        const mind = await filled(t);
        for (const [what, change, code, message] of memories) {
            await unharmed(mind, () => {
                const error = refuses(code, message, () => mind.insert({ ...good, ...change }));
                assert.ok(error.message.length < 300, what);
            });
        }
        for (const value of [undefined, null, 7, 'x']) refuses('CM_E_ARGUMENT', /^memory is/, () => mind.insert(value));
        mind.insert(good);
        assert.equal(mind.size, 20);
    });

    test(`${build}: searches that cannot be answered`, async (t) => {
        const mind = await filled(t);
        for (const [, args, code, message] of searches) await unharmed(mind, () => refuses(code, message, () => mind.search(...args)));
    });

    test(`${build}: updates, relationships and the rest`, async (t) => {
        const mind = await filled(t);
        for (const [, name, args, code, message] of calls) await unharmed(mind, () => refuses(code, message, () => mind[name](...args)));
    });

    test(`${build}: ids that cannot exist, and iterables that are none`, async (t) => {
        const mind = await filled(t);
        for (const name of ['get', 'access', 'remove', 'has']) {
            refuses('CM_E_ARGUMENT', /^id is 7/, () => mind[name](7));
            refuses('CM_E_ID', /surrogate/, () => mind[name]('\ud83d'));
            assert.ok(!mind[name](''), name);
            assert.ok(!mind[name]('x'.repeat(5000)), name);
        }
        refuses('CM_E_ARGUMENT', /^now is/, () => mind.access('m1', 'soon'));
        await rejects('CM_E_ARGUMENT', /^memories is 5/, () => mind.insertBatch(5));
        await rejects('CM_E_ARGUMENT', /iterable/, () => mind.insertBatch({}));
        assert.equal(mind.size, 19);
    });

    test(`${build}: a full store`, async (t) => {
        const mind = await filled(t);
        for (let i = 0; mind.size < 40; i++) mind.insert({ ...good, id: `f${i}` });
        await unharmed(mind, () => refuses('CM_E_CAPACITY', /maxMemories \(40\)/, () => mind.insert(good)));
        mind.insert({ ...good, id: 'm1' });
        mind.remove('m1');
        mind.insert(good);
        assert.equal(mind.size, 40);
    });

    test(`${build}: replacing until no slot is left is an error that says so, and the memories stay`, async (t) => {
        const mind = await open(t, { dimensions: 4, maxMemories: 2, build });
        mind.insert(good);
        const { slots } = mind.stats();
        for (let i = 1; i < slots; i++) mind.insert(good);
        refuses('CM_E_INDEX_FULL', /larger maxMemories/, () => mind.insert(good));
        assert.deepEqual([mind.size, mind.has('x'), mind.search([1, 2, 3, 4]).length], [1, true, 1]);
        mind.check();
    });

    test(`${build}: configurations that break a rule`, async () => {
        for (const [options, message] of configs) {
            await rejects('CM_E_CONFIG', message, () => ChronoMind.open({ build, ...options }));
        }
        await rejects('CM_E_ARGUMENT', /^temporalWeight is "1"/, () => ChronoMind.open({ build, temporalWeight: '1' }));
        await rejects('CM_E_ARGUMENT', /^clock is 5/, () => ChronoMind.open({ build, clock: 5 }));
        await rejects('CM_E_ARGUMENT', /^options is 5/, () => ChronoMind.open(5));
        await rejects('CM_E_ARGUMENT', /^path is ""/, () => ChronoMind.open({ build, path: '' }));
    });

    test(`${build}: more than WebAssembly can address`, async (t) => {
        const mind = await open(t, { dimensions: 65536, maxMemories: 2 ** 24, build });
        const vector = new Float32Array(65536).fill(1);
        refuses('CM_E_NO_MEMORY', /no more memory/, () => mind.insert({ id: 'x', vector }));
        assert.deepEqual([mind.size, mind.has('x'), mind.search(vector)], [0, false, []]);
        mind.check();
    });

    test(`${build}: a clock that tells no time`, async (t) => {
        const mind = await open(t, { dimensions: 4, build, clock: () => 'noon' });
        refuses('CM_E_ARGUMENT', /^clock\(\) is "noon"/, () => mind.insert(good));
        refuses('CM_E_ARGUMENT', /^clock\(\) is "noon"/, () => mind.search([1, 2, 3, 4]));
        assert.equal(mind.size, 0);
    });

    test(`${build}: a getter that uses the store while it is being read`, async (t) => {
        const mind = await filled(t);
        const vector = { length: 4, 0: 1, 1: 2, 2: 3 };
        Object.defineProperty(vector, 3, { get: () => mind.search([4, 3, 2, 1]).length });
        mind.insert({ id: 'sly', vector });
        assert.deepEqual([...mind.get('sly').vector], [1, 2, 3, 10]);
    });

    test(`${build}: every byte of a snapshot flipped, every length cut`, async (t) => {
        const mind = await open(t, { dimensions: 2, m: 2, maxMemories: 8, build });
        for (let i = 0; i < 3; i++) mind.insert({ id: `m${i}`, vector: [i, 1], relationships: ['m0'], text: 'text', metadata: { i } });
        mind.remove('m1');
        const bytes = mind.toBytes();
        const codes = new Set();
        const expected = ['CM_E_CORRUPT', 'CM_E_NOT_SNAPSHOT', 'CM_E_VERSION'];
        const mustFail = async (damaged, what) => {
            const error = await ChronoMind.load(damaged, { build }).then(
                () => assert.fail(`${what} was loaded`),
                (reason) => reason,
            );
            assert.equal(error.name, 'ChronoMindError', `${what}: ${error.stack}`);
            assert.ok(expected.includes(error.code), `${what}: ${error.code} ${error.message}`);
            assert.ok(error.message.length > 10, what);
            codes.add(error.code);
        };
        for (let i = 0; i < bytes.length; i++) {
            const damaged = bytes.slice();
            damaged[i] ^= 1 << (i % 8);
            await mustFail(damaged, `byte ${i} of ${bytes.length}`);
        }
        assert.deepEqual([...codes].sort(), expected);
        for (let length = 0; length < bytes.length; length++) await mustFail(bytes.subarray(0, length), `the first ${length} bytes`);
        const longer = new Uint8Array(bytes.length + 1);
        longer.set(bytes);
        await mustFail(longer, 'one byte more');
        const random = randomFrom(11);
        await mustFail(
            new Uint8Array(4096).map(() => random() * 256),
            'noise',
        );
        assert.equal((await ChronoMind.load(bytes, { build })).size, 2);
    });
}

test('load() of what is no snapshot', async () => {
    for (const value of [undefined, null, 5, {}, [1, 2]]) await rejects('CM_E_ARGUMENT', /^load\(\) got/, () => ChronoMind.load(value));
    await rejects('CM_E_NOT_SNAPSHOT', /./, () => ChronoMind.load(new Uint8Array(0)));
    await rejects('CM_E_NOT_SNAPSHOT', /./, () =>
        ChronoMind.load(Buffer.from('PK\u0003\u0004 not a snapshot, but long enough to be one'.repeat(9))),
    );
    await rejects('CM_E_CONFIG', /^maxMemories is 1\.5/, () => ChronoMind.load(new Uint8Array(9), { maxMemories: 1.5 }));
    await rejects('CM_E_ARGUMENT', /^options is null/, () => ChronoMind.load(new Uint8Array(9), null));
});

test('a snapshot of other vectors than asked for', async (t) => {
    const path = join(temporaryFolder(t), 'm.chrono');
    const mind = await open(t, { dimensions: 4, path });
    await mind.save();
    await rejects('CM_E_CONFIG', /^dimensions is 5: the snapshot .*m\.chrono has 4/, () => ChronoMind.open({ dimensions: 5, path }));
    await rejects('CM_E_CONFIG', /^metric is "l2": .* has "cosine"/, () => ChronoMind.open({ metric: 'l2', path }));
    await rejects('CM_E_CONFIG', /^vectors is "i8": .* has "f32"/, () => ChronoMind.open({ vectors: 'i8', path }));
    await rejects('CM_E_CONFIG', /^vectors is "f16": must be "f32", "bf16" or "i8"/, () => ChronoMind.open({ vectors: 'f16' }));
});

const isRoot = process.getuid?.() === 0;

test('files that cannot be read or written', async (t) => {
    const folder = temporaryFolder(t);
    const mind = await open(t, { dimensions: 4 });
    mind.insert(good);
    const at = (name) => join(folder, name);
    mkdirSync(at('folder'));
    writeFileSync(at('text'), 'hello');
    writeFileSync(at('empty'), '');
    await rejects('CM_E_IO', /none: nothing was saved there$/, () => ChronoMind.load(at('none')));
    await rejects('CM_E_IO', /folder: Is a directory$/, () => ChronoMind.load(at('folder')));
    await rejects('CM_E_IO', /folder: Is a directory$/, () => ChronoMind.open({ path: at('folder') }));
    await rejects('CM_E_NOT_SNAPSHOT', /./, () => ChronoMind.load(at('text')));
    await rejects('CM_E_NOT_SNAPSHOT', /./, () => ChronoMind.open({ path: at('empty') }));
    await rejects('CM_E_ARGUMENT', /^path is ""/, () => ChronoMind.load(''));
    await rejects('CM_E_ARGUMENT', /needs a path/, () => mind.save());
    await rejects('CM_E_ARGUMENT', /^save\(\) got 5/, () => mind.save(5));
    await rejects('CM_E_IO', /none\/m: No such file or directory$/, () => mind.save(at('none/m')));
    await rejects('CM_E_IO', /folder: Is a directory$/, () => mind.save(at('folder')));
    await rejects('CM_E_IO', /text\/m: Not a directory$/, () => mind.save(at('text/m')));
    await rejects('CM_E_IO', /Not a regular file$/, () => mind.save('/dev/full'));
    if (!isRoot) {
        chmodSync(at('folder'), 0o500);
        await rejects('CM_E_IO', /Permission denied$/, () => mind.save(at('folder/m')));
        chmodSync(at('text'), 0);
        await rejects('CM_E_IO', /Permission denied$/, () => ChronoMind.load(at('text')));
    }
    assert.deepEqual(readdirSync(folder).sort(), ['empty', 'folder', 'text']);
    assert.equal(mind.size, 1);
});

test('a save that runs into a limit leaves the old snapshot', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'm.chrono');
    const mind = await open(t, { dimensions: 4, path });
    mind.insert(good);
    await mind.save();
    const before = readFileSync(path);
    const script = `
        process.on('SIGXFSZ', () => {});
        const { ChronoMind } = await import(${JSON.stringify(new URL('../../js/dist/index.js', import.meta.url).href)});
        const mind = await ChronoMind.open({ path: ${JSON.stringify(path)} });
        mind.insert({ id: 'big', vector: [1, 2, 3, 4], text: 'x'.repeat(1 << 20) });
        await mind.save().catch((error) => console.log(error.code, error.message));
        console.log(mind.size);`;
    const { stdout } = spawnSync('bash', ['-c', 'ulimit -f 512; exec node --input-type=module -e "$1"', 'bash', script], {
        encoding: 'utf8',
    });
    assert.equal(stdout, `CM_E_IO cannot write ${path}: File too large\n2\n`);
    assert.ok(before.equals(readFileSync(path)));
    assert.deepEqual(readdirSync(folder), ['m.chrono']);
});
