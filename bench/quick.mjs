// SPDX-License-Identifier: MIT OR Apache-2.0
// quick.mjs DRIVER - the smallest run of one workload: every index that was built answers well, and the file has what the report reads. The figures mean
// nothing.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from './report/csv.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'chronomind-bench-'));
let [passed, failed] = [0, 0];
function check(good, what) {
    good ? passed++ : failed++;
    if (!good) console.log(`not ok - ${what}`);
}

try {
    execFileSync(process.argv[2], ['mixed', '--quick', '--out', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
    const rows = parse(readFileSync(path.join(folder, 'mixed.csv'), 'utf8'));
    for (const system of ['chronomind', 'rwlock', '16 shards'])
        for (const threads of [1, 2])
            check(
                rows.some((row) => row.system === system && row.threads === threads && row.unit === 'operations/s'),
                `${system}, ${threads} threads: no row`,
            );
    for (const row of rows.filter((row) => row.unit === 'operations/s')) {
        const name = `${row.system}, ${row.threads} threads, ${row.clock}`;
        check(row.recall > 0.95, `${name}: recall ${row.recall}`);
        check(row.min > 0 && row.min <= row.median && row.median <= row.max, `${name}: ${row.min} .. ${row.median} .. ${row.max}`);
    }
    check(
        rows.every((row) => row.machine && row.commit !== undefined && row.workload === 'mixed'),
        'machine, commit, workload',
    );
} finally {
    rmSync(folder, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
