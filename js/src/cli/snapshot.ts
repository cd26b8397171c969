// SPDX-License-Identifier: MIT OR Apache-2.0
/** Snapshot files, with the errors that docs/CLI.md words. */
import { Core, type StoredMemory } from '../core.js';
import { ChronoMindError, type ChronoMindErrorCode } from '../errors.js';
import { createFile, type FileReader, type FileWriter, openFile } from '../files-node.js';
import { instantiate } from '../loader.js';
import { requireUninterrupted } from './input.js';
import { FAILED, Failure } from './report.js';

const LOAD_HINTS: Partial<Record<ChronoMindErrorCode, string>> = {
    CM_E_IO: 'check the path and its permissions',
    CM_E_NOT_SNAPSHOT: "snapshots are written by 'chronomind save'",
    CM_E_VERSION: 'the file was written by another version of ChronoMind',
    CM_E_CORRUPT: 'the file is damaged; restore it from a copy or save it again from its source',
    CM_E_NO_MEMORY: 'the machine gave no more memory',
};

const NOT_REPLACED = 'nothing was replaced; check that the folder exists, may be written and has room';
const IN_PLACE = 'the new snapshot is in place, but may not survive a loss of power';

/** The store of a file, for a command that only reads. */
export async function openSnapshot(path: string, command: string): Promise<Core> {
    let file: FileReader | undefined;
    try {
        file = openFile(path);
        if (file === undefined) throw new ChronoMindError('CM_E_IO', `cannot read ${path}: No such file or directory`);
        return Core.load(await instantiate({}), file);
    } catch (error) {
        if (!(error instanceof ChronoMindError)) throw error;
        const hint = LOAD_HINTS[error.code] ?? `try 'chronomind ${command} --help'`;
        throw new Failure(FAILED, error.code === 'CM_E_IO' ? error.message : `${path}: ${error.message}`, hint);
    } finally {
        file?.close();
    }
}

/** The memory of an id that has to exist. */
export function memoryOf(store: Core, id: string): StoredMemory {
    const memory = store.get(id);
    if (memory === undefined) throw new ChronoMindError('CM_E_NOT_FOUND', store.message);
    return memory;
}

/** Does something with the store of a file; what the library refuses ends the command. */
export function attempt<T>(store: Core, path: string, command: string, action: () => T): T {
    try {
        return action();
    } catch (error) {
        if (!(error instanceof ChronoMindError)) throw error;
        throw new Failure(FAILED, error.message, hintFor(error.code, store, path) ?? `try 'chronomind ${command} --help'`);
    }
}

function hintFor(code: ChronoMindErrorCode, store: Core, path: string): string | undefined {
    if (code === 'CM_E_NOT_FOUND') return `check the id; ${path} holds ${store.size} memories`;
    if (code === 'CM_E_NO_MEMORY') return 'the machine gave no more memory';
    return code === 'CM_E_DIMENSION' ? `the vectors in ${path} have ${store.config.dimensions} dimensions` : undefined;
}

/** A snapshot to be: prepared before the input is read, so that a missing folder is found at once. */
export class SnapshotOutput {
    readonly path: string;
    readonly #file: FileWriter;

    constructor(path: string) {
        this.path = path;
        this.#file = this.#attempt(() => createFile(path));
    }

    save(store: Core): void {
        requireUninterrupted();
        this.#attempt(() => store.save((bytes) => this.#file.write(bytes)));
        this.#attempt(() => this.#file.commit());
    }

    /** After commit a no-op. */
    discard(): void {
        this.#file.abort();
    }

    #attempt<T>(action: () => T): T {
        try {
            return action();
        } catch (error) {
            if (!(error instanceof ChronoMindError)) throw error;
            const message = error.code === 'CM_E_IO' ? error.message : `cannot write ${this.path}: ${error.message}`;
            throw new Failure(FAILED, message, this.#file?.replaced ? IN_PLACE : NOT_REPLACED);
        }
    }
}
