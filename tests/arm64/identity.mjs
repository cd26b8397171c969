// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The same operations in the same order on x86-64 and on arm64 (qemu-user): the answers and the snapshots must be the same bytes, with NEON and without. tests/js/replay.c
 * performs them; tests/js/identity.test.mjs does the same for WebAssembly. CM_TEST_SEQUENCES says how many short sequences; CM_TEST_SEED with which they begin.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { linesOf, makeSequence, METRICS } from '../js/operations.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const firstSeed = Number(process.env.CM_TEST_SEED ?? 1);
const nShort = Number(process.env.CM_TEST_SEQUENCES ?? (process.env.CM_TEST_LENGTH === 'full' ? 1000 : 100));

const LONG = { insert: 50, remove: 8, access: 6, update: 6, relate: 3, unrelate: 2, decay: 1, search: 22, related: 2, summary: 2 };
const SHORT = { ...LONG, insert: 30, consolidate: 2 };

function rulesOf(metric, dimensions, maxMemories) {
    return { dimensions, maxMemories, metric, maxRelationships: 8, m: 8, efConstruction: 60, efSearch: 20 };
}

function sequences() {
    const long = [31, 8, 100].map((dimensions, i) =>
        makeSequence(dimensions, { length: 1500, nInserts: 0, nIds: 400, weights: LONG, rules: rulesOf(METRICS[i], dimensions, 900) }),
    );
    const short = Array.from({ length: nShort }, (_, i) => {
        const rules = rulesOf(METRICS[i % 3], 1 + (i % 37), 50);
        return makeSequence(firstSeed + i, { length: 40, nInserts: i % 20, nIds: 40, weights: SHORT, rules });
    });
    return [...long, ...short];
}

function run(command, env = {}) {
    const { status, stderr, error } = spawnSync(command[0], command.slice(1), { encoding: 'utf8', env: { ...process.env, ...env } });
    assert.deepEqual({ status, stderr, error }, { status: 0, stderr: '', error: undefined }, command.join(' '));
}

const folder = mkdtempSync(join(tmpdir(), 'chronomind-arm64-'));
const at = (name) => join(folder, name);

function compile(compiler, program, library) {
    const flags = ['-std=c11', '-O1', '-Wall', '-Wextra', '-Werror', `-I${root}/core/include`, `${root}/tests/js/replay.c`];
    run([compiler, ...flags, '-o', at(program), join(root, library), '-lpthread']);
}

function perform(name, command, isa) {
    run([...command, at('operations'), at(`${name}.answers`), at(`${name}.snapshots`)], { CHRONOMIND_ISA: isa });
    return { name, answers: readFileSync(at(`${name}.answers`)), snapshots: readFileSync(at(`${name}.snapshots`)) };
}

/** Where two texts part. */
function difference(one, other) {
    const [a, b] = [one, other].map((bytes) => bytes.toString('utf8').split('\n'));
    const line = a.findIndex((text, i) => text !== b[i]);
    return `line ${line + 1}: ${a[line]} / ${b[line]}`;
}

let nFailed = 0;
function verdict(holds, what) {
    if (!holds) nFailed++;
    console.log(`${holds ? 'ok' : 'not ok'} - ${what}`);
}

try {
    compile('cc', 'x86-64', 'build/arm64-host/libchronomind.a');
    compile('aarch64-linux-gnu-gcc', 'arm64', 'build/arm64/libchronomind.a');
    const all = sequences();
    writeFileSync(at('operations'), all.map(linesOf).join(''));
    const emulated = ['qemu-aarch64', '-R', '4G', '-L', '/usr/aarch64-linux-gnu', at('arm64')];
    const native = perform('native', [at('x86-64')], '');
    const sizes = `${all.length} sequences, ${native.answers.length} bytes of answers, ${native.snapshots.length} of snapshots, seeds from ${firstSeed}`;
    console.log(`# ${sizes}`);
    verdict(native.answers.length > 100_000 && native.snapshots.length > 100_000, 'there is something to compare');
    for (const other of [perform('neon', emulated, ''), perform('scalar', emulated, 'scalar')]) {
        const same = native.answers.equals(other.answers);
        verdict(same, `${other.name}: the same answers${same ? '' : `, but ${difference(native.answers, other.answers)}`}`);
        verdict(native.snapshots.equals(other.snapshots), `${other.name}: the same snapshots`);
    }
    console.log(`${5 - nFailed} passed, ${nFailed} failed`);
} finally {
    rmSync(folder, { recursive: true });
}
process.exitCode = nFailed > 0 ? 1 : 0;
