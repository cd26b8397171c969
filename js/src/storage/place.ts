// SPDX-License-Identifier: MIT OR Apache-2.0
/** From what a caller names as a place to its storage. All are imported at once: bundlers make a worker one file, and some then refuse `import()`. */
import { ChronoMindError } from '../errors.js';
import { theHost } from '../host.js';
import type { Place } from '../types.js';
import { shown } from '../validate.js';
import { idbStorage } from './idb.js';
import { opfsStorage } from './opfs.js';
import type { SnapshotStorage } from './storage.js';

const KINDS = ['path', 'opfs', 'idb', 'storage'] as const;

/** undefined: the options name none. */
export async function storageIn(place: Place): Promise<SnapshotStorage | undefined> {
    const [kind, other] = KINDS.filter((kind) => place[kind] !== undefined);
    if (kind === undefined) return undefined;
    if (other !== undefined) throw new ChronoMindError('CM_E_ARGUMENT', `${kind} and ${other} are both given: name one place`);
    switch (kind) {
        case 'path':
            return theHost().fileStorage(checkPath(place.path));
        case 'opfs':
            return opfsStorage(place.opfs as string);
        case 'idb':
            return idbStorage(place.idb as string);
        case 'storage':
            return checkStorage(place.storage);
    }
}

/** Of save() and load(): a path, or an object that names one place. */
export async function storageOf(target: unknown, caller: 'load()' | 'save()'): Promise<SnapshotStorage> {
    const place = typeof target === 'string' || target instanceof URL ? { path: target } : target;
    const storage = typeof place === 'object' && place !== null ? await storageIn(place) : undefined;
    if (storage !== undefined) return storage;
    const what = `a path, one of { path, opfs, idb, storage }${caller === 'load()' ? ', a Uint8Array, an ArrayBuffer or a Blob' : ''}`;
    throw new ChronoMindError('CM_E_ARGUMENT', `${caller} got ${shown(target)}: must be ${what}`);
}

function checkPath(path: unknown): string | URL {
    if (path instanceof URL) return path;
    if (typeof path === 'string' && path !== '') return path;
    throw new ChronoMindError('CM_E_ARGUMENT', `path is ${shown(path)}: must be a string that is not empty, or a URL`);
}

function checkStorage(storage: unknown): SnapshotStorage {
    const { name, read, write, lock } = Object(storage) as Partial<SnapshotStorage>;
    const isOne = typeof name === 'string' && typeof read === 'function' && typeof write === 'function';
    if (isOne && (lock === undefined || typeof lock === 'function')) return storage as SnapshotStorage;
    throw new ChronoMindError('CM_E_ARGUMENT', `storage is ${shown(storage)}: must have a name and the functions read() and write()`);
}
