// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * Runs the command line program named by CHRONOMIND_CLI (default: the native build), in a fresh folder per test, and looks at what it printed
 * and left behind.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The words of the command; those that are files in the repository become absolute, because tests run elsewhere. */
export const command = (process.env.CHRONOMIND_CLI ?? 'build/native/chronomind')
    .split(' ')
    .map((word) => (existsSync(resolve(root, word)) ? resolve(root, word) : word));

/** Some things only the native program can know or do; the tests of those say which. */
export const isNative = command.length === 1;

/** The command as one shell word list. */
export const shellCommand = command.map((word) => `'${word}'`).join(' ');

/** A temporary folder that goes when the test ends; programs run inside it. */
export class Folder {
    constructor(test) {
        this.test = test;
        this.path = mkdtempSync(join(tmpdir(), 'chronomind-cli-'));
        test.after(() => rmSync(this.path, { recursive: true, force: true }));
    }

    write(name, content) {
        writeFileSync(join(this.path, name), typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
        return name;
    }

    read(name) {
        return readFileSync(join(this.path, name));
    }

    remove(name) {
        rmSync(join(this.path, name));
    }

    /** Names of all files, hidden ones too. */
    names() {
        return readdirSync(this.path).sort();
    }

    /** Runs to the end: { status, out, err }. */
    run(args, input = '', options = {}) {
        const done = spawnSync(command[0], [...command.slice(1), ...args], { cwd: this.path, input, maxBuffer: 1 << 28, ...options });
        assert.equal(done.error, undefined);
        return { status: done.status ?? done.signal, out: done.stdout.toString(), err: done.stderr.toString() };
    }

    /** Runs a shell line in which $CLI stands for the program. */
    shell(line) {
        const done = spawnSync('bash', ['-c', line.replaceAll('$CLI', shellCommand)], { cwd: this.path, maxBuffer: 1 << 28 });
        return { status: done.status ?? done.signal, out: done.stdout.toString(), err: done.stderr.toString() };
    }

    /** Runs a shell line on a terminal of its own, which shows standard output and standard error together. */
    terminal(line) {
        this.write('line.sh', line.replaceAll('$CLI', shellCommand));
        const done = spawnSync('script', ['-qefc', 'bash line.sh', '/dev/null'], { cwd: this.path, input: '' });
        assert.equal(done.error, undefined);
        return { status: done.status, shown: done.stdout.toString() };
    }

    /** Starts the program, or another one; it does not outlive the test. */
    start(args, program) {
        const words = program ? [program] : command;
        const child = spawn(words[0], [...words.slice(1), ...args], { cwd: this.path });
        this.test.after(() => child.kill('SIGKILL'));
        return child;
    }

    /** Runs what must succeed, and gives its output. */
    ok(args, input) {
        const result = this.run(args, input);
        assert.deepEqual({ status: result.status, err: result.err }, { status: 0, err: '' }, `chronomind ${args.join(' ')}`);
        return result.out;
    }

    /** Runs what must fail with exactly these two lines; a RegExp matches a line. */
    fails(args, status, error, hint, input, options) {
        const result = this.run(args, input, options);
        const what = `chronomind ${args.join(' ')}\n${result.err}`;
        assert.equal(result.out, '', what);
        const lines = result.err.split('\n');
        assert.equal(lines.length, 3, what);
        compare(lines[0], 'Error: ', error, what);
        compare(lines[1], 'Hint: ', hint, what);
        assert.equal(result.status, status, what);
    }

    /** A snapshot of a few memories, for the tests that look at one. */
    snapshot(name = 'memories.chrono', records = sample) {
        this.ok(['save', '-i', '-', '-o', name, '--now', '2024-01-01T00:00:00Z'], JSON.stringify(records));
        return name;
    }
}

function compare(line, prefix, expected, what) {
    if (expected instanceof RegExp) {
        assert.match(line, expected, what);
        assert.ok(line.startsWith(prefix), what);
    } else {
        assert.equal(line, prefix + expected, what);
    }
}

/** Four memories around the axes of a 4-dimensional space. */
export const sample = [
    { id: 'east', data: [1, 0, 0, 0], context: 'travel', importance: 0.25, relationships: ['north', 'nowhere'], text: 'sunrise' },
    { id: 'north', data: [0, 1, 0, 0], context: 'travel', importance: 1, relationships: ['nowhere'] },
    { id: 'up', data: [0, 0, 1, 0], metadata: { floor: [1, 2] } },
    { id: 'slope', data: [3, 0, 4, 0], context: 'maps' },
];

export const hints = {
    usage: (name) => `try 'chronomind ${name} --help'`,
    json: 'the input is JSON: an object, an array of objects, or one object after another',
    fields: "see 'chronomind save --help' for the fields of a record",
    formats: "see 'chronomind save --help' for the formats",
    read: 'check the path and its permissions',
    write: 'nothing was replaced; check that the folder exists, may be written and has room',
    lengthGiven: 'every vector must have the length that --dimensions says',
    lengthOfFirst: 'every vector must have as many numbers as the first one; --dimensions can say how many',
    capacity: 'raise --max-memories',
};

/** A .fvecs file of rows of numbers. */
export function fvecs(rows) {
    return Buffer.concat(
        rows.map((row) => {
            const bytes = Buffer.alloc(4 + 4 * row.length);
            bytes.writeUInt32LE(row.length);
            for (const [i, x] of row.entries()) bytes.writeFloatLE(x, 4 + 4 * i);
            return bytes;
        }),
    );
}

/** A .npy file; options replace parts of the header. */
export function npy(rows, options = {}) {
    const { descr = '<f4', order = 'False', version = 1, shape = `(${rows.length}, ${rows[0].length})` } = options;
    const lengthBytes = version === 1 ? 2 : 4;
    let text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
    text = `${text.padEnd(64 - ((7 + lengthBytes + 2 + text.length) % 64) + text.length)}\n`;
    const length = Buffer.alloc(lengthBytes);
    length.writeUIntLE(text.length, 0, lengthBytes);
    const data = descr === '<f8' ? new Float64Array(rows.flat()) : new Float32Array(rows.flat());
    return Buffer.concat([Buffer.from([0x93, ...Buffer.from('NUMPY'), version, 0]), length, Buffer.from(text), Buffer.from(data.buffer)]);
}

/** Two MB that are quickly inserted: with options `quick`. */
export function manyRows(n = 4000) {
    return fvecs(Array.from({ length: n }, (_, i) => Array.from({ length: 128 }, (_, j) => Math.sin(i * 128 + j))));
}

export const quick = ['--m', '2', '--ef-construction', '2', '-m', '100000'];
