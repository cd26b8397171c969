// SPDX-License-Identifier: MIT OR Apache-2.0
/** Bytes in memory: for tests, and for programs that carry them elsewhere themselves. There is no lock. */
import { Chunks } from './chunks.js';
import type { SnapshotStorage } from './storage.js';

/** A storage whose snapshot can be looked at. */
export interface BytesStorage extends SnapshotStorage {
    /** The snapshot; undefined when nothing was saved. Whoever writes it brings one. */
    bytes: Uint8Array | undefined;
}

let count = 0;

/** A snapshot in memory, at first `initial`. */
export function bytesStorage(initial?: Uint8Array): BytesStorage {
    const storage: BytesStorage = {
        name: `bytes ${++count}`,
        bytes: initial,
        async read() {
            const { bytes } = storage;
            if (bytes === undefined) return undefined;
            const chunks = new Chunks();
            chunks.adopt(new Uint8Array(bytes));
            return chunks;
        },
        async write() {
            const chunks = new Chunks();
            return {
                write: (bytes) => chunks.append(bytes),
                async commit() {
                    storage.bytes = chunks.bytes();
                },
                abort: async () => chunks.close(),
            };
        },
    };
    return storage;
}
