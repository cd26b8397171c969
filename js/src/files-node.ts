// SPDX-License-Identifier: MIT OR Apache-2.0
/** Files of Node: read at any offset, and replaced at once. */
import { randomBytes } from 'node:crypto';
import {
    accessSync,
    closeSync,
    constants,
    fchmodSync,
    fchownSync,
    fstatSync,
    fsyncSync,
    lstatSync,
    openSync,
    readlinkSync,
    readSync,
    renameSync,
    rmSync,
    statSync,
    writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChronoMindError } from './errors.js';
import type { Source } from './loader.js';

/** Replaces a file at once: until commit() nothing is changed, and after abort() nothing remains. */
export interface FileWriter {
    write(bytes: Uint8Array): void;
    commit(): void;
    /** The new file has the name. True, too, when commit() failed after that: then a loss of power may bring the old one back. */
    readonly replaced: boolean;
    abort(): void;
}

export interface FileReader extends Source {
    close(): void;
}

/** The C library's words, so that both command lines print the same. */
const REASONS: Record<string, string> = {
    ENOENT: 'No such file or directory',
    EACCES: 'Permission denied',
    EPERM: 'Operation not permitted',
    EISDIR: 'Is a directory',
    ENOTDIR: 'Not a directory',
    ENOSPC: 'No space left on device',
    EDQUOT: 'Disk quota exceeded',
    EFBIG: 'File too large',
    EROFS: 'Read-only file system',
    ENAMETOOLONG: 'File name too long',
    ELOOP: 'Too many levels of symbolic links',
    EIO: 'Input/output error',
};

const NOT_REGULAR = 'Not a regular file';

/** The kernel's own limit. */
const MAX_LINKS = 40;

/** Why a system call failed. */
export function reasonOf(error: unknown): string {
    const { code, message } = error as NodeJS.ErrnoException;
    return (code !== undefined && REASONS[code]) || message;
}

function ioError(verb: string, path: string, cause: unknown): ChronoMindError {
    if (cause instanceof ChronoMindError) return cause;
    return new ChronoMindError('CM_E_IO', `cannot ${verb} ${path}: ${reasonOf(cause)}`, { cause });
}

/** A path. */
export function nameOf(path: string | URL): string {
    return path instanceof URL ? fileURLToPath(path) : path;
}

/** undefined: there is no such file. Not blocking, or opening a named pipe would wait for somebody to write to it. */
export function openFile(path: string | URL): FileReader | undefined {
    const name = nameOf(path);
    try {
        const file = openSync(name, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
        return readerOf(file, name);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw ioError('read', name, error);
    }
}

function readerOf(file: number, name: string): FileReader {
    const stat = fstatSync(file);
    if (!stat.isFile()) {
        closeSync(file);
        throw stat.isDirectory() ? errno('EISDIR') : new Error(NOT_REGULAR);
    }
    return {
        nBytes: stat.size,
        read(offset, into) {
            try {
                readFully(file, offset, into);
            } catch (error) {
                throw ioError('read', name, error);
            }
        },
        close: () => closeSync(file),
    };
}

/** What a system call would have thrown. */
export function errno(code: string): NodeJS.ErrnoException {
    return Object.assign(new Error(REASONS[code]), { code });
}

/** A file that became shorter meanwhile is an error, not a partial read. */
function readFully(file: number, offset: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
        const n = readSync(file, into, done, into.length - done, offset + done);
        if (n === 0) throw errno('EIO');
        done += n;
    }
}

/** Writes beside the target, so that renaming stays inside one file system. */
export function createFile(path: string | URL): FileWriter {
    const name = nameOf(path);
    const attempt = <T>(action: () => T, what = 'write'): T => {
        try {
            return action();
        } catch (error) {
            throw ioError(what, name, error);
        }
    };
    const target = attempt(() => followLinks(name));
    const temporary = join(dirname(target), `.chronomind-${randomBytes(8).toString('hex')}.tmp`);
    const file = attempt(() => createLike(target, temporary));
    let isOpen = true;
    let isTemporary = true;
    let replaced = false;
    const close = (): void => {
        if (isOpen) closeSync(file);
        isOpen = false;
    };
    const discard = (): void => {
        close();
        if (isTemporary) rmSync(temporary, { force: true });
        isTemporary = false;
    };
    const commit = (): void => {
        fsyncSync(file);
        close();
        renameSync(temporary, target);
        isTemporary = false;
        replaced = true;
    };
    return {
        write: (bytes) => attempt(() => writeFully(file, bytes)),
        commit() {
            try {
                attempt(commit);
                attempt(() => syncFolder(dirname(target)), 'flush the folder of');
            } finally {
                discard();
            }
        },
        abort: discard,
        get replaced() {
            return replaced;
        },
    };
}

/** A link stays a link, and its target is replaced, whether or not that exists. */
function followLinks(name: string): string {
    let target = name;
    for (let i = 0; i < MAX_LINKS; i++) {
        if (!lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink()) return target;
        target = resolve(dirname(target), readlinkSync(target));
    }
    throw errno('ELOOP');
}

/**
 * The temporary file takes the permissions of the file that it will replace, and where allowed its owner. A file that its owner made read-only stays,
 * and so does what is no file: renaming over a device or a pipe would remove it.
 */
function createLike(target: string, temporary: string): number {
    const old = statSync(target, { throwIfNoEntry: false });
    if (old === undefined) return openSync(temporary, 'wx', 0o666);
    if (old.isDirectory()) throw errno('EISDIR');
    if (!old.isFile()) throw new Error(NOT_REGULAR);
    accessSync(target, constants.W_OK);
    const file = openSync(temporary, 'wx', 0o600);
    try {
        fchmodSync(file, changeOwner(file, old) ? old.mode & 0o777 : old.mode & 0o707);
        return file;
    } catch (error) {
        closeSync(file);
        rmSync(temporary, { force: true });
        throw error;
    }
}

/** False: the file belongs to another group, which the group's permissions were not meant for. */
function changeOwner(file: number, { uid, gid }: { uid: number; gid: number }): boolean {
    for (const owner of [uid, fstatSync(file).uid]) {
        try {
            fchownSync(file, owner, gid);
            return true;
        } catch {
            // not allowed: the next best
        }
    }
    return false;
}

function writeFully(file: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done);
}

/** Makes the new name last. Some folders cannot be opened, or not be flushed: then the system does not offer more. */
function syncFolder(folder: string): void {
    let file: number | undefined;
    try {
        file = openSync(folder, 'r');
        fsyncSync(file);
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EACCES' && code !== 'EINVAL' && code !== 'EPERM' && code !== 'EISDIR') throw error;
    } finally {
        if (file !== undefined) closeSync(file);
    }
}
