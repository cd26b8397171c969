// SPDX-License-Identifier: MIT OR Apache-2.0
/** How a command ends: its status, and what it says on the way. */
import { writeSync } from 'node:fs';
import { reasonOf } from '../files-node.js';
import { clearProgress } from './progress.js';
import { safeText } from './text.js';

export const FAILED = 1;
export const USAGE = 2;
export const INTERRUPTED = 130;

/** Ends the program with two lines on standard error. */
export class Failure extends Error {
    readonly status: number;
    readonly hint: string;

    constructor(status: number, message: string, hint: string) {
        super(message);
        this.status = status;
        this.hint = hint;
    }
}

export function report({ message, hint, status }: Failure): number {
    clearProgress();
    writeFully(2, `Error: ${safeText(message)}\nHint: ${safeText(hint)}\n`);
    return status;
}

/** A reader that has gone (`| head`) is no failure. */
export function print(text: string): void {
    try {
        writeFully(1, text);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EPIPE') return;
        throw new Failure(FAILED, `cannot write standard output: ${reasonOf(error)}`, 'check where standard output goes');
    }
}

function writeFully(file: number, text: string): void {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) {
        try {
            done += writeSync(file, bytes, done);
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // the pipe is full, and was given to us as non-blocking
        }
    }
}
