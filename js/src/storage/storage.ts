// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The contract of a place that keeps a snapshot. ChronoMind ships four (node, opfs, idb, bytes); a program may bring its own as the option `storage`.
 * tests/js/storage-contract.mjs runs over every one of them.
 *
 * A place holds one snapshot, or none, and replaces it at once: whoever stops in the middle, by an exception or with the process, leaves the old one.
 * A write-ahead log would be a further, optional part beside these (append, sync, truncate), under the same lock.
 */
export interface SnapshotStorage {
    /** For messages. Two storages of one name are one place. */
    readonly name: string;
    /**
     * Becomes the only writer, until the function that it gives is called or this page, worker or process ends. Fails at once with CM_E_LOCKED while there
     * is another. A storage without it keeps nobody out: of two writers the last one wins, whole.
     */
    lock?(): Promise<() => void>;
    /** The snapshot as it is now, whole, whatever is written meanwhile; undefined when nothing was saved. */
    read(): Promise<SnapshotReader | undefined>;
    /** A new snapshot, which takes the place of the old one when it is committed. */
    write(): Promise<SnapshotWriter>;
}

/** Bytes that can be read at any offset, at once. */
export interface SnapshotReader {
    readonly nBytes: number;
    /** Fills all of `into` from an offset, or throws. */
    read(offset: number, into: Uint8Array): void;
    close(): void;
}

/** One of commit() and abort() is called, once. */
export interface SnapshotWriter {
    /** In order. The bytes are valid during the call only. */
    write(bytes: Uint8Array): void;
    /** Resolves when the new snapshot is there to stay; when it rejects the old one is there, and nothing remains of the new. */
    commit(): Promise<void>;
    /** Nothing remains. Never fails. */
    abort(): Promise<void>;
}
