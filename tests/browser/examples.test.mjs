// SPDX-License-Identifier: MIT OR Apache-2.0
/** The example of a page without a bundler, from the server that comes with it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { browserFor } from './support.mjs';

const serve = fileURLToPath(new URL('../../examples/serve.mjs', import.meta.url));

/** The address of the page, served until the test ends. */
async function started(t, ...args) {
    const server = spawn(process.execPath, [serve, '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => server.kill());
    const [said] = await once(server.stdout, 'data');
    return new URL(String(said).trim());
}

/** What the page says, in a tab of its own or beside another. */
async function said(t, browser, { origin, pathname }, beside) {
    const tab = await browser.open(t, { url: origin }, { path: pathname, beside });
    await tab.page.waitForSelector('body[data-state]');
    return { tab, lines: (await tab.page.textContent('#log')).trim().split('\n') };
}

for (const browser of [browserFor('chromium'), browserFor('firefox')]) {
    browser.test('the page of examples/browser, and what it finds at the next visit', async (t) => {
        const url = await started(t);
        const { tab, lines } = await said(t, browser, url);
        const rest = ['2 workers found memory 7', 'a worker of the page found memory 42', 'saved: 1000'];
        assert.deepEqual(lines, [lines[0], 'memories from the last visit: 0', ...rest]);
        assert.match(lines[0], /^build: threads/);
        assert.deepEqual(tab.messages, []);
        const next = await said(t, browser, url, tab);
        assert.deepEqual(next.lines.slice(1), ['memories from the last visit: 1000', ...rest]);
    });

    browser.test('the same page without isolation', async (t) => {
        const { lines } = await said(t, browser, await started(t, '--plain'));
        assert.match(lines[0], /^build: single-thread .*Cross-Origin-Opener-Policy/);
        assert.deepEqual(lines.slice(1), ['memories from the last visit: 0', '0 workers found memory 7', 'saved: 1000']);
    });
}
