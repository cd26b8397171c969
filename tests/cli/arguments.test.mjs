// SPDX-License-Identifier: MIT OR Apache-2.0
/** Commands, options, their values, help texts and usage errors. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Folder, hints, root, sample } from './support.mjs';

const contract = readFileSync(join(root, 'docs/CLI.md'), 'utf8');
const header = readFileSync(join(root, 'core/include/chronomind.h'), 'utf8');
const version = /#define CM_VERSION_STRING "(.*)"/.exec(header)[1];

const commands = ['save', 'query', 'get', 'related', 'context', 'stats', 'update', 'access', 'relate', 'unrelate', 'remove', 'decay'];
commands.push('consolidate');

function documentedHelp(name) {
    const start = contract.indexOf(`\`chronomind${name && ' '}${name} --help\`:\n\n\`\`\`\n`);
    assert.notEqual(start, -1);
    const begin = contract.indexOf('```\n', start) + 4;
    return contract.slice(begin, contract.indexOf('```', begin)).replace('0.1.0', version);
}

test('help texts are those of docs/CLI.md, wherever help is asked for', (t) => {
    const folder = new Folder(t);
    for (const args of [['--help'], ['-h'], ['help'], ['help', 'help'], ['help', '--help']])
        assert.equal(folder.ok(args), documentedHelp(''));
    for (const name of commands) {
        for (const args of [
            [name, '--help'],
            [name, '-h'],
            ['help', name],
            [name, '--json', '--help', '--nonsense'],
        ]) {
            assert.equal(folder.ok(args), documentedHelp(name), args.join(' '));
        }
    }
});

test('version', (t) => {
    const folder = new Folder(t);
    for (const args of [['--version'], ['help', '--version'], ...commands.map((name) => [name, '--version'])]) {
        assert.equal(folder.ok(args), `chronomind ${version}\n`);
    }
});

test('commands that do not exist', (t) => {
    const folder = new Folder(t);
    const all = `the commands are ${commands.join(', ')} and help; try 'chronomind --help'`;
    folder.fails([], 2, 'no command given', all);
    folder.fails(['remember'], 2, "unknown command 'remember'", all);
    folder.fails(['sve'], 2, "unknown command 'sve'", "did you mean 'save'? Try 'chronomind --help'");
    folder.fails(['quory'], 2, "unknown command 'quory'", "did you mean 'query'? Try 'chronomind --help'");
    folder.fails(['help', 'stat'], 2, "unknown command 'stat'", "did you mean 'stats'? Try 'chronomind --help'");
    folder.fails(['help', 'save', 'me'], 2, "unexpected argument 'me'", "try 'chronomind --help'");
    folder.fails(['stae'], 2, "unknown command 'stae'", "did you mean 'save'? Try 'chronomind --help'"); // as near as stats, and before it
    folder.fails([''], 2, "unknown command ''", all);
    folder.fails(['--file=x'], 2, "unknown option '--file'", "try 'chronomind --help'");
    folder.fails(['-i', 'save'], 2, "unknown option '-i'", "try 'chronomind --help'");
});

test('options that do not exist', (t) => {
    const folder = new Folder(t);
    const near = (name, option) => `did you mean ${option}? Try 'chronomind ${name} --help'`;
    folder.fails(['query', '--limt', '3'], 2, "unknown option '--limt' for query", near('query', '--limit'));
    folder.fails(['query', '-limit', '3'], 2, "unknown option '-limit' for query", near('query', '--limit'));
    folder.fails(['save', '--dimension=4'], 2, "unknown option '--dimension' for save", near('save', '--dimensions'));
    folder.fails(['stats', '--fil', 'x'], 2, "unknown option '--fil' for stats", near('stats', '--file'));
    folder.fails(['stats', '--hlep'], 2, "unknown option '--hlep' for stats", near('stats', '--help'));
    folder.fails(['save', '--wonderful'], 2, "unknown option '--wonderful' for save", hints.usage('save'));
    folder.fails(['query', '--ne', '3'], 2, "unknown option '--ne' for query", near('query', '--ef')); // as near as --now, and before it
    folder.fails(['save', '--verson'], 2, "unknown option '--verson' for save", near('save', '--version'));
    folder.fails(['stats', '-x'], 2, "unknown option '-x' for stats", hints.usage('stats'));
    folder.fails(['save', '-x'], 2, "unknown option '-x' for save", hints.usage('save')); // too short to be near --m
    folder.fails(['stats', '--'], 2, "unknown option '--' for stats", hints.usage('stats'));
    folder.fails(['query', '-l3'], 2, "unknown option '-l3' for query", hints.usage('query'));
    folder.fails(['query', '-v=1,2'], 2, "unknown option '-v' for query", hints.usage('query'));
    folder.fails(['save', '-nd', '4'], 2, "unknown option '-nd' for save", near('save', '--m'));
    folder.fails(['save', `--${'x'.repeat(5000)}`], 2, `unknown option '--${'x'.repeat(5000)}' for save`, hints.usage('save'));
    folder.fails(['stats', '--\u001b[31m'], 2, "unknown option '--\\u001b[31m' for stats", hints.usage('stats'));
});

test('missing, superfluous and empty values', (t) => {
    const folder = new Folder(t);
    folder.fails(['save'], 2, 'save needs --input', hints.usage('save'));
    folder.fails(['save', '-i', 'x.json'], 2, 'save needs --output', hints.usage('save'));
    folder.fails(['query', '-f', 'x'], 2, 'query needs --vector', hints.usage('query'));
    folder.fails(['stats'], 2, 'stats needs --file', hints.usage('stats'));
    folder.fails(['stats', '-f'], 2, '--file needs a value', hints.usage('stats'));
    folder.fails(['save', '--normalize=1'], 2, '--normalize takes no value', hints.usage('save'));
    folder.fails(['stats', '--file='], 2, '--file is empty', hints.usage('stats'));
    folder.fails(['query', '-v', ''], 2, '--vector is empty', hints.usage('query'));
    folder.fails(['query', '-c', ''], 2, '--context is empty', hints.usage('query'));
    for (const option of ['--input', '--output', '--ids', '--context'])
        folder.fails(['save', option, ''], 2, `${option} is empty`, hints.usage('save'));
    folder.fails(['stats', '-f', 'x', '--json='], 2, '--json takes no value', hints.usage('stats'));
    folder.fails(['query', '-f', 'x', 'y\u009b'], 2, "unexpected argument 'y\\u009b'", hints.usage('query'));
    folder.fails(['stats', '-'], 2, "unexpected argument '-'", hints.usage('stats'));
    folder.fails(['stats', 'memories.chrono'], 2, "unexpected argument 'memories.chrono'", hints.usage('stats'));
});

test('from left to right: the first wrong argument is reported, help acts where it stands', (t) => {
    const folder = new Folder(t);
    const limit = "--limit is '0': must be a whole number from 1 to 16384";
    folder.fails(['query', '-l', '0', '--nonsense', '--help'], 2, limit, hints.usage('query'));
    folder.fails(['query', 'stray', '-l', '0'], 2, "unexpected argument 'stray'", hints.usage('query'));
    assert.equal(folder.ok(['query', '--version', '-l', '0']), `chronomind ${version}\n`);
    assert.equal(folder.ok(['query', '-f', '-h', '-h', '-l', '0']), documentedHelp('query')); // the first -h is the value of -f
    folder.fails(['query', '-v', '-h'], 2, "--vector component 1 is '-h': must be a finite number", hints.usage('query'));
    folder.fails(['save', '--ids', 'x', '-m', '1'], 2, 'save needs --input', hints.usage('save'));
    folder.fails(['save', '--ids', 'x', '-i', 'y'], 2, 'save needs --output', hints.usage('save'));
});

test('values at the ends of their range', (t) => {
    const folder = new Folder(t);
    const input = folder.write('x.json', [{ id: 'a', data: [1] }]);
    const save = (...options) => folder.ok(['save', '-i', input, '-o', 'm.chrono', ...options]);
    save('--m', '2', '--ef-construction', '2', '--ef-search', '1', '--seed', '0', '-d', '1', '-m', '1', '--now', '-8640000000000000');
    save('--m', '256', '--ef-construction', '65536', '--ef-search', '65536', '--seed', '9007199254740991', '--now=8640000000000000');
    assert.match(folder.ok(['query', '-f', 'm.chrono', '-v', '1', '--json']), /"timestamp":8640000000000000,/);
    const query = (...options) => folder.ok(['query', '-f', 'm.chrono', '-v', '1', ...options]).split('\n')[0];
    assert.equal(query('-l', '16384', '--ef', '65536', '--temporal-weight', '1'), 'Found 1 result(s):');
    assert.equal(query('-l', '0000000000000001', '--ef', '1', '--temporal-weight', '+.0e-5'), 'Found 1 result(s):');
    assert.equal(query('--temporal-weight', '1.'), 'Found 1 result(s):');
    const digits = '00000000000000001';
    folder.fails(['query', '-l', digits], 2, `--limit is '${digits}': must be a whole number from 1 to 16384`, hints.usage('query'));
    const wide = Array(65536).fill(0.5);
    folder.write('wide.json', [{ id: 'w', data: wide }]);
    folder.ok(['save', '-i', 'wide.json', '-o', 'wide.chrono', '-d', '65536', '-m', '1']);
    folder.fails(['query', '-f', 'wide.chrono', '-v', '1'], 1, /65536/, 'the vectors in wide.chrono have 65536 dimensions');
});

test('values outside their range', (t) => {
    const moment = 'milliseconds since 1970, an ISO 8601 date with Z or an offset, now, or relative such as -24h';
    const folder = new Folder(t);
    const bad = (name, option, value, must) =>
        folder.fails([name, `${option}=${value}`], 2, `${option} is '${value}': must be ${must}`, hints.usage(name));
    for (const value of ['0', '-1', '16385', '1.5', 'ten', '', '0x10', ' 3', '99999999999999999999']) {
        bad('query', '--limit', value, 'a whole number from 1 to 16384');
    }
    bad('save', '--dimensions', '65537', 'a whole number from 1 to 65536');
    bad('save', '--max-memories', '1073741825', 'a whole number from 1 to 1073741824');
    bad('save', '--m', '1', 'a whole number from 2 to 256');
    bad('save', '--ef-construction', '0', 'a whole number from 1 to 65536');
    bad('save', '--ef-search', '65537', 'a whole number from 1 to 65536');
    folder.fails(['query', '-l', '0'], 2, "--limit is '0': must be a whole number from 1 to 16384", hints.usage('query')); // the long name
    bad('query', '--ef', '0', 'a whole number from 1 to 65536');
    bad('save', '--dimensions', '0', 'a whole number from 1 to 65536');
    bad('save', '--max-memories', '0', 'a whole number from 1 to 1073741824');
    bad('save', '--m', '257', 'a whole number from 2 to 256');
    bad('save', '--now', '-8640000000000001', moment);
    bad('save', '--seed', '9007199254740992', 'a whole number from 0 to 9007199254740991');
    bad('save', '--metric', 'l3', 'cosine, dot or l2');
    bad('save', '--vectors', 'f16', 'f32, bf16 or i8');
    bad('save', '--format', 'csv', 'json, jsonl, npy or fvecs');
    for (const value of ['2', '-0.1', 'nan', 'inf', '0x1', '', '.', '1e', '1,5'])
        bad('query', '--temporal-weight', value, 'a number from 0 to 1');
    for (const value of [
        'x',
        '',
        '2024-02-30',
        '2023-02-29',
        '1900-02-29',
        '2024-01-01T00:00',
        '2024-01-01T24:00Z',
        '2024-01-01T00:00:60Z',
        '2024-01-01T00:00+24:00',
        '2024-1-1',
        '8640000000000001',
        '1e3',
        '2024-01-01T00:00Z ',
        '2024-01-01T00:00:00.Z',
        '2024-01-01T00:00+02:',
        'Now',
        'now ',
        '24h',
        '-h',
        '-24H',
        '- 24h',
        '-1.5h',
        '+24',
        '-1y',
        '-1234567890s',
        '--1h',
        '-24h ',
    ]) {
        bad('query', '--now', value, moment);
    }
});

test('vectors that are none', (t) => {
    const folder = new Folder(t);
    const bad = (vector, component, shown) =>
        folder.fails(
            ['query', '-v', vector],
            2,
            `--vector component ${component} is '${shown}': must be a finite number`,
            hints.usage('query'),
        );
    bad('1,x,3', 2, 'x');
    bad('1,,3', 2, '');
    bad('1,2,', 3, '');
    bad('[]', 1, '');
    bad('[1,2', 1, '[1');
    bad('1 2,3', 1, '1 2');
    bad('1,nan', 2, 'nan');
    bad('Infinity', 1, 'Infinity');
    bad('1e39', 1, '1e39');
    bad('0x10', 1, '0x10');
});

test('one option, several ways to write it; the last one counts', (t) => {
    const folder = new Folder(t);
    const file = folder.snapshot();
    const expected = folder.ok(['query', '--file', file, '--vector', '1,0,0,0', '--limit', '2', '--now', '1704067200000']);
    for (const args of [
        ['query', `--file=${file}`, '--vector=1,0,0,0', '--limit=2', '--now=2024-01-01'],
        ['query', '-f', file, '-v', '[1, 0, 0, 0]', '-l', '2', '--now', '2024-01-01T00:00:00Z'],
        [
            'query',
            '-f',
            'nowhere',
            '-v',
            '9',
            '-l',
            '3',
            '-l',
            '2',
            '-v',
            ' [ 1.0,\t+0 , .0, 0e5 ] ',
            '-f',
            file,
            '--now',
            '2024-01-01 02:00+02:00',
        ],
        ['query', '-f', file, '-v', '1,0,-0,0.', '-l', '2', '--now', '2023-12-31T19:00:00.000-0500'],
    ]) {
        assert.equal(folder.ok(args), expected, args.join(' '));
    }
    assert.match(folder.ok(['query', '-f', file, '-v', '-1,-0.5,0,0', '-l', '1']), /^Found 1 result/);
});

test('options that do not go together', (t) => {
    const folder = new Folder(t);
    const input = folder.write('x.json', sample);
    folder.fails(['save', '-i', input, '-o', 'y', '--ids', 'z'], 2, '--ids goes with the formats npy and fvecs only', hints.usage('save'));
    folder.fails(['save', '-i', 'x.txt', '-o', 'y'], 2, "cannot tell the format of 'x.txt'", 'give --format json, jsonl, npy or fvecs');
    for (const format of ['npy', 'fvecs']) {
        const both = ['save', '--input', '-', '--format', format, '--ids', '-', '-o', 'y'];
        folder.fails(both, 2, '--input and --ids cannot both be standard input', hints.usage('save'));
    }
    folder.fails(['save', '-i', '-', '--ids', 'z', '-o', 'y'], 2, '--ids goes with the formats npy and fvecs only', hints.usage('save'));
    folder.fails(['save', '-i', input, '-o', 'y', '--m', '32', '--ef-construction', '8'], 2, /ef_construction/, hints.usage('save'));
    assert.deepEqual(folder.names(), ['x.json']);
});
