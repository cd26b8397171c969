// SPDX-License-Identifier: MIT OR Apache-2.0
/** What everything that takes many at once needs. */
import { theHost } from './host.js';
import { ChronoMindError } from './errors.js';
import { shown } from './validate.js';

/** How long a batch keeps the event loop waiting. */
const SLICE_MS = 8;

/** A batch on the calling thread works in slices, between which its event loop runs. */
export class Slices {
    #until = performance.now() + SLICE_MS;

    get isOver(): boolean {
        return performance.now() >= this.#until;
    }

    async breathe(): Promise<void> {
        await theHost().breathe();
        this.#until = performance.now() + SLICE_MS;
    }
}

/** How many there will be, where that is known beforehand. */
export function totalOf(items: object): number | undefined {
    const { length, size } = items as { length?: unknown; size?: unknown };
    return [length, size].find((n): n is number => typeof n === 'number');
}

export function checkIterable<T>(items: Iterable<T> | AsyncIterable<T>, field: string): void {
    if (Symbol.iterator in items || Symbol.asyncIterator in items) return;
    throw new ChronoMindError('CM_E_ARGUMENT', `${field} is ${shown(items)}: must be iterable`);
}

/** Says in its error which one of the batch it was. */
export function indexed<T>(index: number, action: () => T): T {
    try {
        return action();
    } catch (error) {
        if (error instanceof ChronoMindError) error.index ??= index;
        throw error;
    }
}
