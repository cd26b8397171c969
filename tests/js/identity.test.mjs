// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The same operations in the same order give the same answers and the same snapshot, bit for bit: natively on the widest instruction set and without any, and
 * in WebAssembly with both builds of both toolchains.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { answersOf, linesOf, makeSequence, METRICS, VECTOR_KINDS } from './operations.mjs';
import { BUILDS, load, MODULES, moduleOf, native, open, randomFrom, randomVector, root, temporaryFolder } from './support.mjs';

const isFull = process.env.CM_TEST_LENGTH === 'full';

/** Mostly inserts and searches: stores that are large enough for every part of the index. */
const LONG = { insert: 50, remove: 8, access: 6, update: 6, relate: 3, unrelate: 2, decay: 1, search: 22, related: 2, summary: 2 };
/** Everything, in stores of a few memories. */
const SHORT = {
    insert: 14,
    remove: 3,
    access: 2,
    update: 4,
    relate: 3,
    unrelate: 2,
    decay: 1,
    search: 8,
    related: 2,
    summary: 1,
    consolidate: 1,
};

/** A failure names the seed: CM_TEST_SEED=n CM_TEST_SEQUENCES=1 repeats it. */
const FIRST_SEED = Number(process.env.CM_TEST_SEED ?? 1);
const N_SEQUENCES = Number(process.env.CM_TEST_SEQUENCES ?? (isFull ? 10_000 : 300));
const N_OPERATIONS = 40;
const BATCH = 250;

function shortSequence(seed) {
    const random = randomFrom(seed * 7919);
    const between = (least, most) => least + Math.floor(random() * (most - least + 1));
    const m = between(2, 4);
    const rules = {
        dimensions: between(1, 12),
        maxMemories: between(10, 50),
        metric: METRICS[between(0, 2)],
        vectors: VECTOR_KINDS[between(0, 2)],
        maxRelationships: between(2, 8),
        m,
        efConstruction: between(m, 40),
        efSearch: between(1, 8),
    };
    return makeSequence(seed, { length: N_OPERATIONS, nInserts: between(0, 25), nIds: between(5, 60), weights: SHORT, rules });
}

function longSequence(metric, dimensions, vectors = 'f32') {
    const rules = { dimensions, maxMemories: 900, metric, vectors, maxRelationships: 50, m: 16, efConstruction: 200, efSearch: 50 };
    return makeSequence(dimensions, { length: 1500, nInserts: 0, nIds: 400, weights: LONG, rules });
}

function compileReplay(folder) {
    const libraries = dirname(native('libchronomind.so'));
    const program = join(folder, 'replay');
    const args = ['-std=c11', '-O1', '-Wall', '-Wextra', '-Werror', `-I${root}/core/include`, `${root}/tests/js/replay.c`, '-o', program];
    run('cc', [...args, `-L${libraries}`, `-Wl,-rpath,${libraries}`, '-lchronomind']);
    return program;
}

function run(program, args, env = {}) {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } });
    assert.deepEqual({ status, stderr, error }, { status: 0, stderr: '', error: undefined }, `${program} ${args.join(' ')}`);
}

/** Of each sequence what it answers, and the snapshot after it. */
function replayed(replay, folder, sequences, isa) {
    const [operations, answers, snapshots] = ['operations', 'answers', 'snapshots'].map((name) => join(folder, name));
    writeFileSync(operations, sequences.map(linesOf).join(''));
    run(replay, [operations, answers, snapshots], { CHRONOMIND_ISA: isa });
    const bytes = readFileSync(snapshots);
    let at = 0;
    const texts = readFileSync(answers, 'utf8').split(/^n (\d+)\n/m);
    return sequences.map((_, i) => {
        const begin = at;
        at += Number(texts[2 * i + 1]);
        return { answers: texts[2 * i], snapshot: bytes.subarray(begin, at) };
    });
}

/** In WebAssembly. */
async function performed(t, module, { rules, operations }) {
    const mind = await open(t, { ...rules, wasmModule: moduleOf(module) });
    assert.equal(mind.build, module.build);
    const answers = answersOf(mind, operations);
    mind.check();
    const snapshot = Buffer.from(mind.toBytes());
    mind.close();
    return { answers, snapshot };
}

/** Fails with the first answer that differs. */
function assertSame(name, sequence, expected, { answers, snapshot }) {
    const what = `${name}, seed ${sequence.seed}, rules ${JSON.stringify(sequence.rules)}`;
    for (let at = 0, i = 0; i < answers.length; at += answers[i].length, i++) {
        const wanted = expected.answers.slice(at, at + answers[i].length);
        if (wanted !== answers[i]) assert.equal(answers[i], wanted, `${what}: operation ${i}: ${JSON.stringify(sequence.operations[i])}`);
    }
    assert.equal(answers.join(''), expected.answers, what);
    assert.ok(snapshot.equals(expected.snapshot), `${what}: the snapshots differ`);
}

test('native and WebAssembly: the same answers and the same snapshot, bit for bit', async (t) => {
    const folder = temporaryFolder(t);
    const replay = compileReplay(folder);
    const sequences = [longSequence('cosine', 31), longSequence('dot', 8), longSequence('l2', 100)];
    for (const [i, metric] of METRICS.entries()) {
        sequences.push(longSequence(metric, 60 + i, 'bf16'), longSequence(metric, 90 + i, 'i8'));
    }
    const expected = replayed(replay, folder, sequences, '');
    for (const [i, scalar] of replayed(replay, folder, sequences, 'scalar').entries()) {
        assertSame('scalar', sequences[i], expected[i], { ...scalar, answers: [scalar.answers] });
    }
    for (const module of MODULES) {
        for (const [i, sequence] of sequences.entries()) {
            assertSame(module.name, sequence, expected[i], await performed(t, module, sequence));
        }
    }
    for (const { answers, snapshot } of expected) {
        assert.ok(answers.length > 10000 && snapshot.length > 10000);
        for (const strategy of ['graph', 'streams', 'scan']) assert.match(answers, new RegExp(`\n  ${strategy} `));
    }
});

test(`${N_SEQUENCES} short sequences of everything: the same answers and the same snapshots, bit for bit`, async (t) => {
    t.diagnostic(`CM_TEST_SEED=${FIRST_SEED}`);
    const folder = temporaryFolder(t);
    const replay = compileReplay(folder);
    const seen = new Map();
    for (let begin = 0; begin < N_SEQUENCES; begin += BATCH) {
        const length = Math.min(BATCH, N_SEQUENCES - begin);
        const sequences = Array.from({ length }, (_, i) => shortSequence(FIRST_SEED + begin + i));
        const expected = replayed(replay, folder, sequences, begin % (2 * BATCH) === 0 ? '' : 'scalar');
        for (const module of MODULES) {
            for (const [i, sequence] of sequences.entries()) {
                assertSame(module.name, sequence, expected[i], await performed(t, module, sequence));
            }
        }
        for (const { answers } of expected) {
            for (const [, end] of answers.matchAll(/(?:^|\n)(\w.*| {2}(?:none|graph|streams|scan)\b)/g)) {
                const key = end.replace(/^(\w).* (-?\d+)$/, '$1 $2').trim();
                seen.set(key, (seen.get(key) ?? 0) + 1);
            }
        }
    }
    t.diagnostic(
        [...seen]
            .map(([key, n]) => `${key}: ${n}`)
            .sort()
            .join(', '),
    );
    if (N_SEQUENCES >= 100)
        for (const key of ['none', 'graph', 'streams', 'scan', 'i -9', 'l -13', 'u 0', 'w -7']) assert.ok(seen.has(key), key);
});

test('a snapshot goes on where it was saved, whoever loads it', async (t) => {
    const sequence = longSequence('cosine', 16);
    const half = sequence.operations.length / 2;
    const whole = await open(t, { ...sequence.rules, build: 'threads' });
    answersOf(whole, sequence.operations.slice(0, half));
    const answers = [];
    const snapshots = [];
    for (const build of BUILDS) {
        const mind = await load(t, whole.toBytes(), { build });
        answers.push(answersOf(mind, sequence.operations.slice(half)));
        snapshots.push(Buffer.from(mind.toBytes()));
    }
    assert.deepEqual(answers[0], answers[1]);
    assert.ok(snapshots[0].equals(snapshots[1]));
});

test('the command lines write the same file', (t) => {
    const folder = temporaryFolder(t);
    const random = randomFrom(4);
    const record = (i) => ({ id: `m${i % 700}`, data: [...randomVector(random, 12)], relationships: [`m${i % 9}`], metadata: { i } });
    writeFileSync(join(folder, 'in.json'), JSON.stringify(Array.from({ length: 1000 }, (_, i) => record(i))));
    const args = (output) => ['save', '-i', join(folder, 'in.json'), '-o', join(folder, output), '--normalize', '--now', '0'];
    const say = (program, first, output) => spawnSync(program, [...first, ...args(output)], { encoding: 'utf8' }).stdout.trim();
    assert.match(say(native('chronomind'), [], 'native'), /^Saved 700 memories/);
    assert.match(say(process.execPath, [join(root, 'js/dist/cli.js')], 'wasm'), /^Saved 700 memories/);
    assert.ok(readFileSync(join(folder, 'native')).equals(readFileSync(join(folder, 'wasm'))));
});
