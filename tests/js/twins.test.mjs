// SPDX-License-Identifier: MIT OR Apache-2.0
/** The two command lines are twins: of inputs that were damaged at random both say the same, to the letter, or write the same bytes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { native, randomFrom, randomVector, temporaryFolder } from './support.mjs';

const N_INPUTS = 600;
const N_COMMANDS = 600;

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

/** Runs the same commands with both programs, each in a folder of its own that holds the same files; gives what each said. */
function runBoth(t, commands, files) {
    const program = native('chronomind');
    const folders = [temporaryFolder(t), temporaryFolder(t)];
    for (const folder of folders) {
        for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
        writeFileSync(join(folder, 'commands.json'), JSON.stringify(commands));
    }
    const [cwd, other] = folders;
    const expected = commands.map((args, i) => {
        const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
        if (existsSync(join(cwd, 'm.chrono'))) copyFileSync(join(cwd, 'm.chrono'), join(cwd, `${i}.after`));
        return { status, out: stdout, err: stderr };
    });
    const twin = fileURLToPath(new URL('./twin.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [twin, other], { encoding: 'utf8' });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    const results = JSON.parse(readFileSync(join(other, 'results.json'), 'utf8'));
    for (const [i, args] of commands.entries()) {
        const what = `command ${i}: ${JSON.stringify(args)}`;
        assert.deepEqual(results[i], expected[i], what);
        for (const name of [`${i}.after`, `${i}.chrono`]) {
            assert.equal(existsSync(join(other, name)), existsSync(join(cwd, name)), `${what}: ${name}`);
            if (existsSync(join(cwd, name)))
                assert.ok(readFileSync(join(cwd, name)).equals(readFileSync(join(other, name))), `${what}: ${name}`);
        }
    }
    return expected;
}

test(`${N_INPUTS} inputs, sound and damaged: the same words, the same files`, (t) => {
    const random = randomFrom(2024);
    const inputs = Array.from({ length: N_INPUTS }, () => damaged(random));
    const commands = inputs.map((_, i) => ['save', '--input', `${i}.json`, '--output', `${i}.chrono`, '--now', '7']);
    const results = runBoth(t, commands, Object.fromEntries(inputs.map((bytes, i) => [`${i}.json`, bytes])));
    const outcomes = new Set(results.map(({ err }) => err.split('\n')[0].replaceAll(/\d+/g, 'N')));
    t.diagnostic(`${outcomes.size} different outcomes`);
    assert.ok(outcomes.size > 40 && outcomes.has(''), 'the inputs reach many messages, and some are sound');
});

/** A memory for the commands below to work on. */
function record(random, i) {
    const whole = (n) => Math.floor(random() * n);
    return {
        id: `m${i}`,
        data: [...randomVector(random, 3)].map((x) => x * 10 ** (whole(12) - 6)),
        context: ['default', 'work', 'дом'][whole(3)],
        importance: random(),
        decay_rate: random() < 0.5 ? 0 : 10 ** (whole(12) - 9),
        relationships: Array.from({ length: whole(4) }, () => `m${whole(14)}`),
        timestamp: Date.UTC(2024, 0, 1) - whole(1e10),
        text: random() < 0.5 ? undefined : 'text \u0007 é '.repeat(whole(12)),
        metadata: random() < 0.5 ? undefined : { n: random(), list: [i, null, '\n'] },
    };
}

/** A random command line, now and then a wrong one. */
function commandLine(random, i) {
    const whole = (n) => Math.floor(random() * n);
    const one = (...choices) => choices[whole(choices.length)];
    const id = () => one(`m${whole(12)}`, `m${whole(12)}`, `m${whole(12)}`, 'none', 'x'.repeat(1100), 'a"b\u0001');
    const share = () => one('0', '1', '.5', String(random()), '1e-9', '2', '-1', 'x');
    const time = () =>
        one('2024-01-01', '2024-02-01T00:00:00.5Z', '-30d', '+1w', 'now', '0', '-9999999999999', '+999999999w', '5x', '1704067200123');
    const now = () => [
        '--now',
        one('2024-01-01', '1706745600000', '2024-03-01T12:00:00+02:00', '2023-12-01', '8640000000000000', '-8640000000000000'),
    ];
    const text = () => one('work', 'new', 'дом', 'c'.repeat(1100), 'é'.repeat(65), '', 'a\tb');
    const maybe = (...words) => (random() < 0.4 ? words : []);
    const output = () => (random() < 0.2 ? ['-o', one(`${i}.chrono`, `${i}.chrono`, 'none/x')] : []);
    const changing = () => [...output(), ...maybe('--json')];
    const commands = {
        query: () => [
            ...['--vector', one('1,0,0', '[0.5, -1, 2]', '0,0,0', '1,2')],
            ...maybe('--limit', one('1', '3', '20', '0')),
            ...maybe('--context', text()),
            ...maybe('--after', time()),
            ...maybe('--before', time()),
            ...maybe('--min-importance', share()),
            ...maybe('--max-importance', share()),
            ...maybe('--budget', one('1', '5', '4294967295', '4294967296')),
            ...maybe('--temporal-weight', share()),
            ...now(),
            ...one([], [], ['--exact'], ['--rerank'], ['--exact', '--rerank']),
            ...maybe('--why'),
            ...maybe('--json'),
        ],
        get: () => ['--id', id(), ...maybe('--json')],
        related: () => [
            '--id',
            id(),
            ...maybe('--depth', one('1', '2', '9', '0')),
            ...maybe('--limit', one('1', '4', '0')),
            ...maybe('--json'),
        ],
        context: () => [...maybe('--context', text()), ...maybe('--json')],
        stats: () => maybe('--json'),
        update: () => [
            ...['--id', id()],
            ...maybe('--importance', share()),
            ...maybe('--decay-rate', one('0', '0.1', '1e-30', '1e39', '-1', '.25')),
            ...maybe('--context', text()),
            ...maybe('--text', one('', 'short', 'long '.repeat(30), '\u001b[1m')),
            ...maybe('--metadata', one('null', '{"a" : [1, 2.50]}', '"text"', '[1', '1 2', '', '{"k":"\\u00e9"}')),
            ...now(),
            ...changing(),
        ],
        access: () => ['--id', id(), ...now(), ...changing()],
        relate: () => ['--id', id(), '--to', id(), ...changing()],
        unrelate: () => ['--id', id(), '--to', id(), ...changing()],
        remove: () => [...(random() < 0.3 ? ['--id', id(), '--id', id()] : ['--id', 'none']), ...changing()],
        decay: () => [...now(), ...maybe('--dry-run'), ...changing()],
        consolidate: () => [...maybe('--threshold', one('0.9', '0.999', '0', '1', '1e-9', 'x')), ...maybe('--dry-run'), ...changing()],
    };
    const name = one(...Object.keys(commands));
    const words = [
        name,
        ...(random() < 0.98 ? ['--file', one('m.chrono', 'm.chrono', 'm.chrono', 'm.chrono', 'none')] : []),
        ...commands[name](),
    ];
    if (random() < 0.04) words.splice(1 + whole(words.length), 0, one('--josn', '-x', 'extra', '--help', '--version', '--file='));
    return words;
}

test(`${N_COMMANDS} command lines, right and wrong, one after another: the same words, the same snapshots`, (t) => {
    const random = randomFrom(77);
    const records = JSON.stringify(Array.from({ length: 12 }, (_, i) => record(random, i)));
    const save = [
        'save',
        '--input',
        'in.json',
        '--output',
        'm.chrono',
        '--now',
        '7',
        '--m',
        '2',
        '--ef-construction',
        '4',
        '--ef-search',
        '2',
    ];
    const commands = Array.from({ length: N_COMMANDS }, (_, i) => (i % 60 === 0 ? save : commandLine(random, i)));
    const results = runBoth(t, commands, { 'in.json': records });
    const statuses = [0, 1, 2].map((status) => results.filter((result) => result.status === status).length);
    t.diagnostic(`by status 0, 1, 2: ${statuses.join(', ')}`);
    assert.ok(statuses.every((n) => n > N_COMMANDS / 20));
});
