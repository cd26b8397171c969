// SPDX-License-Identifier: MIT OR Apache-2.0
/** Random sequences of operations on a store, as lines for replay.c, and performed in WebAssembly: both give the same answers in the same words. */
import { randomFrom, randomVector } from './random.mjs';

const NOW = Date.UTC(2024, 0, 1);
const HOUR = 3_600_000;
const CONTEXTS = ['default', 'work', 'дом'];
export const METRICS = ['cosine', 'dot', 'l2'];
export const VECTOR_KINDS = ['f32', 'bf16', 'i8'];
const MODES = ['best', 'rerank', 'exact'];
/** CM_UPDATE_ values. */
const UPDATES = { importance: 1, decayRate: 2, context: 4, text: 8, metadata: 16 };

const words = new DataView(new ArrayBuffer(8));

/** The bits of a 32-bit float; "" for undefined. */
function bits32(x) {
    if (x === undefined) return '';
    words.setFloat32(0, x);
    return words.getUint32(0).toString(16).padStart(8, '0');
}

function bits64(x) {
    words.setFloat64(0, x);
    return words.getBigUint64(0).toString(16).padStart(16, '0');
}

/**
 * A sequence: `rules` of the store, and `length` operations. The first `nInserts` are inserts; `weights` says how often each kind comes after them,
 * relative to the others; `nIds` how many ids there are, and so how often an insert replaces.
 */
export function makeSequence(seed, { length, nInserts, nIds, weights, rules }) {
    const { dimensions } = rules;
    const random = randomFrom(seed);
    const whole = (n) => Math.floor(random() * n);
    const maybe = (probability, make) => (random() < probability ? make() : undefined);
    const id = () => `m${whole(nIds)}`;
    const context = () => CONTEXTS[whole(CONTEXTS.length)];
    const share = () => Math.fround(random());
    const time = (hours) => NOW + Math.floor((random() * 2 - 1) * hours * HOUR);
    const text = () => 'text '.repeat(whole(5));
    const metadata = () => [null, { n: whole(9) }, 'plain', [1.5, true]][whole(4)];
    /** Some are nearly alike, so that consolidate finds something. */
    const directions = Array.from({ length: 4 }, () => randomVector(random, dimensions));
    const vector = () => {
        if (random() < 0.02) return new Float32Array(dimensions);
        const noise = randomVector(random, dimensions).map((x) => (random() < 0.05 ? 0 : x));
        return random() < 0.4 ? directions[whole(4)].map((x, i) => x + 0.05 * noise[i]) : noise;
    };
    const make = {
        insert: () => ({
            id: id(),
            vector: vector(),
            context: context(),
            importance: share(),
            decayRate: random() < 0.5 ? 0 : share(),
            timestamp: time(200),
            text: text(),
            metadata: maybe(0.5, metadata),
            relationships: Array.from({ length: whole(4) }, id),
        }),
        remove: () => ({ id: id() }),
        access: () => ({ id: id(), now: time(300) }),
        update: () => {
            const changes = {
                importance: maybe(0.5, share),
                decayRate: maybe(0.4, share),
                context: maybe(0.4, context),
                text: maybe(0.4, text),
                metadata: maybe(0.4, () => metadata()),
            };
            if (Object.values(changes).every((change) => change === undefined)) changes.importance = share();
            return { id: id(), now: time(300), changes };
        },
        relate: () => ({ id: id(), to: id() }),
        unrelate: () => ({ id: id(), to: id() }),
        decay: () => ({ now: time(300) }),
        search: () => ({
            vector: vector(),
            options: {
                k: 1 + whole(random() < 0.5 ? 3 : 20),
                ef: maybe(0.3, () => 1 + whole(random() < 0.5 ? 10 : 100)),
                context: maybe(0.4, context),
                temporalWeight: maybe(0.8, () => (random() < 0.2 ? whole(2) : share())),
                now: time(300),
                mode: maybe(0.7, () => MODES[whole(3)]),
                budget: maybe(0.2, () => 1 + whole(300)),
                minImportance: maybe(0.2, () => Math.fround(random() / 2)),
                maxImportance: maybe(0.2, () => Math.fround(0.5 + random() / 2)),
                after: maybe(0.2, () => NOW - whole(200) * HOUR),
                before: maybe(0.2, () => NOW + 1 + whole(200) * HOUR),
            },
            divisor: maybe(0.25, () => 2 + whole(4)),
        }),
        related: () => ({ id: id(), depth: whole(5) }),
        summary: () => ({ context: context() }),
        consolidate: () => ({ threshold: maybe(0.7, () => Math.fround(0.5 + 0.499 * random())) }),
    };
    const kinds = Object.entries(weights).flatMap(([kind, weight]) => Array(weight).fill(kind));
    const operations = Array.from({ length }, (_, i) => {
        const kind = i < nInserts ? 'insert' : kinds[whole(kinds.length)];
        return { kind, ...make[kind]() };
    });
    return { seed, rules: { ...rules, maxThreads: 2 }, operations };
}

const lines = {
    insert: ({ id, context, importance, decayRate, timestamp, text, metadata, relationships, vector }) => [
        'i',
        id,
        context,
        bits32(importance),
        bits32(decayRate),
        timestamp,
        text,
        JSON.stringify(metadata),
        relationships,
        Array.from(vector, bits32),
    ],
    remove: ({ id }) => ['r', id],
    access: ({ id, now }) => ['a', id, now],
    update: ({ id, changes, now }) => [
        'u',
        id,
        Object.entries(changes).reduce((sum, [name, change]) => (change === undefined ? sum : sum + UPDATES[name]), 0),
        bits32(changes.importance),
        bits32(changes.decayRate),
        changes.context,
        changes.text,
        changes.metadata == null ? '' : JSON.stringify(changes.metadata),
        now,
    ],
    relate: ({ id, to }) => ['l', id, to],
    unrelate: ({ id, to }) => ['x', id, to],
    decay: ({ now }) => ['d', now],
    search: ({ options, divisor, vector }) => [
        's',
        options.k,
        options.ef,
        options.context,
        bits32(options.temporalWeight),
        options.now,
        MODES.indexOf(options.mode ?? 'best'),
        options.budget,
        bits32(options.minImportance),
        bits32(options.maxImportance),
        options.after,
        options.before,
        divisor,
        Array.from(vector, bits32),
    ],
    related: ({ id, depth }) => ['w', id, depth],
    summary: ({ context }) => ['c', context],
    consolidate: ({ threshold }) => ['m', bits32(threshold)],
};

/** A sequence for replay.c. */
export function linesOf({ rules, operations }) {
    const { dimensions, maxMemories, metric, maxRelationships, m, efConstruction, efSearch, vectors = 'f32' } = rules;
    const numbers = [METRICS.indexOf(metric), maxRelationships, m, efConstruction, efSearch, VECTOR_KINDS.indexOf(vectors)];
    const start = ['n', dimensions, maxMemories, ...numbers];
    return [start, ...operations.map((operation) => lines[operation.kind](operation))].map((fields) => `${fields.join('\t')}\n`).join('');
}

const NOT_FOUND = -7;

/** What each operation answers, as replay.c prints it: an array of parts, or the status alone. */
const perform = {
    insert: (mind, { kind, ...memory }) => mind.insert(memory),
    remove: (mind, { id }) => (mind.remove(id) ? 0 : NOT_FOUND),
    access: (mind, { id, now }) => (mind.access(id, now) ? 0 : NOT_FOUND),
    update: (mind, { id, changes, now }) => mind.update(id, { ...changes, now }),
    relate: (mind, { id, to }) => mind.relate(id, to),
    unrelate: (mind, { id, to }) => mind.unrelate(id, to),
    decay: (mind, { now }) => ` ${mind.applyDecay({ now })}`,
    search: (mind, { vector, options, divisor }) => {
        const filter =
            divisor && ((memory) => (memory.id.charCodeAt(memory.id.length - 1) + memory.text.length + memory.accessCount) % divisor !== 0);
        const hits = mind.search(vector, { ...options, filter, why: true });
        return hits.map(hitText).join('') + reportText(mind.lastSearch);
    },
    related: (mind, { id, depth }) =>
        mind
            .related(id, { depth })
            .map((related) => `\n  ${related.id} ${related.depth}`)
            .join(''),
    summary: (mind, { context }) => {
        const { count, averageImportance, centroid } = mind.contextSummary(context);
        return ` ${[count, bits64(averageImportance), ...Array.from(centroid, bits32)].join(' ')}`;
    },
    consolidate: (mind, { threshold }) => ` ${mind.consolidate({ threshold }).absorbed}`,
};

function hitText({ id, score, distance, recency, importance, createdAt, accessCount, why }) {
    const floats = [score, distance, recency, importance].map(bits32);
    const parts = [why.distancePart, why.recencyPart, why.ageHours].map(bits64);
    return `\n  ${[id, ...floats, createdAt, accessCount, ...parts].join(' ')}`;
}

function reportText({ strategy, bound, graphBound, distances, recencyDistances, ef, temporalWeight, now }) {
    return `\n  ${[strategy, bits64(bound), bits64(graphBound), distances, recencyDistances, ef, bits32(temporalWeight), now].join(' ')}`;
}

/** Numbers that replay.c prints also where the operation fails. */
const failed = { decay: ' 0', consolidate: ' 0' };

/** Performs a sequence in WebAssembly; gives the answers. */
export function answersOf(mind, operations) {
    return operations.map((operation) => {
        const { kind } = operation;
        const letter = lines[kind](operation)[0];
        try {
            const answer = perform[kind](mind, operation);
            return typeof answer === 'string' ? `${letter}${answer} 0\n` : `${letter} ${answer ?? 0}\n`;
        } catch (error) {
            if (error.status === undefined) throw error;
            return `${letter}${failed[kind] ?? ''} ${error.status}\n`;
        }
    });
}
