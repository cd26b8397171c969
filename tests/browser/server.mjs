// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The web server of the browser tests, on loopback: the built package, an empty page, and the functions that a test wants to run there.
 *
 *     /                  an empty page
 *     /dist/...          js/dist, with the entries that package.json gives browsers: index.js is web.js
 *     /published/...     js/dist as it is, for a page with an import map
 *     /js/dist/...       the same, and
 *     /tests/js/*.mjs    what tests/js runs in browsers, too: paths relative to each other are those of the repository
 *     /run/N.js          the Nth function given to offer(), as a module
 *     /worker.js         runs such a module in a worker, and answers with what came out
 *
 * Every server is an origin of its own, so storage of one test is invisible to another.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../../js/dist', import.meta.url));
const tests = fileURLToPath(new URL('../js/', import.meta.url));

const TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.mjs': 'text/javascript; charset=utf-8',
    '.wasm': 'application/wasm',
};

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** An icon, so that browsers do not ask for one and complain. */
const PAGE = '<!doctype html><html lang="en"><title>ChronoMind</title><link rel="icon" href="data:,">';

/** Errors lose their code on the way through postMessage and the debugger: it travels beside them. */
const OUTCOME = `
export async function outcomeOf(url, arg) {
    try {
        return { value: await (await import(url)).default(arg) };
    } catch (error) {
        const { name, code, message, stack, index } = Object(error);
        return { error: { name, code, message: message ?? String(error), stack, index } };
    }
}`;

const WORKER = `
import { outcomeOf } from '/outcome.js';
onmessage = async ({ data: { url, arg } }) => postMessage({ outcome: await outcomeOf(url, arg) });`;

/** What browsers get where Node gets the key: index.js is web.js. */
const { exports: entries } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
const WEB_ENTRIES = Object.fromEntries(
    Object.values(entries)
        .filter((entry) => entry.node?.import)
        .map(({ node, browser, default: other }) =>
            [node.import.default, (browser ?? other).default].map((path) => path.replace('./js/dist/', '')),
        ),
);

/** A file below js/dist; undefined when there is none, or when the name points elsewhere. */
async function fileOf(name) {
    const path = normalize(join(dist, name));
    return path.startsWith(dist + sep) ? readFile(path).catch(() => undefined) : undefined;
}

/**
 * Starts a server; `pages` are more files by path. Headers: isolated pages may share memory, `csp` is their content security policy,
 * `headers` are more of them.
 * The caller closes it.
 */
export async function startServer({ isolated = true, csp, headers: more = {}, pages = {} } = {}) {
    const functions = [];
    const contentOf = async (path) => {
        const [, folder, name] = /^\/(dist|js\/dist|tests\/js|published|run)\/([\w./-]+)$/.exec(path) ?? [];
        if (folder === 'tests/js') return /^[\w-]+\.mjs$/.test(name) ? readFile(join(tests, name)).catch(() => undefined) : undefined;
        if (folder === 'dist' || folder === 'js/dist') return fileOf(WEB_ENTRIES[name] ?? name);
        if (folder === 'published') return fileOf(name);
        if (folder === 'run') return functions[Number.parseInt(name, 10)];
        return { '/': PAGE, '/outcome.js': OUTCOME, '/worker.js': WORKER, ...pages }[path];
    };
    const headers = { 'Cache-Control': 'no-store', ...(isolated && ISOLATION), ...(csp && { 'Content-Security-Policy': csp }), ...more };
    const server = createServer(async ({ url }, response) => {
        const path = new URL(url, 'http://localhost').pathname;
        const content = await contentOf(path);
        const type = TYPES[extname(path) || '.html'] ?? 'text/plain';
        response.writeHead(content === undefined ? 404 : 200, { ...headers, 'Content-Type': type });
        response.end(content ?? `no ${path}`);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
        url: `http://127.0.0.1:${server.address().port}`,
        /** The path of a module that exports `function_`, called with the package and an argument. */
        offer(function_) {
            const source = `import * as chronomind from '/dist/index.js';\nexport default (arg) => (${function_})(chronomind, arg);`;
            return `/run/${functions.push(source) - 1}.js`;
        },
        close() {
            server.closeAllConnections();
            server.close();
        },
    };
}
