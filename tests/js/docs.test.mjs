// SPDX-License-Identifier: MIT OR Apache-2.0
// What the documentation shows is what the library does: its curves, its example programs, and the page of the API.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { temporaryFolder } from './support.mjs';
import { makeApi } from '../../docs/api.mjs';
import { drawAll } from '../../docs/curves/plot.mjs';

const file = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

test('the curves of docs/TEMPORAL.md are what the library computes (./build.sh curves draws them anew)', async () => {
    const drawn = await drawAll();
    const names = readdirSync(file('docs/curves')).filter((name) => name.endsWith('.svg'));
    assert.deepEqual(names.sort(), Object.keys(drawn).sort());
    for (const name of names) assert.equal(readFileSync(file(`docs/curves/${name}`), 'utf8'), drawn[name], name);
});

test('the example program runs, and ranks as its comments say', () => {
    const lines = execFileSync(process.execPath, [file('examples/temporal.mjs')], { encoding: 'utf8' }).split('\n');
    const line = (start) => lines.find((text) => text.startsWith(start));
    assert.match(line('nearest, whenever'), /: likes-tea /);
    assert.match(line('near and fresh'), /: ordered-coffee-again /);
    assert.match(line('only from the radio'), /: weather \S+$/);
    assert.match(line('why ordered-coffee-again'), /bound 0$/);
    assert.equal(line('related'), 'related to ordered-coffee: likes-tea');
    assert.equal(line('absorbed'), 'absorbed as near-duplicates: 1');
    assert.match(line("the user's context"), /: 2 memories/);
});

test('the example script runs with the command line program', () => {
    const out = execFileSync('bash', [file('examples/temporal.sh')], {
        encoding: 'utf8',
        env: { ...process.env, CHRONOMIND: `${process.execPath} ${file('js/dist/cli.js')}` },
    });
    assert.match(out, /-- near and fresh\n[\s\S]*ordered-coffee/);
    assert.match(out, /-- what is related\n[\s\S]*likes-tea/);
});

const run = (name, ...args) =>
    execFileSync(process.execPath, [file(`examples/${name}`), ...args], { encoding: 'utf8' })
        .trim()
        .split('\n');

test('examples/quickstart.mjs remembers when it is run again', (t) => {
    const path = join(temporaryFolder(t), 'agent.chrono');
    const first = run('quickstart.mjs', path);
    assert.equal(first[0], `0 memories in ${path}`);
    assert.match(first[1], /^[\d.]+ the user drinks tea \(user\)$/);
    assert.deepEqual(first.slice(3), [
        'from the wiki: the deploy key is in the vault',
        '"the deploy key is in the vault" was looked at 1 times',
    ]);
    const second = run('quickstart.mjs', path);
    assert.equal(second[0], `3 memories in ${path}`);
    assert.match(second.at(-1), /looked at 2 times$/);
});

test('examples/commonjs.cjs', () => {
    const [hello, refused, copy] = run('commonjs.cjs');
    assert.equal(hello, 'hello');
    assert.match(refused, /^CM_E_DIMENSION: /);
    assert.equal(copy, '1 memory in a copy');
});

/** Vectors that several threads insert at once into an empty index may be missed by an approximate search, if very rarely (README, "Honest limits"). */
test('examples/worker-threads.mjs: what three workers insert is there', () => {
    const lines = run('worker-threads.mjs');
    assert.equal(lines.filter((line) => /^worker \d inserted 400 /.test(line)).length, 3);
    assert.match(lines.at(-1), /^1200 memories, of which [01] are not found$/);
});

test('examples/langchain.mjs', () => {
    assert.deepEqual(run('langchain.mjs'), [
        'when is the meeting: the meeting is on Sunday',
        'whenever it was said: the meeting is on Monday',
        'on shelf 2: green tea is out',
        'documents: 2',
    ]);
});

test('every example is run by a test', () => {
    const elsewhere = ['README.md', 'browser', 'studio', 'vite', 'serve.mjs', 'temporal.c', 'memories.jsonl']; // tests/browser, tests/bundlers, the native tests
    const here = ['temporal.mjs', 'temporal.sh', 'quickstart.mjs', 'commonjs.cjs', 'worker-threads.mjs', 'langchain.mjs'];
    assert.deepEqual(readdirSync(file('examples')).sort(), [...elsewhere, ...here].sort());
});

test('docs/API.md is what the doc comments say (npm run docs writes it anew), and nothing exported lacks one', () => {
    const { text, bare } = makeApi();
    assert.deepEqual(bare, []);
    assert.equal(readFileSync(file('docs/API.md'), 'utf8'), text);
    for (const name of [
        'class ChronoMind',
        'class WorkerPool',
        'class ChronoMindStore',
        'SearchOptions',
        'chooseBuild()',
        'opfsStorage()',
    ]) {
        assert.ok(text.includes(`\n### ${name}\n`), name);
    }
    for (const [, anchor] of text.matchAll(/\]\(#([\w-]+)\)/g)) {
        const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading.toLowerCase().replace(/[^\w -]/g, ''));
        assert.ok(headings.includes(anchor), anchor);
    }
});
