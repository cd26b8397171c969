// SPDX-License-Identifier: MIT OR Apache-2.0
/** The commands that change a snapshot: what they say, what they write, and that a file is whole whatever happens. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Folder, fvecs, hints, isNative, manyRows, quick, sample } from './support.mjs';

const isRoot = process.getuid?.() === 0;
const TEMPORARY = /^\.chronomind-[0-9a-f]{16}\.tmp$/;
const limits = { timeout: 120_000 };
const WIPE = `\r${' '.repeat(72)}\r`;

/** Each with what it needs to change the snapshot of `sample`. */
const changes = [
    ['update', '--id', 'east', '--importance', '0.5', '--now', '2024-01-02'],
    ['access', '--id', 'east', '--now', '2024-01-02'],
    ['relate', '--id', 'east', '--to', 'up'],
    ['unrelate', '--id', 'east', '--to', 'north'],
    ['remove', '--id', 'east'],
    ['decay', '--now', '2024-01-02'],
    ['consolidate', '--threshold', '0.7'],
];

/** Numbers in [-0.5, 0.5), the same ones in every run. */
function numbers(seed) {
    let state = seed;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32 - 0.5;
    };
}

/** A file on which consolidation takes seconds: without the cosine metric it compares all pairs, and none of these is a near-duplicate. */
function slow(folder, n = 20_000) {
    const next = numbers(1);
    folder.write('slow.fvecs', fvecs(Array.from({ length: n }, () => Array.from({ length: 128 }, next))));
    folder.ok(['save', '-i', 'slow.fvecs', '-o', 'slow.chrono', '--metric', 'l2', ...quick]);
    folder.remove('slow.fvecs');
    return 'slow.chrono';
}

function memory(folder, file, id) {
    return JSON.parse(folder.ok(['get', '-f', file, '--id', id, '--json']));
}

async function endOf(child) {
    let [out, err] = ['', ''];
    child.stdout.on('data', (bytes) => (out += bytes));
    child.stderr.on('data', (bytes) => (err += bytes));
    const [status, signal] = await once(child, 'close');
    return { status: status ?? signal, out, err };
}

test('a day with a file', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot('m.chrono', [
        ...sample,
        { id: 'slope again', data: [3, 0, 4, 0.1], context: 'maps', importance: 0.75, relationships: ['slope', 'up'] },
    ]);
    const run = (line, ...args) => folder.ok([...line.split(' '), ...args]);
    assert.equal(
        run(
            'update -f m.chrono --id east --importance 0.9 --decay-rate 0.5 -c archive --now 2024-01-01',
            '--text',
            'a new day',
            '--metadata',
            ' {"seen": [1, 2.50]} ',
        ),
        [
            'Updated east',
            '  importance: 0.25 -> 0.9',
            '  decay rate: 0 -> 0.5',
            '  context: travel -> archive',
            '  text: sunrise -> a new day',
            '  metadata: (none) -> {"seen":[1,2.50]}',
            'Saved 5 memories to m.chrono',
            '',
        ].join('\n'),
    );
    assert.equal(
        run('access -f m.chrono --id east --now 2024-01-01T10:00:00.5Z'),
        [
            'Accessed east',
            '  access count: 0 -> 1',
            '  accessed: 2024-01-01T00:00:00Z -> 2024-01-01T10:00:00.500Z',
            'Saved 5 memories to m.chrono',
            '',
        ].join('\n'),
    );
    assert.equal(run('relate -f m.chrono --id up --to east'), 'Related up to east\n  relationships: east\nSaved 5 memories to m.chrono\n');
    assert.equal(
        run('unrelate -f m.chrono --id east --to nowhere'),
        'Unrelated east from nowhere\n  relationships: north\nSaved 5 memories to m.chrono\n',
    );
    assert.equal(
        run('consolidate -f m.chrono'),
        'Absorbed 1 of 5 memories that are more similar than 0.95\n  slope\nSaved 4 memories to m.chrono\n',
    );
    assert.deepEqual(memory(folder, file, 'slope again').relationships, ['slope', 'up']);
    assert.equal(
        run('decay -f m.chrono --now 2024-01-01T10:00:00Z'),
        'Decayed 3 of 4 memories to 2024-01-01T10:00:00Z; average importance: 0.79 -> 0.43\nSaved 4 memories to m.chrono\n',
    );
    assert.equal(run('remove -f m.chrono --id up'), 'Removed 1 memories\nSaved 3 memories to m.chrono\n');
    assert.deepEqual(memory(folder, file, 'east'), {
        id: 'east',
        importance: 0.9,
        context: 'archive',
        timestamp: 1704067200000,
        accessed: 1704103200500,
        access_count: 1,
        decay_rate: 0.5,
        relationships: ['north'],
        text: 'a new day',
        metadata: { seen: [1, 2.5] },
        data: [1, 0, 0, 0],
    });
    assert.match(folder.ok(['context', '-f', file]), /^Contexts: 3\n {2}archive: 1 {2}.*\n {2}maps: 1 {2}.*\n {2}travel: 1 {2}.*\n$/);
    assert.match(folder.ok(['query', '-f', file, '-v', '1,0,0,0', '-c', 'archive']), /^Found 1 result\(s\):\n1\. id: east {2}/);
    assert.equal(folder.ok(['query', '-f', file, '-v', '0,0,1,0', '-c', 'default']), 'No results.\n');
    assert.deepEqual(folder.names(), [file]);
});

test('for machines', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const says = (line, expected) => assert.equal(folder.ok([...line.split(' '), '-f', file, '--json']), `${expected}\n`);
    const end = '"path":"memories.chrono","written":true}';
    says(
        'update --id east --importance 0.9 --metadata "x" --text new --decay-rate .1 --context c --now 2024-01-01',
        '{"id":"east","before":{"importance":0.25,"decay_rate":0,"context":"travel","text":"sunrise","metadata":null},' +
            `"after":{"importance":0.9,"decay_rate":0.1,"context":"c","text":"new","metadata":"x"},${end}`,
    );
    says('update --id up --metadata null', `{"id":"up","before":{"metadata":{"floor":[1,2]}},"after":{"metadata":null},${end}`);
    says(
        'access --id up --now 1704103200000',
        `{"id":"up","before":{"access_count":0,"accessed":1704067200000},"after":{"access_count":1,"accessed":1704103200000},${end}`,
    );
    says('relate --id north --to up', `{"id":"north","to":"up","changed":true,"relationships":["nowhere","up"],${end}`);
    const unwritten = end.replace('true', 'false');
    says('relate --id north --to up', `{"id":"north","to":"up","changed":false,"relationships":["nowhere","up"],${unwritten}`);
    says('unrelate --id north --to nowhere', `{"id":"north","to":"nowhere","changed":true,"relationships":["up"],${end}`);
    says('unrelate --id north --to nowhere', `{"id":"north","to":"nowhere","changed":false,"relationships":["up"],${unwritten}`);
    const decayed = '"memories":4,"now":1704103200000,"before":{"average_importance":0.725},"after":{"average_importance":';
    says('decay --now 1704103200000 --dry-run', `{"decayed":3,${decayed}0.3457277},"dry_run":true,${unwritten}`);
    says('decay --now 1704103200000', `{"decayed":3,${decayed}0.3457277},"dry_run":false,${end}`);
    says('decay --now 1704103200000', `{"decayed":0,${decayed.replace('0.725', '0.3457277')}0.3457277},"dry_run":false,${unwritten}`);
    says('consolidate --threshold .75 --dry-run', `{"absorbed":["slope"],"memories":3,"threshold":0.75,"dry_run":true,${unwritten}`);
    says('consolidate --threshold .75', `{"absorbed":["slope"],"memories":3,"threshold":0.75,"dry_run":false,${end}`);
    says('consolidate --threshold .75', `{"absorbed":[],"memories":3,"threshold":0.75,"dry_run":false,${unwritten}`);
    says('remove --id up --id east --id up', `{"removed":["up","east"],"memories":1,${end}`);
});

test('update: one attribute leaves the others', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = memory(folder, file, 'east');
    let expected = before;
    for (const [args, change] of [
        [['--importance', '0'], { importance: 0 }],
        [['--importance=1'], { importance: 1 }],
        [['--decay-rate', '2.5e-8'], { decay_rate: 2.5e-8 }],
        [['--decay-rate', '0'], { decay_rate: 0 }],
        [['-c', 'ü'], { context: 'ü' }],
        [['--text', 'a\nb'], { text: 'a\nb' }],
        [['--metadata', '[{"a":1,"a":2},"é"]'], { metadata: [{ a: 2 }, 'é'] }],
        [['--text', ''], { text: null }],
        [['--metadata', ' null '], { metadata: null }],
        [['--text=', '--metadata', 'false'], { metadata: false }],
    ]) {
        folder.ok(['update', '-f', file, '--id', 'east', ...args]);
        expected = { ...expected, ...change };
        assert.deepEqual(memory(folder, file, 'east'), expected, args.join(' '));
    }
    const long = 'é'.repeat(65);
    assert.equal(
        folder.ok([
            'update',
            '-f',
            file,
            '--id',
            'up',
            '--text',
            long,
            '--metadata',
            `"${'x\u001b'.repeat(40)}"`.replaceAll('\u001b', '\\u001b'),
            '-c',
            long,
        ]),
        [
            'Updated up',
            `  context: default -> ${'é'.repeat(64)}...`,
            `  text: (none) -> ${'é'.repeat(64)}...`,
            `  metadata: {"floor":[1,2]} -> "${'x\\u001b'.repeat(9)}...`,
            `Saved 4 memories to ${file}`,
            '',
        ].join('\n'),
    );
});

test('an importance set now has not faded before now', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    folder.ok(['update', '-f', file, '--id', 'up', '--importance', '1', '--now', '2024-01-01T20:00:00Z']);
    folder.ok(['access', '-f', file, '--id', 'slope', '--now', '2024-01-01T15:00:00Z']);
    folder.ok(['decay', '-f', file, '--now', '2024-01-01T20:00:00Z']);
    const importance = (id) => memory(folder, file, id).importance;
    assert.equal(importance('up'), 1);
    assert.ok(Math.abs(importance('slope') - 0.5 * Math.exp(-0.5)) < 1e-6);
    assert.ok(Math.abs(importance('north') - Math.exp(-2)) < 1e-6);
});

test('decay: each interval once, however it is cut; own rates', (t) => {
    const folder = new Folder(t);
    const records = [...sample, { id: 'slow', data: [1, 1, 1, 1], decay_rate: 0.01, importance: 0.8 }];
    const [one, many] = [folder.snapshot('one.chrono', records), folder.snapshot('many.chrono', records)];
    folder.ok(['decay', '-f', one, '--now', '2024-01-03']);
    for (const hours of [1, 7, 7, 24, 3, 47.5, 48]) folder.ok(['decay', '-f', many, '--now', String(1704067200000 + hours * 3_600_000)]);
    for (const { id, importance = 0.5, decay_rate = 0.1 } of records) {
        const expected = importance * Math.exp(-decay_rate * 48);
        for (const file of [one, many]) assert.ok(Math.abs(memory(folder, file, id).importance - expected) < 1e-6 * importance, id);
    }
    assert.equal(
        folder.ok(['decay', '-f', one, '--now', '2023-12-31']),
        `Decayed 0 of 5 memories to 2023-12-31T00:00:00Z; average importance: 0.10 -> 0.10\nNothing changed: ${one} stays as it was\n`,
    );
    const { now } = JSON.parse(folder.ok(['decay', '-f', one, '--now', '+1h', '--json']));
    assert.ok(Math.abs(now - Date.now() - 3_600_000) < 60_000);
    const clock = JSON.parse(folder.ok(['decay', '-f', many, '--json'])).now;
    assert.ok(Math.abs(clock - Date.now()) < 60_000);
});

test('what changes nothing does not touch the file; nor does a dry run', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    folder.ok(['decay', '-f', file, '--now', '2024-01-02']);
    const before = folder.read(file);
    const { ino, mtimeMs } = statSync(join(folder.path, file));
    const nothing = `\nNothing changed: ${file} stays as it was\n`;
    const dry = '\nDry run: nothing was written\n';
    for (const [args, last] of [
        [['decay', '--now', '2024-01-02'], nothing],
        [['consolidate'], nothing],
        [['relate', '--id', 'east', '--to', 'north'], nothing],
        [['unrelate', '--id', 'east', '--to', 'up'], nothing],
        [['decay', '--now', '2024-01-03', '--dry-run'], dry],
        [['decay', '--now', '2024-01-02', '--dry-run'], dry],
        [['decay', '--now', '2024-01-03', '--dry-run', '-o', 'new.chrono'], dry],
        [['decay', '--now', '2024-01-03', '--dry-run', '-o', 'none/new.chrono'], dry],
        [['consolidate', '--threshold', '0.1', '--dry-run'], dry],
        [['consolidate', '--dry-run'], dry],
    ]) {
        assert.ok(folder.ok([...args, '-f', file]).endsWith(last), args.join(' '));
        assert.ok(before.equals(folder.read(file)), args.join(' '));
        const now = statSync(join(folder.path, file));
        assert.deepEqual([now.ino, now.mtimeMs], [ino, mtimeMs], args.join(' '));
        assert.deepEqual(folder.names(), [file]);
    }
    const first = (...args) => folder.ok([...args, '-f', file]).split('\n')[0];
    const would = first('decay', '--now', '2024-01-03', '--dry-run');
    assert.equal(would, 'Would decay 4 of 4 memories to 2024-01-03T00:00:00Z; average importance: 0.05 -> 0.00');
    assert.equal(first('decay', '--now', '2024-01-03'), would.replace('Would decay', 'Decayed'));
});

test('the same changes give the same bytes', (t) => {
    const folder = new Folder(t);
    for (const args of changes) {
        const [a, b] = [folder.snapshot('a.chrono'), folder.snapshot('b.chrono')];
        const before = folder.read(a);
        for (const file of [a, b]) folder.ok([...args, '-f', file]);
        assert.ok(folder.read(a).equals(folder.read(b)), args[0]);
        assert.ok(!folder.read(a).equals(before), args[0]);
        folder.ok([...args, '-f', folder.snapshot('c.chrono'), '-o', 'd.chrono']);
        assert.ok(folder.read('c.chrono').equals(before), args[0]);
        assert.ok(folder.read('d.chrono').equals(folder.read(a)), args[0]);
    }
});

test('output elsewhere, over itself, through links', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    assert.equal(
        folder.ok(['remove', '-f', file, '--id', 'up', '--output', 'é\t.chrono']),
        'Removed 1 memories\nSaved 3 memories to é\\t.chrono\n',
    );
    assert.ok(before.equals(folder.read(file)));
    // An output is written also when nothing changed: whoever asked for it goes on with it.
    assert.match(folder.ok(['consolidate', '-f', file, '-o', 'copy.chrono']), /^Absorbed 0 of 4 .*\nSaved 4 memories to copy\.chrono\n$/);
    assert.deepEqual(memory(folder, 'copy.chrono', 'east'), memory(folder, file, 'east'));
    assert.match(
        folder.ok(['relate', '-f', file, '--id', 'east', '--to', 'north', '-o', file, '--json']),
        /"changed":false,.*"written":true}\n$/,
    );
    symlinkSync(file, join(folder.path, 'link.chrono'));
    chmodSync(join(folder.path, file), 0o640);
    folder.ok(['remove', '-f', 'link.chrono', '--id', 'up']);
    assert.match(folder.ok(['stats', '-f', file]), /^Total memories: 3\n/);
    assert.ok(lstatSync(join(folder.path, 'link.chrono')).isSymbolicLink());
    assert.equal(lstatSync(join(folder.path, file)).mode & 0o777, 0o640);
    assert.deepEqual(folder.names(), ['copy.chrono', 'link.chrono', file, 'é\t.chrono']);
});

test('remove: all or none, down to the last', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    const missing = (...ids) =>
        folder.fails(
            ['remove', '-f', file, ...ids.flatMap((id) => ['--id', id])],
            1,
            'no memory has the id "nobody"',
            `check the id; ${file} holds 4 memories`,
        );
    missing('nobody');
    missing('east', 'nobody');
    missing('nobody', 'east', 'north');
    assert.ok(before.equals(folder.read(file)));
    const all = sample.flatMap(({ id }) => ['--id', id]);
    assert.equal(folder.ok(['remove', '-f', file, ...all]), `Removed 4 memories\nSaved 0 memories to ${file}\n`);
    assert.match(folder.ok(['stats', '-f', file]), /^Total memories: 0\n/);
    assert.equal(folder.ok(['context', '-f', file]), 'Contexts: 0\n');
    assert.equal(folder.ok(['query', '-f', file, '-v', '1,0,0,0']), 'No results.\n');
    assert.match(folder.ok(['decay', '-f', file, '--json']), /^{"decayed":0,"memories":0,.*"written":false}\n$/);
    assert.match(folder.ok(['consolidate', '-f', file]), /^Absorbed 0 of 0 memories/);
    folder.fails(['remove', '-f', file, '--id', 'east'], 1, 'no memory has the id "east"', `check the id; ${file} holds 0 memories`);
    folder.write(
        'many.json',
        Array.from({ length: 3000 }, (_, i) => ({ id: `${i}`, data: [i, 1] })),
    );
    folder.ok(['save', '-i', 'many.json', '-o', file]);
    const half = Array.from({ length: 1500 }, (_, i) => ['--id', `${2 * i}`]).flat();
    assert.equal(folder.ok(['remove', '-f', file, ...half]), `Removed 1500 memories\nSaved 1500 memories to ${file}\n`);
    assert.match(folder.ok(['query', '-f', file, '-v', '1000,1', '--temporal-weight', '0', '-l', '1']), /1\. id: \d*[13579] {2}/);
});

/** The rule of the header, over all pairs. */
function consolidated(records, threshold) {
    const length = (v) => Math.hypot(...v);
    const similar = (a, b) => a.data.reduce((sum, x, i) => sum + x * b.data[i], 0) / length(a.data) / length(b.data);
    const order = records.toSorted((a, b) => b.importance - a.importance || a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1));
    const gone = new Set();
    for (const a of order) {
        if (gone.has(a)) continue;
        for (const b of order) if (b !== a && !gone.has(b) && similar(a, b) > threshold) gone.add(b);
    }
    return [...gone].map(({ id }) => id).sort();
}

test('consolidate: the same as all pairs by hand, whatever the metric', (t) => {
    const folder = new Folder(t);
    const next = numbers(5);
    const centers = Array.from({ length: 40 }, () => Array.from({ length: 6 }, next));
    const records = Array.from({ length: 400 }, (_, i) => ({
        id: `m${String(i).padStart(3, '0')}`,
        data: centers[i % 40].map((x) => x + next() / 4),
        importance: Math.fround(Math.round((next() + 0.5) * 8) / 8),
        timestamp: 1000 * Math.floor((next() + 0.5) * 5),
    }));
    for (const [metric, threshold] of [
        ['cosine', 0.98],
        ['cosine', 0.9],
        ['l2', 0.95],
        ['dot', 0.99],
    ]) {
        folder.ok(['save', '-i', '-', '-o', 'm.chrono', '--metric', metric], JSON.stringify(records));
        const run = (...args) => folder.ok(['consolidate', '-f', 'm.chrono', '--threshold', String(threshold), ...args]);
        const expected = consolidated(records, threshold);
        const { absorbed, memories } = JSON.parse(run('--dry-run', '--json'));
        assert.deepEqual(absorbed, expected, `${metric}, ${threshold}`);
        assert.equal(memories, records.length - expected.length);
        const lines = run().split('\n');
        assert.equal(lines[0], `Absorbed ${expected.length} of 400 memories that are more similar than ${threshold}`);
        assert.ok(expected.length > 10);
        assert.deepEqual(
            lines.slice(1, 11),
            expected.slice(0, 10).map((id) => `  ${id}`),
        );
        assert.deepEqual(lines.slice(11), [`  and ${expected.length - 10} more`, `Saved ${memories} memories to m.chrono`, '']);
        assert.match(run(), /^Absorbed 0 of /);
    }
});

test('consolidate: the most important stays, with the relationships of the others', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot('m.chrono', [
        { id: 'a', data: [1, 0], importance: 0.5, relationships: ['x', 'b'] },
        { id: 'b', data: [1, 0.01], importance: 0.9, relationships: ['y'], text: 'kept' },
        { id: 'c', data: [2, 0], importance: 0.1, relationships: ['x', 'z', 'a'] },
        { id: 'd', data: [0, 1], importance: 0.1 },
    ]);
    assert.match(folder.ok(['consolidate', '-f', file]), /^Absorbed 2 of 4 .* 0\.95\n {2}a\n {2}c\nSaved 2 /);
    const { importance, relationships, text } = memory(folder, file, 'b');
    assert.deepEqual([importance, relationships.toSorted(), text], [0.9, ['a', 'x', 'y', 'z'], 'kept']);
    assert.equal(folder.run(['get', '-f', file, '--id', 'a']).status, 1);
});

test('relationships up to the limit of the store', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot('m.chrono', [{ id: 'a', data: [1], relationships: Array.from({ length: 50 }, (_, i) => `r${i}`) }]);
    const before = folder.read(file);
    folder.fails(
        ['relate', '-f', file, '--id', 'a', '--to', 'r50'],
        1,
        /^Error: the relationships of "a" are full: .*50/,
        hints.usage('relate'),
    );
    assert.ok(before.equals(folder.read(file)));
    assert.match(folder.ok(['relate', '-f', file, '--id', 'a', '--to', 'r49']), /^a was related to r49 already\n/);
    folder.ok(['unrelate', '-f', file, '--id', 'a', '--to', 'r0']);
    folder.ok(['relate', '-f', file, '--id', 'a', '--to', 'r50']);
    assert.equal(memory(folder, file, 'a').relationships.at(-1), 'r50');
});

test('a full store can be changed', (t) => {
    const folder = new Folder(t);
    folder.ok(['save', '-i', '-', '-o', 'm.chrono', '-m', '4'], JSON.stringify(sample));
    for (const args of changes) {
        folder.write('full.chrono', folder.read('m.chrono'));
        folder.ok([...args, '-f', 'full.chrono']);
    }
    for (let i = 0; i < 8; i++)
        folder.ok(['update', '-f', 'm.chrono', '--id', 'up', '-c', `c${i}`, '--decay-rate', `0.${i}`, '--text', `${i}`]);
    assert.equal(memory(folder, 'm.chrono', 'up').context, 'c7');
});

test('usage', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    const bad = (args, error, hint = hints.usage(args[0])) => folder.fails([...args, '-f', file], 2, error, hint);
    for (const args of changes) {
        const [name, ...rest] = args;
        folder.fails(args, 2, `${name} needs --file`, hints.usage(name));
        bad([name, ...rest, '--output='], '--output is empty');
        bad([name, ...rest, '--json=1'], '--json takes no value');
        bad([name, ...rest, 'extra'], "unexpected argument 'extra'");
        bad([name, '--jsn', ...rest], `unknown option '--jsn' for ${name}`, `did you mean --json? Try 'chronomind ${name} --help'`);
        bad(
            [name, '--oputput', ...rest],
            `unknown option '--oputput' for ${name}`,
            `did you mean --output? Try 'chronomind ${name} --help'`,
        );
    }
    for (const name of ['update', 'access', 'relate', 'unrelate', 'remove']) {
        bad([name], `${name} needs --id`);
        bad([name, '--id', ''], '--id is empty');
    }
    for (const name of ['relate', 'unrelate']) {
        bad([name, '--id', 'east'], `${name} needs --to`);
        bad([name, '--id', 'east', '--to='], '--to is empty');
    }
    bad(['remove', '--id', 'east', '--id', ''], '--id is empty');
    for (const name of ['update', 'access', 'decay'])
        bad([name, '--now', 'soon'], /^Error: --now is 'soon': must be milliseconds since 1970, .* or relative such as -24h$/);
    for (const name of ['update', 'access', 'relate', 'unrelate', 'remove'])
        bad([name, '--dry-run'], `unknown option '--dry-run' for ${name}`);
    for (const name of ['decay', 'consolidate']) bad([name, '--dry-run=yes'], '--dry-run takes no value');
    const update = (option, value, must) => bad(['update', '--id', 'east', option, value], `${option} is '${value}': must be a ${must}`);
    for (const value of ['1.1', '-1', 'high', '']) update('--importance', value, 'number from 0 to 1');
    for (const value of ['-1', '-1e-30', '1e39', 'inf', 'nan', '', 'fast']) update('--decay-rate', value, 'finite number from 0');
    for (const value of ['0', '1', '-0.5', '2', '1e-60', '0.99999999999', 'x', ''])
        bad(['consolidate', '--threshold', value], `--threshold is '${value}': must be a number above 0 and below 1`);
    bad(['update', '--id', 'east'], 'update needs --importance, --decay-rate, --context, --text or --metadata');
    bad(['update', '--id', 'east', '--now', '5'], 'update needs --importance, --decay-rate, --context, --text or --metadata');
    bad(['update', '--id', 'east', '-c', ''], '--context is empty');
    bad(['update', '--id', 'east', '--metadata', ''], '--metadata is empty');
    bad(['update', '--id', 'east', '--metadata', '{"a":1'], '--metadata is not JSON: line 1, column 7: unexpected end of input');
    bad(['update', '--id', 'east', '--metadata', 'hello'], "--metadata is not JSON: line 1, column 1: unexpected 'h'");
    bad(['update', '--id', 'east', '--metadata', '[\n\n1,]'], "--metadata is not JSON: line 3, column 3: unexpected ']'");
    bad(
        ['update', '--id', 'east', '--metadata', '['.repeat(65)],
        '--metadata is not JSON: line 1, column 65: nested deeper than 64 levels',
    );
    bad(['update', '--id', 'east', '--metadata', '1 {}'], '--metadata holds 2 JSON values: must be one');
    bad(['update', '--id', 'east', '--metadata', ' '], '--metadata holds 0 JSON values: must be one');
    assert.ok(before.equals(folder.read(file)));
    assert.deepEqual(folder.names(), [file]);
});

test('what the store refuses', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    const notFound = `check the id; ${file} holds 4 memories`;
    for (const args of changes.filter((one) => one.includes('--id'))) {
        const nobody = args.map((word, i) => (args[i - 1] === '--id' ? 'nobody' : word));
        for (const more of [[], ['--json'], ['-o', 'new.chrono']])
            folder.fails([...nobody, '-f', file, ...more], 1, 'no memory has the id "nobody"', notFound);
    }
    const long = 'x'.repeat(1025);
    folder.fails(['relate', '-f', file, '--id', 'east', '--to', long], 1, /^Error: relationship "x+.*1025 bytes/, hints.usage('relate'));
    folder.fails(
        ['unrelate', '-f', file, '--id', 'east', '--to', long],
        1,
        /^Error: relationship "x+.*1025 bytes/,
        hints.usage('unrelate'),
    );
    folder.fails(
        ['update', '-f', file, '--id', 'east', '-c', long, '--importance', '0.1'],
        1,
        /^Error: context "x+.*1025 bytes/,
        hints.usage('update'),
    );
    assert.ok(before.equals(folder.read(file)));
    assert.deepEqual(folder.names(), [file]);
});

test('files that cannot be read, are damaged, or cannot be written', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    mkdirSync(join(folder.path, 'folder'));
    folder.write('bad.chrono', before.subarray(0, before.length - 1));
    const bad = folder.read('bad.chrono');
    for (const args of changes) {
        folder.fails([...args, '-f', 'none'], 1, 'cannot read none: No such file or directory', hints.read);
        folder.fails([...args, '-f', 'folder'], 1, 'cannot read folder: Is a directory', hints.read);
        folder.fails([...args, '-f', 'bad.chrono'], 1, /^Error: bad\.chrono: ./, /^Hint: the file is damaged/);
        folder.fails([...args, '-f', 'bad.chrono', '-o', file], 1, /^Error: bad\.chrono: ./, /^Hint: the file is damaged/);
        folder.fails([...args, '-f', file, '-o', 'none/m'], 1, 'cannot write none/m: No such file or directory', hints.write);
        folder.fails([...args, '-f', file, '-o', 'folder'], 1, 'cannot write folder: Is a directory', hints.write);
        folder.fails([...args, '-f', file, '-o', '/dev/full'], 1, 'cannot write /dev/full: Not a regular file', hints.write);
    }
    assert.ok(before.equals(folder.read(file)) && bad.equals(folder.read('bad.chrono')));
    assert.deepEqual(folder.names(), ['bad.chrono', 'folder', file]);
});

test('a read-only file', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const before = folder.read(file);
    const bound = isRoot ? { uid: 65534, gid: 65534 } : {};
    if (spawnSync('test', ['-x', process.execPath], bound).status !== 0) return t.skip('somebody else cannot run programs here');
    chmodSync(folder.path, 0o777);
    chmodSync(join(folder.path, file), 0o444);
    for (const args of changes) folder.fails([...args, '-f', file], 1, `cannot write ${file}: Permission denied`, hints.write, '', bound);
    assert.match(folder.run(['decay', '-f', file, '--dry-run'], '', bound).out, /^Would decay 4 of 4 /);
    assert.ok(before.equals(folder.read(file)));
    assert.deepEqual(folder.names(), [file]);
});

test('a full disk', { skip: !isRoot && 'needs root to mount a small disk' }, (t) => {
    const folder = new Folder(t);
    const disk = join(folder.path, 'disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]).status !== 0)
        return t.skip('this machine does not let us mount');
    try {
        folder.write('many.fvecs', manyRows());
        const file = 'disk/m.chrono';
        folder.ok(['save', '-i', 'many.fvecs', '-o', file, ...quick]); // more than half of it: a second one does not fit
        const before = folder.read(file);
        for (const args of [
            ['update', '--id', '0', '--text', 'x'],
            ['remove', '--id', '0'],
            ['decay', '--now', '+1d'],
        ]) {
            folder.fails([...args, '-f', file], 1, `cannot write ${file}: No space left on device`, hints.write);
            assert.ok(before.equals(folder.read(file)));
            assert.deepEqual(readdirSync(disk), ['m.chrono']);
        }
        assert.match(folder.ok(['decay', '-f', file, '--now', '+1d', '--dry-run']), /Dry run: nothing was written\n$/);
        assert.match(
            folder.ok(['remove', '-f', file, '--id', '0', '-o', 'elsewhere.chrono']),
            /Saved 3999 memories to elsewhere\.chrono\n$/,
        );
    } finally {
        spawnSync('umount', ['-l', disk]);
    }
});

test('a file size limit', (t) => {
    const folder = new Folder(t);
    folder.write('many.fvecs', manyRows());
    folder.ok(['save', '-i', 'many.fvecs', '-o', 'm.chrono', ...quick]);
    const before = folder.read('m.chrono');
    const result = folder.shell('ulimit -f 512; $CLI remove -f m.chrono --id 0');
    assert.deepEqual([result.status, result.err.split('\n')[0]], [1, 'Error: cannot write m.chrono: File too large']);
    assert.ok(before.equals(folder.read('m.chrono')));
    assert.deepEqual(folder.names(), ['m.chrono', 'many.fvecs']);
});

test('standard output that is full or gone: the change stays', (t) => {
    const folder = new Folder(t);
    for (const args of changes) {
        const line = `$CLI ${args.join(' ')} -f memories.chrono`;
        const expected = folder.read(folder.snapshot());
        folder.snapshot();
        assert.deepEqual(folder.shell(`${line} > /dev/full`), {
            status: 1,
            out: '',
            err: 'Error: cannot write standard output: No space left on device\nHint: check where standard output goes\n',
        });
        assert.ok(!expected.equals(folder.read('memories.chrono')), args[0]);
        folder.snapshot();
        assert.deepEqual(folder.shell(`{ sleep 0.1; ${line}; echo $? > status; } | true; cat status`), { status: 0, out: '0\n', err: '' });
        assert.ok(!expected.equals(folder.read('memories.chrono')), args[0]);
    }
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL']) {
    test(`${signal} during a long consolidation`, limits, async (t) => {
        const folder = new Folder(t);
        const file = slow(folder);
        const before = folder.read(file);
        const child = folder.start(['consolidate', '-f', file]);
        const end = endOf(child);
        while (!folder.names().some((name) => TEMPORARY.test(name))) await sleep(5); // loaded, and the output prepared
        await sleep(200);
        child.kill(signal);
        const killed = signal === 'SIGKILL';
        assert.deepEqual(await end, {
            status: killed ? signal : 130,
            out: '',
            err: killed ? '' : 'Error: interrupted\nHint: nothing was written\n',
        });
        assert.ok(before.equals(folder.read(file)));
        const others = folder.names().filter((name) => name !== file);
        if (killed) assert.match(others.join(), TEMPORARY);
        else assert.deepEqual(others, []);
    });
}

test('SIGINT at any time: the old file or the new one', limits, async (t) => {
    const folder = new Folder(t);
    folder.write('many.fvecs', manyRows(20_000));
    const file = 'm.chrono';
    folder.ok(['save', '-i', 'many.fvecs', '-o', file, ...quick]);
    const before = folder.read(file);
    const outcomes = new Set();
    for (let ms = 0; ms < 240; ms += 12) {
        folder.write(file, before);
        const child = folder.start(['decay', '-f', file, '--now', '+1d']);
        const end = endOf(child);
        await sleep(ms);
        child.kill('SIGINT');
        const { status, err } = await end;
        outcomes.add(status);
        assert.ok([0, 130, 'SIGINT'].includes(status), `${status} ${err}`); // SIGINT: before the program listens
        if (status === 130) assert.equal(err, 'Error: interrupted\nHint: nothing was written\n');
        assert.equal(before.equals(folder.read(file)), status !== 0);
        assert.deepEqual(folder.names(), [file, 'many.fvecs']);
    }
    assert.match(folder.ok(['stats', '-f', file]), /^Total memories: 20000\n/);
    t.diagnostic(`outcomes: ${[...outcomes].join(', ')}`);
});

test('the progress of a long consolidation, on a terminal only', limits, (t) => {
    const folder = new Folder(t);
    const file = slow(folder, isNative ? 24_000 : 20_000);
    const said = /^Would absorb 0 of 2\d000 memories that are more similar than 0\.95\r\nDry run: nothing was written\r\n$/;
    const { status, shown } = folder.terminal(`$CLI consolidate -f ${file} --dry-run`);
    assert.equal(status, 0);
    const end = shown.indexOf(WIPE);
    assert.ok(end > 0, `it is wiped: ${shown}`);
    assert.match(shown.slice(end + WIPE.length), said);
    let last = 0;
    for (const line of shown.slice(0, end).split('\r').slice(1)) {
        const [, bar, percent] = /^\[(#* *)\] {1,3}(\d+)% {2}consolidating$/.exec(line);
        assert.equal(bar.length, 30);
        assert.ok(Number(percent) >= last && Number(percent) <= 100);
        last = Number(percent);
    }
    const { out, err } = folder.shell(`$CLI consolidate -f ${file} --dry-run`);
    assert.match(out.replaceAll('\n', '\r\n'), said);
    assert.equal(err, '');
});
