// SPDX-License-Identifier: MIT OR Apache-2.0
/** The studio as a test sees it: a page object, and the right answers, computed here from the same word vectors without any of the studio's code but its rule for ages. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { memoryOf, START } from '../../examples/studio/memories.js';
import { startStudio } from '../../examples/studio/serve.mjs';
import { root } from '../js/support.mjs';

const HOUR = 3_600_000;

/** Scores of the library are sums of 32-bit floats. */
const ROUNDING = 5e-5;

const PICTURES = join(root, 'build/studio');

// ---- the right answers ------------------------------------------------------------------------------------------------------------------

const unit = (vector) => {
    const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
    return vector.map((x) => x / length);
};

/** The first `n` words of the server, as memories with a vector of length 1 in doubles. */
async function readMemories(url, n) {
    const bytes = Buffer.from(await (await fetch(`${url}/words.bin?from=0&count=${n}`)).arrayBuffer());
    const [count, dimensions, textBytes] = [0, 4, 8].map((at) => bytes.readUInt32LE(at));
    assert.deepEqual([count, dimensions], [n, 100]);
    const words = bytes.toString('utf8', 12, 12 + textBytes).split('\n');
    const start = 12 + Math.ceil(textBytes / 4) * 4;
    assert.equal(bytes.length, start + n * dimensions * 4);
    return words.map((word, i) => {
        const vector = Array.from({ length: dimensions }, (_, d) => bytes.readFloatLE(start + (i * dimensions + d) * 4));
        const { context, decayRate, timestamp } = memoryOf(word);
        return { id: word, unit: unit(vector), context, decayRate, timestamp };
    });
}

export class Truth {
    constructor(memories) {
        this.memories = new Map(memories.map((memory) => [memory.id, memory]));
    }

    static async of(site, n) {
        return new Truth(await readMemories(site.url, n));
    }

    /** Every memory scored by the formula of docs/TEMPORAL.md, best first. */
    ranking({ text, weight, hours, kind }) {
        const words = text.split(' ').map((word) => this.memories.get(word).unit);
        const query = unit(words[0].map((_, d) => words.reduce((sum, word) => sum + word[d], 0)));
        const now = START + hours * HOUR;
        const scored = [...this.memories.values()].flatMap(({ id, unit: other, context, decayRate, timestamp }) => {
            if (kind !== '' && kind !== context) return [];
            const distance = 1 - other.reduce((sum, x, d) => sum + x * query[d], 0);
            const recency = 1 - Math.exp((-decayRate * Math.max(0, now - timestamp)) / HOUR);
            return [{ id, score: ((1 - weight) * distance) / 2 + weight * recency, context }];
        });
        return scored.sort((a, b) => a.score - b.score);
    }

    /** `hits` are the best ten, in order: two that score the same up to rounding may stand in either. */
    expectRanking(asked, hits) {
        const all = this.ranking(asked);
        const scoreOf = new Map(all.map(({ id, score }) => [id, score]));
        const where = JSON.stringify(asked);
        assert.equal(hits.length, Math.min(10, all.length), where);
        assert.equal(new Set(hits.map(({ id }) => id)).size, hits.length, where);
        hits.forEach(({ id, score }, i) => {
            const right = `${where}: rank ${i + 1} is ${id}, must be ${all[i].id}`;
            assert.ok(Math.abs(scoreOf.get(id) - all[i].score) < ROUNDING, right);
            assert.ok(Math.abs(score - all[i].score) < 0.0005 + ROUNDING, `${right} with score ${all[i].score}, not ${score}`);
        });
    }
}

// ---- the page ---------------------------------------------------------------------------------------------------------------------------

/** A server that is closed when the test ends. */
export async function serveStudio(t, options) {
    const site = await startStudio(options);
    t.after(() => site.close());
    return site;
}

export class Studio {
    constructor(tab) {
        this.tab = tab;
        this.page = tab.page;
        this.asked = { text: '', weight: 0.3, hours: 0, kind: '' };
    }

    /** A tab with the page, ready. `size`: of the window. */
    static async open(t, browser, site, { beside, size } = {}) {
        const tab = await browser.open(t, site, { beside });
        if (size) await tab.page.setViewportSize(size);
        const studio = new Studio(tab);
        await studio.ready();
        return studio;
    }

    async ready() {
        await this.page.waitForSelector('#studio[data-state="ready"]');
        this.asked = JSON.parse(await this.page.getAttribute('#studio', 'data-answered'));
    }

    text(selector) {
        return this.page.textContent(selector);
    }

    /** Until what was asked is answered and shown. */
    async answered(changes = {}) {
        Object.assign(this.asked, changes);
        const wanted = JSON.stringify(this.asked);
        await this.page.waitForFunction((text) => document.getElementById('studio').dataset.answered === text, wanted);
    }

    async type(text) {
        await this.page.fill('#query', '');
        await this.page.type('#query', text);
        await this.answered({ text });
    }

    async setWeight(weight) {
        await this.page.fill('#weight', String(weight));
        await this.answered({ weight });
    }

    async setClock(hours) {
        await this.page.fill('#clock', String(hours));
        await this.answered({ hours });
    }

    async setKind(kind) {
        await this.page.check(`input[name="kind"][value="${kind}"]`, { force: true });
        await this.answered({ kind });
    }

    /** As shown. */
    hits() {
        return this.page.$$eval('#results .hit', (rows) =>
            rows.map((row) => ({
                id: row.querySelector('.word').textContent,
                rank: Number.parseInt(row.querySelector('.rank').textContent, 10),
                score: Number(row.querySelector('.score b').textContent),
                parts: [...row.querySelectorAll('.score small span')].map((part) => Number(part.textContent)),
            })),
        );
    }

    async ids() {
        return (await this.hits()).map(({ id }) => id);
    }

    /** What a fact of the memory in the details panel says. */
    fact(name) {
        return this.page.$eval(
            '#details-body',
            (body, term) => [...body.querySelectorAll('dt')].find((dt) => dt.textContent === term)?.nextElementSibling.textContent,
            name,
        );
    }

    /** Clicks a hit and waits for its details. */
    async choose(id) {
        await this.page.click(`.hit[data-id="${id}"]`);
        await this.page.waitForFunction((title) => document.getElementById('details-title').textContent === title, id);
    }

    button(name) {
        return this.page.getByRole('button', { name, exact: true });
    }

    /** Clicks a button of the store panel and waits for what it says. */
    async keep(id, said) {
        await this.page.click(`#${id}`);
        await this.page.waitForFunction(
            ([pattern]) => new RegExp(pattern).test(document.getElementById('keep-report').textContent),
            [said.source],
        );
    }

    /** Starts `n` workers, waits until both rates were seen, and stops: { searches, inserts, memories } of the report. */
    async live(n, meanwhile = async () => {}) {
        if (n !== undefined) await this.page.$eval('#workers', (input, value) => Object.assign(input, { value }), n);
        await this.page.click('#live-toggle');
        const isRunning = () =>
            ['searches', 'inserts'].every((name) => Number.parseInt(document.getElementById(`${name}-rate`).textContent, 10) > 0);
        await this.page.waitForFunction(isRunning);
        await meanwhile();
        await this.page.click('#live-toggle');
        return this.liveReport();
    }

    async liveReport() {
        await this.page.waitForFunction(() => /store checked/.test(document.getElementById('live-report').textContent));
        await this.page.waitForFunction(() => document.getElementById('live-toggle').textContent === 'Start');
        const report = await this.text('#live-report');
        const numbers =
            /^([\d,]+) search(?:es)? and ([\d,]+) inserts?: every answer in order; store checked, ([\d,]+) memories, 0 unreachable\.$/.exec(
                report,
            );
        assert.ok(numbers, report);
        const [searches, inserts, memories] = numbers.slice(1).map((text) => Number(text.replaceAll(',', '')));
        return { searches, inserts, memories };
    }

    /** Nothing on the console. */
    expectQuiet() {
        assert.deepEqual(this.tab.messages, []);
        return this.expectNoNotice();
    }

    async expectNoNotice() {
        assert.ok(await this.page.isHidden('#notice'), await this.text('#notice'));
    }

    /** What axe-core finds. */
    async violations() {
        await this.page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished))); // what fades in has less contrast
        await this.page.evaluate(axeSource());
        const { violations } = await this.page.evaluate(() => globalThis.axe.run());
        return violations.flatMap(({ id, help, nodes }) =>
            nodes.map(({ html, any }) => `${id}: ${help}: ${html.slice(0, 120)} ${any[0]?.message ?? ''}`),
        );
    }

    /** Whatever is wider than the window. */
    overflow() {
        return this.page.evaluate(() => {
            const width = document.documentElement.clientWidth;
            const isWide = (node) => node.getBoundingClientRect().right > width + 0.5 && !node.closest('.unseen, .skip, svg');
            const nodes = [...document.body.querySelectorAll('*')].filter(isWide).map((node) => node.id || node.className || node.tagName);
            return document.documentElement.scrollWidth > width ? [`page ${document.documentElement.scrollWidth}`, ...nodes] : nodes;
        });
    }

    /** For people to look at: build/studio/NAME.png */
    async picture(name) {
        mkdirSync(PICTURES, { recursive: true });
        await this.page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
    }
}

let axe;
function axeSource() {
    axe ??= readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    return axe;
}
