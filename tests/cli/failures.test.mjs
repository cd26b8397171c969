// SPDX-License-Identifier: MIT OR Apache-2.0
/** Files that are missing, damaged or full, and readers that go away: the old snapshot survives everything. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Folder, hints, isNative, manyRows, npy, quick, sample } from './support.mjs';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;

/** Permissions do not bind root: the program runs as somebody whom they bind. */
const bound = isRoot ? { uid: NOBODY, gid: NOBODY } : {};

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
    folder.fails(
        ['save', '-i', folder.write('a.npy', npy([[1]])), '--ids', 'folder.json', '-o', 'm.chrono'],
        1,
        'cannot read folder.json: Is a directory',
        hints.read,
    );
    const long = `${'a'.repeat(250)}/${'b'.repeat(250)}.json`; // the reason is shown, however long the path
    folder.fails(['stats', '-f', long], 1, `cannot read ${long}: No such file or directory`, hints.read);
    folder.fails(['stats', '-f', 'x'.repeat(256)], 1, `cannot read ${'x'.repeat(256)}: File name too long`, hints.read);
    folder.fails(['stats', '-f', '-'], 1, 'cannot read -: No such file or directory', hints.read); // only save reads standard input
    assert.deepEqual(folder.shell('$CLI save -i - -o m.chrono < .'), {
        status: 1,
        out: '',
        err: `Error: cannot read standard input: Is a directory\nHint: ${hints.read}\n`,
    });
    assert.deepEqual(folder.names(), ['a.npy', 'folder.json']);
});

test('files that one may not read or write', (t) => {
    const folder = new Folder(t);
    const input = folder.write('x.json', sample);
    const file = folder.snapshot();
    const before = folder.read(file);
    if (spawnSync('test', ['-x', process.execPath], bound).status !== 0) return t.skip('somebody else cannot run programs here');
    folder.write('locked.json', '[]');
    chmodSync(join(folder.path, 'locked.json'), 0);
    chmodSync(join(folder.path, file), 0o444);
    chmodSync(folder.path, 0o555);
    const refused = (args, what, hint) => folder.fails(args, 1, `cannot ${what}: Permission denied`, hint, '', bound);
    for (const args of [
        ['stats', '-f'],
        ['query', '-v', '1', '-f'],
        ['save', '-o', 'm.chrono', '-i'],
    ]) {
        refused([...args, 'locked.json'], 'read locked.json', hints.read);
    }
    refused(['save', '-i', input, '-o', file], `write ${file}`, hints.write); // read-only, in a folder that is, too
    refused(['save', '-i', input, '-o', 'new.chrono'], 'write new.chrono', hints.write);
    chmodSync(folder.path, 0o777);
    refused(['save', '-i', input, '-o', file], `write ${file}`, hints.write); // a rename would be possible, but not meant
    assert.ok(before.equals(folder.read(file)));
    assert.deepEqual(folder.names(), ['locked.json', file, 'x.json']);
});

test('pipes: as input of save, never as a snapshot', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    spawnSync('mkfifo', [join(folder.path, 'pipe.json')]);
    assert.equal(
        folder.shell('{ echo \'{"id":"a",\'; sleep 0.2; echo \'"data":[1]}\'; } > pipe.json & $CLI save -i pipe.json -o m.chrono').out,
        'Saved 1 memories to m.chrono\n',
    );
    folder.fails(['stats', '-f', 'pipe.json'], 1, 'cannot read pipe.json: Not a regular file', hints.read);
    folder.fails(['query', '-v', '1', '-f', '/dev/null'], 1, 'cannot read /dev/null: Not a regular file', hints.read);
    folder.fails(['save', '-i', '-', '-o', 'pipe.json'], 1, 'cannot write pipe.json: Not a regular file', hints.write);
    assert.deepEqual(folder.names(), ['m.chrono', file, 'pipe.json']);
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
    bad(Buffer.concat([good, Buffer.from([0])]), damaged);
});

test('one flipped bit, anywhere in the file', (t) => {
    const folder = new Folder(t);
    const good = folder.read(folder.snapshot());
    const step = isNative ? 3 : 31; // the core's own tests flip every byte
    for (let i = 0; i < good.length; i += step) {
        const flipped = Buffer.from(good);
        flipped[i] ^= 1 << (i % 8);
        folder.write('bad.chrono', flipped);
        folder.fails(['stats', '-f', 'bad.chrono'], 1, /^Error: bad\.chrono: .{10}/, /^Hint: (?!try)/);
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
    bad('x'.repeat(256), 'File name too long');
    symlinkSync('loop', join(folder.path, 'loop'));
    bad('loop', 'Too many levels of symbolic links');
    // A missing folder is found before the input is read: here nobody ever writes to standard input.
    const waiting = folder.shell('sleep 5 | { timeout 4 $CLI save -i - -o none/m.chrono; }');
    assert.match(waiting.err, /^Error: cannot write none\/m\.chrono: No such file or directory\n/);
    assert.deepEqual(folder.names(), ['folder', 'loop', 'x.json']);
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
    assert.deepEqual(folder.names(), ['link.chrono', file]);
    assert.ok(lstatSync(join(folder.path, 'link.chrono')).isSymbolicLink());
});

test('a new file is as readable as the old one', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    chmodSync(join(folder.path, file), 0o640);
    folder.snapshot(file);
    assert.equal(lstatSync(join(folder.path, file)).mode & 0o777, 0o640);
});

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

const canInject = spawnSync('strace', ['-qq', '-e', 'inject=fsync:error=EIO', 'true']).status === 0;

test('a disk that fails while flushing', { skip: !canInject && 'needs strace, and leave to trace' }, (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    folder.write('one.json', '{"id":"only","data":[1]}');
    const failing = (what) => folder.shell(`strace -f -qq -o trace -e trace=fsync -e inject=fsync:error=EIO:when=${what} $CLI save -i one.json -o ${file}`);
    assert.deepEqual(failing(1), { status: 1, out: '', err: `Error: cannot write ${file}: Input/output error\nHint: ${hints.write}\n` });
    assert.ok(before.equals(folder.read(file)));
    const err = `Error: cannot flush the folder of ${file}: Input/output error\nHint: the new snapshot is in place, but may not survive a loss of power\n`;
    assert.deepEqual(failing(2), { status: 1, out: '', err });
    assert.match(folder.ok(['stats', '-f', file]), /^Total memories: 1\n/);
    assert.deepEqual(folder.names(), [file, 'one.json', 'trace']);
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

const commands = (file) => ['--help', 'save -h', '--version', `stats -f ${file}`, `query -f ${file} -v 1,0,0,0 --json`];

test('standard output on a full disk', (t) => {
    const folder = new Folder(t);
    for (const args of commands(folder.snapshot())) {
        assert.deepEqual(folder.shell(`$CLI ${args} > /dev/full`), {
            status: 1,
            out: '',
            err: 'Error: cannot write standard output: No space left on device\nHint: check where standard output goes\n',
        });
    }
});

test('a reader that goes away', (t) => {
    const folder = new Folder(t);
    const records = Array.from({ length: 2000 }, (_, i) => ({ id: String(i), data: [1, i], text: 'x'.repeat(200) }));
    folder.ok(['save', '-i', '-', '-o', 'm.chrono'], JSON.stringify(records));
    const result = folder.shell('$CLI query -f m.chrono -v 1,0 -l 2000 --ef 2000 --json | head -c 10; echo " ${PIPESTATUS[0]}"');
    assert.deepEqual(result, { status: 0, out: '{"count":2 0\n', err: '' });
});

test('a reader that has gone before anything was printed', (t) => {
    const folder = new Folder(t);
    for (const args of [...commands(folder.snapshot()), 'save -i x.json -o saved.chrono']) {
        folder.write('x.json', sample);
        const result = folder.shell(`{ sleep 0.2; $CLI ${args}; echo $? > status; } | true; cat status`);
        assert.deepEqual(result, { status: 0, out: '0\n', err: '' }, args);
    }
    assert.ok(folder.names().includes('saved.chrono'));
});

test('standard streams that are closed', (t) => {
    const folder = new Folder(t);
    const input = folder.write('x.json', sample);
    const closed = (args, streams) => folder.shell(`$CLI ${args} ${streams}`);
    assert.deepEqual(closed(`save -i ${input} -o a.chrono`, '<&- >&- 2>&-'), { status: 0, out: '', err: '' });
    assert.deepEqual(closed('save -i none.json -o b.chrono', '<&- >&- 2>&-'), { status: 1, out: '', err: '' });
    assert.deepEqual(closed('save -i - -o b.chrono', '<&-'), {
        status: 1,
        out: '',
        err: 'Error: standard input: the input holds no memories\nHint: nothing was written\n',
    });
    assert.deepEqual(folder.names(), ['a.chrono', 'x.json']);
    assert.match(folder.ok(['stats', '-f', 'a.chrono']), /^Total memories: 4\n/);
});

test('no more memory', { skip: !isNative && 'Node itself needs more than we could leave it' }, (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    folder.write('x.json', sample);
    folder.write('large.json', { id: 'a', data: [1], text: 'x'.repeat(8e6) });
    const limited = (kib, line) => folder.shell(`ulimit -v ${kib}; ${line}`);
    if (limited(200000, '$CLI --version').status !== 0) return t.skip('a sanitizer needs the address space');
    const store = limited(200000, `$CLI save -i x.json -o ${file} -m 1073741824`);
    assert.match(store.err, /^Error: .*max_memories 1073741824.*\nHint: the machine gave no more memory; lower --max-memories\n$/);
    const text = limited(12000, `$CLI save -i large.json -o ${file}`);
    assert.equal(text.err, 'Error: out of memory\nHint: close other programs, or use a machine with more memory\n');
    assert.deepEqual([store.status, text.status], [1, 1]);
    assert.ok(before.equals(folder.read(file)));
    assert.deepEqual(folder.names(), ['large.json', file, 'x.json']);
});
