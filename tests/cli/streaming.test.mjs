// SPDX-License-Identifier: MIT OR Apache-2.0
/** The input is never held in memory: what a run needs depends on what it stores, not on how many bytes it reads. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { Folder } from './support.mjs';

const N_RECORDS = 200_000;
const BATCH = 1000;
const JUNK_BYTES = 1500;
const ALLOWED_KIB = 48 * 1024;

/** Pipes N_RECORDS records with `junkBytes` of ignored text each into save; gives the peak of its resident memory. */
async function peakKiB(folder, junkBytes) {
    const junk = 'j'.repeat(junkBytes);
    const child = folder.start([
        'save',
        '-i',
        '-',
        '-o',
        'm.chrono',
        '-m',
        String(N_RECORDS),
        '--m',
        '2',
        '--ef-construction',
        '2',
        '--now',
        '0',
    ]);
    let peak = 0;
    const look = () => {
        const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'));
        if (found) peak = Math.max(peak, Number(found[1]));
    };
    let out = '';
    child.stdout.on('data', (bytes) => (out += bytes));
    child.stderr.on('data', (bytes) => (out += bytes));
    for (let i = 0; i < N_RECORDS; i += BATCH) {
        let text = '';
        for (let j = i; j < i + BATCH; j++) text += `{"id":"${j}","junk":"${junk}","data":[${j % 977},${j % 1009}]}\n`;
        if (!child.stdin.write(text)) await once(child.stdin, 'drain');
        look();
    }
    child.stdin.end();
    const [status] = await once(child, 'close');
    assert.deepEqual({ status, out }, { status: 0, out: `Saved ${N_RECORDS} memories to m.chrono\n` });
    return peak;
}

test('300 MB of records need the memory of the 7 MB that are kept', { timeout: 300_000 }, async (t) => {
    const folder = new Folder(t);
    const small = await peakKiB(folder, 0);
    const large = await peakKiB(folder, JUNK_BYTES);
    t.diagnostic(
        `peak ${small} KiB for ${(N_RECORDS * 40) >> 20} MiB of input, ${large} KiB for ${(N_RECORDS * (JUNK_BYTES + 40)) >> 20} MiB`,
    );
    assert.ok(large < small + ALLOWED_KIB, `${large} KiB against ${small} KiB`);
});

test('one record of 300 MB, nearly all of it ignored', { timeout: 120_000 }, async (t) => {
    const folder = new Folder(t);
    const child = folder.start(['save', '-i', '-', '-o', 'm.chrono']);
    let peak = 0;
    child.stdin.write('{"id":"a","junk":[0');
    const numbers = ',1234567'.repeat(1 << 17);
    for (let i = 0; i < 300; i++) {
        if (!child.stdin.write(numbers)) await once(child.stdin, 'drain');
        peak = Math.max(peak, Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))[1]));
    }
    child.stdin.end('],"data":[1]}');
    const [status] = await once(child, 'close');
    assert.equal(status, 0);
    const limit = 250 * 1024; // the Node twin begins at 80 MiB and collects garbage when it likes
    assert.ok(peak < limit, `${peak} KiB`);
});
