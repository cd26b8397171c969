// SPDX-License-Identifier: MIT OR Apache-2.0
/** What save, query and stats print. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Folder, hints, sample } from './support.mjs';

const NOW = ['--now', '2024-01-01T00:00:00Z'];

test('save says how many and where', (t) => {
    const folder = new Folder(t);
    const input = folder.write('x.json', sample);
    assert.equal(
        folder.ok(['save', '--input', input, '--output', 'out.chrono', '--dimensions', '4', '--normalize']),
        'Saved 4 memories to out.chrono\n',
    );
    assert.equal(
        folder.ok(['save', '-i', input, '-o', 'é\t.chrono', '--metric', 'l2', '--json']),
        '{"saved":4,"path":"é\\t.chrono","dimensions":4,"metric":"l2"}\n',
    );
    assert.equal(folder.ok(['save', '-i', input, '-o', 'a\u001b.chrono']), 'Saved 4 memories to a\\u001b.chrono\n');
});

test('the same input gives the same bytes', (t) => {
    const folder = new Folder(t);
    folder.snapshot('a.chrono');
    folder.snapshot('b.chrono');
    assert.ok(folder.read('a.chrono').equals(folder.read('b.chrono')));
});

test('query for people', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const query = (...args) => folder.ok(['query', '-f', file, ...NOW, ...args]);
    assert.equal(
        query('-v', '[1, 0, 0, 0]', '-l', '3').split('\n').slice(0, 3).join('\n'),
        [
            'Found 3 result(s):',
            '1. id: east  score: 0.0000  importance: 0.25  context: travel',
            '2. id: slope  score: 0.1400  importance: 0.50  context: maps',
        ].join('\n'),
    );
    assert.equal(
        query('-v', '0,1,0,0', '-c', 'travel', '-l', '1'),
        'Found 1 result(s):\n1. id: north  score: 0.0000  importance: 1.00  context: travel\n',
    );
    assert.equal(query('-v', '0,1,0,0', '-c', 'nowhere'), 'No results.\n');
    assert.equal(query('-v', '0,1,0,0', '--context', 'travel').split('\n')[0], 'Found 2 result(s):');
    assert.equal(query('-v', '0,1,0,0').split('\n')[0], 'Found 4 result(s):');
});

test('query for machines', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const query = (...args) => folder.ok(['query', '-f', file, '--json', ...args]);
    assert.equal(
        query('-v', '1,0,0,0', '-l', '1', '--now', '2024-01-01T10:00:00Z'),
        '{"count":1,"results":[{"id":"east","score":0.1896362,"distance":0,"recency":0.6321205,"importance":0.25,"context":"travel",' +
            '"timestamp":1704067200000,"accessed":1704067200000,"access_count":0,"decay_rate":0,' +
            '"relationships":["north","nowhere"],"text":"sunrise","metadata":null}]}\n',
    );
    assert.equal(query('-v', '0,1,0,0', '-c', 'nowhere'), '{"count":0,"results":[]}\n');
    const [up] = JSON.parse(query('-v', '0,0,1,0', '--temporal-weight', '0', '--ef', '10')).results;
    assert.deepEqual([up.id, up.score, up.metadata], ['up', 0, { floor: [1, 2] }]);
});

test('numbers below zero, and too large for a float', (t) => {
    const folder = new Folder(t);
    const show = (metric, data, vector, ...args) => {
        folder.ok(['save', '-i', '-', '-o', 'm.chrono', '--metric', metric, '--now', '0'], JSON.stringify({ id: 'a', data }));
        return folder.ok(['query', '-f', 'm.chrono', '-v', vector, '--now', '0', ...args]);
    };
    assert.match(show('dot', [1, 1], '1,1'), / {2}score: -0\.3500 {2}/);
    assert.match(show('dot', [1, 1], '1,1', '--json'), /"score":-0\.35,"distance":-1,/);
    assert.match(show('dot', [1, 0], '1.00001,0'), / {2}score: 0\.0000 {2}/); // no minus sign before a zero
    const largest = '340282346638528859811704183484516925440'; // of 32-bit floats
    assert.ok(show('l2', [3e38], '-3e38', '--json').includes(`"distance":${largest},`));
    assert.ok(show('l2', [3e38], '-3e38', '--temporal-weight', '0').includes('  score: 170141173319264429905852091742258462720.0000  '));
});

test('time weighs as much as it is told', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot('m.chrono', [
        { id: 'old', data: [1, 0], timestamp: 0 },
        { id: 'new', data: [1, 1], timestamp: '2024-01-01' },
    ]);
    const best = (...args) => /1\. id: (\w+)/.exec(folder.ok(['query', '-f', file, '-v', '1,0', '-l', '1', ...NOW, ...args]))[1];
    assert.equal(best('--temporal-weight', '0'), 'old');
    assert.equal(best('--temporal-weight', '1'), 'new');
    assert.equal(best('--now', '0'), 'old'); // a future timestamp counts as fresh
});

test('stats for people and for machines', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    assert.equal(
        folder.ok(['stats', '--file', file]),
        [
            'Total memories: 4',
            'Total components: 16',
            'Capacity used: 0.0%',
            'Average importance: 0.56',
            'Context distribution:',
            '  travel: 2',
            '  default: 1',
            '  maps: 1',
            'Most referenced memories:',
            '  nowhere: 2',
            '  north: 1',
            '',
        ].join('\n'),
    );
    assert.equal(
        folder.ok(['stats', '-f', file, '--json']),
        '{"memories":4,"components":16,"dimensions":4,"metric":"cosine","vectors":"f32","max_memories":100000,"capacity_used_percent":0.004,' +
            '"average_importance":0.5625,' +
            '"contexts":[{"context":"travel","memories":2},{"context":"default","memories":1},{"context":"maps","memories":1}],' +
            '"most_referenced":[{"id":"nowhere","references":2},{"id":"north","references":1}]}\n',
    );
});

test('stats: the kind of vectors is the one that was saved', (t) => {
    const folder = new Folder(t);
    for (const kind of ['f32', 'bf16', 'i8']) {
        folder.ok(['save', '-i', '-', '-o', `${kind}.chrono`, '--vectors', kind], '[{"id":"a","data":[1,2]}]');
        assert.equal(JSON.parse(folder.ok(['stats', '-f', `${kind}.chrono`, '--json'])).vectors, kind);
    }
});

test('stats: halves round up, ties are ordered by bytes, ten references, none', (t) => {
    const folder = new Folder(t);
    const names = ['\u{1F600}', '\uFB01', 'b', 'a', 'B', 'c', 'd', 'e', 'f', 'g', 'h'];
    const records = names.map((name, i) => ({ id: String(i), data: [1], context: name, importance: 0.125, relationships: [name] }));
    folder.ok(['save', '-i', '-', '-o', 'm.chrono', '-m', '400'], JSON.stringify(records));
    const lines = folder.ok(['stats', '-f', 'm.chrono']).split('\n');
    assert.deepEqual(lines.slice(2, 4), ['Capacity used: 2.8%', 'Average importance: 0.13']);
    const sorted = ['B', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', '\uFB01', '\u{1F600}'].map((name) => `  ${name}: 1`);
    assert.deepEqual(lines.slice(5, 16), sorted);
    assert.deepEqual(lines.slice(17, 27), sorted.slice(0, 10));
    assert.equal(lines.length, 28);
    folder.ok(['save', '-i', '-', '-o', 'm.chrono'], '{"id":"a","data":[1]}');
    assert.match(folder.ok(['stats', '-f', 'm.chrono']), /Most referenced memories:\n {2}\(none\)\n$/);
});

test('nothing that reaches a terminal can control it', (t) => {
    const folder = new Folder(t);
    const id = 'a\u0000\u0007\b\t\n\f\r\u001b[31m\u007f\u0085\u009b"\\é';
    const shown = 'a\\u0000\\u0007\\b\\t\\n\\f\\r\\u001b[31m\\u007f\\u0085\\u009b';
    const record = { id, data: [1], context: id, relationships: [id], text: id, metadata: { [id]: id }, timestamp: 0 };
    folder.ok(['save', '-i', '-', '-o', 'm.chrono'], JSON.stringify(record));
    assert.equal(
        folder.ok(['query', '-f', 'm.chrono', '-v', '1', '--now', '0']),
        `Found 1 result(s):\n1. id: ${shown}"\\é  score: 0.0000  importance: 0.50  context: ${shown}"\\é\n`,
    );
    const json = folder.ok(['query', '-f', 'm.chrono', '-v', '1', '--json']);
    assert.ok(json.includes(`"id":"${shown}\\"\\\\é"`) && json.includes(`"metadata":{"${shown}\\"\\\\é":"${shown}\\"\\\\é"}`));
    const [memory] = JSON.parse(json).results;
    assert.deepEqual([memory.id, memory.context, memory.text, memory.metadata], [id, id, id, { [id]: id }]);
    assert.ok(folder.ok(['stats', '-f', 'm.chrono']).includes(`  ${shown}"\\é: 1\n`));
});

test('a query that the store cannot answer', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    folder.fails(['query', '-f', file, '-v', '1,0,0'], 1, /3.*4/, `the vectors in ${file} have 4 dimensions`);
    folder.fails(['query', '-f', file, '-v', '1,0,0,0', '-c', 'c'.repeat(1025)], 1, /./, hints.usage('query'));
});
