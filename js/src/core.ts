// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * One open store: the functions of chronomind.h with JavaScript values in and out. It judges nothing; callers give it values of the right
 * type (validate.ts), and the library checks the rules.
 */
import { StoredCandidate } from './candidate.js';
import { ChronoMindError, camelCase, codeOf, sentenceOf } from './errors.js';
import * as C from './generated.js';
import { endOfLife, newLife } from './life.js';
import { type Callbacks, type Exports, type Instance, recycle, type Sink, type Source } from './loader.js';
import { type Heap, Scratch, type Span, type StructOf } from './memory.js';
import { clearSeat, endSeat, isOver, isTaken, leaveSeat, offerSeat, PAGE_BYTES, withdrawSeat } from './seat.js';
import type { Build, Candidate, CheckReport, Hit, Seat, SharedStore, StoreConfig, Vector, Why } from './types.js';
import { type CheckedMemory, METRICS, nameOf, parseMetadata, VECTOR_KINDS } from './validate.js';

/** CM_NOW: ask the clock of the host. */
const NOW = -(2n ** 63n);

/** Buffers begin at this size and grow to what the library says it needs. */
const FIRST_BUFFER_BYTES = 16384;

/** Room for this many at first. */
const FIRST_RELATED = 64;

const UPDATE_BITS = {
    importance: C.CM_UPDATE_IMPORTANCE,
    decay_rate: C.CM_UPDATE_DECAY_RATE,
    context: C.CM_UPDATE_CONTEXT,
    text: C.CM_UPDATE_TEXT,
    metadata: C.CM_UPDATE_METADATA,
};

const { CM_OK, CM_END, CM_E_NOT_FOUND, CM_E_STALE, CM_E_BUFFER } = C.STATUS;

/** A configuration in the types of cm_config_t; what is absent has its default. */
export type CoreConfig = {
    [F in keyof StructOf<typeof C.cm_config_t>]?: StructOf<typeof C.cm_config_t>[F] | undefined;
};

/** cm_load_options_t; what is absent is the snapshot's. */
export interface CoreLoad {
    max_memories?: number | undefined;
    max_threads?: number | undefined;
}

export interface CoreSearch {
    k?: number | undefined;
    ef?: number | undefined;
    temporalWeight?: number | undefined;
    nowMs?: bigint | undefined;
    context?: string | undefined;
    /** CM_SEARCH_... */
    mode?: number | undefined;
    budget?: number | undefined;
    minImportance?: number | undefined;
    maxImportance?: number | undefined;
    afterMs?: bigint | undefined;
    beforeMs?: bigint | undefined;
    filter?: ((candidate: Candidate) => boolean) | undefined;
    /** Hits say why. */
    why?: boolean | undefined;
}

/** What becomes of a memory; what is absent stays. "" drops text and metadata. */
export interface CoreUpdate {
    importance?: number | undefined;
    decayRate?: number | undefined;
    context?: string | undefined;
    text?: string | undefined;
    metadata?: string | undefined;
    nowMs?: bigint | undefined;
}

export interface CoreSummary {
    memories: number;
    averageImportance: number;
    /** Of the vectors. */
    mean: Float32Array<ArrayBuffer>;
}

/** A memory as it lies in the store. */
export interface StoredMemory extends Pick<CheckedMemory, 'text' | 'metadata'> {
    id: string;
    vector: Float32Array<ArrayBuffer>;
    context: string;
    importance: number;
    decayRate: number;
    relationships: string[];
    createdMs: number;
    accessedMs: number;
    accessCount: number;
}

export type CoreReport = StructOf<typeof C.cm_search_report_t>;

export type CoreRelated = StructOf<typeof C.cm_related_t>;

const HIT = C.cm_hit_t.fields;

/** shown_t of wasm/exports.c: four strings. */
const SHOWN_BYTES = 4 * C.cm_str_t.size;

/** What the library says in the words of the caller. */
type Words = (message: string) => string;

/** A function of the library that copies a memory: (out, buffer, capacity, needed) -> status. */
type Copy = (exports: Exports, out: number, buffer: number, capacity: number, needed: number) => number;

/** What exists while the store is open. Dropped as a whole, for whoever keeps a closed store must not keep its memory. */
interface Session {
    readonly instance: Instance;
    readonly scratch: Scratch;
    readonly store: number;
    readonly thread: number;
    /** The one that this instance sits on, when it was prepared by another. */
    readonly seat: Seat | undefined;
    /** Says that this worker does nothing here any more (life.ts). */
    readonly end: (() => void) | undefined;
}

/** What a session begins with. */
type Beginning = Pick<Session, 'store' | 'thread'> & Partial<Pick<Session, 'seat' | 'end'>>;

export class Core {
    readonly build: Build;
    readonly config: StoreConfig;
    /** Of this instance, before any call. */
    readonly #stackPointer: number;
    readonly #words: Words;
    #open: Session | undefined;
    /** A filter or progress function of the caller is running. */
    #isInCallback = false;
    /** With workers that have not left. */
    #shared: SharedStore[] = [];
    #bufferBytes = FIRST_BUFFER_BYTES;

    static open(instance: Instance, config: CoreConfig, words: Words = asItIs): Core {
        return new Core(instance, words, (core) => core.#begunBy((out, error) => core.#openEmpty(config, out, error)));
    }

    static load(instance: Instance, source: Source, options: CoreLoad = {}, words: Words = asItIs): Core {
        return new Core(instance, words, (core) => core.#begunBy((out, error) => core.#openSnapshot(source, options, out, error)));
    }

    /** `instance` runs on the seat of `shared`; `end` is called when the store is closed. */
    static attach(instance: Instance, shared: SharedStore, words: Words = asItIs, end?: () => void): Core {
        return new Core(instance, words, () => ({ store: shared.store, thread: shared.thread, seat: shared.seat, end }));
    }

    private constructor(instance: Instance, words: Words, begin: (core: Core) => Beginning) {
        this.#words = words;
        this.build = instance.build;
        this.#stackPointer = instance.exports.__stack_pointer.value;
        const scratch = new Scratch(
            instance.heap,
            (nBytes) => this.#alloc(nBytes),
            (at, nBytes) => this.#call(({ cm_wasm_free }) => cm_wasm_free(at, nBytes)),
        );
        this.#open = { instance, scratch, store: 0, thread: 0, seat: undefined, end: undefined };
        this.#requireVersion();
        const { store, thread, seat, end } = begin(this);
        this.#open = { instance, scratch, store, thread, seat, end };
        this.config = this.#readConfig();
    }

    get isOpen(): boolean {
        return this.#open !== undefined;
    }

    get #session(): Session {
        if (this.#open === undefined) throw new ChronoMindError('CM_E_CLOSED', sentenceOf('CM_E_CLOSED'));
        return this.#open;
    }

    get #heap(): Heap {
        return this.#session.instance.heap;
    }

    get #scratch(): Scratch {
        return this.#session.scratch;
    }

    get #store(): number {
        return this.#session.store;
    }

    get #thread(): number {
        return this.#session.thread;
    }

    /** Leaves the store, and gives everything back when nobody else uses it. May be called again. */
    close(): void {
        if (this.#open === undefined) return;
        this.#requireIdle();
        const { instance, scratch, store, thread, seat, end } = this.#open;
        scratch.release();
        for (const shared of this.#shared) if (withdrawSeat(instance.heap, shared.seat)) this.#leave(store, shared.thread);
        const isLast = this.#leave(store, thread);
        if (seat !== undefined) leaveSeat(instance.heap, seat);
        else if (isLast) recycle(instance);
        this.#open = undefined;
        this.#shared = [];
        end?.();
    }

    // ---- sharing ----------------------------------------------------------------------------------------------------

    /** A thread and a stack for a worker. */
    share(): SharedStore {
        this.#begin();
        const { instance, store } = this.#session;
        const { module, memory, heap } = instance;
        const thread = this.#join(store);
        try {
            const seats = this.#call((exports) => exports.cm_wasm_seats()) >>> 0;
            const seat = offerSeat(heap, seats, () => this.#alloc(PAGE_BYTES));
            if (seat === undefined) throw new ChronoMindError('CM_E_THREADS', sentenceOf('CM_E_THREADS'));
            const shared = { chronomind: C.VERSION, module, memory, store, thread, seat, life: newLife() };
            this.#shared = [...this.#shared.filter((other) => !isOver(heap, other.seat)), shared];
            return shared;
        } catch (error) {
            this.#leave(store, thread);
            throw error;
        }
    }

    /**
     * Takes back what was shared with a worker that no longer runs, or that never attached; where terminated workers go on for a while, when it has ended.
     * False: there was nothing to take back.
     */
    async abandon(shared: SharedStore): Promise<boolean> {
        this.#begin();
        if (!this.#shared.includes(shared)) return false;
        const heap = this.#heap;
        if (withdrawSeat(heap, shared.seat)) this.#leave(shared.store, shared.thread);
        else if (!endSeat(heap, shared.seat)) return false;
        else if (shared.life === undefined) this.#clear(shared);
        else {
            await endOfLife(shared.life);
            if (this.isOpen) this.#clear(shared);
        }
        return true;
    }

    /** Its worker has ended. */
    #clear({ store, thread, seat }: SharedStore): void {
        if (clearSeat(this.#heap, seat)) this.#bury(store, thread);
    }

    #join(store: number): number {
        const out = this.#scratch.take(4);
        const status = this.#call((exports) => exports.cm_wasm_join(store, out));
        if (status < 0) throw new ChronoMindError(codeOf(status), joinProblem(status));
        return this.#heap.u32(out);
    }

    /** True: that was the last user. */
    #leave(store: number, thread: number): boolean {
        return this.#call((exports) => exports.cm_wasm_leave(store, thread)) !== 0;
    }

    #bury(store: number, thread: number): void {
        const slot = this.#call((exports) => exports.cm_thread_slot(thread));
        this.#call((exports) => exports.cm_wasm_bury(store, slot));
    }

    // ---- memories ---------------------------------------------------------------------------------------------------

    get size(): number {
        return Number(this.#call((exports) => exports.cm_len(this.#store)));
    }

    insert(memory: CheckedMemory): void {
        const heap = this.#heap;
        const scratch = this.#begin();
        const at = scratch.take(C.cm_memory_t.size);
        this.#call((exports) => exports.cm_wasm_memory_init(at));
        heap.write(C.cm_memory_t, at, {
            id: scratch.text(memory.id),
            vector: this.#vector(memory.vector),
            dimensions: lengthOf(memory.vector),
            context: this.#optional(memory.context),
            importance: memory.importance,
            decay_rate: memory.decayRate,
            relationships: this.#strings(memory.relationships),
            n_relationships: memory.relationships.length,
            created_ms: memory.createdMs,
            text: scratch.text(memory.text),
            metadata: scratch.text(memory.metadata),
        });
        this.#check(this.#call((exports) => exports.cm_insert(this.#thread, at)));
    }

    remove(id: string): boolean {
        const at = this.#string(this.#begin().text(id));
        return this.#found(this.#call((exports) => exports.cm_remove(this.#thread, at)));
    }

    has(id: string): boolean {
        const at = this.#string(this.#begin().text(id));
        return this.#call((exports) => exports.cm_contains(this.#thread, at)) !== 0;
    }

    get(id: string): StoredMemory | undefined {
        const at = this.#string(this.#begin().text(id));
        return this.#copy((exports, ...buffer) => exports.cm_get(this.#thread, at, ...buffer));
    }

    access(id: string, nowMs: bigint | undefined): StoredMemory | undefined {
        const at = this.#string(this.#begin().text(id));
        return this.#copy((exports, ...buffer) => exports.cm_access(this.#thread, at, nowMs ?? NOW, ...buffer));
    }

    update(id: string, changes: CoreUpdate): void {
        const scratch = this.#begin();
        const at = this.#string(scratch.text(id));
        const update = scratch.take(C.cm_update_t.size);
        const { importance, decayRate, context, text, metadata } = changes;
        const fields = {
            importance,
            decay_rate: decayRate,
            context: this.#optional(context),
            text: this.#optional(text),
            metadata: this.#optional(metadata),
        };
        this.#call((exports) => exports.cm_wasm_update_init(update));
        this.#heap.write(C.cm_update_t, update, { ...fields, fields: bitsOf(fields), now_ms: changes.nowMs });
        this.#check(this.#call((exports) => exports.cm_update(this.#thread, at, update)));
    }

    relate(id: string, to: string): void {
        const scratch = this.#begin();
        const [from, other] = [this.#string(scratch.text(id)), this.#string(scratch.text(to))];
        this.#check(this.#call((exports) => exports.cm_relate(this.#thread, from, other)));
    }

    unrelate(id: string, to: string): void {
        const scratch = this.#begin();
        const [from, other] = [this.#string(scratch.text(id)), this.#string(scratch.text(to))];
        this.#check(this.#call((exports) => exports.cm_unrelate(this.#thread, from, other)));
    }

    /** How many memories faded. */
    applyDecay(nowMs: bigint | undefined): number {
        const out = this.#begin().take(8);
        this.#check(this.#call((exports) => exports.cm_apply_decay(this.#thread, nowMs ?? NOW, out)));
        return Number(this.#heap.u64(out));
    }

    search(vector: Vector, options: CoreSearch): Hit[] {
        const heap = this.#heap;
        const scratch = this.#begin();
        const query = scratch.take(C.cm_search_t.size);
        this.#call((exports) => exports.cm_wasm_search_init(query));
        heap.write(C.cm_search_t, query, {
            k: options.k,
            ef: options.ef,
            temporal_weight: options.temporalWeight,
            now_ms: options.nowMs,
            context: this.#optional(options.context),
            mode: options.mode,
            budget: options.budget,
            min_importance: options.minImportance,
            max_importance: options.maxImportance,
            created_after_ms: options.afterMs,
            created_before_ms: options.beforeMs,
        });
        const at = this.#vector(vector);
        const room = Math.min(heap.u32(query + C.cm_search_t.fields.k.at), C.CM_MAX_K);
        const hits = scratch.take(room * C.cm_hit_t.size);
        const nHits = scratch.take(4);
        const run = (exports: Exports): number => exports.cm_search(this.#thread, at, lengthOf(vector), query, hits, nHits);
        const { filter } = options;
        if (filter !== undefined) this.#call((exports) => exports.cm_wasm_search_filter(query, this.#session.instance.handles.filter));
        this.#check(filter === undefined ? this.#call(run) : this.#callWith({ filter: (candidate) => this.#ask(filter, candidate) }, run));
        return this.#hits(hits, heap.u32(nHits), options);
    }

    #ask(filter: (candidate: Candidate) => boolean, at: number): boolean {
        const candidate = new StoredCandidate(this.#heap, at);
        try {
            return this.#inCallback(() => filter(candidate));
        } finally {
            candidate.close();
        }
    }

    /** The hits of the last search, which begin at an address, but those that were replaced or removed meanwhile. They are shown as many at a time as the buffer holds. */
    #hits(first: number, n: number, { why }: CoreSearch): Hit[] {
        const heap = this.#heap;
        const scratch = this.#scratch;
        const shown = scratch.take(n * SHOWN_BYTES);
        const needed = scratch.take(4);
        const report = why === true ? this.#lastSearch() : undefined;
        const found: Hit[] = [];
        let buffer = scratch.take(this.#bufferBytes);
        for (let [at, left] = [first, n]; left > 0; ) {
            const nShown = this.#call((exports) => exports.cm_wasm_show(this.#thread, at, left, shown, buffer, this.#bufferBytes, needed));
            for (let i = 0; i < nShown; i++, at += C.cm_hit_t.size) {
                const hit = hitAt(heap, at, shown + i * SHOWN_BYTES);
                if (hit.id === '') continue;
                if (report !== undefined) hit.why = this.#why(report, at);
                found.push(hit);
            }
            left -= nShown;
            if (nShown > 0) continue;
            this.#bufferBytes = heap.u32(needed);
            buffer = scratch.take(this.#bufferBytes);
        }
        return found;
    }

    #why(report: number, hit: number): Why {
        const out = this.#scratch.take(C.cm_why_t.size);
        this.#call((exports) => exports.cm_explain(report, hit, out));
        const why = this.#heap.read(C.cm_why_t, out);
        return {
            temporalWeight: this.#heap.f32(report + C.cm_search_report_t.fields.temporal_weight.at),
            distancePart: why.distance_part,
            recencyPart: why.recency_part,
            ageHours: why.age_hours,
        };
    }

    #lastSearch(): number {
        const report = this.#scratch.take(C.cm_search_report_t.size);
        this.#call((exports) => exports.cm_last_search(this.#thread, report));
        return report;
    }

    lastSearch(): CoreReport {
        this.#begin();
        return this.#heap.read(C.cm_search_report_t, this.#lastSearch());
    }

    /** The memory behind a handle; undefined when it was replaced or removed meanwhile. */
    recordOf({ slot, generation }: Pick<CoreRelated, 'slot' | 'generation'>): StoredMemory | undefined {
        this.#begin();
        return this.#copy((exports, ...buffer) => exports.cm_get_hit(this.#thread, slot, generation, ...buffer));
    }

    /** Breadth first, at most `depth` relationships away. */
    related(id: string, depth: number): CoreRelated[] {
        const heap = this.#heap;
        const scratch = this.#begin();
        const at = this.#string(scratch.text(id));
        const n = scratch.take(4);
        for (let room = FIRST_RELATED; ; room = heap.u32(n)) {
            const out = scratch.take(room * C.cm_related_t.size);
            const status = this.#call((exports) => exports.cm_related(this.#thread, at, depth, out, room, n));
            if (status === CM_E_BUFFER.value) continue;
            this.#check(status);
            return Array.from({ length: heap.u32(n) }, (_, i) => heap.read(C.cm_related_t, out + i * C.cm_related_t.size));
        }
    }

    contextSummary(context: string): CoreSummary {
        const scratch = this.#begin();
        const { dimensions } = this.config;
        const at = this.#string(scratch.text(context));
        const out = scratch.take(C.cm_context_summary_t.size);
        const mean = scratch.take(dimensions * 4);
        this.#check(this.#call((exports) => exports.cm_context_summary(this.#thread, at, out, mean, dimensions)));
        const { n_memories, average_importance } = this.#heap.read(C.cm_context_summary_t, out);
        return { memories: Number(n_memories), averageImportance: average_importance, mean: this.#heap.floatsOut(mean, dimensions) };
    }

    /** How many memories were absorbed. `progress` throws to stop. */
    consolidate(threshold: number | undefined, progress: ((done: number) => void) | undefined): number {
        const scratch = this.#begin();
        const options = scratch.take(C.cm_consolidate_t.size);
        const out = scratch.take(8);
        this.#call((exports) => exports.cm_wasm_consolidate_init(options));
        this.#heap.write(C.cm_consolidate_t, options, { similarity_threshold: threshold });
        const run = (exports: Exports): number => exports.cm_consolidate(this.#thread, options, out);
        if (progress !== undefined)
            this.#call((exports) => exports.cm_wasm_consolidate_progress(options, this.#session.instance.handles.progress));
        this.#check(
            progress === undefined ? this.#call(run) : this.#callWith({ progress: (done) => this.#inCallback(() => progress(done)) }, run),
        );
        return Number(this.#heap.u64(out));
    }

    /** Every memory; weakly consistent while others write. */
    *records(): Generator<StoredMemory, void> {
        for (let cursor = 0n; ; ) {
            const at = this.#begin().take(8);
            this.#heap.setU64(at, cursor);
            const record = this.#copy((exports, ...buffer) => exports.cm_next(this.#thread, at, ...buffer));
            if (record === undefined) return;
            cursor = this.#heap.u64(at);
            yield record;
        }
    }

    stats(): StructOf<typeof C.cm_stats_t> {
        const at = this.#begin().take(C.cm_stats_t.size);
        this.#check(this.#call((exports) => exports.cm_stats(this.#thread, at)));
        return this.#heap.read(C.cm_stats_t, at);
    }

    /** In the order in which they first appeared. */
    contexts(): { context: string; memories: number }[] {
        const contexts = [];
        const heap = this.#heap;
        for (let cursor = 0n; ; ) {
            const scratch = this.#begin();
            const at = scratch.take(8);
            heap.setU64(at, cursor);
            const out = scratch.take(C.cm_context_stat_t.size);
            const next: Copy = (exports, ...buffer) => exports.cm_next_context(this.#thread, at, ...buffer);
            if (!this.#intoBuffer(next, out)) return contexts;
            cursor = heap.u64(at);
            const { context, n_memories } = heap.read(C.cm_context_stat_t, out);
            contexts.push({ context, memories: Number(n_memories) });
        }
    }

    topReferences(n: number): { id: string; references: number }[] {
        const heap = this.#heap;
        const scratch = this.#begin();
        const nOut = scratch.take(4);
        const out = scratch.take(n * C.cm_reference_t.size);
        this.#intoBuffer((exports, at, ...buffer) => exports.cm_top_references(this.#thread, n, at, nOut, ...buffer), out);
        return Array.from({ length: heap.u32(nOut) }, (_, i) => {
            const { id, n_references } = heap.read(C.cm_reference_t, out + i * C.cm_reference_t.size);
            return { id, references: Number(n_references) };
        });
    }

    check(): CheckReport {
        const at = this.#begin().take(C.cm_check_report_t.size);
        this.#check(this.#call((exports) => exports.cm_check(this.#thread, at)));
        const report = this.#heap.read(C.cm_check_report_t, at);
        return {
            live: Number(report.n_live),
            dead: Number(report.n_dead),
            links: Number(report.n_links),
            unreachable: Number(report.n_unreachable),
            topLevel: report.top_level,
        };
    }

    save(sink: Sink): void {
        this.#begin();
        this.#check(this.#callWith({ sink }, (exports) => exports.cm_wasm_save(this.#thread, 0)));
    }

    // ---- inside -----------------------------------------------------------------------------------------------------

    /** `open` makes a store and puts its address at `out`, or says why not at `error`. */
    #begunBy(open: (out: number, error: number) => number): Pick<Session, 'store' | 'thread'> {
        const out = this.#scratch.take(4);
        const error = this.#scratch.take(C.cm_error_t.size);
        try {
            const status = open(out, error);
            if (status < 0) throw new ChronoMindError(codeOf(status), this.#words(this.#heap.read(C.cm_error_t, error).message));
            const store = this.#heap.u32(out);
            return { store, thread: this.#firstThread(store) };
        } catch (cause) {
            if (this.#open !== undefined) abolish(this.#open);
            throw cause;
        }
    }

    #firstThread(store: number): number {
        try {
            return this.#join(store);
        } catch (error) {
            if (this.isOpen) this.#call((exports) => exports.cm_close(store));
            throw error;
        }
    }

    #openEmpty(config: CoreConfig, out: number, error: number): number {
        const at = this.#scratch.take(C.cm_config_t.size);
        this.#call((exports) => exports.cm_wasm_config_init(at));
        this.#heap.write(C.cm_config_t, at, config);
        return this.#call((exports) => exports.cm_open(at, out, error));
    }

    #openSnapshot(source: Source, options: CoreLoad, out: number, error: number): number {
        const at = this.#scratch.take(C.cm_load_options_t.size);
        this.#call((exports) => exports.cm_wasm_load_init(at));
        this.#heap.write(C.cm_load_options_t, at, options);
        return this.#callWith({ source }, (exports) => exports.cm_wasm_load(0, source.nBytes, at, out, error));
    }

    /** The numbers of generated.ts belong to one version of the module. */
    #requireVersion(): void {
        const version = this.#heap.cString(this.#call((exports) => exports.cm_version()));
        if (version === C.VERSION) return;
        throw new ChronoMindError('CM_E_ENVIRONMENT', `the WebAssembly module is of version ${version}, this package of ${C.VERSION}`);
    }

    #readConfig(): StoreConfig {
        const at = this.#scratch.take(C.cm_config_t.size);
        this.#call((exports) => exports.cm_config_of(this.#store, at));
        const { metric, vectors, ...numbers } = this.#heap.read(C.cm_config_t, at);
        return { ...camelCased(numbers), metric: nameOf(METRICS, metric), vectors: nameOf(VECTOR_KINDS, vectors) };
    }

    /** What every call begins with: the arguments of the last one are given back. */
    #begin(): Scratch {
        const { scratch, instance, seat } = this.#session;
        this.#requireIdle();
        if (seat !== undefined && !isTaken(instance.heap, seat)) {
            throw new ChronoMindError('CM_E_CLOSED', 'this worker was abandoned by the thread that shared the store with it');
        }
        scratch.reset();
        return scratch;
    }

    /** Addresses and lengths arrive signed. After a trap nothing inside can be trusted, the stack pointer included. */
    #call<T>(function_: (exports: Exports) => T): T {
        const { exports } = this.#session.instance;
        try {
            return function_(exports);
        } catch (cause) {
            exports.__stack_pointer.value = this.#stackPointer;
            const end = this.#open?.end;
            this.#open = undefined;
            end?.();
            throw new ChronoMindError('CM_E_FAULT', `ChronoMind failed inside and closed the store: ${String(cause)}`, { cause });
        }
    }

    /** With what the library may call back; throws what was thrown there, a better account than the status that it caused. */
    #callWith(callbacks: Callbacks, function_: (exports: Exports) => number): number {
        const current = this.#session.instance.callbacks;
        Object.assign(current, callbacks);
        try {
            const status = this.#call(function_);
            if (current.thrown !== undefined) throw current.thrown.error;
            return status;
        } finally {
            for (const name of ['sink', 'source', 'filter', 'progress', 'thrown'] as const) delete current[name];
        }
    }

    #inCallback<T>(callback: () => T): T {
        this.#isInCallback = true;
        try {
            return callback();
        } finally {
            this.#isInCallback = false;
        }
    }

    #requireIdle(): void {
        if (!this.#isInCallback) return;
        throw new ChronoMindError(
            'CM_E_BUSY',
            'this store is inside a filter or progress callback of its own: wait until the call returns',
        );
    }

    #alloc(nBytes: number): number {
        const at = this.#call((exports) => exports.cm_wasm_alloc(nBytes)) >>> 0;
        if (at === 0) throw new ChronoMindError('CM_E_NO_MEMORY', sentenceOf('CM_E_NO_MEMORY'));
        return at;
    }

    #check(status: number): void {
        if (status >= 0) return;
        throw new ChronoMindError(codeOf(status), this.message);
    }

    /** Of the last call that failed, or that found nothing. */
    get message(): string {
        return this.#words(this.#heap.cString(this.#call((exports) => exports.cm_message(this.#thread)) >>> 0));
    }

    #found(status: number): boolean {
        if (status === CM_E_NOT_FOUND.value || status === CM_E_STALE.value || status === CM_END.value) return false;
        this.#check(status);
        return status === CM_OK.value;
    }

    /** Calls until the buffer is large enough. False: there is no such memory. The strings at `out` point into the buffer. */
    #intoBuffer(copy: Copy, out: number): boolean {
        const heap = this.#heap;
        const needed = this.#scratch.take(4);
        for (;;) {
            const buffer = this.#scratch.take(this.#bufferBytes);
            const status = this.#call((exports) => copy(exports, out, buffer, this.#bufferBytes, needed));
            if (status !== CM_E_BUFFER.value) return this.#found(status);
            this.#bufferBytes = Math.max(heap.u32(needed), this.#bufferBytes);
        }
    }

    #copy(copy: Copy): StoredMemory | undefined {
        const out = this.#scratch.take(C.cm_memory_t.size);
        return this.#intoBuffer(copy, out) ? this.#readRecord(out) : undefined;
    }

    #readRecord(at: number): StoredMemory {
        const heap = this.#heap;
        const memory = heap.read(C.cm_memory_t, at);
        return {
            id: memory.id,
            vector: heap.floatsOut(memory.vector, memory.dimensions),
            context: memory.context,
            importance: memory.importance,
            decayRate: memory.decay_rate,
            relationships: Array.from({ length: memory.n_relationships }, (_, i) => {
                const { at, length } = heap.span(memory.relationships + i * C.cm_str_t.size);
                return heap.text(at, length);
            }),
            createdMs: Number(memory.created_ms),
            accessedMs: Number(memory.accessed_ms),
            accessCount: memory.access_count,
            text: memory.text,
            metadata: memory.metadata,
        };
    }

    /** What is longer than any vector may be is refused by its length alone. */
    #vector(vector: Vector): number {
        const isPossible = vector.length <= C.CM_MAX_DIMENSIONS;
        const at = this.#scratch.take(isPossible ? vector.length * 4 : 0);
        if (isPossible) this.#heap.floatsIn(at, vector);
        return at;
    }

    #optional(text: string | undefined): Span | undefined {
        return text === undefined ? undefined : this.#scratch.text(text);
    }

    /** A cm_str_t of its own. */
    #string(span: Span): number {
        const at = this.#scratch.take(C.cm_str_t.size);
        this.#heap.setSpan(at, span);
        return at;
    }

    #strings(texts: readonly string[]): number {
        if (texts.length > C.CM_MAX_RELATIONSHIPS) return this.#scratch.take(0); // refused by its length alone
        const at = this.#scratch.take(texts.length * C.cm_str_t.size);
        for (const [i, text] of texts.entries()) this.#heap.setSpan(at + i * C.cm_str_t.size, this.#scratch.text(text));
        return at;
    }
}

/** Of a cm_hit_t, and what is shown of it. The id is empty where the memory was replaced or removed meanwhile. */
function hitAt(heap: Heap, at: number, shown: number): Hit {
    return {
        id: heap.string(shown),
        score: heap.f32(at + HIT.score.at),
        distance: heap.f32(at + HIT.distance.at),
        recency: heap.f32(at + HIT.recency.at),
        importance: heap.f32(at + HIT.importance.at),
        context: heap.string(shown + 8),
        text: heap.string(shown + 16),
        metadata: parseMetadata(heap.string(shown + 24)),
        createdAt: heap.integer(at + HIT.created_ms.at),
        accessCount: heap.u32(at + HIT.access_count.at),
    };
}

type CamelCase<Name> = Name extends `${infer First}_${infer Rest}` ? `${First}${Capitalize<CamelCase<Rest>>}` : Name;

function camelCased<Fields extends object>(fields: Fields): { [Name in keyof Fields as CamelCase<Name>]: Fields[Name] } {
    return Object.fromEntries(Object.entries(fields).map(([name, value]) => [camelCase(name), value])) as ReturnType<
        typeof camelCased<Fields>
    >;
}

function asItIs(message: string): string {
    return message;
}

/** The sum of CM_UPDATE_ values for what is there. */
function bitsOf(fields: Record<keyof typeof UPDATE_BITS, unknown>): number {
    return Object.entries(UPDATE_BITS).reduce(
        (sum, [name, bit]) => (fields[name as keyof typeof UPDATE_BITS] === undefined ? sum : sum + bit),
        0,
    );
}

/** Nothing was opened, so that the instance can serve another store. */
function abolish({ instance, scratch }: Session): void {
    scratch.release();
    recycle(instance);
}

/** An array-like may claim more than 32 bits can say. */
function lengthOf(vector: Vector): number {
    return Math.min(vector.length, 0xffffffff);
}

/** Without a thread the library has nowhere to put a message. */
function joinProblem(status: number): string {
    if (codeOf(status) !== 'CM_E_THREADS') return sentenceOf('CM_E_NO_MEMORY');
    return `${sentenceOf('CM_E_THREADS')}: open it with a larger maxThreads, or close the store in workers that are done`;
}
