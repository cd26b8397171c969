// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * What chronomind-wasi.wasm needs of a host, four functions of wasi_snapshot_preview1, so that the package runs it anywhere; and functions of JavaScript in its table, which
 * is how that build asks back (wasm/wasi.c). Other WASI hosts bring their own.
 */
import type { Heap } from './memory.js';

const WASI = 'wasi_snapshot_preview1';
const SUCCESS = 0;
const EIO = 29;
const REALTIME = 0;

/** Imports e.f (i32) -> i32 and e.p (f64) -> i32, and exports both: only functions of WebAssembly go into a table. */
const WRAPPER = [
    ...[0, 97, 115, 109, 1, 0, 0, 0],
    ...[1, 11, 2, 96, 1, 127, 1, 127, 96, 1, 124, 1, 127],
    ...[2, 13, 2, 1, 101, 1, 102, 0, 0, 1, 101, 1, 112, 0, 1],
    ...[7, 9, 2, 1, 102, 0, 0, 1, 112, 0, 1],
];

export function isWasi(module: WebAssembly.Module): boolean {
    return WebAssembly.Module.imports(module).some(({ module: name }) => name === WASI);
}

/** `env` holds the functions that the other builds import; the heap is known only later, because this module brings its memory. */
export function wasiImports(env: HostFunctions, heapOf: () => Heap): WebAssembly.Imports {
    /** All parts through one function of `env`; the sum of their lengths goes to `out`. */
    const each = (parts: number, n: number, out: number, move: (at: number, length: number, before: number) => number): number => {
        const heap = heapOf();
        let total = 0;
        for (let i = 0; i < n; i++) {
            const { at, length } = heap.span((parts >>> 0) + 8 * i);
            if (move(at, length, total) !== 0) return EIO;
            total += length;
        }
        heap.setU32(out >>> 0, total);
        return SUCCESS;
    };
    return {
        [WASI]: {
            clock_time_get(clock: number, _precision: bigint, out: number): number {
                const ms = clock === REALTIME ? env.now_ms() : env.monotonic_ms();
                heapOf().setU64(out >>> 0, BigInt(Math.round(ms * 1e6)));
                return SUCCESS;
            },
            random_get(at: number, length: number): number {
                heapOf().copyIn(at >>> 0, crypto.getRandomValues(new Uint8Array(length)));
                return SUCCESS;
            },
            fd_write: (handle: number, parts: number, n: number, out: number) =>
                each(parts, n, out, (at, length) => env.write(handle, at, length)),
            fd_pread: (handle: number, parts: number, n: number, offset: bigint, out: number) =>
                each(parts, n, out, (at, length, before) => env.read(handle, Number(offset) + before, at, length)),
        },
    };
}

/** The functions of the loader by their names in C. */
export interface HostFunctions {
    now_ms(): number;
    monotonic_ms(): number;
    random_u32(): number;
    write(handle: number, at: number, length: number): number;
    read(handle: number, offset: number, at: number, length: number): number;
    filter(handle: number, candidate: number): number;
    progress(handle: number, done: number): number;
}

/** The numbers by which the library is told whom to ask. */
export interface Handles {
    readonly filter: number;
    readonly progress: number;
}

/** Puts both functions that are asked back into the table. */
export function handlesIn(table: WebAssembly.Table, env: HostFunctions): Handles {
    const wrapper = new WebAssembly.Module(new Uint8Array(WRAPPER));
    const e = { f: (candidate: number) => env.filter(0, candidate), p: (done: number) => env.progress(0, done) };
    const { exports } = new WebAssembly.Instance(wrapper, { e });
    const filter = table.grow(2);
    table.set(filter, exports.f);
    table.set(filter + 1, exports.p);
    return { filter, progress: filter + 1 };
}

/** What an instance gives beside the functions of every build. */
export interface WasiExports {
    readonly memory: WebAssembly.Memory;
    readonly __indirect_function_table: WebAssembly.Table;
    _initialize(): void;
}
