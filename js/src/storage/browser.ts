// SPDX-License-Identifier: MIT OR Apache-2.0
/** What the places of browsers share: one writer by Web Locks, and errors with their codes. */
import { ChronoMindError } from '../errors.js';

/** In the words of this package. */
export function storageError(verb: 'read' | 'write', name: string, cause: unknown): ChronoMindError {
    if (cause instanceof ChronoMindError) return cause;
    const { name: kind, message } = Object(cause) as Partial<Error>;
    const problem = `cannot ${verb} ${name}: ${message || kind || String(cause)}`;
    if (kind === 'QuotaExceededError') {
        const remedy = 'this origin has no more storage: remove something, or ask for more with navigator.storage.persist()';
        return new ChronoMindError('CM_E_QUOTA', `${problem} (${remedy})`, { cause });
    }
    if (kind === 'SecurityError') return new ChronoMindError('CM_E_ENVIRONMENT', `${problem} (storage is blocked here)`, { cause });
    if (kind === 'NoModificationAllowedError') return lockedError(name, cause);
    return new ChronoMindError('CM_E_IO', problem, { cause });
}

function lockedError(name: string, cause?: unknown): ChronoMindError {
    const remedy = 'close it there, or open it here with readOnly: true';
    return new ChronoMindError('CM_E_LOCKED', `${name} is open for writing in another tab, worker or store: ${remedy}`, { cause });
}

/** Web Locks exist wherever OPFS does; a browser too old for them has one writer by agreement only. */
export function lockFor(name: string): (() => Promise<() => void>) | undefined {
    const { locks } = (globalThis.navigator ?? {}) as { locks?: LockManager };
    return locks && (() => lock(locks, name));
}

/** Locks that this page or worker has let go of, and the browser has not yet. */
const leaving = new Map<string, Promise<unknown>>();

/** The browser holds a lock until the promise that it got is settled, or until its page or worker is gone. */
async function lock(locks: LockManager, name: string): Promise<() => void> {
    await leaving.get(name);
    return new Promise((resolve, reject) => {
        const held = (granted: Lock | null): Promise<void> | undefined => {
            if (granted === null) {
                reject(lockedError(name));
                return undefined;
            }
            return new Promise((release) => {
                resolve(() => {
                    leaving.set(name, gone);
                    release();
                });
            });
        };
        const request = locks.request(`chronomind:${name}`, { mode: 'exclusive', ifAvailable: true }, held);
        const gone = request
            .catch((error) => reject(storageError('write', name, error)))
            .finally(() => {
                if (leaving.get(name) === gone) leaving.delete(name);
            });
    });
}
