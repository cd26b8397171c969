// SPDX-License-Identifier: MIT OR Apache-2.0
// The smallest server that lets a page share memory among its workers: files below this repository, and two headers. Run: node examples/serve.mjs [PORT], then open
// what it prints. --plain leaves the headers out: the same page then runs on one thread.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = normalize(fileURLToPath(new URL('..', import.meta.url)));
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.wasm': 'application/wasm' };
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const headers = process.argv.includes('--plain') ? {} : isolation;
const port = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 8080);

const server = createServer(async ({ url }, response) => {
    const path = normalize(join(root, decodeURIComponent(new URL(url, 'http://localhost').pathname)));
    const file = path.endsWith(sep) ? join(path, 'index.html') : path;
    const content = file.startsWith(root) ? await readFile(file).catch(() => undefined) : undefined;
    response.writeHead(content ? 200 : 404, { ...headers, 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
    response.end(content ?? 'there is no such file');
});
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/examples/browser/`));
