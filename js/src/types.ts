// SPDX-License-Identifier: MIT OR Apache-2.0
/** The shapes that callers give and get. Times are milliseconds since the Unix epoch. */

/** Numbers of a vector: an array, a Float32Array, a Float64Array, ... They are stored as 32-bit floats. */
export type Vector = ArrayLike<number>;

/** Milliseconds since the Unix epoch, a Date, or ISO 8601 with a zone ("2024-05-01T12:00:00Z"). */
export type Timestamp = number | Date | string;

export type Metric = 'cosine' | 'dot' | 'l2';

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

export interface SearchOptions {
    /** How many memories, 1 to 16384. Default 10. */
    k?: number | undefined;
    /** Only memories of this context. */
    context?: string | undefined;
    /** Share of age in the score, 0 to 1. Default the store's. */
    temporalWeight?: number | undefined;
    /** The time to reckon ages from. Default now. */
    now?: Timestamp | undefined;
    /** Candidates to look at: more finds more and takes longer. Default the store's efSearch. */
    ef?: number | undefined;
}

/** The parts of a hit's score: `score = similarityPart + agePart`. */
export interface Why {
    temporalWeight: number;
    /** (1 - temporalWeight) * distance / 2 */
    similarityPart: number;
    /** temporalWeight * recency */
    agePart: number;
    /** 0 is fresh, 1 is old: 1 - exp(-rate * age in hours). */
    recency: number;
}

export interface Hit {
    id: string;
    /** Lower is better. */
    score: number;
    /** Under the store's metric. */
    distance: number;
    importance: number;
    context: string;
    text: string;
    metadata: unknown;
    createdAt: number;
    accessCount: number;
    why: Why;
}

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
    /** Default 0.95. */
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

export interface OpenOptions extends Partial<StoreConfig>, WasmOptions {
    /** A snapshot file: where save() writes. When it exists it is read, and its rules hold; dimensions and metric must be the same. Node only. */
    path?: string | URL | undefined;
    /** The store's time of day in milliseconds. Default Date.now. */
    clock?: (() => number) | undefined;
}

export interface LoadOptions extends WasmOptions {
    /** Room for more memories than the snapshot's maxMemories. */
    maxMemories?: number | undefined;
    /** Default 64. */
    maxThreads?: number | undefined;
    /** The store's time of day in milliseconds. Default Date.now. */
    clock?: (() => number) | undefined;
}

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
}

/** @internal A worker's place (seat.ts). */
export interface Seat {
    /** Address of the word. */
    at: number;
    /** What the word was when this seat was offered. */
    ticket: number;
    page: number;
}

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
