// SPDX-License-Identifier: MIT OR Apache-2.0
/** The two command lines are twins: of inputs that were damaged at random both say the same, to the letter, or write the same bytes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { native, randomFrom, temporaryFolder } from './support.mjs';

const N_INPUTS = 600;

const sound = [
    `[{"id":"a","data":[1,2.5,-3e2],"context":"c","importance":0.5,"relationships":["x","y"],"timestamp":"2024-01-01T00:00:00Z","text":"h\\u00e9\\ud83d\\ude00",
      "metadata":{"a":[1,null,true,{"b":"c"}]}},\n {"id":"b","data":[0,0,1],"timestamp":5,"decay_rate":1}]`,
    '{"id":"é","data":[1]}\n{"id":"b","data":[2]} {"id":"a","data":[0.1e-5],"x":[[[{}]]],"metadata":"t"}',
    '\ufeff[{"id":"q","data":[1,1],"metadata":1.50e+3,"importance":1},{"data":[1,0],"id":"r","text":null,"decay_rate":0.25}]',
];

const scraps = [
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '0',
    '1',
    '-',
    '+',
    '.',
    'e',
    't',
    'true',
    'null',
    '\n',
    '\t',
    '\u0000',
    '\v',
    '!',
];
scraps.push(
    '\\ud800',
    '\\udc00',
    '\\n',
    'é',
    '\u{1f600}',
    '1e400',
    '1e-400',
    '"id"',
    '"data"',
    '[1]',
    'NaN',
    '999999999999999999',
    '"2024-02-30"',
    '01',
);

function damaged(random) {
    const whole = (n) => Math.floor(random() * n);
    let bytes = Buffer.from(sound[whole(sound.length)]);
    for (let n = whole(4); n > 0; n--) {
        const at = whole(bytes.length);
        const scrap = Buffer.from(scraps[whole(scraps.length)]);
        const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
        const ways = [
            () => [before, after.subarray(1 + whole(4))],
            () => [before, scrap, after],
            () => [before, scrap, after.subarray(scrap.length)],
            () => [before, Buffer.from([whole(256)]), after.subarray(1)],
            () => [before],
        ];
        bytes = Buffer.concat(ways[whole(ways.length)]());
    }
    return bytes;
}

test(`${N_INPUTS} inputs, sound and damaged: the same words, the same files`, (t) => {
    const program = native('chronomind');
    const folder = temporaryFolder(t);
    const random = randomFrom(2024);
    const inputs = Array.from({ length: N_INPUTS }, () => damaged(random));
    for (const [i, bytes] of inputs.entries()) writeFileSync(join(folder, `${i}.json`), bytes);
    const twin = fileURLToPath(new URL('./twin.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [twin, folder, String(N_INPUTS)], { encoding: 'utf8' });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    const results = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'));
    const outcomes = new Set();
    for (const [i, bytes] of inputs.entries()) {
        const args = ['save', '--input', `${i}.json`, '--output', `${i}.native`, '--now', '7'];
        const run = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
        const what = `input ${i}: ${JSON.stringify(bytes.toString('latin1'))}`;
        assert.deepEqual(results[i], { status: run.status, err: run.stderr }, what);
        assert.equal(existsSync(join(folder, `${i}.wasm`)), run.status === 0, what);
        if (run.status === 0) assert.ok(readFileSync(join(folder, `${i}.native`)).equals(readFileSync(join(folder, `${i}.wasm`))), what);
        outcomes.add(run.stderr.split('\n')[0].replaceAll(/\d+/g, 'N'));
    }
    t.diagnostic(`${outcomes.size} different outcomes`);
    assert.ok(outcomes.size > 40 && outcomes.has(''), 'the inputs reach many messages, and some are sound');
});
