// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * A snapshot in IndexedDB, in pieces: database "chronomind", object store "chunks", keys [name, 0], [name, 1], ... All pieces are replaced in one
 * transaction, so that a reader sees those of one snapshot, and whoever stops in the middle has changed nothing.
 */
import { ChronoMindError } from '../errors.js';
import { lockFor, storageError } from './browser.js';
import { Chunks } from './chunks.js';
import type { SnapshotStorage } from './storage.js';

const DATABASE = 'chronomind';
const CHUNKS = 'chunks';
const VERSION = 1;

/** A snapshot in IndexedDB, under `key`. */
export function idbStorage(key: string): SnapshotStorage {
    if (typeof key !== 'string' || key === '') throw new ChronoMindError('CM_E_ARGUMENT', 'idb must be a name, a string that is not empty');
    const name = `idb:${key}`;
    const lock = lockFor(name);
    const attempt = async <T>(verb: 'read' | 'write', action: (database: IDBDatabase) => Promise<T>): Promise<T> => {
        let database: IDBDatabase | undefined;
        try {
            database = await openDatabase();
            return await action(database);
        } catch (error) {
            throw storageError(verb, name, error);
        } finally {
            database?.close();
        }
    };
    return {
        name,
        ...(lock && { lock }),
        async read() {
            const chunks = await attempt('read', (database) => readChunks(database, key));
            return chunks.nBytes > 0 ? chunks : undefined;
        },
        async write() {
            await attempt('write', async () => undefined); // a browser without IndexedDB says so before the work
            const chunks = new Chunks();
            return {
                write: (bytes) => chunks.append(bytes),
                commit: () => attempt('write', (database) => replaceChunks(database, key, chunks)),
                abort: async () => chunks.close(),
            };
        },
    };
}

function openDatabase(): Promise<IDBDatabase> {
    if (typeof indexedDB !== 'object' || indexedDB === null) {
        throw new ChronoMindError('CM_E_ENVIRONMENT', 'this host has no IndexedDB: use { path } in Node, or load(bytes) and toBytes()');
    }
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => request.result.createObjectStore(CHUNKS);
    return resultOf(request);
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}

/** One piece after the other: the page may breathe between them, and they are of one transaction nevertheless. */
async function readChunks(database: IDBDatabase, key: string): Promise<Chunks> {
    const store = database.transaction(CHUNKS, 'readonly').objectStore(CHUNKS);
    const chunks = new Chunks();
    for (let i = 0; ; i++) {
        const chunk: Uint8Array<ArrayBuffer> | undefined = await resultOf(store.get([key, i]));
        if (chunk === undefined) return chunks;
        chunks.adopt(chunk);
    }
}

/** `strict`: when this resolves the system has been told to put it on the disk. */
function replaceChunks(database: IDBDatabase, key: string, chunks: Chunks): Promise<void> {
    const transaction = database.transaction(CHUNKS, 'readwrite', { durability: 'strict' });
    return new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
        const store = transaction.objectStore(CHUNKS);
        store.delete(IDBKeyRange.bound([key], [key, []])); // an array is above every number
        let i = 0;
        for (const chunk of chunks) store.put(chunk, [key, i++]);
    });
}
