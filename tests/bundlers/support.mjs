// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * What the tests of bundlers share: the app of examples/vite beside the tarball that npm would publish, a server for what a bundler made of them, and what a page has
 * to say then.
 *
 *     const app = installedApp(t);                             // a folder of its own, nothing in it but the app and node_modules/chronomind
 *     app.write('precompiled.js', precompiled("import url from 'chronomind/chronomind.wasm';"));
 *     await bundle(app.folder, join(app.folder, 'dist'));
 *     await expectPages(t, chromium, folderServer(join(app.folder, 'dist')));
 *
 * Every page is opened under a content security policy that allows WebAssembly and nothing else beyond the page's own files, with and without the headers that
 * isolate it, and both with the module that the package finds and with a WebAssembly.Module that the app compiled and passed in.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { root, temporaryFolder } from '../js/support.mjs';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.wasm': 'application/wasm' };

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

const CSP = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src data:";

/** Of a page that is isolated, and of one that is not. */
export const HEADERS = {
    isolated: { 'Content-Security-Policy': CSP, ...ISOLATION },
    'not isolated': { 'Content-Security-Policy': CSP },
};

/** The example app beside the installed tarball. */
export function installedApp(t) {
    const folder = temporaryFolder(t);
    cpSync(join(root, 'examples/vite'), folder, { recursive: true, filter: (path) => !/\/(node_modules|dist)$/.test(path) });
    writeFileSync(join(folder, 'package.json'), '{"name":"app","version":"1.0.0","private":true,"type":"module"}');
    const npm = (...args) => execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    const [{ filename }] = JSON.parse(npm('pack', '--json', '--ignore-scripts', '--pack-destination', folder, root));
    npm('install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', join(folder, filename));
    return { folder, write: (name, text) => writeFileSync(join(folder, name), text) };
}

/** A page of one module. */
export function page(script) {
    return `<!doctype html><html lang="en"><title>app</title><link rel="icon" href="data:,"><pre id="log"></pre><script type="module" src="${script}"></script></html>`;
}

/** The app with modules that it compiled itself. `imports` gives the URLs `threads` and `single`, in the way of the bundler. */
export function precompiled(imports) {
    return `${imports}
import { run } from './src/app.js';
const log = document.getElementById('log');
const wasmModule = await WebAssembly.compileStreaming(fetch(crossOriginIsolated ? threads : single));
run({ wasmModule }, (line) => log.append(line + '\\n'))
    .then(() => document.body.setAttribute('data-state', 'done'), (error) => log.append(error.stack));
`;
}

/** Starts servers of the files in a folder: folderServer(folder)(t, headers) gives { url }. */
export function folderServer(folder) {
    return async (t, headers) => {
        const server = createServer(async ({ url }, response) => {
            const path = normalize(join(folder, new URL(url, 'http://localhost').pathname));
            const content = path.startsWith(folder + sep) ? await readFile(path).catch(() => undefined) : undefined;
            response.writeHead(content ? 200 : 404, { ...headers, 'Content-Type': TYPES[extname(path)] ?? 'text/plain' });
            response.end(content ?? `no ${url}`);
        });
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        t.after(() => {
            server.closeAllConnections();
            server.close();
        });
        return { url: `http://127.0.0.1:${server.address().port}` };
    };
}

const SAID = {
    isolated: [
        'build: threads',
        'pool: 2 workers',
        'found: memory 7, memory 499',
        'worker: memory 42, and left "a note"',
        'memories: 501',
        '',
    ],
    'not isolated': ['build: single-thread', 'pool: 0 workers', 'found: memory 7, memory 499', 'memories: 500', ''],
};

/** Opens the app in every way, from servers that `start` starts. Workers are expected to name files of their own, so they show that theirs were found. */
export async function expectPages(t, browser, start) {
    for (const [kind, headers] of Object.entries(HEADERS)) {
        const site = await start(t, headers);
        for (const path of ['/index.html', '/precompiled.html']) {
            await t.test(`${kind}, ${path}`, async (t) => {
                const { text, modules, messages } = await visit(t, browser, site, path);
                assert.deepEqual(text.split('\n'), SAID[kind]);
                assert.deepEqual(modules, [kind === 'isolated' ? 'threads' : 'single-thread'], 'fetched once, by the page');
                if (kind === 'not isolated' && path === '/index.html') expectAdvice(messages);
                else assert.deepEqual(messages, []);
            });
        }
    }
}

/** Loads a page, waits for its end, and gives what it shows, what it said on the console and which modules it fetched. */
async function visit(t, browser, site, path) {
    const tab = await browser.open(t, { url: 'about:blank' }, { path: '' }); // what the app fetches is to be seen from the start
    const responses = [];
    tab.context.on('response', (response) => responses.push(response));
    await tab.page.goto(site.url + path);
    await tab.page.waitForSelector('body[data-state]', { timeout: 45000 }).catch(async (error) => {
        throw new Error(`${await tab.page.textContent('#log')}\n${JSON.stringify(tab.messages)}`, { cause: error });
    });
    return {
        text: await tab.page.textContent('#log'),
        modules: await Promise.all(responses.filter(isModule).map(buildOf)),
        messages: tab.messages.filter(({ text }) => !text.startsWith('[vite]')),
    };
}

const isModule = (response) => response.headers()['content-type'] === 'application/wasm';

/** Only the threads build has thread-local data to initialise. */
async function buildOf(response) {
    return (await response.body()).includes('__wasm_init_tls') ? 'threads' : 'single-thread';
}

function expectAdvice(messages) {
    assert.equal(messages.length, 1, JSON.stringify(messages));
    assert.equal(messages[0].type, 'info');
    assert.match(messages[0].text, /single-threaded.*Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy/);
}
