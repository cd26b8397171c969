// SPDX-License-Identifier: MIT OR Apache-2.0
/** A file or standard input, read once from front to back. Waiting for the next chunk is where signals get their turn. */
import { createReadStream, fstatSync, openSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { errno, reasonOf } from '../files-node.js';
import { FAILED, Failure, INTERRUPTED } from './report.js';

const CHUNK_BYTES = 262144;

/** Reading a named pipe as a file would occupy a thread that even the end of the program waits for. */
function streamOf(file: number, stat: Stats): Readable {
    if (stat.isFIFO()) return new Socket({ fd: file, readable: true, writable: false });
    return createReadStream('', { fd: file, highWaterMark: CHUNK_BYTES });
}

export class Input {
    /** For messages. */
    readonly name: string;
    /** 0: unknown. */
    readonly nBytesTotal: number = 0;
    nBytesRead = 0;
    readonly #chunks: AsyncIterator<Buffer>;
    #rest: Uint8Array = Buffer.alloc(0);

    /** "-" is standard input. */
    constructor(path: string) {
        const isStandard = path === '-';
        this.name = isStandard ? 'standard input' : path;
        try {
            const file = isStandard ? 0 : openSync(path, 'r');
            const stat = fstatSync(file);
            if (stat.isDirectory()) throw errno('EISDIR'); // a folder as standard input would look empty
            if (stat.isFile()) this.nBytesTotal = stat.size;
            this.#chunks = (isStandard ? process.stdin : streamOf(file, stat))[Symbol.asyncIterator]();
        } catch (error) {
            throw this.#failure(error);
        }
    }

    #failure(error: unknown): Failure {
        return new Failure(FAILED, `cannot read ${this.name}: ${reasonOf(error)}`, 'check the path and its permissions');
    }

    /** The next bytes, as many as are at hand; undefined at the end. */
    async next(): Promise<Uint8Array | undefined> {
        const rest = this.#rest;
        this.#rest = rest.subarray(rest.length);
        if (rest.length > 0) return rest;
        let result: IteratorResult<Buffer, unknown>;
        try {
            result = await unlessInterrupted(this.#chunks.next());
        } catch (error) {
            throw error === interrupted ? error : this.#failure(error);
        }
        requireUninterrupted();
        if (result.done === true) return undefined;
        this.nBytesRead += result.value.length;
        return result.value;
    }

    /** nBytes bytes, fewer only at the end of the input. */
    async take(nBytes: number): Promise<Uint8Array> {
        if (this.#rest.length < nBytes) await this.#gather(nBytes);
        const taken = this.#rest.subarray(0, nBytes);
        this.#rest = this.#rest.subarray(taken.length);
        return taken;
    }

    async #gather(nBytes: number): Promise<void> {
        const parts: Uint8Array[] = [];
        for (let n = 0; n < nBytes; ) {
            const part = await this.next();
            if (part === undefined) break;
            parts.push(part);
            n += part.length;
        }
        this.#rest = Buffer.concat(parts);
    }

    /** A line without its end, cut a little above maxBytes; undefined after the last. */
    async line(maxBytes: number): Promise<Uint8Array | undefined> {
        if (this.#rest.length <= maxBytes + 2) await this.#gather(maxBytes + 3);
        if (this.#rest.length === 0) return undefined;
        const newline = this.#rest.subarray(0, maxBytes + 2).indexOf(10);
        const end = newline < 0 ? Math.min(this.#rest.length, maxBytes + 2) : newline;
        const line = this.#rest.subarray(0, end);
        this.#rest = this.#rest.subarray(newline < 0 ? end : end + 1);
        return line.at(-1) === 13 ? line.subarray(0, -1) : line;
    }
}

const interrupted = new Failure(INTERRUPTED, 'interrupted', 'nothing was written');
let isInterrupted = false;
let interrupt = (): void => {};

/** A signal must not wait for an input that nobody writes to. One at a time. */
export function unlessInterrupted<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
        interrupt = () => reject(interrupted);
        promise.then(resolve, reject);
    });
}

/** The first Ctrl-C asks the program to stop, which it does between two steps; the second kills it. */
export function catchInterrupts(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.once(signal, () => {
            isInterrupted = true;
            interrupt();
        });
    }
}

export function requireUninterrupted(): void {
    if (isInterrupted) throw interrupted;
}
