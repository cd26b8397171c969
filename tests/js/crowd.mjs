// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * One writer and many readers on one store, and an oracle: a table beside the store, in shared memory too, in which the writer notes what it is going to do and what it has
 * done. Meant for Node and browsers alike.
 *
 * Every insert or replacement is a life, a vector with a number. It is NEW before the insert begins, BEGUN until it returns, THERE until the next replacement or removal of its id
 * begins, ENDING until that returns, and GONE from the tick of the clock that follows. So a reader that looks at the table before and after its search knows
 *
 *     what was THERE throughout       it must be found: always by an exhaustive search, and with the stated recall by an approximate one
 *     what was GONE before            it must not be found
 *     what had not BEGUN afterwards   it must not be found, either
 *
 * and it computes every distance again, to the last bit, and every score: to the last bit of a float where age has no part in it, elsewhere to the last but one (the library
 * has an exp of its own).
 */
import { ChronoMind } from '../../js/dist/index.js';
import { breathe, sleep, startWorker } from './anywhere.mjs';
import { randomFrom, randomVector } from './random.mjs';

const DIMENSIONS = 24;
const N_IDS = 2000;
const K = 10;
const NOW = 1_000_000_000;
const HOUR = 3_600_000;
const N_CONTEXTS = 4;
const [BEGUN, THERE, ENDING, GONE] = [1, 2, 3, 4];

/** Of the table: words that all see. */
const [CLOCK, N_LIVES, STOP, N_ENDS, N_BEGUN, N_HEADER] = [0, 1, 2, 3, 4, 5];

function tableOver({ buffer, nLives, ms }) {
    let at = 0;
    const words = (n) => {
        at += 4 * n;
        return new Int32Array(buffer, at - 4 * n, n);
    };
    const [header, lifeOf, stage, idOf, goneAt] = [words(N_HEADER), words(N_IDS), words(nLives), words(nLives), words(nLives)];
    const vectors = new Float32Array(buffer, at, nLives * DIMENSIONS);
    const vectorOf = (life) => vectors.subarray(life * DIMENSIONS, (life + 1) * DIMENSIONS);
    return { header, lifeOf, stage, idOf, goneAt, vectorOf, nLives, ms };
}

/** Life 0 is nobody's. */
export function newTable({ ms, livesPerSecond }) {
    const nLives = Math.ceil((ms * livesPerSecond) / 1000) + N_IDS;
    const buffer = new SharedArrayBuffer(4 * (N_HEADER + N_IDS + nLives * (3 + DIMENSIONS)));
    new Int32Array(buffer)[N_LIVES] = 1;
    return { buffer, nLives, ms };
}

function nameOf(n) {
    return `m${n}`;
}

function contextOf(n) {
    return `c${n % N_CONTEXTS}`;
}

/** Every life has a time of its own, some hours back. */
function bornAt(life) {
    return NOW - (life % 200) * HOUR;
}

/* ---- the writer ------------------------------------------------------------------------------------------------------------------------ */

class Writer {
    nWrites = 0;

    constructor(mind, description, seed) {
        this.mind = mind;
        this.table = tableOver(description);
        this.random = randomFrom(seed);
    }

    /** Inserts, or replaces what has that id. */
    insert(n) {
        const { header, lifeOf, stage, idOf, vectorOf } = this.table;
        const life = header[N_LIVES]++;
        const before = lifeOf[n];
        vectorOf(life).set(randomVector(this.random, DIMENSIONS));
        idOf[life] = n;
        Atomics.store(stage, life, BEGUN);
        if (before) this.#beginEnd(before);
        this.mind.insert({
            id: nameOf(n),
            vector: vectorOf(life),
            context: contextOf(n),
            text: String(life),
            timestamp: bornAt(life),
            relationships: [nameOf((n + 1) % N_IDS)],
        });
        if (before) this.#end(before);
        Atomics.store(stage, life, THERE);
        Atomics.store(lifeOf, n, life);
        this.nWrites++;
    }

    remove(n) {
        const { lifeOf } = this.table;
        const life = lifeOf[n];
        this.#beginEnd(life);
        if (!this.mind.remove(nameOf(n))) throw new Error(`${nameOf(n)} was there, and remove() does not find it`);
        this.#end(life);
        Atomics.store(lifeOf, n, 0);
        this.nWrites++;
    }

    #beginEnd(life) {
        Atomics.add(this.table.header, N_ENDS, 1);
        Atomics.store(this.table.stage, life, ENDING);
    }

    #end(life) {
        const { header, stage, goneAt } = this.table;
        Atomics.store(goneAt, life, Atomics.add(header, CLOCK, 1) + 1);
        Atomics.store(stage, life, GONE);
    }

    /** What changes nothing that the oracle looks at. */
    change(n) {
        const { mind, random } = this;
        const id = nameOf(n);
        switch (Math.floor(random() * 5)) {
            case 0:
                mind.update(id, { importance: random(), metadata: { life: this.nWrites }, now: NOW });
                break;
            case 1:
                mind.relate(id, nameOf((n + 1 + Math.floor(random() * 8)) % N_IDS)); // few, so that the limit of 50 is never met
                break;
            case 2:
                mind.unrelate(id, nameOf((n + 1) % N_IDS));
                break;
            case 3:
                mind.access(id, NOW);
                break;
            default:
                if (this.nWrites % 500 === 0) mind.applyDecay({ now: NOW });
                else mind.access(id, NOW);
        }
        this.nWrites++;
    }

    /** Lives are spread over the time there is: they take a slot each. */
    step(part) {
        const { header, lifeOf, nLives } = this.table;
        const n = Math.floor(this.random() * N_IDS);
        const isDue = header[N_LIVES] < Math.min(nLives, N_IDS / 2 + part * (nLives - N_IDS / 2));
        if (isDue && (!lifeOf[n] || this.random() < 0.6)) this.insert(n);
        else if (isDue) this.remove(n);
        else if (lifeOf[n]) this.change(n);
    }
}

/** Half of the ids, before anybody searches. */
export function fill(mind, description) {
    const writer = new Writer(mind, description, 1);
    for (let n = 0; n < N_IDS / 2; n++) writer.insert(n * 2);
}

/** In a worker: until the time is up. */
export async function write({ shared, description }) {
    const mind = await ChronoMind.attach(shared);
    const writer = new Writer(mind, description, 2);
    Atomics.add(writer.table.header, N_BEGUN, 1);
    const start = performance.now();
    while (Atomics.load(writer.table.header, STOP) === 0) writer.step((performance.now() - start) / description.ms);
    mind.close();
    return { writes: writer.nWrites, lives: writer.table.header[N_LIVES] };
}

/* ---- a reader -------------------------------------------------------------------------------------------------------------------------- */

const lanes = new Float32Array(16);
const float = new Float32Array(1);

/** Squared distance, added as core/distance/distance.h says. */
function distanceOf(a, b) {
    lanes.fill(0);
    for (let i = 0; i < a.length; i++) {
        const difference = Math.fround(a[i] - b[i]);
        lanes[i % 16] += Math.fround(difference * difference);
    }
    for (let half = 8; half > 0; half >>= 1) for (let lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
    return lanes[0];
}

/** The kinds of search, in turn. `isExact`: nothing may be missing. */
const SEARCHES = [
    { options: { exact: true, temporalWeight: 0 }, isExact: true },
    { options: { temporalWeight: 0, ef: 200 } },
    { options: { exact: true, temporalWeight: 0.3 }, isExact: true },
    { options: { temporalWeight: 0.3, ef: 200 } },
    { options: { exact: true, temporalWeight: 0, context: 'c1' }, isExact: true },
    { options: { temporalWeight: 0, ef: 200, context: 'c2' } },
    { options: { mode: 'rerank', temporalWeight: 0, ef: 200 } },
];

export class Reader {
    /** What was wrong, in words: the first few. */
    wrong = [];
    nWrong = 0;
    searches = 0;
    reads = 0;
    /** Of approximate searches: what should have been found, and what was. */
    expected = 0;
    found = 0;

    constructor(mind, description, seed) {
        this.mind = mind;
        this.table = tableOver(description);
        this.random = randomFrom(seed);
        this.rate = mind.config.baseDecayRate;
    }

    #blame(problem) {
        this.nWrong++;
        if (this.wrong.length < 5) this.wrong.push(problem);
    }

    #livesThere() {
        const { lifeOf, stage } = this.table;
        const lives = [];
        for (let n = 0; n < N_IDS; n++) {
            const life = Atomics.load(lifeOf, n);
            if (life && Atomics.load(stage, life) === THERE) lives.push(life);
        }
        return lives;
    }

    #scoreOf(life, distance, weight) {
        const recency = 1 - Math.exp((-this.rate * (NOW - bornAt(life))) / HOUR);
        float[0] = weight;
        return Math.fround((1 - float[0]) * (distance / 2) + float[0] * recency);
    }

    /** What memory `life` of `id` is: undefined, or what is wrong with it, seen at `clock` or later. */
    #faultOf(life, id, clock) {
        const { stage, idOf, goneAt, nLives } = this.table;
        if (!(life > 0 && life < nLives) || nameOf(idOf[life]) !== id) return `${id} has text ${life}, which nobody wrote`;
        if (Atomics.load(stage, life) < BEGUN) return `${id}, life ${life}, before it was inserted`;
        const gone = Atomics.load(goneAt, life);
        return gone > 0 && gone <= clock ? `${id}, life ${life}, which was gone at ${gone}, now ${clock}` : undefined;
    }

    search() {
        const { table, random } = this;
        const { options, isExact = false } = SEARCHES[this.searches % SEARCHES.length];
        const query = randomVector(random, DIMENSIONS);
        const there = this.#livesThere();
        const clock = Atomics.load(table.header, CLOCK);
        const ends = Atomics.load(table.header, N_ENDS);
        const hits = this.mind.search(query, { k: K, now: NOW, ...options });
        const nEnded = Atomics.load(table.header, N_ENDS) - ends + 1; // one more may have begun before
        this.searches++;
        const label = JSON.stringify(options);
        const slack = options.temporalWeight === 0 ? 0 : 2 ** -23;
        const lives = new Set();
        for (const [i, { id, text, score, distance }] of hits.entries()) {
            const life = Number(text);
            const fault = this.#faultOf(life, id, clock);
            if (fault !== undefined) return this.#blame(`${label} found ${fault}`);
            lives.add(life);
            const right = distanceOf(query, table.vectorOf(life));
            const rightScore = this.#scoreOf(life, right, options.temporalWeight);
            const isSame = Math.abs(score - rightScore) <= slack * rightScore;
            if (distance !== right || !isSame)
                this.#blame(`${label}: ${id}, life ${life}: distance ${distance} for ${right}, score ${score} for ${rightScore}`);
            if (i > 0 && score < hits[i - 1].score) this.#blame(`${label}: hits are out of order`);
        }
        if (lives.size !== hits.length) this.#blame(`${label}: a memory came twice`);
        const inContext = (life) => options.context === undefined || contextOf(table.idOf[life]) === options.context;
        const candidates = there
            .filter((life) => inContext(life) && Atomics.load(table.stage, life) === THERE)
            .map((life) => ({ life, score: this.#scoreOf(life, distanceOf(query, table.vectorOf(life)), options.temporalWeight) }))
            .sort((a, b) => a.score - b.score)
            .slice(0, K);
        if (hits.length < Math.min(K, candidates.length) - nEnded)
            this.#blame(`${label}: ${hits.length} hits of ${candidates.length}, ${nEnded} ended`);
        const worst = hits.at(-1)?.score ?? Number.NEGATIVE_INFINITY;
        const missing = candidates.filter(({ life, score }) => !lives.has(life) && score < worst * (1 - slack));
        if (isExact && missing.length > 0)
            this.#blame(`${label} missed ${nameOf(table.idOf[missing[0].life])}, life ${missing[0].life}, which was there throughout`);
        if (!isExact) {
            this.expected += candidates.length;
            this.found += candidates.length - missing.length;
        }
    }

    get() {
        const { table, random } = this;
        const n = Math.floor(random() * N_IDS);
        const before = Atomics.load(table.lifeOf, n);
        const isThere = before > 0 && Atomics.load(table.stage, before) === THERE;
        const clock = Atomics.load(table.header, CLOCK);
        const memory = this.mind.get(nameOf(n));
        this.reads++;
        if (memory === undefined) {
            if (isThere && Atomics.load(table.stage, before) === THERE) this.#blame(`get() misses ${nameOf(n)}, life ${before}`);
            return;
        }
        const life = Number(memory.text);
        const fault = this.#faultOf(life, memory.id, clock);
        if (fault !== undefined) return this.#blame(`get() found ${fault}`);
        const vector = table.vectorOf(life);
        if (
            memory.id !== nameOf(n) ||
            memory.context !== contextOf(n) ||
            memory.createdAt !== bornAt(life) ||
            memory.vector.some((x, i) => x !== vector[i])
        )
            this.#blame(`get() gave another memory for ${nameOf(n)}`);
    }

    /** All of it: what was there throughout comes. */
    iterate() {
        const there = this.#livesThere();
        const seen = new Set();
        for (const { text } of this.mind) seen.add(Number(text));
        const missed = there.find((life) => !seen.has(life) && Atomics.load(this.table.stage, life) === THERE);
        if (missed !== undefined) this.#blame(`iteration missed ${nameOf(this.table.idOf[missed])}, life ${missed}`);
    }

    step() {
        this.search();
        for (let i = 0; i < 3; i++) this.get();
        if (this.searches % 200 === 0) this.iterate();
    }

    report() {
        const { wrong, nWrong, searches, reads, expected, found } = this;
        return { wrong, nWrong, searches, reads, expected, found };
    }
}

/** In a worker: until the time is up. */
export async function read({ shared, description, seed }) {
    const mind = await ChronoMind.attach(shared);
    const reader = new Reader(mind, description, seed);
    Atomics.add(reader.table.header, N_BEGUN, 1);
    while (Atomics.load(reader.table.header, STOP) === 0) reader.step();
    mind.close();
    return reader.report();
}

/* ---- all together ---------------------------------------------------------------------------------------------------------------------- */

/** One writer and `nReaders` in workers, and this thread reading, too, a step at a time. Throws over what check() finds; says what the oracle found. */
export async function runCrowd({ ms, nReaders, livesPerSecond }) {
    const description = newTable({ ms, livesPerSecond });
    const { nLives } = description;
    const mind = await ChronoMind.open({
        dimensions: DIMENSIONS,
        maxMemories: nLives,
        metric: 'l2',
        efConstruction: 100,
        baseDecayRate: 0.01,
    });
    fill(mind, description);
    const workers = Array.from({ length: nReaders + 1 }, () => startWorker(new URL('./crowd-worker.mjs', import.meta.url)));
    const answers = workers.map((worker, i) =>
        worker.ask(i === 0 ? 'write' : 'read', { shared: mind.share(), description, seed: 100 + i }),
    );
    const here = new Reader(mind, description, 99);
    let failure;
    for (const answer of answers)
        answer.catch((error) => {
            failure = error;
        });
    while (Atomics.load(here.table.header, N_BEGUN) < workers.length && failure === undefined) {
        here.step();
        await sleep(1);
    }
    const start = performance.now();
    let longestMs = 0;
    while (performance.now() - start < ms && failure === undefined) {
        const before = performance.now();
        here.step();
        longestMs = Math.max(longestMs, performance.now() - before);
        await (here.searches % 10 === 0 ? sleep(1) : breathe());
    }
    Atomics.store(here.table.header, STOP, 1);
    const [{ writes, lives }, ...readers] = await Promise.all(answers);
    const seconds = (performance.now() - start) / 1000;
    await Promise.all(workers.map((worker) => worker.terminate()));
    const { live, unreachable } = mind.check();
    const table = tableOver(description);
    const nThere = table.lifeOf.filter((life) => life > 0).length;
    const last = new Reader(mind, description, 98);
    for (let i = 0; i < 50; i++) last.step();
    const { size } = mind;
    mind.close();
    readers.push(here.report(), last.report());
    const sum = (name) => readers.reduce((total, reader) => total + reader[name], 0);
    return {
        wrong: readers.flatMap(({ wrong }) => wrong).slice(0, 5),
        nWrong: sum('nWrong'),
        whole: live === nThere && size === nThere && unreachable === 0,
        recall: sum('found') / sum('expected'),
        lives,
        writesPerSecond: Math.round(writes / seconds),
        searchesPerSecond: Math.round(sum('searches') / seconds),
        readsPerSecond: Math.round(sum('reads') / seconds),
        searchesHere: here.searches,
        longestMs: Math.round(longestMs),
    };
}
