// SPDX-License-Identifier: MIT OR Apache-2.0
/** What the JavaScript benchmarks count with (bench/js): an engine whose answers are known gets the recall and the rates that it should. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { median, Rows, rateAt } from '../../bench/js/figures.mjs';
import { measure } from '../../bench/js/measure.mjs';
import { temporaryFolder } from './support.mjs';

const K = 10;

/** Finds the first `ef` of the ten right ones of every query, then wrong ones; or the first over and over. */
function engineOf(log, repeats) {
    let ef = 0;
    const wrong = Array.from({ length: K }, (_, i) => 1000 + i);
    return {
        insert: (i) => log.push(i),
        use: (width) => {
            ef = width;
        },
        search: (query) => Array.from({ length: K }, (_, i) => (i < ef ? query[0] * K + (repeats ? 0 : i) : wrong[i])).map(BigInt),
    };
}

async function measured(repeats = false) {
    const nQueries = 20;
    const data = {
        ...{ n: 1500, dimensions: 2, k: K, efs: [3, 7, 10] },
        base: new Float32Array(3000),
        queries: Float32Array.from({ length: 2 * nQueries }, (_, i) => i >> 1),
        truth: Uint32Array.from({ length: nQueries * K }, (_, i) => i),
    };
    const logs = [];
    const open = async () => engineOf(logs[logs.push([]) - 1], repeats);
    let seconds = 0;
    return { logs, ...(await measure({ open }, data, () => seconds++)) };
}

test('recall is the share of the true ones, in any kind of number, each counted once', async () => {
    const { searches } = await measured();
    assert.deepEqual(
        searches.map(({ ef, recall }) => [ef, recall]),
        [
            [3, 0.3],
            [7, 0.7],
            [10, 1],
        ],
    );
    assert.equal((await measured(true)).searches[2].recall, 0.1);
});

test('an index of its own is warmed up and dropped; the measured one gets every row once, in order', async () => {
    const { logs, insert } = await measured();
    assert.equal(logs.length, 2);
    assert.deepEqual(logs[1], [...Array(1500).keys()]);
    assert.equal(insert.cpu, 1500); // the clock of this test moves by one second
});

test('the rate at a recall lies between the two widths that enclose it', () => {
    const points = [
        { ef: 10, recall: 0.9, rate: 400 },
        { ef: 20, recall: 0.94, rate: 200 },
        { ef: 40, recall: 0.96, rate: 50 },
    ];
    const { rate, ef } = rateAt(points);
    assert.ok(Math.abs(rate - 100) < 1e-6, `${rate}`);
    assert.ok(Math.abs(ef - 30) < 1e-6, `${ef}`);
    assert.equal(rateAt(points, 0.97), undefined);
    assert.deepEqual([rateAt(points, 0.5).rate, rateAt(points, 0.5).recall], [400, 0.9]);
});

test('medians, and cells with commas', (t) => {
    assert.equal(median([5, 1, 100]), 5);
    assert.equal(median([4, 1, 2, 100]), 3);
    const file = join(temporaryFolder(t), 'rows.csv');
    const rows = new Rows();
    rows.add({ workload: 'words 50,000 x 100', system: 'a "b"', median: 1 });
    rows.write(file);
    const [head, row] = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.equal(head, 'workload,system,version,threads,parameter,recall,rate,unit,median,min,max,note');
    assert.equal(row, '"words 50,000 x 100","a ""b""",,,,,,,1,,,');
});
