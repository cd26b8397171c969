// SPDX-License-Identifier: MIT OR Apache-2.0
/** Vite, with the configuration of the example: a production build and the development server. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { build, createLogger, createServer } from 'vite';
import { browserFor } from '../browser/support.mjs';
import { expectPages, folderServer, installedApp, page, precompiled } from './support.mjs';

const IMPORTS = `
import threads from 'chronomind/chronomind.wasm?url';
import single from 'chronomind/chronomind-st.wasm?url';`;

/** Says nothing, and keeps what it was warned of. */
function quietLogger() {
    const logger = createLogger('silent');
    const warnings = [];
    logger.warn = logger.warnOnce = (message) => warnings.push(message);
    logger.error = (message) => warnings.push(message);
    return { logger, warnings };
}

function viteApp(t) {
    const app = installedApp(t);
    app.write('precompiled.js', precompiled(IMPORTS));
    app.write('precompiled.html', page('./precompiled.js'));
    return app;
}

const chromium = browserFor('chromium');

chromium.test('a production build of Vite', async (t) => {
    const { folder } = viteApp(t);
    const { logger, warnings } = quietLogger();
    const input = ['index.html', 'precompiled.html'].map((name) => join(folder, name));
    await build({ root: folder, customLogger: logger, logLevel: 'warn', build: { rollupOptions: { input } } });
    assert.deepEqual(warnings, []);
    await expectPages(t, chromium, folderServer(join(folder, 'dist')));
});

chromium.test('the development server of Vite', async (t) => {
    const { folder } = viteApp(t);
    await expectPages(t, chromium, async (t, headers) => {
        const { logger, warnings } = quietLogger();
        const server = await createServer({
            root: folder,
            customLogger: logger,
            server: { port: 0, host: '127.0.0.1', headers: { ...NO_HEADERS, ...headers } },
        });
        await server.listen();
        t.after(async () => {
            await server.close();
            assert.deepEqual(warnings, []);
        });
        return { url: server.resolvedUrls.local[0].replace(/\/$/, '') };
    });
});

/** Those of the example's own configuration, taken back. */
const NO_HEADERS = { 'Cross-Origin-Opener-Policy': 'unsafe-none', 'Cross-Origin-Embedder-Policy': 'unsafe-none' };
