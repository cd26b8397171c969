// SPDX-License-Identifier: MIT OR Apache-2.0
/** .npy and .fvecs input, with and without ids. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Folder, fvecs, hints, npy } from './support.mjs';

const rows = [
    [1, 0, 0],
    [0, 2, 0],
    [0, 0, 3],
];

function idsNearest(folder, vector) {
    const { results } = JSON.parse(folder.ok(['query', '-f', 'm.chrono', '-v', vector, '--json']));
    return results.map((memory) => memory.id);
}

test('both formats give the same memories', (t) => {
    const folder = new Folder(t);
    folder.write('ids.txt', 'red\r\ngrün\nblue');
    const inputs = {
        'a.npy': npy(rows),
        'b.npy': npy(rows, { descr: '<f8' }),
        'c.npy': npy(rows, { version: 2 }),
        'd.npy': npy(rows, { version: 3 }),
        'e.fvecs': fvecs(rows),
    };
    let first;
    for (const [name, bytes] of Object.entries(inputs)) {
        folder.write(name, bytes);
        assert.equal(
            folder.ok(['save', '-i', name, '--ids', 'ids.txt', '-o', 'm.chrono', '--now', '0', '--context', 'colours']),
            'Saved 3 memories to m.chrono\n',
        );
        assert.equal(idsNearest(folder, '0.1,1,0.2')[0], 'grün', name);
        first ??= folder.read('m.chrono');
        assert.ok(first.equals(folder.read('m.chrono')), `${name} gives the same snapshot`);
    }
    assert.match(folder.ok(['stats', '-f', 'm.chrono']), /\n {2}colours: 3\n/);
});

test('without ids the rows are counted from 0', (t) => {
    const folder = new Folder(t);
    folder.ok(['save', '-i', folder.write('a.npy', npy(rows)), '-o', 'm.chrono']);
    assert.equal(idsNearest(folder, '0,0,1')[0], '2');
    folder.ok(['save', '-i', 'a.npy', '--ids', '-', '-o', 'm.chrono'], 'one\ntwo\nthree\n');
    assert.equal(idsNearest(folder, '0,0,1')[0], 'three');
    folder.ok(['save', '-i', '-', '--format', 'npy', '-o', 'm.chrono', '--normalize', '--metric', 'l2'], npy(rows, { descr: '<f8' }));
    assert.deepEqual(JSON.parse(folder.ok(['query', '-f', 'm.chrono', '-v', '0,1,0', '-l', '1', '--json'])).results[0].distance, 0);
    folder.ok(['save', '-i', '-', '--format', 'fvecs', '-o', 'm.chrono'], fvecs(rows));
    assert.equal(idsNearest(folder, '1,0,0')[0], '0');
});

test('files that are not what they say', (t) => {
    const folder = new Folder(t);
    const bad = (name, bytes, problem) =>
        folder.fails(['save', '-i', folder.write(name, bytes), '-o', 'm.chrono'], 1, `${name}: ${problem}`, hints.formats);
    const good = npy(rows);
    bad('a.npy', '', 'not a .npy file');
    bad('a.npy', 'numpy, but not really', 'not a .npy file');
    for (const end of [5, 8, 9, 40]) bad('a.npy', good.subarray(0, end), 'not a .npy file');
    bad('a.npy', npy(rows, { shape: '3, 3' }), 'not a .npy file');
    bad('a.npy', npy(rows, { order: 'Maybe' }), 'not a .npy file');
    bad('a.npy', npy(rows, { version: 4 }), '.npy version 4.0 is not supported');
    bad('a.npy', npy(rows, { descr: '<i4' }), ".npy dtype '<i4' is not supported: need <f4 or <f8");
    bad('a.npy', npy(rows, { descr: '>f4' }), ".npy dtype '>f4' is not supported: need <f4 or <f8");
    bad('a.npy', npy(rows, { order: 'True' }), '.npy data is in Fortran order: need C order');
    bad('a.npy', npy(rows, { shape: '(9,)' }), '.npy shape has 1 dimensions: need 2 (vectors, numbers)');
    bad('a.npy', npy(rows, { shape: '()' }), '.npy shape has 0 dimensions: need 2 (vectors, numbers)');
    bad('a.npy', npy(rows, { shape: '(1, 3, 3)' }), '.npy shape has 3 dimensions: need 2 (vectors, numbers)');
    bad('a.npy', good.subarray(0, good.length - 1), 'the file ends inside record 3');
    bad('a.npy', Buffer.concat([good, Buffer.from([0])]), 'the file goes on after its last record');
    bad('a.fvecs', fvecs(rows).subarray(0, 18), 'the file ends inside record 2');
    bad('a.fvecs', fvecs(rows).subarray(0, 30), 'the file ends inside record 2');
    assert.deepEqual(folder.names(), ['a.fvecs', 'a.npy']);
});

test('vectors of the wrong length or with wrong numbers', (t) => {
    const folder = new Folder(t);
    const save = (name, bytes, ...options) => ['save', '-i', folder.write(name, bytes), '-o', 'm.chrono', ...options];
    folder.fails(
        save('a.fvecs', fvecs([[1, 2], [1]])),
        1,
        'a.fvecs: record 2 (id "1"): data has 1 numbers, expected 2',
        hints.lengthOfFirst,
    );
    folder.fails(
        save('a.fvecs', fvecs([[]])),
        1,
        'a.fvecs: record 1 (id "0"): data has 0 numbers, expected 1 to 65536',
        hints.lengthOfFirst,
    );
    folder.fails(
        save('a.fvecs', Buffer.from([255, 255, 255, 255, 0])),
        1,
        'a.fvecs: record 1 (id "0"): data has 4294967295 numbers, expected 1 to 65536',
        hints.lengthOfFirst,
    );
    folder.fails(save('a.npy', npy(rows), '-d', '4'), 1, 'a.npy: record 1 (id "0"): data has 3 numbers, expected 4', hints.lengthGiven);
    folder.fails(save('a.npy', npy([[1, NaN]])), 1, /a\.npy: record 1 \(id "0"\): .*NaN/i, hints.fields);
    folder.fails(save('a.npy', npy([[1, 1e300]], { descr: '<f8' })), 1, /a\.npy: record 1 \(id "0"\): .*infinity/i, hints.fields);
    folder.fails(
        save('a.npy', npy([[1]], { shape: '(0, 3)' }).subarray(0, 128)),
        1,
        'a.npy: the input holds no memories',
        'nothing was written',
    );
});

test('ids that do not fit', (t) => {
    const folder = new Folder(t);
    folder.write('a.npy', npy(rows));
    folder.write('a.fvecs', fvecs(rows));
    const bad = (ids, problem) => {
        folder.write('ids', ids);
        for (const name of ['a.npy', 'a.fvecs']) {
            folder.fails(['save', '-i', name, '--ids', 'ids', '-o', 'm.chrono'], 1, `ids: ${problem.replace('PATH', name)}`, hints.formats);
        }
    };
    bad('a\nb\n', 'ends after 2 ids, PATH holds more vectors');
    bad('', 'ends after 0 ids, PATH holds more vectors');
    bad('a\nb\nc\nd\n', 'holds more ids than PATH holds vectors');
    bad('a\n\nc\n', 'line 2 is empty');
    bad('a\n\r\nc\n', 'line 2 is empty');
    bad(`a\n${'b'.repeat(1025)}\nc\n`, 'line 2 is longer than 1024 bytes');
    folder.write('ids', `${'a'.repeat(1024)}\r\n${'b'.repeat(1024)}\n${'c'.repeat(1024)}`);
    folder.ok(['save', '-i', 'a.npy', '--ids', 'ids', '-o', 'longest.chrono']);
    folder.write('ids', 'a\nb\nb\n'); // an id given twice: the last row
    assert.equal(folder.ok(['save', '-i', 'a.npy', '--ids', 'ids', '-o', 'twice.chrono']), 'Saved 2 memories to twice.chrono\n');
    folder.fails(
        ['save', '-i', 'a.npy', '--ids', 'nowhere', '-o', 'm.chrono'],
        1,
        'cannot read nowhere: No such file or directory',
        hints.read,
    );
    folder.fails(
        ['save', '-i', 'a.npy', '--ids', folder.write('ids', Buffer.from('a\n\xff\nc\n', 'latin1')), '-o', 'm.chrono'],
        1,
        /record 2 .*id/,
        hints.fields,
    );
});
