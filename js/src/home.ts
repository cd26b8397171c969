// SPDX-License-Identifier: MIT OR Apache-2.0
/** The place that a store came from and goes back to, and the right to write there. */
import type { Sink } from './loader.js';
import { ChronoMindError } from './errors.js';
import type { SnapshotReader, SnapshotStorage } from './storage/storage.js';

export class Home {
    readonly storage: SnapshotStorage;
    readonly isReadOnly: boolean;
    #unlock: (() => void) | undefined;

    /** Takes the lock, unless nothing will be written. */
    static async enter(storage: SnapshotStorage, isReadOnly: boolean): Promise<Home> {
        return new Home(storage, isReadOnly, isReadOnly ? undefined : await storage.lock?.());
    }

    private constructor(storage: SnapshotStorage, isReadOnly: boolean, unlock: (() => void) | undefined) {
        this.storage = storage;
        this.isReadOnly = isReadOnly;
        this.#unlock = unlock;
    }

    /** May be called again. */
    leave(): void {
        this.#unlock?.();
        this.#unlock = undefined;
    }

    /** A snapshot that has to be there. */
    async read(): Promise<SnapshotReader> {
        const reader = await this.storage.read();
        if (reader !== undefined) return reader;
        throw new ChronoMindError('CM_E_IO', `cannot read ${this.storage.name}: nothing was saved there`);
    }
}

/** Writes what `save` gives, to be the snapshot there when all of it was given. */
export async function replaceSnapshot(storage: SnapshotStorage, save: (sink: Sink) => void): Promise<void> {
    const writer = await storage.write();
    try {
        save((bytes) => writer.write(bytes));
    } catch (error) {
        await writer.abort();
        throw error;
    }
    await writer.commit();
}

/** The same for a place that is not the store's own. */
export async function copySnapshot(storage: SnapshotStorage, save: (sink: Sink) => void): Promise<void> {
    const home = await Home.enter(storage, false);
    try {
        await replaceSnapshot(storage, save);
    } finally {
        home.leave();
    }
}
