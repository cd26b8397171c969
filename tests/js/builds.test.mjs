// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The single-thread build and the one for WASI hosts pass the tests of the threads build, but those with workers: each file once more, on a host without shared memory
 * (other-build.mjs). identity, search and links run on every build by themselves, web, package and features are about builds and hosts.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { WASI } from 'node:wasi';
import { built, load, open, randomFrom, randomVector, root, temporaryFolder } from './support.mjs';

const FILES = ['api', 'bad-input', 'memory', 'storage'];

for (const build of ['single-thread', 'wasi']) {
    test(`the tests of the package on the ${build} build`, (t) => {
        const files = FILES.map((name) => `tests/js/${name}.test.mjs`);
        const preload = pathToFileURL(join(root, 'tests/js/other-build.mjs')).href;
        const { NODE_TEST_CONTEXT, ...environment } = process.env; // or the inner run would report to this one in its own language
        const { stdout, status } = spawnSync(process.execPath, ['--import', preload, '--test', '--test-reporter=tap', ...files], {
            cwd: root,
            env: { ...environment, NODE_OPTIONS: `--import ${preload}`, CHRONOMIND_TEST_BUILD: build },
            encoding: 'utf8',
            maxBuffer: 1 << 26,
        });
        const count = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(stdout)?.[1]);
        t.diagnostic(`${count('pass')} passed, ${count('skipped')} skipped (workers)`);
        const failed = stdout.split('\n').filter((line) => /^\s*not ok|error:/.test(line));
        assert.deepEqual([status, count('fail'), ...failed], [0, 0]);
        assert.ok(count('pass') >= 70 && count('skipped') <= 2, stdout.slice(-2000));
    });
}

/** The module under the WASI of Node, without a line of the package: a program in another language would use it so. */
test('a WASI host runs the module; its snapshot is that of the package, byte for byte', async (t) => {
    const folder = temporaryFolder(t);
    const snapshot = join(folder, 'wasi.chrono');
    const module = new WebAssembly.Module(readFileSync(built('build/wasm/chronomind-wasi.wasm', 'run ./build.sh wasm')));
    assert.deepEqual(
        new Set(WebAssembly.Module.imports(module).map((each) => each.module)),
        new Set(['wasi_snapshot_preview1']),
        'it imports nothing that a WASI host lacks',
    );
    const start = (stdio) => {
        const wasi = new WASI({ version: 'preview1', ...stdio });
        const instance = new WebAssembly.Instance(module, wasi.getImportObject());
        wasi.initialize(instance);
        return instance.exports;
    };
    const { cm_config_t, cm_memory_t } = await import('../../js/dist/generated.js');
    const host = start({ stdout: openSync(snapshot, 'w') });
    const at = host.cm_wasm_alloc(65536) >>> 0;
    const view = () => new DataView(host.memory.buffer);
    const string = (field, place, text) => {
        new Uint8Array(host.memory.buffer).set(new TextEncoder().encode(text), place);
        view().setUint32(field, place, true);
        view().setUint32(field + 4, text.length, true);
    };
    const [out, error, config, memory, id, vector] = [at, at + 8, at + 1024, at + 2048, at + 3072, at + 4096];
    host.cm_wasm_config_init(config);
    view().setUint32(config + cm_config_t.fields.dimensions.at, 8, true);
    assert.equal(host.cm_open(config, out, error), 0);
    const store = view().getUint32(out, true);
    assert.equal(host.cm_wasm_join(store, out), 0);
    const thread = view().getUint32(out, true);
    const random = randomFrom(4);
    const mind = await open(t, { dimensions: 8 });
    for (let i = 0; i < 300; i++) {
        const values = randomVector(random, 8);
        host.cm_wasm_memory_init(memory);
        new Float32Array(host.memory.buffer, vector, 8).set(values);
        string(memory + cm_memory_t.fields.id.at, id, `m${i}`);
        view().setUint32(memory + cm_memory_t.fields.vector.at, vector, true);
        view().setUint32(memory + cm_memory_t.fields.dimensions.at, 8, true);
        view().setBigInt64(memory + cm_memory_t.fields.created_ms.at, BigInt(i), true);
        assert.equal(host.cm_insert(thread, memory), 0);
        mind.insert({ id: `m${i}`, vector: values, timestamp: i });
    }
    assert.equal(host.cm_wasm_save(thread, 1), 0, 'to standard output');
    const bytes = readFileSync(snapshot);
    assert.ok(bytes.equals(mind.toBytes()), 'the same bytes');
    assert.equal((await load(t, bytes)).size, 300);

    const reader = start({ stdin: openSync(snapshot, 'r') });
    const options = reader.cm_wasm_alloc(65536) >>> 0;
    reader.cm_wasm_load_init(options);
    assert.equal(reader.cm_wasm_load(0, bytes.length, options, options + 1024, options + 2048), 0, 'from standard input');
    assert.equal(reader.cm_len(new DataView(reader.memory.buffer).getUint32(options + 1024, true)), 300n);
});
