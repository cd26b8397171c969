// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * A file in the origin private file system. The new snapshot is written beside the old one, under a name of its own, and moved over it. In a worker it
 * is written as it comes, through a sync access handle, and flushed; elsewhere the pieces are kept and written at the end.
 */
import { ChronoMindError } from '../errors.js';
import { lockFor, storageError } from './browser.js';
import { Chunks } from './chunks.js';
import type { SnapshotReader, SnapshotStorage, SnapshotWriter } from './storage.js';

/** Between two of them a page may breathe. */
const READ_BYTES = 16 << 20;

/** How often a file may be replaced while it is being read, and what the browsers call it. */
const MAX_TRIES = 100;
const REPLACED = ['NotFoundError', 'NotReadableError', 'AbortError'];

/** What there is only one of: the lock sees to it. A save that was interrupted leaves it, and the next one begins it anew. */
const UNFINISHED = '.saving';

/** In a worker only. Not in lib.dom. */
interface SyncAccess {
    write(bytes: Uint8Array, options: { at: number }): number;
    truncate(nBytes: number): void;
    flush(): void;
    close(): void;
}

/** Not in lib.dom, and every engine with OPFS has it by now. */
type Movable = FileSystemFileHandle & { move?(name: string): Promise<void>; createSyncAccessHandle?(): Promise<SyncAccess> };
type Folder = FileSystemDirectoryHandle;

/** `path`: names with "/" between them, such as "agents/first.chrono". */
export function opfsStorage(path: string): SnapshotStorage {
    const name = `opfs:${path}`;
    const place = new Place(path, name);
    const lock = lockFor(name);
    return {
        name,
        ...(lock && { lock }),
        read: () => place.attempt('read', () => place.read()),
        write: () => place.attempt('write', () => place.write()),
    };
}

class Place {
    readonly #folders: string[];
    readonly #file: string;
    readonly #name: string;

    constructor(path: string, name: string) {
        const names = typeof path === 'string' ? path.split('/') : [];
        this.#file = names.pop() ?? '';
        this.#folders = names;
        this.#name = name;
        if (this.#file !== '' && [...names, this.#file].every((part) => !['', '.', '..'].includes(part))) return;
        throw new ChronoMindError('CM_E_ARGUMENT', `opfs is ${JSON.stringify(path)}: must be a name, or names with "/" between them`);
    }

    async attempt<T>(verb: 'read' | 'write', action: () => Promise<T>): Promise<T> {
        try {
            return await action();
        } catch (error) {
            throw storageError(verb, this.#name, error);
        }
    }

    /** A file that was replaced in the middle can no longer be read, so what is read is never a mixture. */
    async read(): Promise<SnapshotReader | undefined> {
        for (let tries = 1; ; tries++) {
            try {
                const folder = await this.#folder(false);
                return await readWhole(await (await folder.getFileHandle(this.#file)).getFile());
            } catch (error) {
                const { name } = error as Error;
                if (name === 'NotFoundError' && !(await this.#exists())) return undefined;
                if (!REPLACED.includes(name) || tries === MAX_TRIES) throw error;
            }
        }
    }

    async #exists(): Promise<boolean> {
        try {
            await (await this.#folder(false)).getFileHandle(this.#file);
            return true;
        } catch (error) {
            if ((error as Error).name === 'NotFoundError') return false;
            throw error;
        }
    }

    async write(): Promise<SnapshotWriter> {
        const folder = await this.#folder(true);
        const file: Movable = await folder.getFileHandle(this.#file + UNFINISHED, { create: true });
        if (file.move === undefined) throw new ChronoMindError('CM_E_ENVIRONMENT', 'this browser cannot move files in OPFS: use { idb }');
        const access = await file.createSyncAccessHandle?.();
        const { write, flush, discard } = access === undefined ? pageWriter(file) : syncWriter(access);
        const abort = async (): Promise<void> => {
            await discard();
            await folder.removeEntry(file.name).catch(() => undefined);
        };
        return {
            write: (bytes) => {
                try {
                    write(bytes);
                } catch (error) {
                    throw storageError('write', this.#name, error);
                }
            },
            commit: () =>
                this.attempt('write', async () => {
                    try {
                        await flush();
                        await file.move?.(this.#file);
                    } catch (error) {
                        await abort();
                        throw error;
                    }
                }),
            abort,
        };
    }

    async #folder(create: boolean): Promise<Folder> {
        const { storage } = (globalThis.navigator ?? {}) as { storage?: StorageManager };
        if (typeof storage?.getDirectory !== 'function') {
            const why = 'this host has no origin private file system (browsers give it to pages from https: and localhost)';
            throw new ChronoMindError('CM_E_ENVIRONMENT', `${why}: use { idb } or, in Node, { path }`);
        }
        let folder = await storage.getDirectory();
        for (const name of this.#folders) folder = await folder.getDirectoryHandle(name, { create });
        return folder;
    }
}

/** Into memory, so that nobody has to wait for this reader. */
async function readWhole(file: File): Promise<Chunks> {
    const chunks = new Chunks();
    for (let at = 0; at < file.size; at += READ_BYTES) {
        chunks.adopt(new Uint8Array(await file.slice(at, at + READ_BYTES).arrayBuffer()));
    }
    return chunks;
}

interface Writing {
    write(bytes: Uint8Array): void;
    /** All of it is in the file, to stay. */
    flush(): Promise<void>;
    discard(): Promise<void>;
}

/** Chromium says that there is no room by a negative number, shown as an unsigned one: 4294967288. */
function syncWriter(access: SyncAccess): Writing {
    access.truncate(0);
    let at = 0;
    return {
        write(bytes) {
            const part = bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice(); // not every engine takes shared memory here
            for (let done = 0; done < part.length; ) {
                const n = access.write(part.subarray(done), { at });
                if (!(n > 0 && n <= part.length - done)) throw new DOMException('nothing more was written', 'QuotaExceededError');
                done += n;
                at += n;
            }
        },
        async flush() {
            access.flush();
            access.close();
        },
        discard: async () => access.close(),
    };
}

function pageWriter(file: FileSystemFileHandle): Writing {
    const chunks = new Chunks();
    let stream: FileSystemWritableFileStream | undefined;
    return {
        write: (bytes) => chunks.append(bytes),
        async flush() {
            stream = await file.createWritable();
            for (const chunk of chunks) await stream.write(chunk);
            await stream.close();
        },
        async discard() {
            chunks.close();
            await stream?.abort().catch(() => undefined);
        },
    };
}
