// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * From a build to a running instance: find the module, make its memory, provide the imports.
 *
 * Every store has a memory of its own, for a WebAssembly memory cannot be given back in part. The modules import it, so that
 * a worker can instantiate the same module over the same shared memory, with a stack and thread-local data of its own (seat.ts).
 */
import { ChronoMindError } from './errors.js';
import { type Choice, chooseBuild, detectFeatures } from './features.js';
import { INITIAL_PAGES } from './generated.js';
import { theHost } from './host.js';
import { Heap } from './memory.js';
import { MAX_TLS_BYTES, PAGE_BYTES } from './seat.js';
import type { SnapshotReader } from './storage/storage.js';
import type { Build, SharedStore, WasmOptions } from './types.js';
import { type Handles, type HostFunctions, handlesIn, isWasi, type WasiExports, wasiImports } from './wasi.js';

const MAX_PAGES = 65536;

/** The functions of wasm/exports.list. Pointers and sizes are numbers, 64-bit integers bigints. */
export interface Exports {
    readonly __stack_pointer: WebAssembly.Global<'i32'>;
    /** Of the threads build. */
    readonly __tls_size?: WebAssembly.Global<'i32'>;
    __wasm_init_tls?(at: number): void;
    cm_version(): number;
    cm_open(config: number, out: number, error: number): number;
    cm_close(store: number): number;
    cm_thread_slot(thread: number): number;
    cm_message(thread: number): number;
    cm_config_of(store: number, out: number): void;
    cm_insert(thread: number, memory: number): number;
    cm_remove(thread: number, id: number): number;
    cm_get(thread: number, id: number, out: number, buffer: number, capacity: number, needed: number): number;
    cm_access(thread: number, id: number, now: bigint, out: number, buffer: number, capacity: number, needed: number): number;
    cm_update(thread: number, id: number, update: number): number;
    cm_relate(thread: number, id: number, to: number): number;
    cm_unrelate(thread: number, id: number, to: number): number;
    cm_apply_decay(thread: number, now: bigint, nDecayed: number): number;
    cm_contains(thread: number, id: number): number;
    cm_len(store: number): bigint;
    cm_search(thread: number, vector: number, dimensions: number, options: number, hits: number, nHits: number): number;
    cm_last_search(thread: number, out: number): void;
    cm_explain(report: number, hit: number, out: number): void;
    cm_get_hit(thread: number, slot: number, generation: number, out: number, buffer: number, capacity: number, needed: number): number;
    cm_related(thread: number, id: number, depth: number, out: number, capacity: number, n: number): number;
    cm_context_summary(thread: number, context: number, out: number, mean: number, dimensions: number): number;
    cm_consolidate(thread: number, options: number, nAbsorbed: number): number;
    cm_next(thread: number, cursor: number, out: number, buffer: number, capacity: number, needed: number): number;
    cm_stats(thread: number, out: number): number;
    cm_next_context(thread: number, cursor: number, out: number, buffer: number, capacity: number, needed: number): number;
    cm_top_references(thread: number, n: number, out: number, nOut: number, buffer: number, capacity: number, needed: number): number;
    cm_check(thread: number, report: number): number;
    cm_wasm_start(): void;
    cm_wasm_join(store: number, out: number): number;
    cm_wasm_leave(store: number, thread: number): number;
    cm_wasm_bury(store: number, slot: number): number;
    cm_wasm_seats(): number;
    cm_wasm_save(thread: number, handle: number): number;
    cm_wasm_load(handle: number, nBytes: number, options: number, out: number, error: number): number;
    cm_wasm_config_init(config: number): void;
    cm_wasm_memory_init(memory: number): void;
    cm_wasm_search_init(search: number): void;
    cm_wasm_search_filter(search: number, handle: number): void;
    cm_wasm_update_init(update: number): void;
    cm_wasm_consolidate_init(options: number): void;
    cm_wasm_consolidate_progress(options: number, handle: number): void;
    cm_wasm_load_init(options: number): void;
    cm_wasm_show(thread: number, hits: number, n: number, out: number, buffer: number, capacity: number, needed: number): number;
    cm_wasm_alloc(nBytes: number): number;
    cm_wasm_free(at: number, nBytes: number): void;
}

/** Where a snapshot goes, in order. The bytes are valid during the call only. Throws to end the save. */
export type Sink = (bytes: Uint8Array) => void;

/** Where a snapshot comes from. */
export type Source = Pick<SnapshotReader, 'nBytes' | 'read'>;

/** What the call that is running may call back, and what was thrown there. */
export interface Callbacks {
    sink?: Sink | undefined;
    source?: Source | undefined;
    /** Of the cm_candidate_t at an address. */
    filter?: ((candidate: number) => boolean) | undefined;
    /** Throws to stop the work. */
    progress?: ((done: number) => void) | undefined;
    thrown?: { error: unknown } | undefined;
}

export interface Instance {
    readonly build: Build;
    readonly module: WebAssembly.Module;
    readonly memory: WebAssembly.Memory;
    readonly exports: Exports;
    readonly heap: Heap;
    readonly callbacks: Callbacks;
    /** For cm_wasm_search_filter and cm_wasm_consolidate_progress. */
    readonly handles: Handles;
}

/** The imports of the browser modules do not look at the number. */
const NO_HANDLES: Handles = { filter: 0, progress: 0 };

/** Loads the module that the options or the host call for, and instantiates it over a new memory. */
export async function instantiate(options: WasmOptions): Promise<Instance> {
    const { module, build } = await moduleFor(options);
    const instance = recycled(module);
    if (instance !== undefined) return instance;
    return started(await (isWasi(module) ? instantiateWasi(module) : instantiateOver(module, createMemory(build === 'threads'), build)));
}

/** What is computed once in a new memory, before anybody else can see it. */
function started(instance: Instance): Instance {
    instance.exports.cm_wasm_start();
    return instance;
}

/**
 * Instances whose store was closed, for the next one: engines collect shared memories late, because they do not count their bytes, so a program that opens and
 * closes stores would grow. Held weakly: what is not used again soon goes the usual way.
 */
let closed: WeakRef<Instance>[] = [];

/** Of the whole memory nothing may be in use. */
export function recycle(instance: Instance): void {
    if (typeof WeakRef !== 'function') return;
    closed = closed.filter((ref) => ref.deref() !== undefined);
    closed.push(new WeakRef(instance));
}

function recycled(module: WebAssembly.Module): Instance | undefined {
    const at = closed.findIndex((ref) => ref.deref()?.module === module);
    return at < 0 ? undefined : closed.splice(at, 1)[0]?.deref();
}

/** Another instance over a memory that is in use, on the stack of a seat. Data segments were initialised by the first instance. */
export async function instantiateShared({ module, memory, seat }: SharedStore): Promise<Instance> {
    const instance = await instantiateOver(module, memory, 'threads');
    const { __stack_pointer, __tls_size, __wasm_init_tls } = instance.exports;
    if ((__tls_size?.value ?? 0) > MAX_TLS_BYTES) throw new ChronoMindError('CM_E_FAULT', 'thread-local data has outgrown its place');
    __stack_pointer.value = (seat.page + PAGE_BYTES) | 0;
    __wasm_init_tls?.(seat.page);
    return instance;
}

async function instantiateOver(module: WebAssembly.Module, memory: WebAssembly.Memory, build: Build): Promise<Instance> {
    const heap = new Heap(memory);
    const callbacks: Callbacks = {};
    const { exports } = await WebAssembly.instantiate(module, { env: { memory, ...imports(() => heap, callbacks) } });
    return { build, module, memory, heap, callbacks, handles: NO_HANDLES, exports: exports as unknown as Exports };
}

/** A module that brings its own memory. */
async function instantiateWasi(module: WebAssembly.Module): Promise<Instance> {
    let heap: Heap | undefined;
    const heapOf = (): Heap => heap as Heap; // nothing is called before _initialize()
    const callbacks: Callbacks = {};
    const env = imports(heapOf, callbacks);
    const { exports } = await WebAssembly.instantiate(module, wasiImports(env, heapOf));
    const { memory, __indirect_function_table, _initialize } = exports as unknown as WasiExports;
    heap = new Heap(memory);
    _initialize();
    const handles = handlesIn(__indirect_function_table, env);
    return { build: 'single-thread', module, memory, heap, callbacks, handles, exports: exports as unknown as Exports };
}

/** What a store gets when its options say nothing. */
export function defaultBuild(): Choice {
    const { precompiled } = theHost();
    if (precompiled === undefined) return chooseBuild(detectFeatures());
    return { build: precompiled.build, reason: 'this host compiles modules ahead of time, and has no threads' };
}

async function moduleFor(options: WasmOptions): Promise<{ module: WebAssembly.Module; build: Build }> {
    const given = await givenModule(options);
    if (given !== undefined) return { module: given, build: buildOf(given) };
    const { precompiled } = theHost();
    if (precompiled !== undefined && (options.build ?? precompiled.build) === precompiled.build) return precompiled;
    const choice = chooseBuild(detectFeatures());
    if (choice.build === undefined) throw new ChronoMindError('CM_E_ENVIRONMENT', choice.reason);
    if (options.build === undefined) adviseOnce(choice.reason);
    const build = options.build ?? choice.build;
    return { module: await packagedModule(build), build };
}

async function givenModule({ wasmModule, wasmBinary, wasmUrl }: WasmOptions): Promise<WebAssembly.Module | undefined> {
    if (wasmModule !== undefined) return wasmModule;
    if (wasmBinary !== undefined) return compiled(() => WebAssembly.compile(wasmBinary as BufferSource));
    if (wasmUrl !== undefined) return compiled(() => theHost().compile(wasmUrl));
    return undefined;
}

const packaged = new Map<Build, Promise<WebAssembly.Module>>();

/** Compiled once. The URLs are literal, because bundlers look for exactly this expression. */
function packagedModule(build: Build): Promise<WebAssembly.Module> {
    const url = build === 'threads' ? new URL('./chronomind.wasm', import.meta.url) : new URL('./chronomind-st.wasm', import.meta.url);
    let module = packaged.get(build);
    if (module === undefined) {
        module = compiled(() => theHost().compile(url));
        packaged.set(build, module);
        module.catch(() => packaged.delete(build));
    }
    return module;
}

async function compiled(compile: () => Promise<WebAssembly.Module>): Promise<WebAssembly.Module> {
    try {
        return await compile();
    } catch (cause) {
        const message = `the WebAssembly module cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`;
        throw new ChronoMindError('CM_E_ENVIRONMENT', `${message} (a content security policy needs 'wasm-unsafe-eval'; see wasmModule)`, {
            cause,
        });
    }
}

/** Only the threads build has thread-local data to initialise. */
function buildOf(module: WebAssembly.Module): Build {
    const hasThreads = WebAssembly.Module.exports(module).some(({ name }) => name === '__wasm_init_tls');
    return hasThreads ? 'threads' : 'single-thread';
}

/** Asks for all that a module can address, and for less where the host refuses so much address space. */
function createMemory(shared: boolean): WebAssembly.Memory {
    for (let maximum = MAX_PAGES; ; maximum /= 2) {
        try {
            return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared });
        } catch (cause) {
            if (cause instanceof RangeError && maximum / 2 >= INITIAL_PAGES) continue;
            throw new ChronoMindError('CM_E_NO_MEMORY', 'the host gave no WebAssembly memory', { cause });
        }
    }
}

function imports(heapOf: () => Heap, callbacks: Callbacks): HostFunctions & WebAssembly.ModuleImports {
    /** An exception must not cross WebAssembly frames: keep it, and let the library end the call. False: something was thrown. */
    function guarded(action: () => void): boolean {
        if (callbacks.thrown !== undefined) return false;
        try {
            action();
            return true;
        } catch (error) {
            callbacks.thrown = { error };
            return false;
        }
    }
    /** 0 is success. */
    const statusOf = (isDone: boolean): number => (isDone ? 0 : 1);
    return {
        now_ms: () => Date.now(),
        monotonic_ms: () => performance.now(),
        random_u32: () => crypto.getRandomValues(new Uint32Array(1))[0] as number,
        write: (_handle, at = 0, length = 0) => statusOf(guarded(() => callbacks.sink?.(heapOf().view(at >>> 0, length >>> 0)))),
        read: (_handle, offset = 0, at = 0, length = 0) =>
            statusOf(guarded(() => callbacks.source?.read(offset, heapOf().view(at >>> 0, length >>> 0)))),
        filter: (_handle, candidate = 0) => {
            let passes = false;
            guarded(() => {
                passes = callbacks.filter?.(candidate >>> 0) ?? true;
            });
            return Number(passes);
        },
        progress: (_handle, done = 0) => Number(guarded(() => callbacks.progress?.(done))),
    };
}

let advised = false;

/** A page that could share memory among workers but for two headers should know. */
function adviseOnce(reason: string): void {
    const isolation = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
    if (advised || isolation !== false || !('document' in globalThis)) return;
    advised = true;
    console.info(`ChronoMind runs single-threaded: ${reason}`);
}
