// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The only file that touches WebAssembly memory.
 *
 * A view goes stale whenever the memory grows: of an unshared memory it is detached (its length becomes 0), of a shared one it keeps the
 * old length, and another thread may have grown it. So every access names its range, and a range beyond the view makes a new one.
 * Addresses above 2 GiB arrive as negative numbers: `>>> 0`.
 */

import { CM_MAX_PAYLOAD_BYTES } from './generated.js';

type Kind = 'i32' | 'u32' | 'i64' | 'u64' | 'f32' | 'f64' | 'ptr' | 'str' | 'text';

interface Field {
    readonly at: number;
    readonly kind: Kind;
}

/** A struct of C (generated.ts). */
export interface Layout {
    readonly size: number;
    readonly fields: Readonly<Record<string, Field>>;
}

/** A range of memory; of a cm_str_t. */
export interface Span {
    at: number;
    length: number;
}

type Read<K extends Kind> = K extends 'i64' | 'u64' ? bigint : K extends 'str' | 'text' ? string : number;
type Written<K extends Kind> = K extends 'i64' | 'u64' ? bigint : K extends 'str' ? Span : number;

export type StructOf<L extends Layout> = { [F in keyof L['fields']]: Read<L['fields'][F]['kind']> };
type Fields<L extends Layout> = { [F in keyof L['fields']]?: Written<L['fields'][F]['kind']> | undefined };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Strings up to this length are decoded and encoded here: crossing into the decoder costs more. */
const SHORT_STRING = 24;

export class Heap {
    readonly #memory: WebAssembly.Memory;
    /** Of a shared buffer, which never gets shorter, and which takes longer to say it; else 0. */
    #length!: number;
    #bytes!: Uint8Array;
    #floats!: Float32Array;
    #view!: DataView;

    constructor(memory: WebAssembly.Memory) {
        this.#memory = memory;
        this.#look();
    }

    /** Makes the views cover [at, at + length). Growing by nothing is what makes a stale shared buffer show its length. */
    #reach(at: number, length: number): void {
        if (at + length <= this.#length || at + length <= this.#bytes.byteLength) return;
        this.#memory.grow(0);
        this.#look();
    }

    #look(): void {
        const { buffer } = this.#memory;
        const isShared = !(buffer instanceof ArrayBuffer);
        this.#bytes = new Uint8Array(buffer);
        this.#length = isShared ? this.#bytes.length : 0;
        this.#floats = new Float32Array(buffer);
        this.#view = new DataView(buffer);
    }

    /** The bytes themselves, not a copy: valid until the next call into WebAssembly. */
    view(at: number, length: number): Uint8Array {
        this.#reach(at, length);
        return this.#bytes.subarray(at, at + length);
    }

    copyOut(at: number, length: number): Uint8Array<ArrayBuffer> {
        return new Uint8Array(this.view(at, length));
    }

    copyIn(at: number, bytes: Uint8Array): void {
        this.view(at, bytes.length).set(bytes);
    }

    floatsOut(at: number, length: number): Float32Array<ArrayBuffer> {
        this.#reach(at, length * 4);
        return this.#floats.slice(at / 4, at / 4 + length) as Float32Array<ArrayBuffer>; // a copy is never shared
    }

    /** Here and above `at` is a multiple of 4. */
    floatsIn(at: number, values: ArrayLike<number>): void {
        this.#reach(at, values.length * 4);
        this.#floats.set(values, at / 4);
    }

    u32(at: number): number {
        this.#reach(at, 4);
        return this.#view.getUint32(at, true);
    }

    setU32(at: number, value: number): void {
        this.#reach(at, 4);
        this.#view.setUint32(at, value, true);
    }

    f32(at: number): number {
        this.#reach(at, 4);
        return this.#view.getFloat32(at, true);
    }

    /** An i64 as a number, exact up to 2^53: no bigint is made. */
    integer(at: number): number {
        this.#reach(at, 8);
        return this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
    }

    u64(at: number): bigint {
        this.#reach(at, 8);
        return this.#view.getBigUint64(at, true);
    }

    setU64(at: number, value: bigint): void {
        this.#reach(at, 8);
        this.#view.setBigUint64(at, value, true);
    }

    /** In one atomic step: true when the word at `at` was `from`, and now is `to`. */
    swap(at: number, from: number, to: number): boolean {
        this.#reach(at, 4);
        return Atomics.compareExchange(new Uint32Array(this.#bytes.buffer), at >>> 2, from, to) === from;
    }

    /** Decodes UTF-8. Decoders refuse shared memory, hence the copy. */
    text(at: number, length: number): string {
        if (length === 0) return '';
        this.#reach(at, length);
        return (length <= SHORT_STRING ? this.#ascii(at, length) : undefined) ?? decoder.decode(this.copyOut(at, length));
    }

    #ascii(at: number, length: number): string | undefined {
        let text = '';
        for (let i = at; i < at + length; i++) {
            const byte = this.#bytes[i] as number;
            if (byte >= 128) return undefined;
            text += String.fromCharCode(byte);
        }
        return text;
    }

    /** Writes a string of ASCII. False: it is none, and what lies at `at` is of no use. */
    asciiIn(at: number, text: string): boolean {
        this.#reach(at, text.length);
        for (let i = 0; i < text.length; i++) {
            const code = text.charCodeAt(i);
            if (code >= 128) return false;
            this.#bytes[at + i] = code;
        }
        return true;
    }

    /** A string that ends with a zero byte. */
    cString(at: number): string {
        this.#reach(at, 1);
        return this.text(at, this.#bytes.indexOf(0, at) - at);
    }

    span(at: number): Span {
        return { at: this.u32(at), length: this.u32(at + 4) };
    }

    /** Of the cm_str_t at an address. */
    string(at: number): string {
        return this.text(this.u32(at), this.u32(at + 4));
    }

    setSpan(at: number, span: Span): void {
        this.setU32(at, span.at);
        this.setU32(at + 4, span.length);
    }

    /** A struct as an object, its strings decoded. What is read for every hit is read field by field instead (core.ts): three times as fast. */
    read<L extends Layout>(layout: L, at: number): StructOf<L> {
        this.#reach(at, layout.size);
        const struct: Record<string, number | bigint | string> = {};
        for (const name in layout.fields) {
            const field = layout.fields[name] as Field;
            struct[name] = this.#readField(field.kind, at + field.at);
        }
        return struct as StructOf<L>;
    }

    #readField(kind: Kind, at: number): number | bigint | string {
        switch (kind) {
            case 'i32':
                return this.#view.getInt32(at, true);
            case 'u32':
            case 'ptr':
                return this.#view.getUint32(at, true);
            case 'i64':
                return this.#view.getBigInt64(at, true);
            case 'u64':
                return this.#view.getBigUint64(at, true);
            case 'f32':
                return this.#view.getFloat32(at, true);
            case 'f64':
                return this.#view.getFloat64(at, true);
            case 'str':
                return this.string(at);
            case 'text':
                return this.cString(at);
        }
    }

    /** Writes the fields that are given and leaves the others. */
    write<L extends Layout>(layout: L, at: number, values: Fields<L>): void {
        this.#reach(at, layout.size);
        for (const name in values) {
            const value = values[name];
            if (value === undefined) continue;
            const field = layout.fields[name] as Field;
            this.#writeField(field.kind, at + field.at, value as number | bigint | Span);
        }
    }

    #writeField(kind: Kind, at: number, value: number | bigint | Span): void {
        if (typeof value === 'object') this.setSpan(at, value);
        else if (typeof value === 'bigint') this.#view.setBigInt64(at, value, true);
        else if (kind === 'f32') this.#view.setFloat32(at, value, true);
        else if (kind === 'f64') this.#view.setFloat64(at, value, true);
        else this.#view.setUint32(at, value, true);
    }
}

/** Memory for the arguments and results of one call: taken piece by piece, all given back at once. */
export class Scratch {
    readonly #heap: Heap;
    readonly #alloc: (nBytes: number) => number;
    readonly #free: (at: number, nBytes: number) => void;
    #blocks: Span[] = [];
    #used = 0;

    constructor(heap: Heap, alloc: (nBytes: number) => number, free: (at: number, nBytes: number) => void) {
        this.#heap = heap;
        this.#alloc = alloc;
        this.#free = free;
    }

    /** Everything taken so far is given back. What needed several blocks gets one that is large enough the next time. */
    reset(): void {
        this.#used = 0;
        if (this.#blocks.length < 2) return;
        const total = this.#blocks.reduce((sum, block) => sum + block.length, 0);
        this.release();
        this.#addBlock(total);
    }

    /** An address of `nBytes` bytes, a multiple of 8. */
    take(nBytes: number): number {
        let block = this.#blocks.at(-1);
        if (block === undefined || this.#used + nBytes > block.length) block = this.#addBlock(nBytes);
        const at = block.at + this.#used;
        this.#used += (nBytes + 7) & ~7;
        return at;
    }

    /** What is longer than any text may be arrives with its length and its beginning: enough for the library to refuse it. */
    text(text: string | Uint8Array): Span {
        if (typeof text === 'string' && text.length <= SHORT_STRING) {
            const at = this.take(text.length);
            if (this.#heap.asciiIn(at, text)) return { at, length: text.length };
        }
        const bytes = typeof text === 'string' ? encoder.encode(text) : text;
        const present = bytes.subarray(0, CM_MAX_PAYLOAD_BYTES);
        const at = this.take(present.length);
        this.#heap.copyIn(at, present);
        return { at, length: bytes.length };
    }

    /** Gives all of it back to the library. */
    release(): void {
        for (const block of this.#blocks) this.#free(block.at, block.length);
        this.#blocks = [];
    }

    #addBlock(nBytes: number): Span {
        const length = Math.max(65536, 2 ** Math.ceil(Math.log2(nBytes)));
        const block = { at: this.#alloc(length), length };
        this.#blocks.push(block);
        this.#used = 0;
        return block;
    }
}
