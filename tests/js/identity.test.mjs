// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The same operations in the same order give the same answers and the same snapshot, bit for bit: natively on the widest instruction set and without any, and
 * in WebAssembly with both builds of both toolchains.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BUILDS, built, load, moduleBytes, open, randomFrom, randomVector, root, temporaryFolder } from './support.mjs';

const N_OPERATIONS = 1500;
const N_IDS = 400;
const MAX_MEMORIES = 900;
const NOW = Date.UTC(2024, 0, 1);
const METRICS = ['cosine', 'dot', 'l2'];

const words = new DataView(new ArrayBuffer(4));

function bitsOf(x) {
    words.setFloat32(0, x);
    return words.getUint32(0).toString(16).padStart(8, '0');
}

/** Inserts, replacements, removals, accesses and searches in a random order. */
function makeOperations(seed, dimensions) {
    const random = randomFrom(seed);
    const whole = (n) => Math.floor(random() * n);
    const id = () => `m${whole(N_IDS)}`;
    const make = {
        insert: () => ({
            id: id(),
            vector: randomVector(random, dimensions).map((x) => (random() < 0.05 ? 0 : x)),
            context: ['default', 'work', 'дом'][whole(3)],
            importance: Math.fround(random()),
            decayRate: random() < 0.5 ? 0 : Math.fround(random()),
            timestamp: NOW - whole(1e9),
            text: 'text '.repeat(whole(5)),
            relationships: Array.from({ length: whole(4) }, id),
        }),
        remove: () => ({ id: id() }),
        access: () => ({ id: id(), now: NOW + whole(1e6) }),
        search: () => ({
            k: 1 + whole(20),
            context: random() < 0.5 ? undefined : 'work',
            temporalWeight: Math.fround(random()),
            now: NOW + whole(1e9),
            vector: randomVector(random, dimensions),
        }),
    };
    return Array.from({ length: N_OPERATIONS }, () => {
        const x = random();
        const kind = x < 0.5 ? 'insert' : x < 0.6 ? 'remove' : x < 0.7 ? 'access' : 'search';
        return { kind, ...make[kind]() };
    });
}

/** For replay.c. */
function line({ kind, id, vector, ...rest }) {
    const numbers = vector && Array.from(vector, bitsOf).join(',');
    const fields = {
        insert: () => [
            id,
            rest.context,
            bitsOf(rest.importance),
            bitsOf(rest.decayRate),
            rest.timestamp,
            rest.text,
            rest.relationships,
            numbers,
        ],
        remove: () => [id],
        access: () => [id, rest.now],
        search: () => [rest.k, rest.context ?? '', bitsOf(rest.temporalWeight), rest.now, numbers],
    };
    return [kind[0], ...fields[kind]()].join('\t');
}

/** In WebAssembly. */
function perform(mind, operations) {
    const answers = [];
    for (const { kind, id, vector, now, ...rest } of operations) {
        if (kind === 'insert') mind.insert({ id, vector, ...rest });
        else if (kind === 'remove') mind.remove(id);
        else if (kind === 'access') mind.access(id, now);
        else answers.push(...mind.search(vector, { ...rest, now }).map(hitLine), '');
    }
    return `${answers.join('\n')}\n`;
}

function hitLine({ id, score, distance, why }) {
    return `${id} ${bitsOf(score)} ${bitsOf(distance)} ${bitsOf(why.recency)}`;
}

const native = 'run ./build.sh native';

function compileReplay(folder) {
    const libraries = join(built('build/native/libchronomind.so', native), '..');
    const program = join(folder, 'replay');
    const args = ['-std=c11', '-O1', '-Wall', '-Wextra', '-Werror', `-I${root}/core/include`, `${root}/tests/js/replay.c`, '-o', program];
    run('cc', [...args, `-L${libraries}`, `-Wl,-rpath,${libraries}`, '-lchronomind']);
    return program;
}

function run(program, args, env = {}) {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } });
    assert.deepEqual({ status, stderr, error }, { status: 0, stderr: '', error: undefined }, `${program} ${args.join(' ')}`);
}

test('native and WebAssembly: the same answers and the same snapshot, bit for bit', async (t) => {
    const folder = temporaryFolder(t);
    const replay = compileReplay(folder);
    for (const [metric, dimensions] of [
        ['cosine', 31],
        ['dot', 8],
        ['l2', 100],
    ]) {
        const operations = makeOperations(dimensions, dimensions);
        writeFileSync(join(folder, 'operations'), operations.map((operation) => `${line(operation)}\n`).join(''));
        const results = new Map();
        for (const isa of ['', 'scalar']) {
            const [answers, snapshot] = [join(folder, 'answers'), join(folder, 'snapshot')];
            const args = [join(folder, 'operations'), answers, snapshot, dimensions, MAX_MEMORIES, METRICS.indexOf(metric)].map(String);
            run(replay, args, { CHRONOMIND_ISA: isa });
            results.set(`native ${isa}`, { answers: readFileSync(answers, 'utf8'), snapshot: readFileSync(snapshot) });
        }
        for (const toolchain of ['clang', 'emscripten']) {
            for (const build of BUILDS) {
                const mind = await open(t, { dimensions, maxMemories: MAX_MEMORIES, metric, wasmBinary: moduleBytes(build, toolchain) });
                assert.equal(mind.build, build);
                const answers = perform(mind, operations);
                mind.check();
                results.set(`${toolchain} ${build}`, { answers, snapshot: Buffer.from(mind.toBytes()) });
                mind.close();
            }
        }
        const [[, first]] = results;
        assert.ok(first.answers.length > 10000 && first.snapshot.length > 10000);
        for (const [name, { answers, snapshot }] of results) {
            assert.equal(answers, first.answers, `${metric}: answers of ${name}`);
            assert.ok(snapshot.equals(first.snapshot), `${metric}: snapshot of ${name}`);
        }
        t.diagnostic(`${metric}: ${results.size} runs, ${first.snapshot.length} bytes of snapshot`);
    }
});

test('a snapshot goes on where it was saved, whoever loads it', async (t) => {
    const dimensions = 16;
    const operations = makeOperations(99, dimensions);
    const half = operations.length / 2;
    const whole = await open(t, { dimensions, maxMemories: MAX_MEMORIES, build: 'threads' });
    perform(whole, operations.slice(0, half));
    const answers = [];
    const snapshots = [];
    for (const build of BUILDS) {
        const mind = await load(t, whole.toBytes(), { build });
        answers.push(perform(mind, operations.slice(half)));
        snapshots.push(Buffer.from(mind.toBytes()));
    }
    assert.equal(answers[0], answers[1]);
    assert.ok(snapshots[0].equals(snapshots[1]));
});

test('the command lines write the same file', (t) => {
    const folder = temporaryFolder(t);
    const random = randomFrom(4);
    const record = (i) => ({ id: `m${i % 700}`, data: [...randomVector(random, 12)], relationships: [`m${i % 9}`], metadata: { i } });
    writeFileSync(join(folder, 'in.json'), JSON.stringify(Array.from({ length: 1000 }, (_, i) => record(i))));
    const args = (output) => ['save', '-i', join(folder, 'in.json'), '-o', join(folder, output), '--normalize', '--now', '0'];
    const say = (program, first, output) => spawnSync(program, [...first, ...args(output)], { encoding: 'utf8' }).stdout.trim();
    assert.match(say(built('build/native/chronomind', native), [], 'native'), /^Saved 700 memories/);
    assert.match(say(process.execPath, [join(root, 'js/dist/cli.js')], 'wasm'), /^Saved 700 memories/);
    assert.ok(readFileSync(join(folder, 'native')).equals(readFileSync(join(folder, 'wasm'))));
});
