// SPDX-License-Identifier: MIT OR Apache-2.0
/** What save reads as JSON: fields, forms, broken text and broken records. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Folder, hints, sample } from './support.mjs';

const NOW = '2024-01-01T00:00:00Z';
const NOW_MS = Date.parse(NOW);

/** Saves `text` from standard input and gives the memories nearest to `vector`, as objects. */
function roundTrip(folder, text, vector, ...options) {
    folder.ok(['save', '-i', '-', '-o', 'm.chrono', '--now', NOW, ...options], text);
    return JSON.parse(folder.ok(['query', '-f', 'm.chrono', '-v', vector, '-l', '100', '--now', NOW, '--json'])).results;
}

test('every field comes back', (t) => {
    const folder = new Folder(t);
    const record = {
        id: 'é\u{1F600}',
        data: [0.5, -0.25],
        importance: 0.75,
        context: 'a b',
        decay_rate: 0.125,
        relationships: ['x', 'y', 'x'],
        timestamp: 1700000000123,
        text: 'line\nline "quoted" \\ \u0007',
        metadata: { deep: [[{ a: null }], true, 'é"'], '': 1e-7 },
    };
    const [memory] = roundTrip(folder, JSON.stringify(record), '0.5,-0.25');
    const { score, distance, recency, accessed, access_count, timestamp, relationships, ...same } = memory;
    assert.ok(score >= 0 && Math.abs(distance) < 1e-6 && recency > 0 && recency <= 1);
    assert.deepEqual([timestamp, accessed, access_count, relationships], [record.timestamp, record.timestamp, 0, ['x', 'y']]);
    const { id, importance, context, decay_rate, text, metadata } = record;
    assert.deepEqual(same, { id, importance, context, decay_rate, text, metadata });
});

test('defaults', (t) => {
    const folder = new Folder(t);
    const [memory] = roundTrip(folder, '{"id":"a","data":[1],"importance":null,"text":null,"metadata":null,"more":[{"ignored":{}}]}', '1');
    const { score, distance, ...rest } = memory;
    assert.deepEqual(rest, {
        id: 'a',
        recency: 0,
        importance: 0.5,
        context: 'default',
        timestamp: NOW_MS,
        accessed: NOW_MS,
        access_count: 0,
        decay_rate: 0,
        relationships: [],
        text: null,
        metadata: null,
    });
    const [other] = roundTrip(folder, '{"id":"a","data":[1]}', '1', '--context', 'café');
    assert.equal(other.context, 'café');
});

test('one object, an array, JSON Lines, several arrays, pretty or not', (t) => {
    const folder = new Folder(t);
    const one = '{"id":"a","data":[1,0]}',
        two = '{"id":"b","data":[0,1]}';
    for (const text of [
        `[${one},${two}]`,
        `${one}\n${two}\n`,
        `${one}\r\n\r\n${two}`,
        `${one}${two}`,
        `[${one}][${two}]`,
        `\uFEFF[ ${one} ,\n\t${two} ]\n`,
    ]) {
        assert.deepEqual(
            roundTrip(folder, text, '1,0')
                .map((memory) => memory.id)
                .sort(),
            ['a', 'b'],
            text,
        );
    }
    assert.deepEqual(
        roundTrip(folder, one, '1,0').map((memory) => memory.id),
        ['a'],
    );
});

test('tokens that are cut by the pieces in which the input arrives', (t) => {
    const folder = new Folder(t);
    const letters = ['x', 'é', '\u20AC', '\u{1F600}', '\n', '"', '\u0001'];
    const records = Array.from({ length: 1000 }, (_, i) => ({
        id: String(i),
        text: letters[i % letters.length].repeat(97 + (i % 101)),
        data: [i, -i / 3, 1e-9 * i],
        metadata: { [letters[i % letters.length]]: [true, null, -1.5e-3, 'é'.repeat(i % 89)] },
    }));
    for (const text of [
        JSON.stringify(records),
        JSON.stringify(records).replace(/[^\0-\x7F]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
    ]) {
        folder.ok(['save', '-i', '-', '-o', 'm.chrono'], text);
        const { results } = JSON.parse(folder.ok(['query', '-f', 'm.chrono', '-v', '1,1,1', '-l', '1000', '--ef', '1000', '--json']));
        assert.equal(results.length, records.length);
        for (const { id, text, metadata } of results)
            assert.deepEqual({ text, metadata }, { text: records[id].text, metadata: records[id].metadata });
    }
});

test('formats by extension and by option', (t) => {
    const folder = new Folder(t);
    const text = sample.map((record) => JSON.stringify(record)).join('\n');
    for (const name of ['a.json', 'b.JSONL', 'c.ndjson']) {
        assert.equal(folder.ok(['save', '-i', folder.write(name, text), '-o', 'm.chrono']), 'Saved 4 memories to m.chrono\n');
    }
    assert.equal(
        folder.ok(['save', '-i', folder.write('d.txt', text), '--format', 'jsonl', '-o', 'm.chrono']),
        'Saved 4 memories to m.chrono\n',
    );
});

test('timestamps', (t) => {
    const folder = new Folder(t);
    const cases = [
        [0, 0],
        [-1, -1],
        [1.9, 1],
        [-1.9, -1],
        [8.64e15, 8.64e15],
        ['1970-01-01', 0],
        ['2024-02-29', Date.UTC(2024, 1, 29)],
        ['2024-01-31T12:30Z', Date.UTC(2024, 0, 31, 12, 30)],
        ['2024-01-31t12:30:15z', Date.UTC(2024, 0, 31, 12, 30, 15)],
        ['2024-01-31 12:30:15.123456789+01:00', Date.UTC(2024, 0, 31, 11, 30, 15, 123)],
        ['2024-01-31T12:30:15.5-0230', Date.UTC(2024, 0, 31, 15, 0, 15, 500)],
        ['2024-01-31T00:00+14', Date.UTC(2024, 0, 30, 10)],
        ['0000-03-01', -62162035200000],
        ['9999-12-31T23:59:59.999Z', 253402300799999],
        ['1900-02-28', Date.UTC(1900, 1, 28)],
        ['2000-02-29', Date.UTC(2000, 1, 29)],
    ];
    const records = cases.map(([timestamp], i) => ({ id: String(i), data: [1], timestamp }));
    const found = new Map(roundTrip(folder, JSON.stringify(records), '1').map((memory) => [memory.id, memory.timestamp]));
    for (const [i, [written, expected]] of cases.entries()) assert.equal(found.get(String(i)), expected, String(written));
});

test('a field given twice: the last counts; an id given twice: the last record', (t) => {
    const folder = new Folder(t);
    const text =
        '{"id":"a","data":["x"],"data":[9,9,9],"data":[1,0],"context":7,"context":"c","relationships":["p"]}' +
        '{"id":"b","data":[0,1],"id":"a","relationships":["q"]}';
    const memories = roundTrip(folder, text, '0,1');
    assert.equal(memories.length, 1);
    assert.deepEqual([memories[0].distance, memories[0].context, memories[0].relationships], [0, 'default', ['q', 'p']]);
});

test('metadata keeps its members and its numbers as they were written', (t) => {
    const folder = new Folder(t);
    const metadata = '{"big":123456789012345678901234567890,"two":2.50,"exp":1E+2,"b":1,"a":2,"b":3,"10":0,"9":0,"__proto__":{"x":[]}}';
    folder.ok(
        ['save', '-i', '-', '-o', 'm.chrono'],
        `{"id":"a","data":[1],"metadata": ${metadata.replaceAll(',', ' ,\n').replaceAll(':', '\t: ')} }`,
    );
    assert.ok(folder.ok(['query', '-f', 'm.chrono', '-v', '1', '--json']).includes(`"metadata":${metadata}}`));
    for (const value of ['"text"', '-0', 'true', '[]', '{}', '"\\u001b\\u0085\\""']) {
        folder.ok(['save', '-i', '-', '-o', 'm.chrono'], `{"id":"a","data":[1],"metadata":${value}}`);
        assert.ok(folder.ok(['query', '-f', 'm.chrono', '-v', '1', '--json']).includes(`"metadata":${value}}`), value);
    }
});

test('normalize gives length 1, and leaves a zero vector', (t) => {
    const folder = new Folder(t);
    const far = (text, ...options) => roundTrip(folder, text, '1,0', '--metric', 'l2', ...options).map((memory) => memory.distance);
    assert.deepEqual(far('{"id":"a","data":[3,4]}', '--normalize'), [0.8]);
    assert.deepEqual(far('{"id":"a","data":[3,4]}'), [20]);
    assert.deepEqual(far('{"id":"a","data":[0,0]}', '-n'), [1]);
    assert.deepEqual(far('{"id":"a","data":[1e-30,0]}', '-n'), [0]);
    assert.deepEqual(far('{"id":"a","data":[3e38,0]}', '-n'), [0]);
});

test('vectors in fewer bits', (t) => {
    const folder = new Folder(t);
    const far = (...options) => roundTrip(folder, '{"id":"a","data":[1,0.25,-7.7]}', '1,0.25,-7.7', '--metric', 'l2', ...options)[0].distance;
    assert.deepEqual([far('--vectors', 'f32'), far('--vectors', 'i8')], [0, 0]);
    assert.ok(Math.abs(far('--vectors', 'bf16') - (7.7 - 7.6875) ** 2) < 1e-7);
});

test('metrics', (t) => {
    const folder = new Folder(t);
    const distance = (metric) => roundTrip(folder, '{"id":"a","data":[3,4]}', '1,0', '--metric', metric)[0].distance;
    assert.deepEqual([distance('cosine'), distance('dot'), distance('l2')], [0.4, -2, 20]);
});

test('broken JSON: line, column and what is wrong', (t) => {
    const folder = new Folder(t);
    const bad = (text, where) => folder.fails(['save', '-i', '-', '-o', 'm.chrono'], 1, `standard input: ${where}`, hints.json, text);
    bad('[{"id":"x",\n "data":[1,2,]}]', "line 2, column 14: unexpected ']'");
    bad('[{"id":"x"', 'line 1, column 11: unexpected end of input');
    bad('{"a":"é\u{1F600}" "b"}', "line 1, column 11: unexpected '\"'");
    bad('\uFEFF!', "line 1, column 1: unexpected '!'");
    bad('{"a":01}', "line 1, column 7: unexpected '1'");
    bad('{"a":1.}', "line 1, column 8: unexpected '}'");
    bad('{"a":-x}', "line 1, column 7: unexpected 'x'");
    bad('{"a":1e5.2}', "line 1, column 9: unexpected '.'");
    bad('{"a":tru3}', "line 1, column 9: unexpected '3'");
    bad('{"a":NaN}', "line 1, column 6: unexpected 'N'");
    bad('{"a":+1}', "line 1, column 6: unexpected '+'");
    bad('{"a":1 2}', "line 1, column 8: unexpected '2'");
    bad('{"a":1,}', "line 1, column 8: unexpected '}'");
    bad('{"a",1}', "line 1, column 5: unexpected ','");
    bad('{1:2}', "line 1, column 2: unexpected '1'");
    bad('{]', "line 1, column 2: unexpected ']'");
    bad('[}', "line 1, column 2: unexpected '}'");
    bad(']', "line 1, column 1: unexpected ']'");
    bad(',', "line 1, column 1: unexpected ','");
    bad('{"a":"\\q"}', "line 1, column 8: unexpected 'q'");
    bad('{"a":"\\u12g4"}', "line 1, column 11: unexpected 'g'");
    bad('{"a":"x\ny"}', 'line 1, column 8: unexpected byte 0x0A');
    bad('{\v}', 'line 1, column 2: unexpected byte 0x0B');
    bad("{'a':1}", "line 1, column 2: unexpected '''");
    bad('// no\n{}', "line 1, column 1: unexpected '/'");
    bad(Buffer.from('[\xff]', 'latin1'), 'line 1, column 2: unexpected byte 0xFF');
    for (const bytes of ['\xff', '\xc0\xaf', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xe2\x82', '\x80']) {
        bad(Buffer.from(`{"a":"${bytes}"}`, 'latin1'), 'line 1, column 6: a string is not UTF-8');
    }
    for (const half of ['\\ud800', '\\udc00', '\\ud800x', '\\ud800\\ud800', '\\uD83D\\n', '\\ud83d\\n\\ude00', '\\ud83dx\\ude00'])
        bad(`{"a":"${half}"}`, 'line 1, column 6: a string holds half a surrogate pair');
    bad('{\r\n\t"é": "\u2028" "', "line 2, column 11: unexpected '\"'");
    bad('[\u00a0]', 'line 1, column 2: unexpected byte 0xC2');
    bad('{"id":"x","data":[1]}\n{"id":"y","data":[1]}\n}', "line 3, column 1: unexpected '}'");
    bad(`{"a":${'['.repeat(64)}`, 'line 1, column 69: nested deeper than 64 levels');
    folder.ok(['save', '-i', '-', '-o', 'm.chrono'], `{"id":"x","data":[1],"a":${'['.repeat(63)}${']'.repeat(63)}}`);
});

test('what stands before a fault is handled first', (t) => {
    const folder = new Folder(t);
    const bad = (text, problem, hint) => folder.fails(['save', '-i', '-', '-o', 'm.chrono'], 1, `standard input: ${problem}`, hint, text);
    bad('{"id":"x"} !', 'record 1 (id "x"): data is missing', hints.fields);
    bad('{"id":"x","data":[1]} 5 !', 'record 2: must be an object', hints.fields);
    bad('{"id":"x","data":[1]} 5!', 'record 2: must be an object', hints.fields); // a number ends before what cannot belong to it
    bad('{"id":"x","data":[1]} 5.!', "line 1, column 25: unexpected '!'", hints.json);
    bad('[{"id":"x","data":["1"]', 'line 1, column 24: unexpected end of input', hints.json); // the record has not ended
    bad('[{"id":"x","data":["1"]}', 'record 1 (id "x"): data must be an array of numbers', hints.fields);
    bad('{"id":"x","data":[1]}5', 'record 2: must be an object', hints.fields); // the end of the input ends a number
});

test('tokens without end are not read into memory', (t) => {
    const folder = new Folder(t);
    const limit = 8388608;
    const save = ['save', '-i', '-', '-o', 'm.chrono'];
    const what = `a string or number is longer than ${limit} bytes`;
    folder.fails(save, 1, `standard input: line 2, column 5: ${what}`, hints.json, `\n{"":"${'x'.repeat(limit - 1)}"}`);
    folder.fails(save, 1, `standard input: line 1, column 6: ${what}`, hints.json, `{"a":${'1'.repeat(limit + 1)}}`);
    folder.ok(save, `{"id":"x","data":[1],"a":"${'x'.repeat(limit - 2)}"}`);
});

test('broken records: number, id and field', (t) => {
    const folder = new Folder(t);
    const bad = (records, problem, hint = hints.fields, ...options) => {
        const text = typeof records === 'string' ? records : records.map((record) => JSON.stringify(record)).join('\n');
        folder.fails(
            ['save', '-i', '-', '-o', 'm.chrono', ...options],
            1,
            problem instanceof RegExp ? problem : `standard input: ${problem}`,
            hint,
            text,
        );
    };
    const good = { id: 'good', data: [1, 2, 3, 4] };
    const with_ = (fields) => [good, { id: 'x', data: [1, 2, 3, 4], ...fields }];
    bad([good, good, { id: 'x', data: [1, 2, 3] }], 'record 3 (id "x"): data has 3 numbers, expected 4', hints.lengthOfFirst);
    bad([good], 'record 1 (id "good"): data has 4 numbers, expected 5', hints.lengthGiven, '-d', '5');
    bad([{ id: 'x', data: [] }], 'record 1 (id "x"): data has 0 numbers, expected 1 to 65536', hints.lengthOfFirst);
    bad([{ id: 'x', data: Array(65537).fill(0) }], 'record 1 (id "x"): data has 65537 numbers, expected 1 to 65536', hints.lengthOfFirst);
    bad('[5]', 'record 1: must be an object');
    bad('{"id":"x","data":[1]} "y"', 'record 2: must be an object');
    bad('[[{}]]', 'record 1: must be an object');
    bad([{ data: [1] }], 'record 1: id is missing');
    bad([{ id: null, data: [1] }], 'record 1: id is missing');
    bad([{ id: 7, data: [1] }], 'record 1: id must be a string');
    bad([{ id: 'x' }], 'record 1 (id "x"): data is missing');
    bad([{ id: 'a\u001b"b', data: {} }], 'record 1 (id "a\\u001b"b"): data must be an array of numbers');
    bad([{ id: 'é'.repeat(65) }], `record 1 (id "${'é'.repeat(64)}..."): data is missing`);
    bad([{ data: ['1'], id: 'x' }], 'record 1 (id "x"): data must be an array of numbers');
    bad([{ data: [[1]], id: 'x' }], 'record 1 (id "x"): data must be an array of numbers');
    bad(with_({ context: 5 }), 'record 2 (id "x"): context must be a string');
    bad(with_({ importance: 'high' }), 'record 2 (id "x"): importance must be a number');
    bad(with_({ decay_rate: [] }), 'record 2 (id "x"): decay_rate must be a number');
    bad(with_({ relationships: 'y' }), 'record 2 (id "x"): relationships must be an array of strings');
    bad(with_({ relationships: ['y', 5] }), 'record 2 (id "x"): relationships must be an array of strings');
    bad(with_({ relationships: Array(4097).fill('y') }), 'record 2 (id "x"): relationships holds more than 4096 ids');
    bad(with_({ relationships: ['y'.repeat(1025)] }), 'record 2 (id "x"): relationships holds an id longer than 1024 bytes');
    for (const timestamp of ['2024-13-01', '2024-01-01T00:00', '', true, 8.64e15 + 2, 1e300]) {
        bad(with_({ timestamp }), 'record 2 (id "x"): timestamp must be a number of milliseconds or an ISO 8601 date with Z or an offset');
    }
    bad(with_({ text: {} }), 'record 2 (id "x"): text must be a string');
    bad(with_({ metadata: 'x'.repeat(1 << 20) }), 'record 2 (id "x"): metadata is longer than 1048576 bytes');
    // The store takes a context of at most 1024 bytes, whoever gave it.
    bad(with_({ context: '' }), /record 2 \(id "x"\): .*context/);
    bad([good], /record 1 \(id "good"\): .*context/, hints.fields, '--context', 'c'.repeat(1025));
    bad(with_({ text: 5, importance: 'x', context: {} }), 'record 2 (id "x"): context must be a string');
    // What the store itself refuses; its words are the library's.
    bad([{ id: '', data: [1] }], /record 1 \(id ""\): .*id/);
    bad([{ id: 'i'.repeat(1025), data: [1] }], /record 1 \(id "i{64}\.\.\."\): .*id/);
    for (const importance of [1.5, -0.1, 1e300]) bad(with_({ importance }), /record 2 \(id "x"\): .*importance/);
    bad(with_({ decay_rate: -1 }), /record 2 \(id "x"\): .*decay/);
    bad('{"id":"x","data":[1e39]}', /record 1 \(id "x"\): .*infinity/i);
    bad('{"id":"x","data":[1,-1e999]}', /record 1 \(id "x"\): .*infinity/i);
    bad(with_({ text: 'x'.repeat((1 << 20) + 1) }), /record 2 \(id "x"\): /);
    bad([good, { ...good, id: 'b' }], /record 2 \(id "b"\): .*max_memories/, hints.capacity, '-m', '1');
    bad(Array(5000).fill(good), /record \d+ \(id "good"\): .*max_memories/, hints.capacity, '-m', '1');
    assert.deepEqual(folder.names(), []);
});

test('an input without memories', (t) => {
    const folder = new Folder(t);
    for (const text of ['', ' \n', '[]', '\uFEFF', '[][]\n']) {
        folder.fails(
            ['save', '-i', '-', '-o', 'm.chrono', '-d', '3'],
            1,
            'standard input: the input holds no memories',
            'nothing was written',
            text,
        );
    }
    assert.deepEqual(folder.names(), []);
});

test('numbers at the ends of their range', (t) => {
    const folder = new Folder(t);
    const text = `{"id":"a","data":[1e-60,3.4028234663852886e38,-0,1.${'0'.repeat(80)}1,1${'0'.repeat(20)}]}`;
    const [memory] = roundTrip(folder, text, '0,1,0,0,0');
    assert.equal(memory.id, 'a');
});
