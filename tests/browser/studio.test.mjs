// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * examples/studio from end to end, in Chromium: what the page shows is compared with brute force over the same word vectors (studio-page.mjs). It uses the
 * package as an application does: a store in a worker, shared with others, saved in OPFS, with isolation and without.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { principalAxes } from '../../examples/studio/projection.js';
import { root } from '../js/support.mjs';
import { serveStudio, Studio, Truth } from './studio-page.mjs';
import { browserFor } from './support.mjs';

const N_WORDS = 2000;
const SEED = 20260101;

const chromium = browserFor('chromium');
const firefox = browserFor('firefox');

/** A small generator: the same words and settings in every run. */
function randomFrom(seed) {
    let state = seed;
    return (n) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * n);
    };
}

async function opened(t, { isolated = true, words = N_WORDS, ...options } = {}) {
    const site = await serveStudio(t, { words, isolated });
    return { site, studio: await Studio.open(t, chromium, site, options) };
}

test('the server gives its own files, the package and the words, and nothing else', async (t) => {
    const { url } = await serveStudio(t, { words: 5 });
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    /** The path as it is: fetch() would tidy it up. */
    const statusOf = (path) =>
        new Promise((resolve, reject) => get(url, { path }, (response) => resolve(response.resume().statusCode)).on('error', reject));
    for (const path of ['/', '/main.js', '/style.css', '/chronomind/web.js', '/chronomind/pool/web.js', '/words.bin?from=0&count=2']) {
        assert.equal(await statusOf(path), 200, path);
    }
    for (const path of [
        '/../temporal.mjs',
        '/chronomind/../package.json',
        '/%2e%2e/temporal.mjs',
        '/..%2ftemporal.mjs',
        '/chronomind/..%2f..%2fpackage.json',
        '//etc/passwd',
        '/none.js',
    ]) {
        assert.equal(await statusOf(path), 404, path);
    }
    assert.deepEqual(await (await fetch(`${url}/studio.json`)).json(), { words: 5, total: 341479, dimensions: 100 });
    const end = Buffer.from(await (await fetch(`${url}/words.bin?from=341477&count=500`)).arrayBuffer());
    assert.equal(end.readUInt32LE(0), 2, 'no more than there are');
    assert.equal(Buffer.from(await (await fetch(`${url}/words.bin?from=341479&count=1`)).arrayBuffer()).readUInt32LE(0), 0);
});

test('serve.mjs says what is wrong with its options', async (t) => {
    const run = (...options) =>
        new Promise((resolve) =>
            execFile(process.execPath, [join(root, 'examples/studio/serve.mjs'), ...options], (error, _, said) =>
                resolve([error?.code, said]),
            ),
        );
    const { url } = await serveStudio(t, { words: 5 });
    for (const [options, code, pattern] of [
        [['--words', 'many'], 2, /--words is many: must be a whole number\nUsage/],
        [['--nope'], 2, /--nope.*\nUsage/s],
        [['--port', new URL(url).port], 1, /EADDRINUSE.*\nHint: --port 0/],
    ]) {
        const [status, said] = await run(...options);
        assert.equal(status, code, said);
        assert.match(said, pattern);
    }
});

chromium.test('what is typed finds what brute force finds; weight, clock and kind change the ranking as the formula says', async (t) => {
    const { site, studio } = await opened(t);
    const truth = await Truth.of(site, N_WORDS);
    const random = randomFrom(SEED);
    t.diagnostic(`seed ${SEED}`);
    const words = [...truth.memories.keys()].filter((word) => /^[a-z]{3,}$/.test(word));
    const expectRight = async () => {
        const hits = await studio.hits();
        truth.expectRanking(studio.asked, hits);
        hits.forEach(({ rank, score, parts }, i) => {
            assert.equal(rank, i + 1);
            assert.ok(Math.abs(parts[0] + parts[1] - score) < 0.0016, `the parts of ${score} are ${parts}`);
        });
        return hits.map(({ id }) => id).join(' ');
    };
    const orders = new Set();
    for (let i = 0; i < 6; i++) {
        await studio.type(i % 2 === 0 ? words[random(words.length)] : `${words[random(words.length)]} ${words[random(words.length)]}`);
        for (const weight of [0, random(100) / 100, 1]) {
            await studio.setWeight(weight);
            orders.add(await expectRight());
        }
        for (const hours of [6 * random(8), 6 * random(240)]) {
            await studio.setClock(hours);
            await studio.setWeight((20 + random(60)) / 100);
            orders.add(await expectRight());
        }
    }
    t.diagnostic(`${orders.size} orders`);
    assert.ok(orders.size > 20, `only ${orders.size} different orders`);
    for (const kind of ['fact', 'note', 'chat', '']) {
        await studio.setKind(kind);
        await expectRight();
    }
    await studio.expectQuiet();
});

chromium.test('an unfinished word is completed, an unknown one is named, and nothing is shown for nothing', async (t) => {
    const { site, studio } = await opened(t);
    const truth = await Truth.of(site, N_WORDS);
    const whole = [...truth.memories.keys()].find((word) => word.startsWith('governm'));
    await studio.type('governm');
    assert.equal(await studio.text('#reading'), `read as ${whole}`);
    truth.expectRanking({ ...studio.asked, text: whole }, await studio.hits());
    await studio.type('xyzzyq government');
    assert.match(await studio.text('#reading'), /not known: xyzzyq/);
    truth.expectRanking({ ...studio.asked, text: 'government' }, await studio.hits());
    await studio.type('xyzzyq');
    assert.deepEqual(await studio.ids(), []);
    assert.match(await studio.text('#empty'), /No word/);
    await studio.page.fill('#query', '');
    await studio.answered({ text: '' });
    assert.match(await studio.text('#empty'), /Type a word/);
    await studio.expectQuiet();
});

chromium.test('workers search while one inserts: rates, a sound store, and every inserted word is found by brute force, too', async (t) => {
    const { site, studio } = await opened(t);
    await studio.type('music');
    const report = await studio.live(2, async () => {
        await studio.setWeight(0); // the page answers meanwhile
        assert.equal((await studio.ids())[0], 'music');
        assert.equal(await studio.page.locator('#each li').count(), 2);
        assert.ok(await studio.page.isDisabled('#consolidate'));
    });
    t.diagnostic(JSON.stringify(report));
    assert.ok(report.searches > 0 && report.inserts > 0);
    assert.equal(report.memories, N_WORDS + report.inserts);
    const truth = await Truth.of(site, report.memories);
    const last = [...truth.memories.keys()].findLast((word) => /^[a-z]+$/.test(word));
    for (const text of ['music', last]) {
        await studio.type(text);
        truth.expectRanking(studio.asked, await studio.hits());
    }
    const again = await studio.live(1);
    assert.equal(again.memories, report.memories + again.inserts, 'the second run goes on where the first ended');
    assert.match(await studio.text('#summary'), new RegExp(again.memories.toLocaleString('en-US')));
    await studio.expectQuiet();
});

chromium.test('a memory is accessed, related and deleted; saved in OPFS it is so again after a reload', async (t) => {
    const { studio } = await opened(t);
    await studio.type('city');
    const [first, second, third] = await studio.ids();
    await studio.choose(third);
    await studio.button('Delete').click();
    await studio.page.waitForFunction((id) => !document.querySelector(`.hit[data-id="${id}"]`), third);
    await studio.choose(first);
    for (const count of ['1 time', '2 times']) {
        await studio.button('Access').click();
        await studio.page.waitForFunction((text) => document.getElementById('details-body').textContent.includes(text), `${count}, last`);
    }
    await studio.page.fill('#relate-to', second);
    await studio.button('Relate').click();
    await studio.button(`Unrelate ${second}`).waitFor();
    await studio.keep('save', /^Saved in this browser \(OPFS\): [\d.]+ MB/);

    await studio.page.reload();
    await studio.ready();
    await studio.type('city');
    assert.ok((await studio.ids()).includes(third), 'the page starts with all words');
    await studio.keep('load', /^Loaded 1,999 memories/);
    await studio.answered();
    assert.ok(!(await studio.ids()).includes(third), 'what was deleted is gone again');
    await studio.choose(first);
    assert.match(await studio.fact('Accessed'), /^2 times/);
    await studio.button(`Unrelate ${second}`).click();
    await studio.button(`Unrelate ${second}`).waitFor({ state: 'detached' });
    await studio.keep('check', /^Sound: 1,999 memories/);
    await studio.expectQuiet();
});

chromium.test('importance fades to the clock, and near-duplicates are merged', async (t) => {
    const { site, studio } = await opened(t);
    const truth = await Truth.of(site, N_WORDS);
    await studio.type('city');
    const [first] = await studio.ids();
    await studio.choose(first);
    const before = Number(await studio.fact('Importance'));
    await studio.setClock(48);
    await studio.keep('decay-now', /^Importance of 2,000 memories faded/);
    await studio.page.waitForFunction((text) => !document.getElementById('details-body').textContent.includes(text), before.toFixed(3));
    const { decayRate, timestamp } = truth.memories.get(first);
    const hours = 48 + (Date.UTC(2026, 0, 1, 12) - timestamp) / 3_600_000;
    const expected = before * Math.exp(-decayRate * hours);
    assert.ok(
        Math.abs(Number(await studio.fact('Importance')) - expected) < 0.001,
        `${await studio.fact('Importance')} is not ${expected}`,
    );
    await studio.page.fill('#threshold', '0.8');
    await studio.keep('consolidate', /^\d+ memor(y|ies) went into others/);
    await studio.keep('check', /0 unreachable/);
    await studio.expectQuiet();
});

chromium.test('the map draws every memory, marks the hits, and finds what is under the pointer', async (t) => {
    const { studio } = await opened(t);
    await studio.type('music');
    await studio.setClock(0);
    const { page } = studio;
    /** Pixels that are painted, and those of them that are amber. */
    const painted = () =>
        page.evaluate(() => {
            const canvas = document.getElementById('points');
            const copy = new OffscreenCanvas(canvas.clientWidth, canvas.clientHeight).getContext('2d');
            copy.drawImage(canvas, 0, 0, canvas.clientWidth, canvas.clientHeight);
            const { data } = copy.getImageData(0, 0, canvas.clientWidth, canvas.clientHeight);
            const counts = { all: 0, fresh: 0 };
            for (let i = 0; i < data.length; i += 4) {
                if (data[i + 3] < 32) continue;
                counts.all++;
                if (data[i] > data[i + 2] + 60) counts.fresh++;
            }
            return counts;
        });
    const fresh = await painted();
    assert.ok(fresh.all > 4000 && fresh.fresh > 1000, JSON.stringify(fresh));
    await studio.setClock(1440);
    await page.waitForTimeout(200);
    const old = await painted();
    assert.ok(old.all > 4000 && old.fresh < fresh.fresh / 10, `${JSON.stringify(fresh)}, two months later ${JSON.stringify(old)}`);
    const ids = await studio.ids();
    for (const part of ['hits', 'all']) {
        await page.check(`input[name="zoom"][value="${part}"]`, { force: true });
        await page.waitForTimeout(600);
        const spots = await page.$$eval('#marks g', (groups) =>
            groups.map((group) => ({
                id: group.querySelector('text')?.textContent,
                x: group.firstChild.cx.baseVal.value,
                y: group.firstChild.cy.baseVal.value,
            })),
        );
        assert.equal(spots.length, ids.length);
        const named = spots.filter(({ id }) => id !== undefined);
        assert.ok(named.length >= 3, 'the first ones have their names');
        for (const { id, x, y } of named) {
            assert.ok(ids.includes(id));
            await page.locator('#points').click({ position: { x: Math.round(x), y: Math.round(y) } });
            await page.waitForFunction((title) => document.getElementById('details-title').textContent === title, id, { timeout: 10000 });
        }
    }
    await studio.expectQuiet();
});

chromium.test('the axes of the map are the first two eigenvectors of the covariance', async (t) => {
    const site = await serveStudio(t, { words: N_WORDS });
    const { memories } = await Truth.of(site, N_WORDS);
    const units = [...memories.values()].map(({ unit }) => unit);
    const { mean, first, second } = principalAxes(Float32Array.from(units.flat()), 100);
    const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
    /** Covariance times a direction. */
    const times = (axis) => {
        const product = new Float64Array(100);
        for (const unit of units) {
            const along = dot(unit, axis) - dot(mean, axis);
            for (let d = 0; d < 100; d++) product[d] += (along * (unit[d] - mean[d])) / units.length;
        }
        return product;
    };
    const spread = (axis) => dot(axis, times(axis));
    for (const axis of [first, second]) {
        const residual = Math.hypot(...times(axis).map((x, d) => x - spread(axis) * axis[d]));
        assert.ok(residual < 0.02 * spread(axis), `residual ${residual} of ${spread(axis)}`);
        assert.ok(Math.abs(dot(axis, axis) - 1) < 1e-9);
    }
    assert.ok(Math.abs(dot(first, second)) < 1e-9);
    const random = randomFrom(SEED);
    for (let i = 0; i < 50; i++) {
        let other = Array.from({ length: 100 }, () => random(2001) - 1000);
        for (const axis of [first, second]) other = other.map((x, d) => x - dot(other, axis) * axis[d]);
        const length = Math.hypot(...other);
        const rest = spread(other.map((x) => x / length));
        assert.ok(spread(first) >= spread(second) && spread(second) > rest, `${spread(first)}, ${spread(second)}, ${rest}`);
    }
});

chromium.test('everything can be done with the keyboard, and the focus can be seen', async (t) => {
    const { studio } = await opened(t);
    const { page } = studio;
    const focused = () =>
        page.evaluate(() => document.activeElement.id || document.activeElement.dataset.id || document.activeElement.textContent);
    await page.keyboard.press('/');
    assert.equal(await focused(), 'query');
    await page.keyboard.type('music');
    await studio.answered({ text: 'music' });
    const ids = await studio.ids();
    for (const [key, expected] of [
        ['ArrowDown', ids[0]],
        ['ArrowDown', ids[1]],
        ['End', ids.at(-1)],
        ['Home', ids[0]],
        ['ArrowDown', ids[1]],
    ]) {
        await page.keyboard.press(key);
        assert.equal(await focused(), expected, key);
        assert.equal(await page.getAttribute('.hit:focus', 'aria-selected'), 'true');
    }
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement.id === 'details');
    assert.equal(await studio.text('#details-title'), ids[1]);
    await page.keyboard.press('Escape');
    assert.equal(await focused(), ids[1]);
    for (const expected of [ids[0], 'query']) {
        await page.keyboard.press('ArrowUp');
        assert.equal(await focused(), expected);
    }

    // Tab goes through every control once, and each shows that it has the focus
    const seen = [];
    for (let i = 0; i < 40; i++) {
        await page.keyboard.press('Tab');
        const [name, isVisible] = await page.evaluate(() => {
            const { activeElement: node } = document;
            const outlined = [node, node.nextElementSibling].some((part) => part && getComputedStyle(part).outlineStyle !== 'none');
            return [node.id || node.dataset.id || node.name || node.textContent.trim() || node.tagName, outlined || node === document.body];
        });
        assert.ok(isVisible, `${name} does not show that it has the focus`);
        if (name === 'query') break;
        seen.push(name);
    }
    for (const id of [
        'weight',
        'clock',
        'kind',
        ids[0],
        'zoom',
        'relate-to',
        'Access',
        'Delete',
        'workers',
        'live-toggle',
        'save',
        'check',
        'consolidate',
        'threshold',
    ]) {
        assert.ok(seen.includes(id), `Tab does not come to ${id}: ${seen}`);
    }

    await page.focus('#weight');
    await page.keyboard.press('ArrowRight');
    await studio.answered({ weight: 0.31 });
    await page.focus('#clock');
    await page.keyboard.press('ArrowRight');
    await studio.answered({ hours: 6 });
    assert.match(await page.getAttribute('#clock', 'aria-valuetext'), /1 Jan, 18:00 \(\+6 h\)/);
    await page.focus('input[name="kind"]:checked');
    await page.keyboard.press('ArrowRight');
    await studio.answered({ kind: 'fact' });
    await page.focus('#live-toggle');
    await page.keyboard.press('Enter');
    await page.waitForFunction(
        () => document.getElementById('live-toggle').textContent === 'Stop' && !document.getElementById('live-toggle').disabled,
    );
    await page.focus('#live-toggle');
    await page.waitForFunction(() => Number.parseInt(document.getElementById('searches-rate').textContent, 10) > 0);
    await page.keyboard.press('Enter');
    await studio.liveReport();
    await page.waitForFunction(() => /^\d+ results?\. Best: /.test(document.getElementById('said').textContent));
    await studio.expectQuiet();
});

for (const [name, size] of Object.entries({
    'a 400-px window': { width: 400, height: 800 },
    'a tablet': { width: 1000, height: 900 },
    'a desktop': { width: 1440, height: 1000 },
})) {
    chromium.test(`${name} needs no sideways scrolling, and axe-core finds nothing, light and dark`, async (t) => {
        const { studio } = await opened(t, { size });
        const title = name.replace(/^an? /, '').replaceAll(' ', '-');
        for (const colorScheme of ['light', 'dark']) {
            await studio.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
            await studio.type(colorScheme === 'light' ? 'music' : 'city');
            await studio.page.keyboard.press('ArrowDown');
            await studio.page.keyboard.press('Enter');
            await studio.page.waitForSelector('#details.full');
            await studio.page.waitForTimeout(300);
            assert.deepEqual(await studio.overflow(), []);
            assert.deepEqual(await studio.violations(), []);
            await studio.picture(`${title}-${colorScheme}`);
            const back = studio.button('Back to the results');
            assert.equal(await back.isVisible(), size.width < 860, 'on a narrow page the details are below the results');
            if (size.width < 860) {
                await back.click();
                assert.ok(await studio.page.evaluate(() => document.activeElement.matches('.hit[aria-selected="true"]')));
            }
        }
        await studio.type(`city ${'unheardof'.repeat(12)}`);
        assert.deepEqual(await studio.overflow(), []);
        await studio.type('unheardof');
        assert.deepEqual(await studio.violations(), []);
        await studio.expectQuiet();
    });
}

chromium.test('rows glide to their new places, unless motion is to be reduced', async (t) => {
    const { studio } = await opened(t);
    await studio.type('music');
    const glides = async () => {
        await studio.setWeight(0);
        await studio.page.waitForTimeout(500);
        return studio.page.evaluate(async () => {
            let n = 0;
            const { animate } = Element.prototype;
            Element.prototype.animate = function (...args) {
                n++;
                return animate.apply(this, args);
            };
            const weight = document.getElementById('weight');
            weight.value = 0.9;
            weight.dispatchEvent(new Event('input'));
            await new Promise((resolve) => setTimeout(resolve, 400));
            Element.prototype.animate = animate;
            return n;
        });
    };
    assert.ok((await glides()) > 0);
    await studio.page.emulateMedia({ reducedMotion: 'reduce' });
    studio.asked.weight = 0.9;
    assert.equal(await glides(), 0);
});

chromium.test('the page itself computes nothing: its modules import neither the package nor the words', async (t) => {
    const site = await serveStudio(t, { words: N_WORDS });
    const seen = new Set(['/main.js']);
    for (const path of seen) {
        const source = await (await fetch(site.url + path)).text();
        for (const [, name] of source.matchAll(/from '([^']+)'/g)) seen.add(new URL(name, site.url + path).pathname);
    }
    assert.ok(seen.size > 10, [...seen].join(' '));
    assert.deepEqual(
        [...seen].filter((path) => /chronomind|words|worker|projection|vocabulary/.test(path)),
        [],
    );
});

chromium.test('without isolation it works single-threaded and says so in one line', async (t) => {
    const { site, studio } = await opened(t, { isolated: false });
    assert.match(
        await studio.text('#alone'),
        /^Single-threaded: this page is not cross-origin isolated.*Cross-Origin-Opener-Policy.*Cross-Origin-Embedder-Policy/,
    );
    assert.ok(await studio.page.isVisible('#alone'));
    assert.ok(await studio.page.isDisabled('#workers'));
    await studio.type('music');
    const report = await studio.live(undefined, () => studio.setWeight(0.1));
    t.diagnostic(JSON.stringify(report));
    assert.ok(report.searches > 0 && report.inserts > 0);
    assert.equal(report.memories, N_WORDS + report.inserts);
    const truth = await Truth.of(site, report.memories);
    truth.expectRanking(studio.asked, await studio.hits());
    await studio.keep('save', /^Saved/);
    await studio.page.reload();
    await studio.ready();
    await studio.keep('load', new RegExp(`^Loaded ${report.memories.toLocaleString('en-US')} memories`));
    assert.deepEqual(
        studio.tab.messages.filter(({ type }) => type !== 'info'),
        [],
    );
    assert.deepEqual(await studio.violations(), []);
    await studio.expectNoNotice();
});

chromium.test('with isolation the line is not there', async (t) => {
    const { studio } = await opened(t);
    assert.ok(await studio.page.isHidden('#alone'));
    assert.match(await studio.text('#summary'), /^2,000 memories · [\d.]+ MB · shared memory$/);
});

chromium.test('what fails is said with its remedy, and the page goes on', async (t) => {
    const { site, studio } = await opened(t);
    const other = await Studio.open(t, chromium, site, { beside: studio.tab });
    await other.page.evaluate(async () => {
        const { ChronoMind } = await import('/chronomind/web.js');
        globalThis.mind = await ChronoMind.open({ dimensions: 2, opfs: 'studio.chrono' });
    });
    await studio.page.click('#save');
    await studio.page.waitForSelector('#notice:not([hidden])');
    assert.match(await studio.text('#notice-what'), /^Saving failed: .*\(CM_E_LOCKED\)\.$/);
    assert.match(await studio.text('#notice-remedy'), /Another tab/);
    assert.deepEqual(await studio.violations(), []);
    await other.page.evaluate(() => globalThis.mind.close());
    await studio.keep('save', /^Saved/);
    await studio.expectQuiet();
});

chromium.test('workers that fail are said, give their seats back, and the next ones work', async (t) => {
    const { studio } = await opened(t);
    await studio.tab.context.route('**/live-worker.js', (route) => route.fulfill({ status: 500, body: '' }));
    for (let i = 0; i < 5; i++) {
        await studio.page.fill('#workers', '16'); // 17 seats of 64
        await studio.page.click('#live-toggle');
        await studio.page.waitForSelector('#notice:not([hidden])');
        assert.match(await studio.text('#notice-what'), /^A worker that was to (search|insert) failed: /);
        await studio.page.waitForFunction(() => !document.getElementById('live-toggle').disabled);
        await studio.page.click('#live-toggle');
        await studio.page.waitForFunction(
            () => document.getElementById('live-toggle').textContent === 'Start' && !document.getElementById('live-toggle').disabled,
        );
        await studio.page.click('#notice-close');
    }
    await studio.tab.context.unroute('**/live-worker.js');
    const report = await studio.live(2);
    assert.ok(report.searches > 0 && report.inserts > 0);
    await studio.expectNoNotice();
});

chromium.test('a server that does not send the words is complained about', async (t) => {
    const site = await serveStudio(t, { words: N_WORDS });
    const tab = await chromium.open(t, site, { path: '/studio.json' });
    await tab.context.route('**/words.bin*', (route) => route.fulfill({ status: 503, body: '' }));
    await tab.page.goto(site.url);
    await tab.page.waitForSelector('#studio[data-state="failed"]');
    assert.match(await tab.page.textContent('#notice'), /The studio did not start: the word vectors did not come: 503.*serve\.mjs/s);
});

firefox.test('the studio searches, shares its store among workers, draws the map, saves and loads', async (t) => {
    const site = await serveStudio(t, { words: N_WORDS });
    const studio = await Studio.open(t, firefox, site);
    await studio.type('music');
    await studio.setWeight(0.6);
    await studio.setClock(120);
    (await Truth.of(site, N_WORDS)).expectRanking(studio.asked, await studio.hits());
    const report = await studio.live(2);
    assert.equal(report.memories, N_WORDS + report.inserts);
    await studio.keep('save', /^Saved/);
    await studio.keep('load', /^Loaded/);
    await studio.page.waitForFunction(() => document.querySelectorAll('#marks .dot').length === 10);
    await studio.expectQuiet();
    await studio.picture('firefox'); // at the end: it adds a style, which the page's policy refuses
});
