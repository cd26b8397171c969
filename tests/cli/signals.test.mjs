// SPDX-License-Identifier: MIT OR Apache-2.0
/** Programs that are told to stop, or killed, while they read and while they write: the old snapshot survives. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Folder, isNative, manyRows, quick, shellCommand } from './support.mjs';

const TEMPORARY = /^\.chronomind-[0-9a-f]{16}\.tmp$/;
const DEADLINE_MS = 30_000;
const limits = { timeout: 4 * DEADLINE_MS }; // a program that does not stop fails its test

/** Starts a save that waits for more input, once its output is prepared. */
async function startReading(folder, file) {
    const child = folder.start(['save', '-i', '-', '-o', file]);
    child.stdin.on('error', () => {});
    child.stdin.write('{"id":"a","data":[1]}\n');
    for (const end = Date.now() + DEADLINE_MS; !folder.names().some((name) => TEMPORARY.test(name)); await sleep(20))
        assert.ok(Date.now() < end, 'the output is prepared');
    await sleep(100);
    return child;
}

/** Starts a save and returns when bytes are on their way to the disk, or, on a busy machine, when they have arrived. Does not yield: a write takes milliseconds. */
function startWriting(folder, file) {
    const old = statSync(join(folder.path, file)).ino;
    const child = folder.start(['save', '-i', 'many.fvecs', '-o', file, ...quick]);
    for (const end = Date.now() + DEADLINE_MS; Date.now() < end; ) {
        const temporary = folder.names().find((name) => TEMPORARY.test(name));
        const nBytes = temporary && statSync(join(folder.path, temporary), { throwIfNoEntry: false })?.size;
        if (nBytes > 0 || statSync(join(folder.path, file)).ino !== old) return child;
    }
    throw new Error('nothing was ever written');
}

async function endOf(child) {
    let err = '';
    child.stderr.on('data', (bytes) => (err += bytes));
    const [status, signal] = await once(child, 'close');
    return { status: status ?? signal, err };
}

const interrupted = { status: 130, err: 'Error: interrupted\nHint: nothing was written\n' };

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    test(`${signal} while reading`, limits, async (t) => {
        const folder = new Folder(t);
        const file = folder.snapshot();
        const before = folder.read(file);
        const child = await startReading(folder, file);
        child.kill(signal);
        assert.deepEqual(await endOf(child), interrupted);
        assert.ok(before.equals(folder.read(file)));
        assert.deepEqual(folder.names(), [file]);
    });
}

test('SIGINT while writing: all or nothing', limits, async (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    folder.write('many.fvecs', manyRows(20_000));
    const child = startWriting(folder, file);
    child.kill('SIGINT');
    const result = await endOf(child);
    assert.deepEqual(folder.names(), ['many.fvecs', file]);
    if (result.status === 0) {
        assert.match(folder.ok(['stats', '-f', file]), /^Total memories: 20000\n/); // it was done before the signal was seen
    } else {
        assert.deepEqual(result, interrupted);
        assert.ok(before.equals(folder.read(file)));
    }
});

test('kill -9 while reading and while writing: the old file, and at most a temporary one beside it', limits, async (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    folder.write('many.fvecs', manyRows(20_000));
    let nKilledWriting = 0;
    for (let i = 0; i < 20 && nKilledWriting < 3; i++) {
        const child = i === 0 ? await startReading(folder, file) : startWriting(folder, file);
        child.kill('SIGKILL');
        const { status, err } = await endOf(child);
        assert.equal(err, '');
        const others = folder.names().filter((name) => name !== file && name !== 'many.fvecs');
        if (status === 'SIGKILL' && before.equals(folder.read(file))) {
            assert.match(others.join(), TEMPORARY);
            if (i > 0) nKilledWriting++;
        } else {
            assert.ok(i > 0, 'killed while reading');
            assert.deepEqual(others, []); // it had finished already: the new file is whole
            assert.match(folder.ok(['stats', '-f', file]), /^Total memories: 20000\n/);
            folder.write(file, before);
        }
        for (const name of others) folder.remove(name);
    }
    assert.ok(nKilledWriting > 0, 'no run was caught while writing');
    assert.equal(folder.ok(['save', '-i', 'many.fvecs', '-o', file, ...quick]), `Saved 20000 memories to ${file}\n`);
    assert.deepEqual(folder.names(), ['many.fvecs', file]);
});

test('a signal that was ignored from the start', { ...limits, skip: !isNative && 'Node cannot know' }, async (t) => {
    const folder = new Folder(t);
    folder.write('line.sh', `trap '' HUP; exec ${shellCommand} save -i - -o m.chrono`); // what nohup does
    const child = folder.start(['line.sh'], 'bash');
    child.stdin.write('{"id":"a","data":[1]}\n');
    while (folder.names().length < 2) await sleep(20);
    await sleep(100);
    child.kill('SIGHUP');
    await sleep(200);
    child.stdin.end('{"id":"b","data":[1]}\n');
    assert.deepEqual(await endOf(child), { status: 0, err: '' });
    assert.match(folder.ok(['stats', '-f', 'm.chrono']), /^Total memories: 2\n/);
});
