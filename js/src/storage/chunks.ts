// SPDX-License-Identifier: MIT OR Apache-2.0
/** Bytes in pieces of bounded size: they grow without being copied, and no single allocation is as large as all of them. */
import { ChronoMindError } from '../errors.js';
import type { SnapshotReader } from './storage.js';

/** Of the pieces that append() makes. */
const CHUNK_BYTES = 1 << 20;

export class Chunks implements SnapshotReader, Iterable<Uint8Array<ArrayBuffer>> {
    #full: Uint8Array<ArrayBuffer>[] = [];
    /** The one that is being filled, up to #used. */
    #last = new Uint8Array(0);
    #used = 0;
    #nBytes = 0;

    get nBytes(): number {
        return this.#nBytes;
    }

    /** A copy of the bytes. */
    append(bytes: Uint8Array): void {
        for (let done = 0; done < bytes.length; ) {
            if (this.#used === this.#last.length) this.#addChunk();
            const part = bytes.subarray(done, done + this.#last.length - this.#used);
            this.#last.set(part, this.#used);
            this.#used += part.length;
            done += part.length;
        }
        this.#nBytes += bytes.length;
    }

    /** Takes the piece itself. */
    adopt(chunk: Uint8Array<ArrayBuffer>): void {
        this.#seal();
        this.#full.push(chunk);
        this.#nBytes += chunk.length;
    }

    read(offset: number, into: Uint8Array): void {
        if (offset + into.length > this.#nBytes) throw new ChronoMindError('CM_E_IO', 'the snapshot ends too early');
        let at = -offset; // of the piece, in `into`
        for (const chunk of this) {
            const [from, to] = [Math.max(at, 0), Math.min(at + chunk.length, into.length)];
            if (from < to) into.set(chunk.subarray(from - at, to - at), from);
            at += chunk.length;
        }
    }

    /** All of them in one piece. */
    bytes(): Uint8Array<ArrayBuffer> {
        const bytes = new Uint8Array(this.#nBytes);
        this.read(0, bytes);
        return bytes;
    }

    *[Symbol.iterator](): Generator<Uint8Array<ArrayBuffer>, void> {
        yield* this.#full;
        if (this.#used > 0) yield this.#last.slice(0, this.#used); // a view would be cloned with all that lies behind it
    }

    close(): void {
        this.#full = [];
        this.#last = new Uint8Array(0);
        this.#used = 0;
        this.#nBytes = 0;
    }

    #addChunk(): void {
        this.#seal();
        this.#last = new Uint8Array(CHUNK_BYTES);
    }

    #seal(): void {
        if (this.#used > 0) this.#full.push(this.#used < this.#last.length ? this.#last.slice(0, this.#used) : this.#last);
        this.#last = new Uint8Array(0);
        this.#used = 0;
    }
}
