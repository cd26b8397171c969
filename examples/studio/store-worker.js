// SPDX-License-Identifier: MIT OR Apache-2.0
/** The worker that owns the store: everything the page does with memories happens here, so that the page itself never waits. */
import { ChronoMind } from '/chronomind/web.js';
import { opfsStorage } from '/chronomind/storage/opfs.js';
import { moving, serveCalls, tell } from './calls.js';
import { insertOn, searchOn } from './live-loops.js';
import { BASE_DECAY_RATE, memoryOf, TEMPORAL_WEIGHT } from './memories.js';
import { buffersOf, pointsOf } from './points.js';
import { Vocabulary } from './vocabulary.js';
import { fetchWords } from './words.js';

const FILE = 'studio.chrono';

/** The inserting worker may bring this many times the words that the page starts with, and never more than there are. */
const ROOM = 5;

/** Short, so that a search by hand comes between. */
const SLICE_MS = 8;

const EXAMPLES = ['coffee', 'winter', 'doctor', 'guitar', 'river', 'music', 'city', 'war', 'time'];
const N_EXAMPLES = 4;

const vocabulary = new Vocabulary();
let mind;
let ending;
/** What was posted to workers, by number, to take it back from those that died. */
const seats = new Map();
let nShared = 0;

/** Numbers for the page's header. */
function summary() {
    const { memories, maxMemories, bytes } = mind.stats();
    const { build, reason } = ChronoMind.capabilities();
    return { memories, maxMemories, bytes: bytes.reserved, build, reason };
}

/** Fetches the words and inserts them, reporting both; searches are answered meanwhile. */
async function start({ words: nWords, total }) {
    mind = await ChronoMind.open({
        dimensions: 100,
        maxMemories: Math.min(total, nWords * ROOM),
        efConstruction: 100,
        baseDecayRate: BASE_DECAY_RATE,
        temporalWeight: TEMPORAL_WEIGHT,
    });
    const { words, vectorAt } = await fetchWords(0, nWords, (done, of) => tell('progress', { stage: 'fetch', done, of }));
    words.forEach((word, i) => {
        vocabulary.add(word, vectorAt(i));
    });
    await mind.insertBatch(
        words.map((word, i) => memoryOf(word, vectorAt(i))),
        { onProgress: (done, of) => tell('progress', { stage: 'insert', done, of }) },
    );
    return { ...summary(), examples: EXAMPLES.filter((word) => vocabulary.has(word)).slice(0, N_EXAMPLES) };
}

/** The k best for a typed text; { hits: [], words: [] } when no word of it is known. */
function search({ text, ...options }) {
    const { vector, words, unknown } = vocabulary.read(text, (word) => mind.get(word)?.vector);
    if (vector === undefined) return { words, unknown, hits: [] };
    const start = performance.now();
    const hits = mind.search(vector, { ...options, why: true });
    const ms = performance.now() - start;
    const { strategy, bound, distances } = mind.lastSearch;
    const rates = hits.map(({ id }) => mind.get(id)?.decayRate || BASE_DECAY_RATE);
    return {
        words,
        unknown,
        hits: hits.map((hit, i) => ({ ...hit, decayRate: rates[i] })),
        ms,
        strategy,
        bound,
        distances,
        size: mind.size,
    };
}

/** A memory without its vector, and whom it leads to. */
function describe(id) {
    const memory = mind.get(id);
    if (memory === undefined) return undefined;
    const { vector, ...rest } = memory;
    return { ...rest, related: mind.related(id, { depth: 2 }) };
}

/** After a change: the memory as it is now. */
function changing(change) {
    return (id, ...args) => {
        change(id, ...args);
        return describe(id);
    };
}

/** undefined: nothing is saved. */
async function savedBytes() {
    const reader = await opfsStorage(FILE).read();
    return reader?.nBytes;
}

/** The snapshot in memory, so that its place stays free for save() and other tabs. */
async function readSaved() {
    const reader = await opfsStorage(FILE).read();
    if (reader === undefined) throw Object.assign(new Error('nothing was saved in this browser yet'), { code: 'CM_E_IO' });
    try {
        const bytes = new Uint8Array(reader.nBytes);
        for (let at = 0; at < bytes.length; at += 1 << 20) reader.read(at, bytes.subarray(at, at + (1 << 20)));
        return bytes;
    } finally {
        reader.close();
    }
}

async function load() {
    const loaded = await ChronoMind.load(await readSaved());
    mind.close();
    mind = loaded;
    return summary();
}

async function save() {
    await mind.save({ opfs: FILE });
    return savedBytes();
}

function share() {
    const shared = mind.share();
    const number = ++nShared;
    seats.set(number, shared);
    return { number, shared };
}

/** `n` ids, evenly out of the store. */
function sample(n) {
    const every = Math.max(1, Math.floor(mind.size / n));
    const ids = [];
    let i = 0;
    for (const { id } of mind) if (i++ % every === 0 && ids.push(id) === n) break;
    return ids;
}

/** Without shared memory: searches and inserts by turns, here. */
async function liveAlone(from) {
    ending = new AbortController();
    const rules = { sliceMs: SLICE_MS, signal: ending.signal };
    const [, inserted] = await Promise.all([
        searchOn(mind, sample(256), { ...rules, report: (counts) => tell('counts', { role: 'search', ...counts }) }),
        insertOn(mind, from, {
            ...rules,
            report: (counts) => tell('counts', { role: 'insert', ...counts }),
            onInserted: (points) => tell('inserted', points),
        }),
    ]);
    return inserted;
}

serveCalls({
    start,
    search,
    describe,
    summary,
    save,
    load,
    savedBytes,
    share,
    sample,
    liveAlone,
    access: changing((id, now) => mind.access(id, now)),
    relate: changing((id, to) => mind.relate(id, to)),
    unrelate: changing((id, to) => mind.unrelate(id, to)),
    update: changing((id, changes) => mind.update(id, changes)),
    remove: (id) => mind.remove(id),
    has: (id) => mind.has(id),
    applyDecay: (now) => mind.applyDecay({ now }),
    consolidate: (threshold) => mind.consolidate({ threshold }),
    check: () => mind.check(),
    /** Everything for the map. */
    points() {
        const points = pointsOf([...mind]);
        return moving(points, buffersOf(points));
    },
    stopAlone: () => ending?.abort(),
    /** Of a worker that has left, or, with `isDead`, of one that cannot any more. */
    async forget(number, isDead) {
        if (isDead) await mind.abandon(seats.get(number));
        seats.delete(number);
    },
});
