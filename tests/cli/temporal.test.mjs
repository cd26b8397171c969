// SPDX-License-Identifier: MIT OR Apache-2.0
/** Looking at memories and their age: query's filters, modes and reasons, get, related, context. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Folder, hints, sample } from './support.mjs';

const NOW = ['--now', '2024-01-31T00:00:00Z'];
const HOUR_MS = 3_600_000;

/** What a time that cannot be one is told. */
const moment = 'milliseconds since 1970, an ISO 8601 date with Z or an offset, now, or relative such as -24h';

/** Numbers in [0, 1), the same ones in every run. */
function random(seed) {
    let state = seed;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
    };
}

/** A snapshot of n memories of the last 30 days, large enough to be searched by graph and recency. */
function aged(folder, n = 3000) {
    const next = random(7);
    const records = Array.from({ length: n }, (_, i) => ({
        id: `m${i}`,
        data: Array.from({ length: 8 }, () => next() - 0.5),
        context: i % 50 === 0 ? 'rare' : 'common',
        importance: next(),
        timestamp: Date.UTC(2024, 0, 31) - Math.floor(next() * 30 * 24 * HOUR_MS),
    }));
    folder.ok(['save', '-i', '-', '-o', 'aged.chrono', '--m', '8', '--ef-construction', '60'], JSON.stringify(records));
    return records;
}

function close(actual, expected, what) {
    assert.ok(Math.abs(actual - expected) < 1e-6, `${what}: ${actual}, not ${expected}`);
}

/** One memory, stored with the vector [1, 0]. */
function age(folder, timestamp, now) {
    folder.ok(['save', '-i', '-', '-o', 'one.chrono'], JSON.stringify({ id: 'a', data: [1, 0], timestamp }));
    return / {2}age: (.*)\n/.exec(folder.ok(['query', '-f', 'one.chrono', '-v', '1,0', '--why', '--now', now]))[1];
}

test('why: for people', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const query = (...args) => folder.ok(['query', '-f', file, '--why', '--now', '2024-01-01T10:00:00Z', ...args]);
    assert.equal(
        query('-v', '1,0,0,0', '-l', '2'),
        [
            'Found 2 result(s):',
            '1. id: east  score: 0.1896  importance: 0.25  context: travel',
            '   distance part: 0.0000  recency part: 0.1896  distance: 0.0000  recency: 0.6321  age: 10h',
            '2. id: slope  score: 0.3296  importance: 0.50  context: maps',
            '   distance part: 0.1400  recency part: 0.1896  distance: 0.4000  recency: 0.6321  age: 10h',
            'Exact: no other memory has a better score.',
            'bound: 0.0000  graph bound: 0.0000  strategy: scan  distances: 4  by recency: 0  ef: 0',
            '',
        ].join('\n'),
    );
    assert.equal(
        query('-v', '1,0,0,0', '-c', 'nowhere'),
        [
            'No results.',
            'Exact: no other memory has a better score.',
            'bound: 0.0000  graph bound: 0.0000  strategy: none  distances: 0  by recency: 0  ef: 0',
            '',
        ].join('\n'),
    );
});

test('why: for machines', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const base = ['query', '-f', file, '-v', '1,0,0,0', '-l', '1', '--now', '2024-01-01T10:00:00Z', '--json'];
    assert.equal(
        folder.ok([...base, '--why']),
        '{"count":1,"results":[{"id":"east","score":0.1896362,"distance":0,"recency":0.6321205,"importance":0.25,"context":"travel",' +
            '"timestamp":1704067200000,"accessed":1704067200000,"access_count":0,"decay_rate":0,' +
            '"relationships":["north","nowhere"],"text":"sunrise","metadata":null,' +
            '"why":{"distance_part":0,"recency_part":0.1896362,"age_hours":10}}],' +
            '"certificate":{"exact":true,"bound":0,"graph_bound":0,"strategy":"scan","distances":4,"by_recency":0,"ef":0,' +
            '"temporal_weight":0.3,"now":1704103200000}}\n',
    );
    const plain = JSON.parse(folder.ok(base));
    assert.deepEqual(Object.keys(plain), ['count', 'results']);
    assert.equal('why' in plain.results[0], false);
});

test('the parts add up to the score, and the score is what docs/TEMPORAL.md says it is', (t) => {
    const folder = new Folder(t);
    aged(folder);
    for (const weight of [0, 0.3, 0.8, 1]) {
        const args = ['-v', '1,0,.5,0,-1,0,0,.25', '-l', '40', '--temporal-weight', String(weight), ...NOW, '--why', '--json'];
        const { results, certificate } = JSON.parse(folder.ok(['query', '-f', 'aged.chrono', ...args]));
        assert.equal(results.length, 40);
        close(certificate.temporal_weight, weight, 'weight');
        for (const [i, { score, distance, recency, timestamp, why }] of results.entries()) {
            close(why.distance_part + why.recency_part, score, 'sum');
            close(why.distance_part, ((1 - weight) * distance) / 2, 'distance part');
            close(why.recency_part, weight * recency, 'recency part');
            close(why.age_hours, (Date.UTC(2024, 0, 31) - timestamp) / HOUR_MS, 'age');
            close(recency, 1 - Math.exp(-0.1 * why.age_hours), 'recency');
            assert.ok(i === 0 || results[i - 1].score <= score, 'best first');
        }
    }
});

test('ages, as people say them', (t) => {
    const folder = new Folder(t);
    for (const [seconds, shown] of [
        [0, '0s'],
        [0.999, '0s'],
        [59, '59s'],
        [60, '1m'],
        [61, '1m 1s'],
        [3599.999, '59m 59s'],
        [3600, '1h'],
        [3659, '1h'],
        [86399, '23h 59m'],
        [86400, '1d'],
        [90000, '1d 1h'],
        [400 * 86400 + 3599, '400d'],
        [-5, '0s'],
    ]) {
        assert.equal(age(folder, 1000, String(1000 + seconds * 1000)), shown);
    }
    assert.equal(age(folder, -8640000000000000, '8640000000000000'), '200000000d');
});

test('exact and the default find the same; the certificate says how', (t) => {
    const folder = new Folder(t);
    aged(folder);
    const next = random(99);
    const strategies = new Set();
    for (let i = 0; i < 12; i++) {
        const vector = Array.from({ length: 8 }, () => (next() - 0.5).toFixed(3)).join(',');
        const filters = [[], ['--after', '-7d'], ['--min-importance', '0.5'], ['-c', 'rare']][i % 4];
        const query = (...args) =>
            JSON.parse(folder.ok(['query', '-f', 'aged.chrono', '-v', vector, ...filters, ...NOW, '--why', '--json', ...args]));
        const [best, exact] = [query(), query('--exact')];
        assert.deepEqual(best.results, exact.results);
        assert.deepEqual([exact.certificate.exact, exact.certificate.strategy, exact.certificate.ef], [true, 'scan', 0]);
        assert.ok(best.certificate.graph_bound === 0 && best.certificate.distances <= exact.certificate.distances * 2);
        strategies.add(best.certificate.strategy);
    }
    assert.ok(strategies.has('streams') && strategies.has('scan'), [...strategies].join());
});

test('a budget that ends the search early is admitted', (t) => {
    const folder = new Folder(t);
    aged(folder);
    const args = ['query', '-f', 'aged.chrono', '-v', '1,0,0,0,0,0,0,0', '-l', '5', '--why', ...NOW];
    const full = JSON.parse(folder.ok([...args, '--json']));
    const { results, certificate } = JSON.parse(folder.ok([...args, '--budget', '20', '--json']));
    assert.ok(certificate.distances < full.certificate.distances);
    assert.ok(!certificate.exact && certificate.graph_bound > 0);
    const last = results.at(-1)?.score ?? Number.POSITIVE_INFINITY;
    if (certificate.bound !== null) assert.ok(full.results[0].score >= last - certificate.bound - 1e-6, 'the certificate holds');
    assert.match(
        folder.ok([...args, '--budget', '20']),
        /\n(Bounded: no other memory has a score below -?\d+\.\d{4}\.|Unbounded: a memory that was not looked at may have a better score\.)\nbound: (\d+\.\d{4}|Infinity) {2}graph bound: /,
    );
});

test('a fresh memory that is farther away: found, unless --rerank', (t) => {
    const folder = new Folder(t);
    const old = Array.from({ length: 3000 }, (_, i) => ({
        id: `old${i}`,
        data: [1, i / 1e5, 0],
        timestamp: Date.UTC(2023, 11, 1) - i * HOUR_MS,
    }));
    const fresh = { id: 'fresh', data: [1, 0.5, 0], timestamp: Date.UTC(2024, 0, 31) };
    folder.ok(['save', '-i', '-', '-o', 'm.chrono', '--m', '8', '--ef-construction', '40'], JSON.stringify([...old, fresh]));
    const first = (...args) => /1\. id: (\w+)/.exec(folder.ok(['query', '-f', 'm.chrono', '-v', '1,0,0', '-l', '3', ...NOW, ...args]))[1];
    assert.equal(first(), 'fresh');
    assert.equal(first('--exact'), 'fresh');
    assert.match(first('--rerank'), /^old\d+$/);
    assert.match(first('--temporal-weight', '0'), /^old0$/);
    const certificate = JSON.parse(
        folder.ok(['query', '-f', 'm.chrono', '-v', '1,0,0', '-l', '3', ...NOW, '--rerank', '--why', '--json']),
    ).certificate;
    assert.deepEqual([certificate.exact, certificate.strategy], [false, 'graph']);
});

test('created in [after, before), in all the ways to say when', (t) => {
    const folder = new Folder(t);
    const records = Array.from({ length: 10 }, (_, day) => ({ id: `day${day}`, data: [1], timestamp: Date.UTC(2024, 0, 1 + day) }));
    const file = folder.snapshot('days.chrono', records);
    const days = (...args) => {
        const { results } = JSON.parse(folder.ok(['query', '-f', file, '-v', '1', '--json', ...args]));
        return results
            .map(({ id }) => id.slice(3))
            .sort()
            .join('');
    };
    assert.equal(days('--after', '2024-01-04', '--before', '2024-01-06'), '34');
    assert.equal(days('--after', '2024-01-04T00:00:00.001Z', '--before', '2024-01-06T00:00:00.001Z'), '45');
    assert.equal(days('--before', String(Date.UTC(2024, 0, 2))), '0');
    assert.equal(days('--after', '-24h', '--now', '2024-01-10'), '89');
    assert.equal(days('--now', '2024-01-10', '--after', '-2d', '--before', 'now'), '78');
    assert.equal(days('--after=-1440m', '--before=+86400s', '--now=2024-01-05'), '34');
    assert.equal(days('--before', '-1w', '--now', '2024-01-10T12:00Z'), '012');
    assert.equal(days('--before', '+0s', '--now', '2024-01-02'), '0');
    assert.equal(days('--after', '-24h'), ''); // of the clock
    assert.equal(days('--after', '-999999999w'), '0123456789'); // as far back as times go
    assert.equal(days('--now', '-1h', '--before', 'now'), '0123456789');
    assert.equal(days('--after', '-000000001d', '--now', '2024-01-10'), '89');
});

test('importance between bounds, both included', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const ids = (...args) =>
        JSON.parse(folder.ok(['query', '-f', file, '-v', '1,1,1,1', '--json', ...args]))
            .results.map(({ id }) => id)
            .sort();
    assert.deepEqual(ids('--min-importance', '0.5'), ['north', 'slope', 'up']);
    assert.deepEqual(ids('--max-importance', '0.5'), ['east', 'slope', 'up']);
    assert.deepEqual(ids('--min-importance', '0.5', '--max-importance', '0.5'), ['slope', 'up']);
    assert.deepEqual(ids('--min-importance', '0.6', '-c', 'travel'), ['north']);
    assert.deepEqual(ids('--min-importance', '0.26', '--max-importance', '0.4'), []);
});

test('query: values that are wrong, and options that do not go together', (t) => {
    const folder = new Folder(t);
    const bad = (args, error) => folder.fails(['query', '-f', 'none', '-v', '1', ...args], 2, error, hints.usage('query'));
    for (const option of ['--after', '--before']) {
        for (const value of ['yesterday', '', '24h', '-24H', '-1.5h', '- 1h', '+1y', '-1234567890h', '2024-02-30'])
            bad([option, value], `${option} is '${value}': must be ${moment}`);
        bad([option], `${option} needs a value`);
    }
    for (const option of ['--min-importance', '--max-importance']) {
        for (const value of ['1.01', '-0.1', 'nan', '', '50%'])
            bad([option, value], `${option} is '${value}': must be a number from 0 to 1`);
    }
    for (const value of ['0', '-1', '4294967296', 'much', '1e3'])
        bad(['--budget', value], `--budget is '${value}': must be a whole number from 1 to 4294967295`);
    for (const flag of ['--why', '--exact', '--rerank']) bad([`${flag}=1`], `${flag} takes no value`);
    bad(['--exact', '--rerank'], '--exact and --rerank cannot both be given');
    const empty = '--after must be before --before: no memory could be between';
    bad(['--after', '2024-01-02', '--before', '2024-01-01'], empty);
    bad(['--after', '5', '--before', '5'], empty);
    bad(['--after', 'now', '--before', '-1m'], empty);
    const none = '--min-importance must not be above --max-importance: no memory could be between';
    bad(['--min-importance', '0.5', '--max-importance', '0.4'], none);
    const near = (typed, option) =>
        folder.fails(['query', typed], 2, `unknown option '${typed}' for query`, `did you mean ${option}? Try 'chronomind query --help'`);
    near('--wy', '--why');
    near('--exat', '--exact');
    near('--befor', '--before');
    near('--min-importanc', '--min-importance');
    folder.fails(['query', '-f', 'none', '-v', '1', '--budget', '4294967295', '--after', '-0s'], 1, /^Error: cannot read none/, hints.read);
});

test('get: for people', (t) => {
    const folder = new Folder(t);
    const record = {
        id: 'a\tb',
        data: [0.1, -2.5, 1e-7, 1e30, 0, 3, 4, 5, 6, 7],
        context: 'c',
        importance: 1 / 3,
        decay_rate: 1e-9,
        relationships: ['x', 'y'],
        timestamp: '2024-02-29T23:59:59.123Z',
        text: 'two\nlines',
        metadata: { a: [1, { b: null }] },
    };
    const file = folder.snapshot('m.chrono', [record, { id: 'plain', data: Array(10).fill(0.5) }]);
    assert.equal(
        folder.ok(['get', '-f', file, '--id', 'a\tb']),
        [
            'id: a\\tb',
            'context: c',
            'importance: 0.33333334',
            'decay rate: 1e-9 per hour',
            'created: 2024-02-29T23:59:59.123Z',
            'accessed: 2024-02-29T23:59:59.123Z',
            'access count: 0',
            'relationships: x, y',
            'text: two\\nlines',
            'metadata: {"a":[1,{"b":null}]}',
            'data: 0.1, -2.5, 1e-7, 1e+30, 0, 3, 4, 5, ... (10 in all)',
            '',
        ].join('\n'),
    );
    assert.equal(
        folder.ok(['get', '--file', file, '--id=plain']),
        [
            'id: plain',
            'context: default',
            'importance: 0.5',
            "decay rate: 0.1 per hour (the store's)",
            'created: 2024-01-01T00:00:00Z',
            'accessed: 2024-01-01T00:00:00Z',
            'access count: 0',
            'relationships: (none)',
            'text: (none)',
            'metadata: (none)',
            'data: 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, ... (10 in all)',
            '',
        ].join('\n'),
    );
});

test('get: times at all ends', (t) => {
    const folder = new Folder(t);
    for (const [ms, shown] of [
        [0, '1970-01-01T00:00:00Z'],
        [-1, '1969-12-31T23:59:59.999Z'],
        [951782400000, '2000-02-29T00:00:00Z'],
        [-62135596800001, '0000-12-31T23:59:59.999Z'],
        [-62167219200000, '0000-01-01T00:00:00Z'],
        [-62167219200001, '-62167219200001'],
        [253402300799999, '9999-12-31T23:59:59.999Z'],
        [253402300800000, '253402300800000'],
        [-8640000000000000, '-8640000000000000'],
    ]) {
        folder.ok(['save', '-i', '-', '-o', 'm.chrono'], JSON.stringify({ id: 'a', data: [1], timestamp: ms }));
        assert.match(folder.ok(['get', '-f', 'm.chrono', '--id', 'a']), new RegExp(`\ncreated: ${shown}\naccessed: ${shown}\n`));
    }
});

test('get: for machines, and save reads it back, bit for bit', (t) => {
    const folder = new Folder(t);
    const floats = new Float32Array(512);
    const bits = new Uint32Array(floats.buffer);
    const next = random(3);
    for (let i = 0; i < bits.length; i++) {
        bits[i] = Math.floor(next() * 2 ** 32);
        if ((bits[i] & 0x7f800000) === 0x7f800000) bits[i] ^= 0x40000000; // finite
        if (i >= 256) floats[i] = (i % 2 ? -1 : 1) * 2 ** (i - 400); // powers of two, down to the smallest
    }
    floats.set([-0, 0, 1e-6, 1e-7, 1e20, 1e21, 2 ** -12, 16777216, 3.4028234663852886e38, 1e-45]);
    const records = [
        { id: 'a"b', data: [...floats], decay_rate: 2.5e-8, importance: 0.1, metadata: 1.5, text: 'é', relationships: ['q'] },
        { id: 'c', data: [...floats].reverse(), importance: 2 / 3 },
    ];
    folder.ok(['save', '-i', '-', '-o', 'a.chrono', '--metric', 'l2', '--now', '5'], JSON.stringify(records).replace('[0,', '[-0,'));
    const json = records.map(({ id }) => folder.ok(['get', '-f', 'a.chrono', '--id', id, '--json']));
    assert.deepEqual(Object.keys(JSON.parse(json[0])), [
        'id',
        'importance',
        'context',
        'timestamp',
        'accessed',
        'access_count',
        'decay_rate',
        'relationships',
        'text',
        'metadata',
        'data',
    ]);
    assert.ok(json[0].includes('"decay_rate":2.5e-8,'));
    assert.ok(json[0].includes('"data":[-0,0,0.000001,1e-7,100000000000000000000,1e+21,0.00024414063,16777216,3.4028235e+38,1e-45,'));
    const shown = JSON.parse(json[0]).data;
    for (const [i, x] of floats.entries()) assert.ok(Object.is(Math.fround(shown[i]), x), `${i}: ${shown[i]} for ${x}`);
    folder.ok(['save', '-i', '-', '-o', 'b.chrono', '--metric', 'l2'], json.join(''));
    assert.ok(folder.read('a.chrono').equals(folder.read('b.chrono')));
});

test('related: breadth first, with depth', (t) => {
    const folder = new Folder(t);
    const link = (id, ...relationships) => ({ id, data: [1], relationships, importance: 0.25 });
    const file = folder.snapshot('m.chrono', [
        link('a', 'b', 'gone', 'c'),
        link('b', 'd', 'a'),
        link('c', 'd', 'e'),
        link('d', 'f'),
        link('e'),
        link('f'),
    ]);
    const related = (...args) => folder.ok(['related', '-f', file, ...args]);
    assert.equal(
        related('--id', 'a'),
        'Found 2 result(s):\n1. id: b  depth: 1  importance: 0.25  context: default\n2. id: c  depth: 1  importance: 0.25  context: default\n',
    );
    const walk = (...args) => JSON.parse(related('--json', ...args)).results.map(({ id, depth }) => `${id}${depth}`);
    assert.deepEqual(walk('--id', 'a', '--depth', '2'), ['b1', 'c1', 'd2', 'e2']);
    assert.deepEqual(walk('--id', 'a', '--depth', '1073741824'), ['b1', 'c1', 'd2', 'e2', 'f3']);
    assert.deepEqual(walk('--id', 'b', '--depth', '2'), ['d1', 'a1', 'f2', 'c2']);
    assert.equal(related('--id', 'f'), 'No results.\n');
    assert.equal(related('--id', 'f', '--json'), '{"count":0,"total":0,"results":[]}\n');
    assert.equal(
        related('--id', 'a', '--depth', '9', '-l', '1'),
        'Found 5 result(s), the first 1:\n1. id: b  depth: 1  importance: 0.25  context: default\n',
    );
    assert.equal(related('--id', 'a', '--depth', '9', '-l', '5').split('\n')[0], 'Found 5 result(s):');
    assert.equal(
        related('--id', 'd', '--limit', '7', '--json'),
        '{"count":1,"total":1,"results":[{"id":"f","depth":1,"importance":0.25,"context":"default","timestamp":1704067200000,' +
            '"accessed":1704067200000,"access_count":0,"decay_rate":0,"relationships":[],"text":null,"metadata":null}]}\n',
    );
    const cut = JSON.parse(related('--id', 'a', '--depth', '3', '--limit', '2', '--json'));
    assert.deepEqual([cut.count, cut.total, cut.results.length], [2, 5, 2]);
});

test('context: one, all, none', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const context = (...args) => folder.ok(['context', '-f', file, ...args]);
    assert.equal(context('-c', 'travel'), 'Context: travel\nMemories: 2\nAverage importance: 0.63\nCentroid: 0.5, 0.5, 0, 0\n');
    assert.equal(
        context('--context', 'travel', '--json'),
        '{"context":"travel","memories":2,"average_importance":0.625,"centroid":[0.5,0.5,0,0]}\n',
    );
    assert.equal(context('-c', 'nowhere'), 'Context: nowhere\nMemories: 0\nAverage importance: 0.00\nCentroid: (none)\n');
    assert.equal(context('-c', 'nowhere', '--json'), '{"context":"nowhere","memories":0,"average_importance":0,"centroid":null}\n');
    assert.equal(
        context(),
        'Contexts: 3\n  travel: 2  average importance: 0.63\n  default: 1  average importance: 0.50\n  maps: 1  average importance: 0.50\n',
    );
    assert.equal(
        context('--json'),
        '{"count":3,"contexts":[{"context":"travel","memories":2,"average_importance":0.625},' +
            '{"context":"default","memories":1,"average_importance":0.5},{"context":"maps","memories":1,"average_importance":0.5}]}\n',
    );
    const wide = folder.snapshot('wide.chrono', [{ id: 'a', data: Array.from({ length: 9 }, (_, i) => i) }]);
    assert.match(folder.ok(['context', '-f', wide, '-c', 'default']), /\nCentroid: 0, 1, 2, 3, 4, 5, 6, 7, \.\.\. \(9 in all\)\n$/);
});

test('get, related and context: what is wrong', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot('m.chrono', sample);
    const before = folder.read(file);
    for (const name of ['get', 'related']) {
        folder.fails([name, '-f', file, '--id', 'nobody'], 1, 'no memory has the id "nobody"', `check the id; ${file} holds 4 memories`);
        folder.fails([name, '-f', file, '--id', 'x\u001b'], 1, 'no memory has the id "x?"', `check the id; ${file} holds 4 memories`);
        folder.fails(
            [name, '-f', file, '--id', 'x'.repeat(1025)],
            1,
            /^Error: no memory has the id "x+/,
            `check the id; ${file} holds 4 memories`,
        );
        folder.fails([name, '-f', file], 2, `${name} needs --id`, hints.usage(name));
        folder.fails([name, '--id', 'east'], 2, `${name} needs --file`, hints.usage(name));
        folder.fails([name, '-f', file, '--id='], 2, '--id is empty', hints.usage(name));
        folder.fails(
            [name, '-f', file, '--di', 'x'],
            2,
            `unknown option '--di' for ${name}`,
            `did you mean --id? Try 'chronomind ${name} --help'`,
        );
    }
    for (const option of ['--depth', '--limit']) {
        for (const value of ['0', '1073741825', 'all', '-1'])
            folder.fails(
                ['related', '-f', file, '--id', 'east', option, value],
                2,
                `${option} is '${value}': must be a whole number from 1 to 1073741824`,
                hints.usage('related'),
            );
    }
    folder.fails(['context', '-f', file, '-c', ''], 2, '--context is empty', hints.usage('context'));
    folder.fails(['context', '-f', file, '-c', 'c'.repeat(1025)], 1, /^Error: context .* 1025 bytes/, hints.usage('context'));
    folder.fails(['context'], 2, 'context needs --file', hints.usage('context'));
    for (const args of [['get', '--id', 'x'], ['related', '--id', 'x'], ['context']])
        folder.fails([...args, '-f', 'none'], 1, 'cannot read none: No such file or directory', hints.read);
    folder.write('bad.chrono', before.subarray(0, 300));
    for (const args of [['get', '--id', 'x'], ['related', '--id', 'x'], ['context']])
        folder.fails([...args, '-f', 'bad.chrono'], 1, /^Error: bad\.chrono: ./, /^Hint: the file is damaged/);
    assert.ok(before.equals(folder.read(file)));
});
