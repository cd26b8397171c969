// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * kill -9 at a random moment of a save, again and again: the snapshot is always the old or the new one, and loads.
 *
 * Two inputs of different sizes take turns, so that every run that got through changes the file, and what is there is compared byte for byte with what an undisturbed run wrote. Moments are spread over the
 * measured length of a run and, every second time, aimed at the writing at its end. Seed and moments are printed; KILL_SEED=n repeats them. 40 kills, or 500 with CM_TEST_LENGTH=full.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Folder, isNative, manyRows, quick } from './support.mjs';

const TEMPORARY = /^\.chronomind-[0-9a-f]{16}\.tmp$/;
const KILLS = process.env.CM_TEST_LENGTH === 'full' ? 500 : 40;
const SEED = Number(process.env.KILL_SEED ?? 1 + (Date.now() % 1_000_000));
const sizes = [3000, 5000];
const file = 'memories.chrono';

/** Numbers in [0, 1), the same for the same seed. */
function randomOf(seed) {
    let state = seed >>> 0;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
    };
}

const saveOf = (n) => ['save', '-i', `${n}.fvecs`, '-o', file, '--now', '2024-01-01T00:00:00Z', ...quick];

/** Ends when bytes of the new file are on their way, or the program is done. Does not yield: a write takes milliseconds. */
function awaitWriting(folder, before) {
    const end = Date.now() + 30_000;
    while (Date.now() < end) {
        const { ino, mtimeMs } = statSync(join(folder.path, file));
        if (ino !== before.ino || mtimeMs !== before.mtimeMs) return;
        const temporary = folder.names().find((name) => TEMPORARY.test(name));
        const stat = temporary && statSync(join(folder.path, temporary), { throwIfNoEntry: false });
        if (stat?.size > 0) return;
    }
    throw new Error('nothing was ever written');
}

/** Starts a save and kills it: at a random moment of `length` milliseconds, or as soon as it writes. */
async function killed(folder, n, moment, whileWriting) {
    const before = statSync(join(folder.path, file));
    const child = folder.start(saveOf(n));
    let err = '';
    child.stderr.on('data', (bytes) => (err += bytes));
    const closed = once(child, 'close');
    if (whileWriting) awaitWriting(folder, before);
    else await sleep(moment);
    child.kill('SIGKILL');
    const [status, signal] = await closed;
    assert.equal(err, '');
    return status ?? signal;
}

test(`kill -9, ${KILLS} times`, { skip: !isNative && 'the file layer of Node has its own tests', timeout: 580_000 }, async (t) => {
    const folder = new Folder(t);
    const random = randomOf(SEED);
    const whole = new Map();
    let length = 0;
    for (const n of sizes) {
        folder.write(`${n}.fvecs`, manyRows(n));
        const start = performance.now();
        folder.ok(saveOf(n));
        length = performance.now() - start;
        whole.set(n, folder.read(file));
    }
    t.diagnostic(`seed ${SEED}, a run takes ${length.toFixed(0)} ms`);
    const inputs = sizes.map((n) => `${n}.fvecs`);
    const seen = { old: 0, new: 0, temporaries: 0, killed: 0 };
    let current = sizes[1];
    for (let i = 0; i < KILLS; i++) {
        const next = sizes.find((n) => n !== current);
        const whileWriting = i % 2 === 1;
        const moment = random() * length * 1.1;
        const status = await killed(folder, next, moment, whileWriting);
        const what = `kill ${i} of seed ${SEED}, ${whileWriting ? 'while writing' : `after ${moment.toFixed(1)} ms`}, ended ${status}`;
        assert.ok(status === 'SIGKILL' || status === 0, what);
        const bytes = folder.read(file);
        const isNew = bytes.equals(whole.get(next));
        assert.ok(isNew || (status !== 0 && bytes.equals(whole.get(current))), `${what}: neither the old snapshot nor the new one`);
        assert.match(folder.ok(['stats', '-f', file]), new RegExp(`^Total memories: ${isNew ? next : current}\n`), what);
        const strays = folder.names().filter((name) => name !== file && !inputs.includes(name));
        assert.ok(strays.length <= 1 && strays.every((name) => TEMPORARY.test(name)), `${what}: ${strays}`);
        for (const name of strays) folder.remove(name);
        seen[isNew ? 'new' : 'old']++;
        seen.temporaries += strays.length;
        seen.killed += status === 'SIGKILL' ? 1 : 0;
        if (isNew) current = next;
    }
    t.diagnostic(`${seen.killed} killed: ${seen.old} old, ${seen.new} new, ${seen.temporaries} with a temporary file`);
    assert.ok(seen.killed > KILLS / 4 && seen.temporaries > 0, 'hardly a run was caught in the middle');
    folder.ok(saveOf(sizes[0]));
    assert.ok(folder.read(file).equals(whole.get(sizes[0])));
});
