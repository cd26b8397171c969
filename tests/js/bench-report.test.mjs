// SPDX-License-Identifier: MIT OR Apache-2.0
/** docs/BENCHMARKS.md and its plots are what bench/report makes of the committed results; a changed figure anywhere is seen. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from '../../bench/report/csv.mjs';
import { readResults, render } from '../../bench/report/report.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const results = readResults();
const made = render(results);

test('the committed report is the one that the committed results make', () => {
    for (const [name, content] of Object.entries(made))
        assert.equal(readFileSync(path.join(root, name), 'utf8'), content, `${name}: run ./build.sh bench report`);
});

test('no plot is left that no result stands behind', () => {
    const expected = Object.keys(made).filter((name) => name.endsWith('.svg'));
    assert.deepEqual(readdirSync(path.join(root, 'docs/images/bench')).sort(), expected.map((name) => path.basename(name)).sort());
    for (const name of expected)
        assert.match(made['docs/BENCHMARKS.md'], new RegExp(`images/bench/${path.basename(name)}`), `${name} is not shown`);
});

test('every median reaches the report: change one and it differs', () => {
    for (const workload of ['insert', 'bulk', 'mixed', 'memory', 'load']) {
        const changed = new Map(results);
        const rows = structuredClone(results.get(workload));
        rows.find((row) => ['chronomind', 'chronomind store', 'batch'].includes(row.system)).median *= 3;
        changed.set(workload, rows);
        assert.notEqual(render(changed)['docs/BENCHMARKS.md'], made['docs/BENCHMARKS.md'], workload);
    }
});

test('the report holds no hole', () => {
    assert.doesNotMatch(made['docs/BENCHMARKS.md'], /\{\{|undefined|NaN/);
    for (const [name, content] of Object.entries(made)) assert.doesNotMatch(content, /undefined|NaN/, name);
});

test('files are read as they were written: quotes, empty fields, numbers', () => {
    const [row] = parse('machine,recall,median,unit\n"AMD, 2 cores",,12.5,inserts/s\n');
    assert.deepEqual(row, { machine: 'AMD, 2 cores', recall: undefined, median: 12.5, unit: 'inserts/s' });
    assert.throws(() => parse('a,b\n1\n'), /1 fields instead of 2/);
});
