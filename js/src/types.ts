// SPDX-License-Identifier: MIT OR Apache-2.0
/** The shapes that callers give and get. Times are milliseconds since the Unix epoch. */
import type { SnapshotReader, SnapshotStorage, SnapshotWriter } from './storage/storage.js';

export type { SnapshotReader, SnapshotStorage, SnapshotWriter };

/** Numbers of a vector: an array, a Float32Array, a Float64Array, ... They are stored as 32-bit floats. */
export type Vector = ArrayLike<number>;

/** Milliseconds since the Unix epoch, a Date, or ISO 8601 with a zone ("2024-05-01T12:00:00Z"). */
export type Timestamp = number | Date | string;

/** How near two vectors are: 1 - cosine (0 to 2), 1 - dot product, or squared Euclidean distance. Less is nearer. */
export type Metric = 'cosine' | 'dot' | 'l2';

/** How vectors are kept. */
export type VectorKind = 'f32' | 'bf16' | 'i8';

/** `threads`: over shared memory, so that workers can use one store. `single-thread`: everywhere else. */
export type Build = 'threads' | 'single-thread';

/** A memory to insert. */
export interface MemoryInput {
    /** Unique, 1 to 1024 bytes of UTF-8. An id that exists is replaced, and its relationships follow the new ones. */
    id: string;
    /** As many finite numbers as the store has dimensions. */
    vector: Vector;
    /** A label to group by (conversation, document, agent). Default "default". */
    context?: string | undefined;
    /** 0 to 1. Default 0.5. */
    importance?: number | undefined;
    /** Per hour; 0, the default, is the store's baseDecayRate. */
    decayRate?: number | undefined;
    /** Ids of other memories; they need not exist. */
    relationships?: readonly string[] | undefined;
    /** When it happened. Default now. */
    timestamp?: Timestamp | undefined;
    text?: string | undefined;
    /** Any value that JSON can hold. */
    metadata?: unknown;
}

/** A memory as the store holds it: a copy. */
export interface Memory {
    id: string;
    vector: Float32Array;
    context: string;
    importance: number;
    decayRate: number;
    relationships: string[];
    accessCount: number;
    createdAt: number;
    accessedAt: number;
    /** "" when none was given. */
    text: string;
    /** undefined when none was given. Bytes that another program stored and that are not JSON come as a string. */
    metadata: unknown;
}

/**
 * - `best`: the true k best by score. Near ones come out of the index and fresh ones out of the order of time, until nothing unseen can be better.
 * - `rerank`: the nearest by distance, ranked by score. Quick, and blind for fresh memories that are farther away. To compare with.
 * - `exact`: every memory that passes the filters is scored.
 */
export type SearchMode = 'best' | 'rerank' | 'exact';

/** How to search: how many, which memories, and how much age counts. */
export interface SearchOptions {
    /** How many memories, 1 to 16384. Default 10. */
    k?: number | undefined;
    /** Only memories of this context. */
    context?: string | undefined;
    /** Share of age in the score, 0 to 1. Default the store's. */
    temporalWeight?: number | undefined;
    /** The time to reckon ages from. Default now. */
    now?: Timestamp | undefined;
    /** Candidates to look at, at most 65536: more finds more and takes longer. At temporalWeight 0 an average: queries in a crowd get up to four times as many. Default the store's efSearch. */
    ef?: number | undefined;
    /** Default "best". */
    mode?: SearchMode | undefined;
    /** True is short for mode "exact". */
    exact?: boolean | undefined;
    /** Roughly how many distances to compute at most, at least 1; lastSearch.bound says what may be missing then. Default as many as it takes. */
    budget?: number | undefined;
    /** Only memories of at least this importance, 0 to 1. */
    minImportance?: number | undefined;
    /** Only memories of at most this importance, 0 to 1. */
    maxImportance?: number | undefined;
    /** Only memories whose timestamp is this or later. */
    after?: Timestamp | undefined;
    /** Only memories whose timestamp is earlier than this. */
    before?: Timestamp | undefined;
    /**
     * Only memories for which this is true. It answers at once (no promise), always the same for the same memory, and does not use the store
     * (CM_E_BUSY). Called for many memories, perhaps twice for one: the options above are quicker. What it throws, search() throws.
     */
    filter?: ((memory: Candidate) => boolean) | undefined;
    /** Adds to every hit how its score comes about. */
    why?: boolean | undefined;
}

/** A memory as a filter sees it. `text` and `metadata` can be read inside the filter only. */
export interface Candidate {
    readonly id: string;
    readonly context: string;
    /** "" when none was given. */
    readonly text: string;
    /** undefined when none was given. Bytes that another program stored and that are not JSON come as a string. */
    readonly metadata: unknown;
    readonly importance: number;
    readonly accessCount: number;
    readonly createdAt: number;
    readonly accessedAt: number;
}

/** The parts of a hit's score: `score = distancePart + recencyPart`, up to rounding. */
export interface Why {
    /** In force: the search's, or the store's. */
    temporalWeight: number;
    /** (1 - temporalWeight) * distance / 2 */
    distancePart: number;
    /** temporalWeight * recency */
    recencyPart: number;
    /** Between the memory's timestamp and the search's now; 0 for a timestamp in the future. */
    ageHours: number;
}

/** A memory that a search found: a copy, without its vector. */
export interface Hit {
    id: string;
    /** Lower is better. */
    score: number;
    /** Under the store's metric. */
    distance: number;
    /** 0 is fresh, 1 is old: 1 - exp(-rate * age in hours). */
    recency: number;
    importance: number;
    context: string;
    text: string;
    metadata: unknown;
    createdAt: number;
    accessCount: number;
    /** With the option `why`. */
    why?: Why;
}

/** A hit of a search with `why: true`. */
export interface ExplainedHit extends Hit {
    why: Why;
}

/** What a search did, and how far its answer can be trusted. */
export interface SearchReport {
    /**
     * The certificate: no memory outside the hits has a score below the last hit's minus this. 0: the answer is exact. Holds whatever the index missed.
     * Infinity where fewer than k were found without seeing everything, and for the metric "dot" unless everything was scanned.
     */
    bound: number;
    /** The same, if the index gave every memory within its horizon: 0 unless the budget ended the search, or only the index was asked. */
    graphBound: number;
    /** Where it looked: the index; the index and the order of time; every memory that may pass the filters; nowhere (an empty store, an unknown context). */
    strategy: 'graph' | 'streams' | 'scan' | 'none';
    /** Distances computed, all told. */
    distances: number;
    /** Of these, for memories out of the order of time. */
    recencyDistances: number;
    /** Candidates at the end; 0 where the index was not asked. */
    ef: number;
    /** In force. */
    temporalWeight: number;
    /** In force, in milliseconds. */
    now: number;
}

/** What update() changes; what is absent stays. At least one but `now`. */
export interface MemoryChanges {
    /** 0 to 1; decays from `now` on. */
    importance?: number | undefined;
    /** Per hour; 0 is the store's baseDecayRate. */
    decayRate?: number | undefined;
    context?: string | undefined;
    /** null, or "", drops it. */
    text?: string | null | undefined;
    /** Any value that JSON can hold; null drops it. */
    metadata?: unknown;
    /** Default now. */
    now?: Timestamp | undefined;
}

/** How far related() goes. */
export interface RelatedOptions {
    /** Relationships away from the start, at most; Infinity for all. Default 1. */
    depth?: number | undefined;
    /** Adds to each the memory itself. */
    memories?: boolean | undefined;
}

/** What related() gives. */
export interface Related {
    id: string;
    /** Relationships away from the start: 1, 2, ... */
    depth: number;
    /** With the option `memories`. */
    memory?: Memory;
}

/** What related() gives with `memories: true`. */
export interface RelatedMemory extends Related {
    memory: Memory;
}

/** Options of applyDecay(). */
export interface DecayOptions {
    /** Up to when importance fades. Default now. */
    now?: Timestamp | undefined;
}

/** What contextSummary() gives. */
export interface ContextSummary {
    count: number;
    /** 0 when there are none. */
    averageImportance: number;
    /** The mean of the vectors, component by component; zeros when there are none. */
    centroid: Float32Array;
}

/** Options of consolidate(). */
export interface ConsolidateOptions {
    /** Cosine similarity above which two memories become one, between 0 and 1. Default the store's similarityThreshold. */
    threshold?: number | undefined;
    /** Called now and then with the share of the work that is done, 0 to 1. It does not use the store (CM_E_BUSY). Throwing stops. */
    onProgress?: ((done: number) => void) | undefined;
    /** Looked at as often as onProgress is called; it can be aborted there. */
    signal?: AbortSignal | undefined;
}

/** What consolidate() did. */
export interface Consolidation {
    /** Memories that went into others. */
    absorbed: number;
}

/** What stats() counts. */
export interface Stats {
    memories: number;
    components: number;
    maxMemories: number;
    dimensions: number;
    metric: Metric;
    averageImportance: number;
    /** Contexts that hold memories, by count descending, then name. */
    contexts: { context: string; memories: number }[];
    /** The ten ids that most memories name as relationship, by count descending, then id. */
    mostReferenced: { id: string; references: number }[];
    /** Index places in use, removed memories included, and how many there are. */
    slotsUsed: number;
    slots: number;
    /** Removed objects that wait until no reader can see them. */
    retired: number;
    bytes: { reserved: number; vectors: number; index: number; records: number; blocks: number };
}

/** What check() saw in the index. */
export interface CheckReport {
    live: number;
    dead: number;
    links: number;
    unreachable: number;
    topLevel: number;
}

/** The rules of a store, fixed when it is opened. */
export interface StoreConfig {
    /** Numbers per vector. Default 768. */
    dimensions: number;
    /** Default 100000. */
    maxMemories: number;
    /** Per hour. Default 0.1. */
    baseDecayRate: number;
    /** Share of age in the score, 0 to 1. Default 0.3. */
    temporalWeight: number;
    /** Cosine similarity above which consolidate() makes one of two memories, between 0 and 1. Default 0.95. */
    similarityThreshold: number;
    /** Per memory. Default 50. */
    maxRelationships: number;
    /** Links per node of the index. Default 16. */
    m: number;
    /** Candidates while building. Default 200. */
    efConstruction: number;
    /** Candidates while searching. Default 50. */
    efSearch: number;
    /** Default "cosine". */
    metric: Metric;
    /**
     * How vectors are kept. "f32" (default): as given. "bf16": rounded to 16 bits, half the memory; get() returns what is kept. "i8": as given, and besides
     * in 8-bit codes, which searches by distance alone and inserts walk over, several times faster with wide vectors; hits are rescored, so that distances are exact.
     */
    vectors: VectorKind;
    /** How many threads may use the store at one time: workers, and the one that opened it. Default 64. */
    maxThreads: number;
    /** Of the index levels: the same seed and operations give the same snapshot bytes. Default 42. */
    seed: number | bigint;
}

/** WebAssembly.Module, in programs that know this type: it is in lib "dom". */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer M } } } ? M : object;

/** Where the WebAssembly module comes from, when not from beside this file. One of the first three is enough. */
export interface WasmOptions {
    /** A compiled module, for hosts that forbid compiling (Cloudflare Workers). */
    wasmModule?: WasmModule | undefined;
    /** The bytes of a module. */
    wasmBinary?: ArrayBuffer | ArrayBufferView | undefined;
    /** Where to fetch it. In Node a file: URL or a path. */
    wasmUrl?: string | URL | undefined;
    /** Default: the best that the host can run, see ChronoMind.capabilities(). */
    build?: Build | undefined;
}

/** Where a snapshot is kept: one of these. */
export interface Place {
    /** A file. Node only. */
    path?: string | URL | undefined;
    /** A file in the origin private file system of a browser: a name, or names with "/" between them. */
    opfs?: string | undefined;
    /** A name in IndexedDB. */
    idb?: string | undefined;
    /** What one of the storage modules gives ("chronomind/storage/..."), or one of your own. */
    storage?: SnapshotStorage | undefined;
}

/**
 * With a place: where save() writes. A snapshot that is there is read, and its rules hold; dimensions and metric must be the same. In browsers one store
 * at a time has a place open for writing, among all tabs and workers (CM_E_LOCKED), until it is closed.
 */
export interface OpenOptions extends Partial<StoreConfig>, WasmOptions, Place {
    /** The place is read only: any number of stores may, beside the one that writes. What is changed stays in memory. Something has to be saved there. */
    readOnly?: boolean | undefined;
    /** The store's time of day in milliseconds. Default Date.now. */
    clock?: (() => number) | undefined;
}

/** Options of ChronoMind.load(). */
export interface LoadOptions extends WasmOptions {
    /** Room for more memories than the snapshot's maxMemories. */
    maxMemories?: number | undefined;
    /** Default 64. */
    maxThreads?: number | undefined;
    /** Of a place: as in open(). */
    readOnly?: boolean | undefined;
    /** The store's time of day in milliseconds. Default Date.now. */
    clock?: (() => number) | undefined;
}

/** Options of ChronoMind.attach(). */
export interface AttachOptions {
    /** This thread's time of day in milliseconds: functions are not shared. Default Date.now. */
    clock?: (() => number) | undefined;
}

/** What ChronoMind.share() gives and ChronoMind.attach() takes: post it to one worker. */
export interface SharedStore {
    /** The version of the package. Both sides need the same. */
    readonly chronomind: string;
    /** @internal */
    readonly module: WebAssembly.Module;
    /** @internal */
    readonly memory: WebAssembly.Memory;
    /** @internal */
    readonly store: number;
    /** @internal */
    readonly thread: number;
    /** @internal */
    readonly seat: Seat;
    /** @internal The Web Lock that the worker holds (life.ts). */
    readonly life?: string | undefined;
}

/** @internal A worker's place (seat.ts). */
export interface Seat {
    /** Address of the word. */
    at: number;
    /** What the word was when this seat was offered. */
    ticket: number;
    page: number;
}

/** Of everything that takes many at once: progress, and a way to stop. */
export interface BatchOptions {
    /** Called every few milliseconds and at the end. `total` is known for arrays and sets. */
    onProgress?: ((done: number, total: number | undefined) => void) | undefined;
    /** Stops between two memories; the promise rejects with the signal's reason. */
    signal?: AbortSignal | undefined;
}

/** What ChronoMind.capabilities() says. */
export interface Capabilities {
    version: string;
    /** undefined when the host cannot run any. */
    build: Build | undefined;
    /** Why this build, and what to do for a better one. */
    reason: string;
    features: Features;
}

/** What the host offers. */
export interface Features {
    webAssembly: boolean;
    simd: boolean;
    /** The atomic instructions and shared memories exist. */
    threads: boolean;
    /** false: a page without the headers that isolate it. undefined: a host without such pages (Node). */
    crossOriginIsolated: boolean | undefined;
}
