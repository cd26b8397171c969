// SPDX-License-Identifier: MIT OR Apache-2.0
// layout.mjs LAYOUT.wasm INITIAL_PAGES OUT.ts - turns the table of wasm/layout.c into TypeScript.
import { readFile, writeFile } from 'node:fs/promises';

const [wasmPath, initialPages, outPath] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(await readFile(wasmPath));
const { memory, layout_rows, layout_n_rows, layout_version } = instance.exports;
const words = new Uint32Array(memory.buffer);

/** The C string at an address. */
function text(address) {
    const bytes = new Uint8Array(memory.buffer, address);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

/** The rows of the table: kind, owner, name and text are pointers, value a number. */
function* rows() {
    const n_words_per_row = 5;
    for (let i = 0, at = layout_rows() / 4; i < layout_n_rows(); i++, at += n_words_per_row) {
        const [kind, owner, name, sentence] = Array.from(words.subarray(at, at + 4), text);
        yield { kind, owner, name, sentence, value: words[at + 4] | 0 };
    }
}

const statuses = [];
const constants = [];
const structs = new Map();
for (const row of rows()) {
    if (row.kind === 'status') statuses.push(row);
    else if (row.kind === 'constant') constants.push(row);
    else if (row.kind === 'size') structs.set(row.owner, { size: row.value, fields: [] });
    else structs.get(row.owner).fields.push(row);
}

const lines = [
    '// SPDX-License-Identifier: MIT OR Apache-2.0',
    '// Written by wasm/build.sh from core/include/chronomind.h. Do not edit.',
    '',
    '/** The version of the library that these numbers belong to. */',
    `export const VERSION = '${text(layout_version())}';`,
    '',
    '/** Pages of memory that the modules ask for at least. */',
    `export const INITIAL_PAGES = ${initialPages};`,
    '',
    '/** Every status of the library with its sentence. */',
    'export const STATUS = {',
    ...statuses.map(({ name, value, sentence }) => `    ${name}: { value: ${value}, text: ${JSON.stringify(sentence)} },`),
    '} as const;',
    '',
];
for (const { name, value } of constants) lines.push(`export const ${name} = ${value};`);
for (const [name, { size, fields }] of structs) {
    const rendered = fields.map((field) => `        ${field.name}: { at: ${field.value}, kind: '${field.kind}' },`);
    lines.push('', `export const ${name} = {`, `    size: ${size},`, '    fields: {', ...rendered, '    },', '} as const;');
}

const source = `${lines.join('\n')}\n`;
const before = await readFile(outPath, 'utf8').catch(() => '');
if (before !== source) await writeFile(outPath, source); // several builds may run beside a compiler that reads it
