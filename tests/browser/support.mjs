// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * What the browser tests share: browsers, tabs, and functions that run there.
 *
 *     const browser = browserFor('firefox');                  // Chromium unless told otherwise; started once per file
 *     browser.test('a store', async (t) => {
 *         const site = await serve(t, { isolated: true });    // an origin of its own
 *         const tab = await browser.open(t, site);            // an empty page
 *         const size = await tab.run(async ({ ChronoMind }, n) => ..., 5);   // in the page; what it throws, run() throws with its code
 *         await tab.work(async ({ ChronoMind }, n) => ..., 5);               // the same in a module worker
 *         tab.messages;                                       // what the page and its workers said on the console, and uncaught errors
 *     });
 *
 * Functions travel as text: they see their two arguments and what they import, and nothing of the file they are written in.
 * A browser that is not installed skips its tests, and says so.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import playwright from 'playwright-core';
import { startServer } from './server.mjs';

const TIMEOUT_MS = 60000;

/** Of one test. */
const TEST_TIMEOUT_MS = (process.env.CM_TEST_LENGTH === 'full' ? 10 : 2) * TIMEOUT_MS;

/** Debian's. Playwright's own downloads are not used. */
const BROWSERS = {
    chromium: process.env.CHRONOMIND_CHROMIUM ?? '/usr/bin/chromium',
    firefox: process.env.CHRONOMIND_FIREFOX ?? '/usr/bin/firefox-esr',
};

/** The pages are our own, and in a container Chromium's sandbox needs rights that root lacks. */
const CHROMIUM = { chromiumSandbox: false, args: ['--disable-dev-shm-usage'] };

/** Over WebDriver BiDi, which an ordinary Firefox speaks; Playwright's own protocol needs its patched one. */
const FIREFOX = { channel: 'moz-firefox' };

/** Also of the benchmark in browsers (bench/js). */
export function launchOptions(name) {
    return { executablePath: BROWSERS[name], timeout: TIMEOUT_MS, ...(name === 'firefox' ? FIREFOX : CHROMIUM) };
}

/** A server that is closed when the test ends. */
export async function serve(t, options) {
    const site = await startServer(options);
    t.after(() => site.close());
    return site;
}

/** A browser for the tests of one file, started before them and closed behind them. */
export function browserFor(name = 'chromium') {
    const isThere = existsSync(BROWSERS[name]);
    const skip = isThere ? false : `${name} is not installed (${BROWSERS[name]}): run ./build.sh setup`;
    let browser;
    if (isThere) {
        before(async () => {
            browser = await playwright[name].launch(launchOptions(name));
        });
        after(() => browser?.close());
    } else console.log(`SKIPPED: ${skip}`);
    return {
        name,
        test: (title, function_) => test(`${name}: ${title}`, { skip, timeout: TEST_TIMEOUT_MS }, function_),
        /** A tab with storage of its own, unless it is opened beside another. */
        async open(t, site, { beside, path = '/' } = {}) {
            const context = beside?.context ?? (await browser.newContext());
            if (beside === undefined) t.after(() => context.close());
            return openTab(context, site, path);
        },
        version: () => browser.version(),
    };
}

/** A Chromium over a profile on disk, to be killed and started again. */
export function profileFor(t, site) {
    const folder = mkdtempSync(join(tmpdir(), 'chronomind-browser-'));
    let context;
    t.after(async () => {
        await context?.close();
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });
    return {
        async open() {
            context ??= await playwright.chromium.launchPersistentContext(folder, launchOptions('chromium'));
            return openTab(context, site, '/');
        },
        /** Something that kills all of the browser at once: nothing of it can tidy up. */
        async killer(tab) {
            const session = await context.newCDPSession(tab.page);
            return async () => {
                const gone = new Promise((resolve) => context.once('close', resolve));
                session.send('Browser.crash').catch(() => {}); // it is never answered
                await gone;
                context = undefined;
            };
        },
    };
}

async function openTab(context, site, path) {
    const page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT_MS);
    const messages = [];
    page.on('console', (message) => messages.push({ type: message.type(), text: message.text() }));
    page.on('pageerror', (error) => messages.push({ type: 'uncaught', text: String(error) }));
    await page.goto(site.url + path);
    return new Tab(context, page, messages, site);
}

class Tab {
    constructor(context, page, messages, site) {
        Object.assign(this, { context, page, messages, site });
    }

    /** In the page. */
    async run(function_, arg) {
        return valueIn(await this.page.evaluate(runHere, [this.site.offer(function_), arg]));
    }

    /** In a module worker, which is terminated when the answer is there. */
    async work(function_, arg) {
        const worker = this.startWork(function_, arg);
        try {
            return await worker.result;
        } finally {
            await worker.terminate().catch(() => {}); // the page may be gone
        }
    }

    /** The same for a worker that is to be killed: `result` may never come, and then nobody needs to wait for it. */
    startWork(function_, arg) {
        const url = this.site.offer(function_);
        const result = this.page.evaluate(runInWorker, [url, arg]).then(valueIn);
        result.catch(() => {});
        return { result, terminate: () => this.page.evaluate((name) => globalThis.workers.get(name)?.terminate(), url) };
    }

    /** Waits until the page or a worker has said `text` on the console. */
    async said(text) {
        const isIt = (message) => (message.text?.() ?? message.text).includes(text);
        if (!this.messages.some(isIt)) await this.page.waitForEvent('console', isIt);
    }

    async reload() {
        await this.page.reload();
    }

    /** The room that this origin gets from now on. Chromium only. */
    async limitStorage(nBytes) {
        const session = await this.context.newCDPSession(this.page);
        await session.send('Storage.overrideQuotaForOrigin', { origin: this.site.url, quotaSize: nBytes });
    }

    /** Something that kills the process of the page, whatever it computes then. Chromium only. */
    async crasher() {
        const session = await this.context.newCDPSession(this.page);
        return async () => {
            const crashed = this.page.waitForEvent('crash');
            session.send('Page.crash').catch(() => {}); // it is never answered
            await crashed;
        };
    }
}

async function runHere([url, arg]) {
    const { outcomeOf } = await import('/outcome.js');
    return outcomeOf(url, arg);
}

function runInWorker([url, arg]) {
    globalThis.workers ??= new Map();
    const worker = new Worker('/worker.js', { type: 'module' });
    globalThis.workers.set(url, worker);
    return new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => data?.outcome && resolve(data.outcome);
        worker.onerror = (event) => reject(new Error(`the worker failed: ${event.message ?? 'its script cannot be loaded'}`));
        worker.postMessage({ url, arg });
    });
}

function valueIn({ value, error }) {
    if (error !== undefined) throw Object.assign(new Error(error.message), error);
    return value;
}
