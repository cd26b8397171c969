// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * report.mjs EXPORT.json LEAST - tables from what `llvm-cov export` says: lines per module and MC/DC of core/index and core/persist, and the lines that nothing reaches.
 * Fails when core/, all of its files together, has less than LEAST per cent of its lines covered. llvm-cov warns of "mismatched data": inline functions of headers that one file
 * uses and another of the same name does not.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const MODULES = ['base', 'distance', 'index', 'memory', 'store', 'persist'].map((name) => `core/${name}`);
const REST = ['core/baseline', 'core/api.c', 'platform', 'native'];

const [file, least] = process.argv.slice(2);
const files = JSON.parse(readFileSync(file, 'utf8')).data[0].files.map((entry) => ({ ...entry, name: relative(root, entry.filename) }));

/** The lines on which a segment with a count of 0 begins or goes on. */
function missed({ segments }) {
    const lines = new Set();
    for (let i = 0; i + 1 < segments.length; i++) {
        const [line, , count, hasCount, , isGap] = segments[i];
        if (!hasCount || isGap || count > 0) continue;
        const [endLine, endColumn] = segments[i + 1];
        for (let l = line; l < endLine || (l === endLine && endColumn > 1); l++) lines.add(l);
    }
    return [...lines].sort((a, b) => a - b);
}

/** 3, 4, 5, 9: "3-5 9" */
function ranges(numbers) {
    const out = [];
    for (const n of numbers) {
        const last = out.at(-1);
        if (last && n <= last[1] + 1) last[1] = n;
        else out.push([n, n]);
    }
    return out.map(([a, b]) => (a === b ? `${a}` : `${a}-${b}`)).join(' ');
}

function sum(of, kind) {
    const [count, covered] = ['count', 'covered'].map((key) => of.reduce((n, { summary }) => n + (summary[kind]?.[key] ?? 0), 0));
    return { count, covered, percent: count > 0 ? (100 * covered) / count : 100 };
}

const exempt = readFileSync(new URL('exempt.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => line.split(': '));
let nFailed = 0;
for (const [name, why] of exempt) {
    const isThere = files.some((entry) => entry.name === name);
    console.log(`# not counted: ${name}: ${why}${isThere ? '' : ' - BUT THERE IS NO SUCH FILE'}`);
    if (!isThere) nFailed++;
}
const counted = files.filter(({ name }) => !exempt.some(([other]) => other === name));

const cell = ({ covered, count, percent }) => `${`${covered}/${count}`.padStart(11)} ${percent.toFixed(1).padStart(6)} %`;
console.log(`${'module'.padEnd(16)}${'lines'.padStart(11)}${'branches'.padStart(20)}${'MC/DC'.padStart(20)}`);
for (const module of [...MODULES, ...REST]) {
    const of = counted.filter(({ name }) => name === module || name.startsWith(`${module}/`));
    if (of.length === 0) continue;
    console.log(`${module.padEnd(16)}${cell(sum(of, 'lines'))}${cell(sum(of, 'branches'))}${cell(sum(of, 'mcdc'))}`);
}
console.log('lines that nothing reaches:');
for (const entry of counted) {
    const lines = missed(entry);
    if (lines.length > 0 && !entry.name.startsWith('tests/')) console.log(`  ${entry.name}: ${ranges(lines)}`);
}

function gate(what, percent) {
    if (percent < Number(least)) nFailed++;
    console.log(`${percent < Number(least) ? 'not ok' : 'ok'} - ${what}: ${percent.toFixed(2)} % of the lines, ${least} wanted`);
}
gate(
    'core',
    sum(
        counted.filter(({ name }) => name.startsWith('core/')),
        'lines',
    ).percent,
);
for (const module of ['core/index', 'core/persist']) {
    const { covered, count, percent } = sum(
        counted.filter(({ name }) => name.startsWith(`${module}/`)),
        'mcdc',
    );
    console.log(`# ${module}: MC/DC ${covered} of ${count} conditions, ${percent.toFixed(1)} %`);
}
console.log(`${nFailed > 0 ? 0 : 1} passed, ${nFailed} failed`);
process.exitCode = nFailed > 0 ? 1 : 0;
