// SPDX-License-Identifier: MIT OR Apache-2.0
/** The package as a host without a file system sees it: the entry is web.js, modules arrive over HTTP. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { moduleBytes, refuses, rejects, root, temporaryFolder } from './support.mjs';

const dist = join(root, 'js/dist');

/** Every file that an entry loads, and what they import from elsewhere. */
function moduleGraph(entry) {
    const files = new Set();
    const foreign = new Set();
    const visit = (file) => {
        if (files.has(file)) return;
        files.add(file);
        const source = readFileSync(file, 'utf8');
        for (const [, name] of source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)) {
            if (name.startsWith('.')) visit(normalize(join(file, '..', name)));
            else foreign.add(name);
        }
    };
    visit(join(dist, entry));
    return { files: [...files], foreign: [...foreign] };
}

for (const entry of ['web.js', 'pool/web.js', 'pool/pool-worker.js', 'storage/opfs-web.js', 'storage/idb-web.js', 'storage/bytes-web.js']) {
    test(`what a browser loads for ${entry} imports by relative paths only, nothing from Node, and uses no global of it`, () => {
        const { files, foreign } = moduleGraph(entry);
        assert.equal(files.length, 2, `one request each, and one for what they share: ${files.join(' ')}`);
        assert.deepEqual(foreign, []);
        for (const file of files) {
            const code = readFileSync(file, 'utf8');
            for (const global of [/\brequire\(/, /\bBuffer\b/, /\b__dirname\b/, /\bprocess\.env\b/, /\bsetImmediate\b/, /['"]node:/]) {
                assert.doesNotMatch(code, global, file);
            }
        }
    });
}

test('the worker of a pool does not name itself: bundlers that follow the name would never end, or refuse it', () => {
    const { files } = moduleGraph('pool/pool-worker.js');
    assert.deepEqual(
        files.filter((file) => /new Worker\(/.test(readFileSync(file, 'utf8'))),
        [],
    );
});

test('no file needs import(): bundlers make of a worker one file', () => {
    for (const entry of ['web.js', 'pool/web.js', 'pool/pool-worker.js']) {
        for (const file of moduleGraph(entry).files) assert.doesNotMatch(readFileSync(file, 'utf8'), /\bawait import\(|= import\(/, file);
    }
});

test('bundlers find both modules: the URLs are literal', () => {
    const textOf = (file) => readFileSync(join(dist, file), 'utf8').replaceAll('"', "'").replaceAll(' ', '');
    for (const file of ['loader.js', 'web-shared.js']) {
        for (const name of ['chronomind.wasm', 'chronomind-st.wasm'])
            assert.ok(textOf(file).includes(`newURL('./${name}',import.meta.url)`), `${file}: ${name}`);
    }
    assert.ok(textOf('pool/web.js').includes("newWorker(newURL('./pool-worker.js',import.meta.url),{type:'module'})"));
});

/** A server on the loopback interface; gives its address. */
async function serve(t, answer) {
    const server = createServer(answer);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
        server.closeAllConnections();
        server.close();
    });
    return `http://127.0.0.1:${server.address().port}`;
}

test('a store over modules fetched by HTTP; files are refused with what to do instead', async (t) => {
    const folder = temporaryFolder(t);
    cpSync(dist, join(folder, 'dist'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const { ChronoMind } = await import(pathToFileURL(join(folder, 'dist/web.js')).href);
    const bytes = moduleBytes('threads');
    const types = { '/right.wasm': 'application/wasm', '/wrong.wasm': 'application/octet-stream' };
    const address = await serve(t, (request, response) => {
        const type = types[request.url];
        if (request.url === '/page') return response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>');
        response.writeHead(type ? 200 : 404, { 'Content-Type': type ?? 'text/plain' });
        response.end(type ? bytes : 'no such thing');
    });
    for (const path of Object.keys(types)) {
        const mind = await ChronoMind.open({ dimensions: 2, maxMemories: 2000, wasmUrl: address + path });
        const many = Array.from({ length: 500 }, (_, i) => ({ id: `m${i}`, vector: [i, 1] }));
        let reports = 0;
        assert.equal(await mind.insertBatch(many, { onProgress: () => reports++ }), 500);
        assert.ok(reports >= 1);
        assert.equal(mind.search([0, 1], { k: 1, temporalWeight: 0 })[0].id, 'm0');
        const copy = await ChronoMind.load(new Blob([mind.toBytes()]), { wasmUrl: address + path });
        assert.equal(copy.size, 500);
        await rejects('CM_E_ENVIRONMENT', /toBytes\(\)/, () => mind.save('x.chrono'));
        const worker = await ChronoMind.attach(mind.share());
        assert.equal(worker.size, 500);
        for (const store of [worker, copy, mind]) store.close();
    }
    await rejects('CM_E_ENVIRONMENT', /404 Not Found for http.*wasm-unsafe-eval/s, () => ChronoMind.open({ wasmUrl: `${address}/none` }));
    await rejects('CM_E_ENVIRONMENT', /page is a page and no module.*optimizeDeps/, () => ChronoMind.open({ wasmUrl: `${address}/page` }));
    await rejects('CM_E_ENVIRONMENT', /no file system/, () => ChronoMind.load('x.chrono'));
    await rejects('CM_E_ENVIRONMENT', /no file system/, () => ChronoMind.open({ path: 'x.chrono' }));
});

test('what comes from different entries is of one class', async () => {
    const { ChronoMind, ChronoMindError } = await import('../../js/dist/web.js');
    const { bytesStorage } = await import('../../js/dist/storage/bytes-web.js');
    const snapshot = await bytesStorage(new Uint8Array(3)).read();
    assert.throws(
        () => snapshot.read(0, new Uint8Array(4)),
        (error) => error instanceof ChronoMindError,
    );
    const mind = await ChronoMind.open({ dimensions: 2, storage: bytesStorage(), wasmBinary: moduleBytes('single-thread') });
    mind.close();
});

test('the web host alone', async () => {
    await import('../../js/dist/web.js');
    const host = (await import('../../js/dist/web-shared.js')).theHost();
    refuses('CM_E_ENVIRONMENT', /\{ opfs \}.*load\(bytes\).*toBytes\(\)/, () => host.fileStorage('x'));
    let isLater = false;
    const breath = host.breathe().then(() => assert.ok(isLater, 'resolved in the same turn'));
    queueMicrotask(() => (isLater = true));
    await breath;
    await assert.rejects(host.compile(pathToFileURL(fileURLToPath(import.meta.url))));
});
