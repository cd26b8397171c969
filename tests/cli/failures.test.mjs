// SPDX-License-Identifier: MIT OR Apache-2.0
/** Files that are missing, damaged or full, readers that go away, and Ctrl-C: the old snapshot survives everything. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Folder, fvecs, hints, sample } from './support.mjs';

const isRoot = process.getuid?.() === 0;

test('files that cannot be read', (t) => {
    const folder = new Folder(t);
    mkdirSync(join(folder.path, 'folder.json'));
    for (const args of [
        ['stats', '-f'],
        ['query', '-v', '1', '-f'],
        ['save', '-o', 'm.chrono', '-i'],
    ]) {
        folder.fails([...args, 'none.json'], 1, 'cannot read none.json: No such file or directory', hints.read);
        folder.fails([...args, 'folder.json'], 1, 'cannot read folder.json: Is a directory', hints.read);
        folder.fails([...args, 'x\u001b/none.json'], 1, 'cannot read x\\u001b/none.json: No such file or directory', hints.read);
    }
    folder.write('locked.json', '[]');
    chmodSync(join(folder.path, 'locked.json'), 0);
    if (!isRoot) folder.fails(['stats', '-f', 'locked.json'], 1, 'cannot read locked.json: Permission denied', hints.read);
    assert.deepEqual(folder.names(), ['folder.json', 'locked.json']);
});

test('files that are no snapshot, or no longer', (t) => {
    const folder = new Folder(t);
    const good = folder.read(folder.snapshot());
    const bad = (bytes, hint) => {
        folder.write('bad.chrono', bytes);
        folder.fails(['stats', '-f', 'bad.chrono'], 1, /^Error: bad\.chrono: ./, hint);
        folder.fails(['query', '-f', 'bad.chrono', '-v', '1,0,0,0'], 1, /^Error: bad\.chrono: ./, hint);
    };
    const notSnapshot = "snapshots are written by 'chronomind save'";
    const damaged = /^Hint: the file is damaged; restore it from a copy or save it again from its source$/;
    bad('', notSnapshot);
    bad('{"id":"x"}', notSnapshot);
    bad(JSON.stringify(sample), notSnapshot);
    bad(Buffer.concat([good.subarray(0, 7), Buffer.from([99]), good.subarray(8)]), 'the file was written by another version of ChronoMind');
    for (const part of [0.1, 0.5, 0.9]) bad(good.subarray(0, Math.floor(good.length * part)), damaged);
    bad(good.subarray(0, good.length - 1), damaged);
    for (let i = 1; i <= 12; i++) {
        const flipped = Buffer.from(good);
        flipped[8 + Math.floor(((good.length - 9) * i) / 12)] ^= 1 << (i % 8);
        folder.write('bad.chrono', flipped);
        folder.fails(['stats', '-f', 'bad.chrono'], 1, /^Error: bad\.chrono: ./, /^Hint: /);
    }
});

test('outputs that cannot be written', (t) => {
    const folder = new Folder(t);
    const input = folder.write('x.json', sample);
    mkdirSync(join(folder.path, 'folder'));
    const bad = (path, reason) => folder.fails(['save', '-i', input, '-o', path], 1, `cannot write ${path}: ${reason}`, hints.write);
    bad('none/m.chrono', 'No such file or directory');
    bad('x.json/m.chrono', 'Not a directory');
    bad('folder', 'Is a directory');
    bad('/dev/full', 'Not a regular file');
    if (!isRoot) {
        chmodSync(join(folder.path, 'folder'), 0o500);
        bad('folder/m.chrono', 'Permission denied');
    }
    // A missing folder is found before the input is read: here nobody ever writes to standard input.
    const waiting = folder.shell('sleep 5 | { timeout 4 $CLI save -i - -o none/m.chrono; }');
    assert.match(waiting.err, /^Error: cannot write none\/m\.chrono: No such file or directory\n/);
    assert.deepEqual(folder.names(), ['folder', 'x.json']);
});

test('a save that fails leaves the old snapshot and nothing else', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    for (const text of ['[{"id":"a","data":[1]},', '[{"id":"a","data":[1]},{"id":"b","data":[1,2]}]', '[]', '{"id":"","data":[1]}']) {
        assert.equal(folder.run(['save', '-i', '-', '-o', file], text).status, 1);
        assert.deepEqual(folder.names(), [file]);
        assert.ok(before.equals(folder.read(file)));
    }
});

test('a symbolic link stays one', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    symlinkSync(file, join(folder.path, 'link.chrono'));
    folder.ok(['save', '-i', '-', '-o', 'link.chrono'], '{"id":"only","data":[1]}');
    assert.match(folder.ok(['stats', '-f', file]), /^Total memories: 1\n/);
});

const manyRows = () => fvecs(Array.from({ length: 4000 }, (_, i) => Array.from({ length: 128 }, (_, j) => Math.sin(i * 128 + j))));
const quick = ['--m', '4', '--ef-construction', '8', '-m', '10000'];

test('a full disk', { skip: !isRoot && 'needs root to mount a small disk' }, (t) => {
    const folder = new Folder(t);
    const disk = join(folder.path, 'disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status !== 0)
        return t.skip('this machine does not let us mount');
    try {
        const file = folder.snapshot('disk/m.chrono');
        const before = folder.read(file);
        folder.write('many.fvecs', manyRows());
        folder.fails(['save', '-i', 'many.fvecs', '-o', file, ...quick], 1, `cannot write ${file}: No space left on device`, hints.write);
        assert.ok(before.equals(folder.read(file)));
        assert.deepEqual(readdirSync(disk), ['m.chrono']);
    } finally {
        spawnSync('umount', ['-l', disk]);
    }
});

test('a file size limit', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    folder.write('many.fvecs', manyRows());
    const result = folder.shell(`ulimit -f 512; $CLI save -i many.fvecs -o ${file} ${quick.join(' ')}`);
    assert.equal(result.err.split('\n')[0], `Error: cannot write ${file}: File too large`);
    assert.equal(result.status, 1);
    assert.ok(before.equals(folder.read(file)));
    assert.deepEqual(folder.names(), ['many.fvecs', file]);
});

test('standard output on a full disk', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const result = folder.shell(`$CLI stats -f ${file} > /dev/full`);
    assert.deepEqual(result, {
        status: 1,
        out: '',
        err: 'Error: cannot write standard output: No space left on device\nHint: check where standard output goes\n',
    });
});

test('a reader that goes away', (t) => {
    const folder = new Folder(t);
    const records = Array.from({ length: 2000 }, (_, i) => ({ id: String(i), data: [1, i], text: 'x'.repeat(200) }));
    folder.ok(['save', '-i', '-', '-o', 'm.chrono'], JSON.stringify(records));
    const result = folder.shell('$CLI query -f m.chrono -v 1,0 -l 2000 --ef 2000 --json | head -c 10; echo " ${PIPESTATUS[0]}"');
    assert.deepEqual(result, { status: 0, out: '{"count":2 0\n', err: '' });
});

for (const signal of ['SIGINT', 'SIGTERM']) {
    test(`${signal} while reading`, async (t) => {
        const folder = new Folder(t);
        const file = folder.snapshot();
        const before = folder.read(file);
        const child = folder.start(['save', '-i', '-', '-o', file]);
        let err = '';
        child.stderr.on('data', (bytes) => (err += bytes));
        child.stdin.on('error', () => {});
        child.stdin.write('{"id":"a","data":[1]}\n');
        for (let i = 0; i < 100 && folder.names().length < 2; i++) await sleep(50); // until the output is prepared
        await sleep(100);
        child.kill(signal);
        const [status] = await once(child, 'close');
        assert.deepEqual({ status, err }, { status: 130, err: 'Error: interrupted\nHint: nothing was written\n' });
        assert.ok(before.equals(folder.read(file)));
        assert.deepEqual(folder.names(), [file]);
    });
}

test('no progress line without a terminal', (t) => {
    const folder = new Folder(t);
    const result = folder.shell(
        '{ echo \'{"id":"a","data":[1]}\'; sleep 1.5; echo \'{"id":"b","data":[1]}\'; } | $CLI save -i - -o m.chrono',
    );
    assert.deepEqual(result, { status: 0, out: 'Saved 2 memories to m.chrono\n', err: '' });
});
