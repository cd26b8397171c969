// SPDX-License-Identifier: MIT OR Apache-2.0
/** The progress line: on a terminal, when it takes longer than a second, wiped at the end; never otherwise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Folder, manyRows } from './support.mjs';

const WIPE = `\r${' '.repeat(72)}\r`;
/** Two and a half seconds of records, forty a second. */
const drip = 'for i in {1..100}; do echo "{\\"id\\":\\"$i\\",\\"data\\":[1]}"; sleep 0.025; done';

test('a long run on a terminal', (t) => {
    const folder = new Folder(t);
    const begin = performance.now();
    const { status, shown } = folder.terminal(`{ ${drip}; } | $CLI save -i - -o m.chrono`);
    const seconds = (performance.now() - begin) / 1000;
    assert.equal(status, 0);
    const end = shown.indexOf(WIPE);
    assert.ok(end > 0, 'it is wiped');
    assert.equal(shown.slice(end + WIPE.length), 'Saved 100 memories to m.chrono\r\n');
    const drawn = shown.slice(0, end).split('\r').slice(1);
    for (const line of drawn) assert.match(line, /^\d+ memories$/);
    assert.ok(Number.parseInt(drawn[0], 10) > 10, 'not before a second has passed');
    assert.ok(drawn.length >= 3 && drawn.length <= (seconds - 1) * 10 + 1, `${drawn.length} redraws in ${seconds} s`);
});

test('an error wipes it, too', (t) => {
    const folder = new Folder(t);
    const { status, shown } = folder.terminal(`{ ${drip}; echo '}'; } | $CLI save -i - -o m.chrono`);
    assert.equal(status, 1);
    const [before, after] = shown.split(WIPE);
    assert.match(before, /\r\d+ memories$/);
    assert.match(after, /^Error: standard input: line 101, column 1: unexpected '}'\r\nHint: .*\r\n$/);
});

test('a file shows how much of it was read', (t) => {
    const folder = new Folder(t);
    folder.write('many.fvecs', manyRows(8000));
    const { status, shown } = folder.terminal('$CLI save -i many.fvecs -o m.chrono --m 64 --ef-construction 2000');
    assert.equal(status, 0);
    const drawn = shown.slice(0, shown.indexOf(WIPE)).split('\r').slice(1);
    assert.ok(drawn.length >= 2);
    let last = 0;
    for (const line of drawn) {
        const [, bar, percent, n] = /^\[(#* *)\] {1,3}(\d+)% {2}(\d+) memories$/.exec(line);
        assert.equal(bar.length, 30);
        assert.ok(Math.abs(bar.replaceAll(' ', '').length - (percent * 30) / 100) <= 1, line);
        assert.ok(Number(percent) <= 100 && Number(n) > last);
        last = Number(n);
    }
    assert.match(shown, / {72}\rSaved 8000 memories to m\.chrono\r\n$/);
});

test('a short run, and a terminal that is not standard error', (t) => {
    const folder = new Folder(t);
    assert.equal(folder.terminal('echo \'{"id":"a","data":[1]}\' | $CLI save -i - -o m.chrono').shown, 'Saved 1 memories to m.chrono\r\n');
    const redirected = folder.terminal(`{ ${drip}; } | $CLI save -i - -o m.chrono 2> err`);
    assert.equal(redirected.shown, 'Saved 100 memories to m.chrono\r\n');
    assert.equal(folder.read('err').toString(), '');
});

test('without a terminal', (t) => {
    const folder = new Folder(t);
    assert.deepEqual(folder.shell(`{ ${drip}; } | $CLI save -i - -o m.chrono`), {
        status: 0,
        out: 'Saved 100 memories to m.chrono\n',
        err: '',
    });
});
