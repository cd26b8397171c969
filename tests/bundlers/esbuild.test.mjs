// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * esbuild, which leaves `new URL(..., import.meta.url)` as it is: workers are entries of their own, "pool-worker" among them, and the modules are copied beside the output.
 */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { browserFor } from '../browser/support.mjs';
import { expectPages, folderServer, installedApp, page, precompiled } from './support.mjs';

const IMPORTS = `
import threads from 'chronomind/chronomind.wasm';
import single from 'chronomind/chronomind-st.wasm';`;

const chromium = browserFor('chromium');

for (const splitting of [false, true]) {
    chromium.test(`an esbuild build${splitting ? ' with shared chunks' : ''}`, async (t) => {
        const { folder, write } = installedApp(t);
        const dist = join(folder, 'dist');
        write('precompiled.js', precompiled(IMPORTS));
        const { warnings } = await build({
            absWorkingDir: folder,
            entryPoints: {
                index: 'src/main.js',
                precompiled: 'precompiled.js',
                worker: 'src/worker.js',
                'pool-worker': 'chronomind/pool-worker',
            },
            bundle: true,
            minify: true,
            splitting,
            format: 'esm',
            outdir: dist,
            loader: { '.wasm': 'file' },
            logLevel: 'silent',
        });
        assert.deepEqual(warnings, []);
        for (const name of ['chronomind.wasm', 'chronomind-st.wasm'])
            copyFileSync(join(folder, 'node_modules/chronomind/js/dist', name), join(dist, name));
        for (const name of ['index', 'precompiled']) write(`dist/${name}.html`, page(`./${name}.js`));
        await expectPages(t, chromium, folderServer(dist));
    });
}
