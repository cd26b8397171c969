// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * Workers that are terminated at random moments while they insert, replace, remove and search, one after the other, beside one that lives on. Meant for Node and browsers alike.
 *
 * One that lives on leaves the processor to the others now and then.
 *
 * Each notes in shared memory what it is going to do and what it has done, so that after its death this thread knows what must be there: what was acknowledged, and of the one
 * memory that it was busy with either what was before or what was to be. The store has room for these three threads only: a place that is not given back is missed at once.
 */
import { ChronoMind } from '../../js/dist/index.js';
import { breathe, sleep, startWorker } from './anywhere.mjs';
import { randomFrom, randomVector } from './random.mjs';

const DIMENSIONS = 16;
const N_IDS = 40;
const TEXT = 'x'.repeat(2000);
const PATIENCE_MS = 20000;

/** Of a worker's words, and behind them two for each id: the version that is acknowledged (0: none), and the one that is under way (REMOVED: none is to be). */
const [ORDER, N_OPERATIONS, VERSION, N_WRONG, N_MISSED, ACKNOWLEDGED] = [0, 1, 2, 3, 4, 5];
/** Orders. A worker that is to rest says RESTING. */
const [GO, STOP, REST, RESTING] = [0, 1, 2, 3];
const UNDER_WAY = ACKNOWLEDGED + N_IDS;
const N_WORDS = UNDER_WAY + N_IDS;
const REMOVED = -1;

function newWords() {
    return new Int32Array(new SharedArrayBuffer(4 * N_WORDS));
}

function vectorOf(version) {
    return randomVector(randomFrom(version), DIMENSIONS);
}

function textOf(version) {
    return `${version} ${TEXT}`;
}

/** In a worker: until it is told to stop, or dies. */
export async function churn({ shared, words, prefix, seed, calm = false }) {
    const mind = await ChronoMind.attach(shared);
    const random = randomFrom(seed);
    for (let order = GO; order !== STOP; order = Atomics.load(words, ORDER)) {
        if (order === REST) Atomics.store(words, ORDER, RESTING);
        if (order === REST || order === RESTING) {
            Atomics.wait(words, ORDER, RESTING);
            continue;
        }
        const n = Math.floor(random() * N_IDS);
        const id = `${prefix}${n}`;
        const there = Atomics.load(words, ACKNOWLEDGED + n);
        const choice = random();
        if (choice < 0.5 || there === 0) {
            const version = Atomics.add(words, VERSION, 1) + 1;
            Atomics.store(words, UNDER_WAY + n, version);
            mind.insert({ id, vector: vectorOf(version), text: textOf(version), context: prefix, relationships: [`${prefix}${n + 1}`] });
            Atomics.store(words, ACKNOWLEDGED + n, version);
            Atomics.store(words, UNDER_WAY + n, 0);
        } else if (choice < 0.65) {
            Atomics.store(words, UNDER_WAY + n, REMOVED);
            if (!mind.remove(id)) Atomics.add(words, N_WRONG, 1);
            Atomics.store(words, ACKNOWLEDGED + n, 0);
            Atomics.store(words, UNDER_WAY + n, 0);
        } else {
            const exact = choice < 0.8;
            const [hit] = mind.search(vectorOf(there), { k: 1, exact, ef: 64, temporalWeight: 0 });
            if (hit?.text !== textOf(there)) Atomics.add(words, exact ? N_WRONG : N_MISSED, 1);
            if (mind.get(id)?.text !== textOf(there)) Atomics.add(words, N_WRONG, 1);
        }
        const nOperations = Atomics.add(words, N_OPERATIONS, 1);
        if (calm && nOperations % 8 === 0) Atomics.wait(words, ORDER, GO, 2);
    }
    mind.close();
}

/** Looks whether all is there that must be, and notes what is. Returns what is wrong, and whether something was under way. */
function judge(mind, words, prefix) {
    const wrong = [];
    let wasBusy = false;
    for (let n = 0; n < N_IDS; n++) {
        const [acknowledged, underWay] = [words[ACKNOWLEDGED + n], words[UNDER_WAY + n]];
        const memory = mind.get(`${prefix}${n}`);
        const version = memory === undefined ? 0 : Number.parseInt(memory.text, 10);
        wasBusy ||= underWay !== 0;
        const allowed = [acknowledged];
        if (underWay !== 0) allowed.push(underWay === REMOVED ? 0 : underWay);
        const isRight = allowed.includes(version) && (version === 0 || isVersion(memory, version));
        if (!isRight) wrong.push(`${prefix}${n} has version ${version}, not ${allowed.join(' or ')}`);
        words[ACKNOWLEDGED + n] = version;
        words[UNDER_WAY + n] = 0;
    }
    return { wrong, wasBusy };
}

function isVersion(memory, version) {
    const vector = vectorOf(version);
    return memory.text === textOf(version) && memory.vector.every((x, i) => x === vector[i]);
}

async function until(isSo, what) {
    const start = performance.now();
    while (!isSo()) {
        if (performance.now() - start > PATIENCE_MS) throw new Error(`no ${what} in ${PATIENCE_MS} ms`);
        await breathe();
    }
}

function give(words, order) {
    Atomics.store(words, ORDER, order);
    Atomics.notify(words, ORDER);
}

/** Kills `nDeaths` workers. Throws over what check() finds. */
export async function runDeaths({ nDeaths, seed }) {
    const mind = await ChronoMind.open({ dimensions: DIMENSIONS, maxMemories: 200_000, maxThreads: 3, m: 6, efConstruction: 24 });
    const random = randomFrom(seed);
    const [lasting, dying] = [newWords(), newWords()];
    const url = new URL('./deaths-worker.mjs', import.meta.url);
    const survivor = startWorker(url);
    const survived = survivor.ask('churn', { shared: mind.share(), words: lasting, prefix: 's', seed, calm: true });
    survived.catch(() => {}); // heard of below
    const [wrong, retired, blocks] = [[], [], []];
    let [nBusy, slowestMs] = [0, 0];
    for (let death = 0; death < nDeaths; death++) {
        const shared = mind.share();
        const worker = startWorker(url);
        const before = dying[N_OPERATIONS];
        const failed = worker.ask('churn', { shared, words: dying, prefix: 'd', seed: seed + death });
        failed.catch(() => {}); // in a browser it may hear that it is abandoned
        await until(() => Atomics.load(dying, N_OPERATIONS) > before, 'operation of a worker that is to die');
        await sleep(random() * 16);
        const killed = performance.now();
        await worker.terminate();
        if (!(await mind.abandon(shared))) wrong.push('there was nothing to give back');
        slowestMs = Math.max(slowestMs, performance.now() - killed);
        const operations = Atomics.load(dying, N_OPERATIONS);
        const judged = judge(mind, dying, 'd');
        wrong.push(...judged.wrong);
        nBusy += judged.wasBusy;
        Atomics.store(lasting, ORDER, REST); // check() is for a store at rest
        await until(() => Atomics.load(lasting, ORDER) === RESTING, 'rest');
        const { unreachable } = mind.check();
        if (unreachable > 0) wrong.push(`${unreachable} nodes cannot be reached`);
        give(lasting, GO);
        const stats = mind.stats();
        retired.push(stats.retired);
        blocks.push(stats.bytes.blocks);
        const others = Atomics.load(lasting, N_OPERATIONS);
        await until(() => Atomics.load(lasting, N_OPERATIONS) > others, 'operation of the worker that lives on');
        if (operations !== Atomics.load(dying, N_OPERATIONS)) wrong.push('a worker went on after its place was given back');
    }
    give(lasting, STOP);
    await survived;
    await survivor.terminate();
    wrong.push(...judge(mind, lasting, 's').wrong);
    const { live } = mind.check();
    const nThere = [...mind].length;
    // A death may leave a node that never became a memory, and the count one too high.
    for (const n of [live, mind.size])
        if (n < nThere || n > nThere + nDeaths) wrong.push(`${live} nodes live, size is ${mind.size}, there are ${nThere}`);
    mind.insert({ id: 'mine', vector: vectorOf(1) });
    for (let i = 0; i < 500; i++) {
        mind.access('mine', i);
        mind.update('mine', { text: `text ${i}` });
    }
    const drained = mind.stats().retired;
    const places = [mind.share(), mind.share()]; // both are free again
    for (const place of places) await mind.abandon(place);
    mind.close();
    const half = Math.floor(nDeaths / 2);
    return {
        wrong: wrong.slice(0, 5),
        nWrong: wrong.length + lasting[N_WRONG] + dying[N_WRONG],
        nMissed: lasting[N_MISSED] + dying[N_MISSED],
        nBusy,
        operations: dying[N_OPERATIONS],
        survivorOperations: lasting[N_OPERATIONS],
        slowestMs: Math.round(slowestMs),
        retiredFirstHalf: Math.max(...retired.slice(0, half)),
        retiredSecondHalf: Math.max(...retired.slice(half)),
        drained,
        blockBytes: [blocks[half], blocks[nDeaths - 1]],
        textBytes: (lasting[VERSION] + dying[VERSION]) * TEXT.length,
    };
}
