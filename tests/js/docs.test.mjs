// SPDX-License-Identifier: MIT OR Apache-2.0
// What the documentation shows is what the library does: its curves, and its example programs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
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
