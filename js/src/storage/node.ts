// SPDX-License-Identifier: MIT OR Apache-2.0
/** A file of Node: written beside the old one, flushed, renamed over it, and the folder flushed. There is no lock. */
import { resolve } from 'node:path';
import { createFile, nameOf, openFile } from '../files-node.js';
import type { SnapshotStorage } from './storage.js';

/** A snapshot in a file: written beside the old one, flushed, and renamed over it. */
export function fileStorage(path: string | URL): SnapshotStorage {
    return {
        name: resolve(nameOf(path)),
        read: async () => openFile(path),
        async write() {
            const file = createFile(path);
            return { write: file.write, commit: async () => file.commit(), abort: async () => file.abort() };
        },
    };
}
