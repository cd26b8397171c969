// SPDX-License-Identifier: MIT OR Apache-2.0
/** webpack 5 without a single option about WebAssembly or workers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import webpack from 'webpack';
import { browserFor } from '../browser/support.mjs';
import { expectPages, folderServer, installedApp, page, precompiled } from './support.mjs';

const IMPORTS = `
const threads = new URL('chronomind/chronomind.wasm', import.meta.url);
const single = new URL('chronomind/chronomind-st.wasm', import.meta.url);`;

function bundle(options) {
    return new Promise((resolve, reject) => {
        const compiler = webpack(options);
        compiler.run((error, stats) =>
            compiler.close(() => (error ? reject(error) : resolve(stats.toJson({ all: false, errors: true, warnings: true })))),
        );
    });
}

const chromium = browserFor('chromium');

chromium.test('a webpack build', async (t) => {
    const { folder, write } = installedApp(t);
    const dist = join(folder, 'dist');
    write('precompiled.js', precompiled(IMPORTS));
    const { errors, warnings } = await bundle({
        context: folder,
        mode: 'production',
        entry: { index: './src/main.js', precompiled: './precompiled.js' },
        output: { path: dist },
    });
    assert.deepEqual(errors, []);
    assert.deepEqual(warnings, []);
    for (const name of ['index', 'precompiled']) write(`dist/${name}.html`, page(`./${name}.js`));
    await expectPages(t, chromium, folderServer(dist));
});
