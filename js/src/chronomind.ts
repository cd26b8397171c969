// SPDX-License-Identifier: MIT OR Apache-2.0
/// <reference lib="esnext.disposable" preserve="true" />
/** The class that users see: argument checks, names, and what belongs to JavaScript (promises, iteration, disposal). */
import { checkIterable, indexed, Slices, totalOf } from './batch.js';
import { Core, type CoreConfig, type CoreUpdate, type StoredMemory } from './core.js';
import { ChronoMindError, camelCase, inOwnNames, sentenceOf } from './errors.js';
import { detectFeatures, ISOLATION_HEADERS } from './features.js';
import { cm_config_t, VERSION } from './generated.js';
import { copySnapshot, Home, replaceSnapshot } from './home.js';
import { beginLife } from './life.js';
import { defaultBuild, instantiate, instantiateShared, type Source } from './loader.js';
import { Heap } from './memory.js';
import { compareUtf8 } from './order.js';
import { isTaken, takeSeat } from './seat.js';
import { Chunks } from './storage/chunks.js';
import { storageIn, storageOf } from './storage/place.js';
import type {
    AttachOptions,
    BatchOptions,
    Build,
    Capabilities,
    CheckReport,
    ConsolidateOptions,
    Consolidation,
    ContextSummary,
    DecayOptions,
    ExplainedHit,
    Hit,
    LoadOptions,
    Memory,
    MemoryChanges,
    MemoryInput,
    OpenOptions,
    Place,
    Related,
    RelatedMemory,
    RelatedOptions,
    SearchOptions,
    SearchReport,
    SharedStore,
    SnapshotStorage,
    Stats,
    StoreConfig,
    Timestamp,
    Vector,
} from './types.js';
import {
    checkFlag,
    checkFunction,
    checkMemory,
    checkMetadata,
    checkName,
    checkMode,
    checkNumber,
    checkObject,
    checkShare,
    checkSignal,
    checkString,
    checkTime,
    checkU32,
    checkU64,
    checkVector,
    checkWindow,
    METRICS,
    parseMetadata,
    shown,
    strategyOf,
    VECTOR_KINDS,
} from './validate.js';

const N_MOST_REFERENCED = 10;

/** Of relationships, for the library: further than any walk goes. */
const MAX_DEPTH = 0xffffffff;

/** Closes stores that nobody closed and nobody can reach any more. Older Cloudflare Workers have no such thing. */
const forgotten =
    typeof FinalizationRegistry === 'function'
        ? new FinalizationRegistry<Pick<Mind, 'core' | 'home'>>(({ core, home }) => {
              core.close();
              home?.leave();
          })
        : undefined;

/** What a ChronoMind is made of. */
interface Mind {
    core: Core;
    home?: Home | undefined;
    clock?: (() => number) | undefined;
}

/** Only open() and load() may construct. */
const CONSTRUCT = Symbol('ChronoMind.open');

/**
 * A store of memories: vectors with an id, a context, importance, a time and a payload.
 *
 * ```ts
 * const mind = await ChronoMind.open({ dimensions: 3 });
 * mind.insert({ id: 'first', vector: [0.1, 0.2, 0.3], text: 'hello' });
 * const [hit] = mind.search([0.1, 0.2, 0.3], { k: 1 });
 * mind.close();
 * ```
 *
 * Every failure is a ChronoMindError; a failed call has changed nothing.
 */
export class ChronoMind implements Iterable<Memory> {
    readonly #core: Core;
    readonly #home: Home | undefined;
    readonly #clock: (() => number) | undefined;
    /** Begins when the last save() has ended. */
    #turn: Promise<void> = Promise.resolve();
    #nSaves = 0;

    /** @internal Functions cannot be cloned: so posting a store to a worker throws, instead of arriving there as an empty object. */
    readonly notCloneable: () => never = () => {
        throw new ChronoMindError('CM_E_ARGUMENT', 'a ChronoMind cannot be cloned: post what share() gives');
    };

    /**
     * Opens an empty store, or the snapshot at the place that the options name, when there is one.
     *
     * Fails with CM_E_CONFIG, CM_E_LOCKED (somebody else has the place open for writing), CM_E_ENVIRONMENT (this host has no such place), CM_E_IO, and
     * for what is no whole snapshot CM_E_NOT_SNAPSHOT, CM_E_VERSION, CM_E_CORRUPT: it is left as it is.
     */
    static async open(options: OpenOptions = {}): Promise<ChronoMind> {
        checkObject(options, 'options');
        const config = coreConfig(options);
        const clock = checkFunction(options.clock, 'clock');
        const home = await homeOf(await storageIn(options), options);
        return settledAt(home, async () => {
            const snapshot = home?.isReadOnly ? await home.read() : await home?.storage.read();
            if (snapshot === undefined) {
                const core = Core.open(await instantiate(options), config, inOwnNames);
                return new ChronoMind(CONSTRUCT, { core, home, clock });
            }
            try {
                const { max_memories, max_threads } = config;
                const core = Core.load(await instantiate(options), snapshot, { max_memories, max_threads }, inOwnNames);
                requireSameVectors(core, options, home);
                return new ChronoMind(CONSTRUCT, { core, home, clock });
            } finally {
                snapshot.close();
            }
        });
    }

    /** Opens a snapshot: a path (Node) or another place, where save() will write it, or bytes from anywhere. Fails as open() does. */
    static async load(from: string | URL | Place | Uint8Array | ArrayBuffer | Blob, options: LoadOptions = {}): Promise<ChronoMind> {
        checkObject(options, 'options');
        const clock = checkFunction(options.clock, 'clock');
        const { maxMemories, maxThreads } = options;
        const rules = {
            max_memories: maxMemories === undefined ? undefined : checkU32(maxMemories, 'maxMemories', 'CM_E_CONFIG'),
            max_threads: maxThreads === undefined ? undefined : checkU32(maxThreads, 'maxThreads', 'CM_E_CONFIG'),
        };
        const bytes = await bytesOf(from);
        const home = await homeOf(bytes === undefined ? await storageOf(from, 'load()') : undefined, options);
        return settledAt(home, async () => {
            const snapshot = bytes === undefined ? await home?.read() : undefined;
            try {
                const source = snapshot ?? sourceOf(bytes);
                return new ChronoMind(CONSTRUCT, { core: Core.load(await instantiate(options), source, rules, inOwnNames), home, clock });
            } finally {
                snapshot?.close();
            }
        });
    }

    /** In a worker: the store that another thread shared. The same memory, not a copy; both read and write it. */
    static async attach(shared: SharedStore, options: AttachOptions = {}): Promise<ChronoMind> {
        checkShared(shared);
        checkObject(options, 'options');
        checkFunction(options.clock, 'clock');
        const heap = new Heap(shared.memory);
        if (isTaken(heap, shared.seat)) throw refusedSeat(heap, shared); // whoever sits there has the lock, and keeps it
        const end = await beginLife(shared.life);
        try {
            if (!takeSeat(heap, shared.seat)) throw refusedSeat(heap, shared);
            return new ChronoMind(CONSTRUCT, {
                core: Core.attach(await instantiateShared(shared), shared, inOwnNames, end),
                clock: options.clock,
            });
        } catch (error) {
            end();
            throw error;
        }
    }

    /** Which build this host gets, and why. */
    static capabilities(): Capabilities {
        const features = detectFeatures();
        return { version: VERSION, ...defaultBuild(), features };
    }

    private constructor(permit: typeof CONSTRUCT, mind: Mind) {
        if (permit !== CONSTRUCT) throw new ChronoMindError('CM_E_ARGUMENT', 'use await ChronoMind.open() or ChronoMind.load()');
        const { core, home, clock } = mind;
        this.#core = core;
        this.#home = home;
        this.#clock = clock;
        forgotten?.register(this, { core, home }, core);
    }

    /** Memories in the store. */
    get size(): number {
        return this.#core.size;
    }

    /** The rules in force; after load() the snapshot's. */
    get config(): Readonly<StoreConfig> {
        return this.#core.config;
    }

    /** Which of the two modules the store runs on. */
    get build(): Build {
        return this.#core.build;
    }

    /**
     * Inserts, or replaces the memory of the same id; then the old relationships follow the new ones.
     *
     * Fails with CM_E_ID, CM_E_DIMENSION, CM_E_NOT_FINITE, CM_E_RANGE, CM_E_TOO_LARGE, CM_E_UTF8, CM_E_ARGUMENT (a value of the wrong type), and where
     * there is no room: CM_E_CAPACITY (maxMemories), CM_E_INDEX_FULL, CM_E_NO_MEMORY.
     */
    insert(memory: MemoryInput): void {
        const checked = checkMemory(memory);
        checked.createdMs ??= this.#now(undefined);
        this.#core.insert(checked);
    }

    /**
     * Inserts many and lets the event loop run meanwhile. Returns how many. When one is refused the promise rejects with an error whose `index`
     * says which; those before it stay.
     */
    async insertBatch(memories: Iterable<MemoryInput> | AsyncIterable<MemoryInput>, options: BatchOptions = {}): Promise<number> {
        checkObject(memories, 'memories');
        checkObject(options, 'options');
        const { onProgress, signal } = options;
        checkIterable(memories, 'memories');
        const total = totalOf(memories);
        let done = 0;
        const slices = new Slices();
        const pause = async (): Promise<void> => {
            onProgress?.(done, total);
            await slices.breathe();
            signal?.throwIfAborted();
        };
        const take = (memory: MemoryInput): boolean => {
            indexed(done, () => this.insert(memory));
            done++;
            return slices.isOver;
        };
        signal?.throwIfAborted();
        if (Symbol.iterator in memories) {
            for (const memory of memories) if (take(memory)) await pause();
        } else {
            for await (const memory of memories) if (take(memory)) await pause();
        }
        onProgress?.(done, total);
        return done;
    }

    /** A copy; undefined when there is no such memory. */
    get(id: string): Memory | undefined {
        const stored = this.#core.get(checkString(id, 'id', 'CM_E_ID'));
        return stored && memoryOf(stored);
    }

    /** As get(), and counts the access: accessCount is one more, accessedAt is `now` (default: now) unless it is later already. */
    access(id: string, now?: Timestamp): Memory | undefined {
        const stored = this.#core.access(checkString(id, 'id', 'CM_E_ID'), this.#now(now));
        return stored && memoryOf(stored);
    }

    /**
     * Changes attributes of a memory in place; vector, timestamp and relationships stay.
     *
     * Fails with CM_E_NOT_FOUND, CM_E_ARGUMENT (nothing to change, or a value of the wrong type), CM_E_RANGE, CM_E_UTF8, CM_E_TOO_LARGE, CM_E_INDEX_FULL,
     * CM_E_NO_MEMORY.
     */
    update(id: string, changes: MemoryChanges): void {
        const checkedId = checkString(id, 'id', 'CM_E_ID');
        const checked = checkChanges(changes);
        this.#core.update(checkedId, { ...checked, nowMs: this.#now(changes.now) });
    }

    /** False: there was no such memory. */
    remove(id: string): boolean {
        return this.#core.remove(checkString(id, 'id', 'CM_E_ID'));
    }

    /** Whether there is such a memory. */
    has(id: string): boolean {
        return this.#core.has(checkString(id, 'id', 'CM_E_ID'));
    }

    /**
     * Adds `to`, which need not exist, behind the relationships of `id`, unless it is there already.
     *
     * Fails with CM_E_NOT_FOUND (`id`), CM_E_ID, CM_E_TOO_LARGE (maxRelationships are there already), CM_E_NO_MEMORY.
     */
    relate(id: string, to: string): void {
        this.#core.relate(checkString(id, 'id', 'CM_E_ID'), checkString(to, 'to', 'CM_E_ID'));
    }

    /** Takes `to` off the relationships of `id`, if it is there. Fails with CM_E_NOT_FOUND (`id`), CM_E_ID, CM_E_NO_MEMORY. */
    unrelate(id: string, to: string): void {
        this.#core.unrelate(checkString(id, 'id', 'CM_E_ID'), checkString(to, 'to', 'CM_E_ID'));
    }

    /**
     * The memories that relationships lead to from `id`, nearest first: breadth first, in the order of the lists. Each comes once; the start, and ids
     * that do not exist, are left out.
     *
     * Fails with CM_E_NOT_FOUND (`id`), CM_E_RANGE (`depth`), CM_E_NO_MEMORY.
     */
    related(id: string, options: RelatedOptions & { memories: true }): RelatedMemory[];
    related(id: string, options?: RelatedOptions): Related[];
    related(id: string, options: RelatedOptions = {}): Related[] {
        checkObject(options, 'options');
        const { depth = 1, memories } = options;
        const withMemory = checkFlag(memories, 'memories');
        const found = this.#core.related(
            checkString(id, 'id', 'CM_E_ID'),
            depth === Number.POSITIVE_INFINITY ? MAX_DEPTH : checkU32(depth, 'depth'),
        );
        return found.flatMap((handle) => {
            const stored = this.#core.recordOf(handle);
            if (stored === undefined) return [];
            return [{ id: stored.id, depth: handle.depth, ...(withMemory && { memory: memoryOf(stored) }) }];
        });
    }

    /**
     * The memories with the best scores that pass every filter, best first; lastSearch says how good the answer is. Fewer than k come back only where
     * fewer pass. `score = (1 - temporalWeight) * distance / 2 + temporalWeight * recency`; lower is better.
     *
     * Fails with CM_E_DIMENSION, CM_E_NOT_FINITE, CM_E_RANGE, CM_E_UTF8, CM_E_ARGUMENT (a value of the wrong type), CM_E_BUSY (from inside a filter), and
     * with whatever the filter throws.
     */
    search(vector: Vector, options: SearchOptions & { why: true }): ExplainedHit[];
    search(vector: Vector, options?: SearchOptions): Hit[];
    search(vector: Vector, options: SearchOptions = {}): Hit[] {
        checkObject(options, 'options');
        const { k, ef, context, temporalWeight, budget, minImportance, maxImportance, filter } = options;
        return this.#core.search(checkVector(vector), {
            k: k === undefined ? undefined : checkU32(k, 'k'),
            ef: ef === undefined ? undefined : checkU32(ef, 'ef'),
            context: context === undefined ? undefined : checkContext(context),
            temporalWeight: temporalWeight === undefined ? undefined : checkWeight(temporalWeight),
            mode: checkMode(options.mode, options.exact),
            budget: budget === undefined ? undefined : checkBudget(budget),
            minImportance: minImportance === undefined ? undefined : checkNumber(minImportance, 'minImportance'),
            maxImportance: maxImportance === undefined ? undefined : checkNumber(maxImportance, 'maxImportance'),
            ...checkWindow(options.after, options.before),
            filter: checkFunction(filter, 'filter') && ((memory) => isChosen(filter?.(memory))),
            why: checkFlag(options.why, 'why'),
            nowMs: this.#now(options.now),
        });
    }

    /** What the last search of this object did (one that a filter ended, too). Before the first: strategy "none". */
    get lastSearch(): SearchReport {
        const report = this.#core.lastSearch();
        return {
            bound: report.bound,
            graphBound: report.graph_bound,
            strategy: strategyOf(report.strategy),
            distances: Number(report.n_distances),
            recencyDistances: Number(report.n_recency_distances),
            ef: report.ef,
            temporalWeight: report.temporal_weight,
            now: Number(report.now_ms),
        };
    }

    /**
     * Importance fades: it is multiplied by exp(-rate * hours), for the time since the last access or sweep up to `now`. Each interval is applied once,
     * however often this runs. Returns how many memories it moved on in time.
     */
    applyDecay(options: DecayOptions = {}): number {
        checkObject(options, 'options');
        return this.#core.applyDecay(this.#now(options.now));
    }

    /** A context in numbers; one that nobody used is empty. Fails with CM_E_RANGE (""), CM_E_TOO_LARGE, CM_E_UTF8, CM_E_NO_MEMORY. */
    contextSummary(context: string): ContextSummary {
        const { memories, averageImportance, mean } = this.#core.contextSummary(checkString(context, 'context'));
        return { count: memories, averageImportance, centroid: mean };
    }

    /**
     * Merges near-duplicates: memories whose cosine similarity is above `threshold`. The more important one (of equals the older, then the lower id) absorbs
     * the other: it takes over the relationships and the higher importance, and the other is removed.
     *
     * Others may read and write meanwhile. One run at a time: CM_E_BUSY for a second. Stopped by its callback or signal it throws what they threw, and what was
     * absorbed stays absorbed. Fails with CM_E_RANGE, CM_E_ARGUMENT, CM_E_NO_MEMORY.
     */
    consolidate(options: ConsolidateOptions = {}): Consolidation {
        checkObject(options, 'options');
        const { threshold } = options;
        const onProgress = checkFunction(options.onProgress, 'onProgress');
        const signal = checkSignal(options.signal);
        const checked = threshold === undefined ? undefined : checkThreshold(threshold);
        signal?.throwIfAborted();
        const progress = (done: number): void => {
            onProgress?.(done);
            signal?.throwIfAborted();
        };
        return { absorbed: this.#core.consolidate(checked, onProgress || signal ? progress : undefined) };
    }

    /** Totals, contexts, the most named ids, and where the bytes are. */
    stats(): Stats {
        const stats = this.#core.stats();
        const { dimensions, metric } = this.#core.config;
        return {
            memories: Number(stats.n_memories),
            components: Number(stats.n_components),
            maxMemories: Number(stats.max_memories),
            dimensions,
            metric,
            averageImportance: stats.average_importance,
            contexts: this.#core.contexts().sort((a, b) => b.memories - a.memories || compareUtf8(a.context, b.context)),
            mostReferenced: this.#core.topReferences(N_MOST_REFERENCED),
            slotsUsed: Number(stats.n_slots_used),
            slots: Number(stats.n_slots),
            retired: Number(stats.n_retired),
            bytes: {
                reserved: Number(stats.bytes_reserved),
                vectors: Number(stats.bytes_vectors),
                index: Number(stats.bytes_index),
                records: Number(stats.bytes_records),
                blocks: Number(stats.bytes_blocks),
            },
        };
    }

    /** Walks the whole store; throws CM_E_INVARIANT when something is wrong with it. */
    check(): CheckReport {
        return this.#core.check();
    }

    /** Every memory once. The store may be changed meanwhile. */
    *[Symbol.iterator](): Generator<Memory, void> {
        for (const stored of this.#core.records()) yield memoryOf(stored);
    }

    /**
     * Writes a snapshot and replaces the old one at once; on failure the old one is as it was. Default: where open() or load() found it. Saves of one store
     * take turns, and each writes what is there when its turn comes.
     *
     * Fails with CM_E_LOCKED, CM_E_READ_ONLY, CM_E_QUOTA (no room in the browser), CM_E_ENVIRONMENT (this host has no such place), CM_E_IO.
     */
    save(place?: string | URL | Place): Promise<void> {
        this.#nSaves++;
        const save = this.#turn
            .then(() => this.#saveAt(place))
            .finally(() => {
                this.#nSaves--;
                this.#leaveHome();
            });
        this.#turn = save.catch(() => undefined);
        return save;
    }

    /** When nobody needs it any more. */
    #leaveHome(): void {
        if (!this.#core.isOpen && this.#nSaves === 0) this.#home?.leave();
    }

    async #saveAt(place: string | URL | Place | undefined): Promise<void> {
        if (!this.#core.isOpen) throw new ChronoMindError('CM_E_CLOSED', sentenceOf('CM_E_CLOSED'));
        const home = this.#home;
        const storage = place === undefined ? home?.storage : await storageOf(place, 'save()');
        if (storage === undefined) {
            throw new ChronoMindError('CM_E_ARGUMENT', 'save() needs a path, or another place: the store was opened without one');
        }
        const isHome = storage.name === home?.storage.name;
        if (isHome && home.isReadOnly) {
            throw new ChronoMindError(
                'CM_E_READ_ONLY',
                `${storage.name} was opened with readOnly: save to another place, or open it without`,
            );
        }
        await (isHome ? replaceSnapshot : copySnapshot)(storage, (sink) => this.#core.save(sink));
    }

    /** A snapshot as bytes, for load(). */
    toBytes(): Uint8Array<ArrayBuffer> {
        const chunks = new Chunks();
        this.#core.save((part) => chunks.append(part));
        return chunks.bytes();
    }

    /** @internal */
    get canShare(): boolean {
        return this.build === 'threads' && detectFeatures().crossOriginIsolated !== false;
    }

    /** @internal */
    get isOpen(): boolean {
        return this.#core.isOpen;
    }

    /** @internal What the store's own clock says; undefined: it has none. */
    clockTime(): number | undefined {
        return this.#clock?.();
    }

    /**
     * Something to post to one worker, for ChronoMind.attach(); call it once per worker. Needs the threads build (see capabilities()).
     *
     * Every attached worker closes its own; the memory is given back when the last one has.
     */
    share(): SharedStore {
        if (this.canShare) return this.#core.share();
        const problem =
            this.build === 'threads' ? 'a page that is not cross-origin isolated cannot share' : 'the single-thread build cannot be shared';
        throw new ChronoMindError('CM_E_ENVIRONMENT', `${problem}: in a browser send ${ISOLATION_HEADERS}`);
    }

    /**
     * Says that the worker which got this was terminated, has failed, or never attached. What it held is given back, then the promise resolves. False: there was
     * nothing to give back.
     *
     * In Node only when the worker has ended: `await worker.terminate()` first. Browsers let a terminated worker go on for a while (Chromium for up to two
     * seconds): there its calls fail from now on, and its place is taken back when it has ended.
     */
    abandon(shared: SharedStore): Promise<boolean> {
        return this.#core.abandon(shared);
    }

    /**
     * Leaves the store, and gives its memory back; its place is free for others when a save() that is being written is over. Every later call but close()
     * fails with CM_E_CLOSED.
     */
    close(): void {
        forgotten?.unregister(this.#core);
        this.#core.close();
        this.#leaveHome();
    }

    declare [Symbol.dispose]: () => void;
    declare [Symbol.asyncDispose]: () => Promise<void>;

    /** What console.log() shows in Node. */
    [Symbol.for('nodejs.util.inspect.custom')](): string {
        return this.#core.isOpen ? `ChronoMind { size: ${this.size}, build: '${this.build}' }` : 'ChronoMind { closed }';
    }

    /** The given time, else the store's own clock, else undefined: the host's. */
    #now(time: Timestamp | undefined): bigint | undefined {
        if (time !== undefined) return checkTime(time, 'now');
        return this.#clock && checkTime(this.#clock(), 'clock()');
    }
}

// Hosts without these symbols still get the methods where their polyfills look.
for (const [symbol, dispose] of [
    [Symbol.dispose ?? Symbol.for('Symbol.dispose'), ChronoMind.prototype.close],
    [
        Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose'),
        async function (this: ChronoMind): Promise<void> {
            this.close();
        },
    ],
] as const) {
    Object.defineProperty(ChronoMind.prototype, symbol, { value: dispose, writable: true, configurable: true });
}

function memoryOf({ createdMs, accessedMs, ...stored }: StoredMemory): Memory {
    return { ...stored, createdAt: createdMs, accessedAt: accessedMs, metadata: parseMetadata(stored.metadata) };
}

const NAMED: Partial<Record<string, Record<string, number>>> = { metric: METRICS, vectors: VECTOR_KINDS };
const CHECKS = { u32: checkU32, f32: checkNumber, u64: checkU64 };

/** The rules of a store are named as the fields of cm_config_t, in camel case. */
function coreConfig(options: OpenOptions): CoreConfig {
    const config: Record<string, unknown> = {};
    for (const [field, { kind }] of Object.entries(cm_config_t.fields)) {
        const name = camelCase(field);
        const value = options[name as keyof OpenOptions];
        const named = NAMED[name];
        if (value !== undefined) config[field] = named ? checkName(named, value, name) : CHECKS[kind](value, name, 'CM_E_CONFIG');
    }
    return config;
}

/** In a search "" would mean all contexts to the library. */
function checkContext(context: unknown): string {
    const text = checkString(context, 'context');
    if (text === '') throw new ChronoMindError('CM_E_ARGUMENT', 'context is empty: leave it out to search all contexts');
    return text;
}

/** A negative weight would mean the store's to the library. */
function checkWeight(weight: unknown): number {
    return checkShare(weight, 'temporalWeight', (share) => share >= 0 && share <= 1, 'must be from 0 to 1');
}

/** 0 would mean the store's to the library. */
function checkThreshold(threshold: unknown): number {
    return checkShare(threshold, 'threshold', (share) => share > 0 && share < 1, 'must be above 0 and below 1');
}

/** 0 would mean no limit to the library. */
function checkBudget(budget: unknown): number {
    const number = checkU32(budget, 'budget');
    if (number === 0) throw new ChronoMindError('CM_E_RANGE', 'budget is 0: must be at least 1; leave it out to search without limit');
    return number;
}

/** What a filter answered. A promise would look like "yes". */
function isChosen(answer: unknown): boolean {
    if (!(answer instanceof Promise)) return Boolean(answer);
    throw new ChronoMindError('CM_E_ARGUMENT', 'filter gave a promise: it must answer at once, with true or false');
}

/** null drops text or metadata, which is "" to the library. */
function checkChanges(changes: MemoryChanges): CoreUpdate {
    checkObject(changes, 'changes');
    const { importance, decayRate, context, text, metadata } = changes;
    const checked = {
        importance: importance === undefined ? undefined : checkNumber(importance, 'importance'),
        decayRate: decayRate === undefined ? undefined : checkNumber(decayRate, 'decayRate'),
        context: context === undefined ? undefined : checkString(context, 'context'),
        text: text === undefined ? undefined : checkString(text ?? '', 'text'),
        metadata: metadata === undefined ? undefined : checkMetadata(metadata ?? undefined),
    };
    if (Object.values(checked).some((value) => value !== undefined)) return checked;
    throw new ChronoMindError('CM_E_ARGUMENT', 'changes are none: give importance, decayRate, context, text or metadata');
}

/** A snapshot of other vectors than the caller is going to use is the wrong snapshot. Its other rules simply hold. */
function requireSameVectors(core: Core, options: OpenOptions, home: Home | undefined): void {
    for (const rule of ['dimensions', 'metric', 'vectors'] as const) {
        const [wanted, found] = [options[rule], core.config[rule]];
        if (wanted === undefined || wanted === found) continue;
        core.close();
        const message = `${rule} is ${shown(wanted)}: the snapshot ${home?.storage.name} has ${shown(found)}, and keeps it`;
        throw new ChronoMindError('CM_E_CONFIG', message);
    }
}

function checkShared(shared: SharedStore): void {
    const { chronomind, module, memory } = Object(shared) as Partial<SharedStore>;
    if (!(module instanceof WebAssembly.Module && memory instanceof WebAssembly.Memory)) {
        throw new ChronoMindError('CM_E_ARGUMENT', `attach() got ${shown(shared)}: must be what share() gave, posted by postMessage`);
    }
    if (chronomind === VERSION) return;
    throw new ChronoMindError(
        'CM_E_ENVIRONMENT',
        `the store was shared by version ${shown(chronomind)}, this is ${VERSION}: use one version`,
    );
}

function refusedSeat(heap: Heap, { seat }: SharedStore): ChronoMindError {
    if (!isTaken(heap, seat))
        return new ChronoMindError('CM_E_CLOSED', 'the store was closed before this worker attached, or after it left');
    return new ChronoMindError('CM_E_ARGUMENT', 'this is attached already: call share() once for every worker');
}

async function homeOf(storage: SnapshotStorage | undefined, options: { readOnly?: boolean | undefined }): Promise<Home | undefined> {
    const isReadOnly = checkFlag(options.readOnly, 'readOnly');
    if (storage !== undefined) return Home.enter(storage, isReadOnly);
    if (isReadOnly) throw new ChronoMindError('CM_E_ARGUMENT', 'readOnly is true, but no place is named that could be written');
    return undefined;
}

/** What could not be opened leaves its place to others. */
async function settledAt<T>(home: Home | undefined, open: () => Promise<T>): Promise<T> {
    try {
        return await open();
    } catch (error) {
        home?.leave();
        throw error;
    }
}

function sourceOf(bytes: Uint8Array = new Uint8Array(0)): Source {
    return { nBytes: bytes.length, read: (offset, into) => into.set(bytes.subarray(offset, offset + into.length)) };
}

/** undefined: it is none. */
async function bytesOf(from: unknown): Promise<Uint8Array | undefined> {
    if (ArrayBuffer.isView(from)) return new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
    if (from instanceof ArrayBuffer) return new Uint8Array(from);
    return typeof Blob === 'function' && from instanceof Blob ? new Uint8Array(await from.arrayBuffer()) : undefined;
}
