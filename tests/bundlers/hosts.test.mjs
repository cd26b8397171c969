// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The packed package on hosts that are neither Node nor a browser: bundled as Cloudflare does it and run where bytes cannot be compiled, and in Deno.
 *
 * The first runs anywhere. The others need programs that ./build.sh setup does not install: CHRONOMIND_WORKERD and CHRONOMIND_DENO name them (`npm install workerd deno`
 * in some folder gives both).
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as later } from 'node:timers/promises';
import { test } from 'node:test';
import { build } from 'esbuild';
import { installedApp } from './support.mjs';

/** What a Cloudflare Worker does with a request. */
const WORKER = `
import { ChronoMind } from 'chronomind';
export async function answer() {
    const mind = await ChronoMind.open({ dimensions: 2, maxMemories: 500 });
    await mind.insertBatch(Array.from({ length: 300 }, (_, i) => ({ id: 'm' + i, vector: [i + 1, 1] })));
    const copy = await ChronoMind.load(mind.toBytes());
    const { build, reason } = ChronoMind.capabilities();
    const said = [copy.search([1, 1], { k: 1, temporalWeight: 0 })[0].id, copy.size, copy.build, build, /ahead of time/.test(reason)];
    for (const store of [copy, mind]) store.close();
    const refused = await ChronoMind.open({ path: 'x.chrono' }).catch(({ code }) => code);
    return [...said, refused].join(' ');
}
export default { fetch: async () => new Response(await answer()) };`;
const ANSWER = 'm0 300 single-thread single-thread true CM_E_ENVIRONMENT';

/** An imported .wasm file is a compiled module there. */
const MODULES = {
    name: 'modules',
    setup: ({ onLoad }) => {
        onLoad({ filter: /\.wasm$/ }, ({ path }) => ({
            contents: `import { readFileSync } from 'node:fs'; export default new globalThis.CompiledModule(readFileSync(${JSON.stringify(path)}));`,
        }));
    },
};

/** Node without what such a host lacks. */
const PRELUDE = `
globalThis.CompiledModule = WebAssembly.Module;
const refuse = () => { throw new WebAssembly.CompileError('Wasm code generation disallowed by embedder'); };
const { instantiate } = WebAssembly;
Object.assign(WebAssembly, { compile: refuse, compileStreaming: refuse, instantiateStreaming: refuse,
    instantiate: (module, ...rest) => (module instanceof CompiledModule ? instantiate(module, ...rest) : refuse()) });
for (const name of ['FinalizationRegistry', 'WeakRef', 'MessageChannel', 'process', 'setImmediate', 'SharedArrayBuffer']) delete globalThis[name];
`;

/** The bundle that Wrangler would make. */
async function bundled(folder, options) {
    const conditions = ['workerd', 'worker', 'browser'];
    const define = { 'import.meta.url': 'undefined' };
    const common = {
        absWorkingDir: folder,
        entryPoints: { worker: 'worker.js' },
        bundle: true,
        format: 'esm',
        outdir: 'dist',
        conditions,
        define,
    };
    const { warnings } = await build({ ...common, logLevel: 'silent', ...options });
    assert.deepEqual(warnings, []);
}

test('bundled for Cloudflare Workers, on a host that compiles nothing', async (t) => {
    const { folder, write } = installedApp(t);
    write('worker.js', WORKER);
    await bundled(folder, { plugins: [MODULES], external: ['node:fs'] });
    write('prelude.mjs', PRELUDE);
    write('main.mjs', "import './prelude.mjs'; const { answer } = await import('./dist/worker.js'); console.log(await answer());");
    assert.equal(execFileSync(process.execPath, ['main.mjs'], { cwd: folder, encoding: 'utf8' }), `${ANSWER}\n`);
});

/** Where a program is that not every machine has. */
function program(variable) {
    const path = process.env[variable];
    const skip = path === undefined ? `${variable} names no program` : false;
    if (skip) console.log(`SKIPPED: ${skip}`);
    return { path, skip };
}

const workerd = program('CHRONOMIND_WORKERD');

/** Before 2025 without WeakRef and FinalizationRegistry, later with. */
for (const date of ['2023-01-01', '2026-01-01']) {
    test(`workerd, compatibility date ${date}`, { skip: workerd.skip }, async (t) => {
        const { folder, write } = installedApp(t);
        write('worker.js', WORKER);
        await bundled(folder, { loader: { '.wasm': 'copy' }, assetNames: '[name]' });
        const port = await freePort();
        write('config.capnp', configOf(date, port));
        const server = spawn(workerd.path, ['serve', 'config.capnp'], { cwd: folder, stdio: 'inherit' });
        const ended = once(server, 'exit'); // it may end by itself, when it does not like what it is given
        t.after(async () => {
            server.kill();
            await ended;
        });
        assert.equal(await fetched(`http://127.0.0.1:${port}/`), ANSWER);
    });
}

function configOf(date, port) {
    return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
    services = [(name = "main", worker = .worker)],
    sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
    modules = [
        (name = "worker.js", esModule = embed "dist/worker.js"),
        (name = "chronomind-st.wasm", wasm = embed "dist/chronomind-st.wasm")
    ],
    compatibilityDate = "${date}"
);
`;
}

async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    return port;
}

/** Asks until the server is up, five seconds at most. */
async function fetched(url) {
    for (let tries = 50; ; tries--) {
        try {
            return await (await fetch(url)).text();
        } catch (error) {
            if (tries === 0) throw error;
            await later(100);
        }
    }
}

const deno = program('CHRONOMIND_DENO');

const DENO = `
import { ChronoMind } from 'chronomind';
import { WorkerPool } from 'chronomind/pool';
const mind = await ChronoMind.open({ dimensions: 2, maxMemories: 100, path: 'x.chrono' });
const pool = await WorkerPool.open(mind, { workers: 2 });
await pool.insertBatch([{ id: 'a', vector: [1, 2] }, { id: 'b', vector: [2, 1] }]);
const found = await pool.searchBatch([[1, 2], [2, 1]], { k: 1 });
await pool.close();
await mind.save();
mind.close();
const copy = await ChronoMind.load('x.chrono');
console.log(found.map(([hit]) => hit.id).join(), copy.build, copy.size);
copy.close();`;

test('Deno: files, and a pool of workers', { skip: deno.skip }, (t) => {
    const { folder, write } = installedApp(t);
    write('main.mjs', DENO);
    assert.equal(execFileSync(deno.path, ['run', '--allow-all', 'main.mjs'], { cwd: folder, encoding: 'utf8' }), 'a,b threads 2\n');
});
