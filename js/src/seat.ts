// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * How a worker joins a store. Every instance of the module would start on the same stack, so whoever shares the store reserves a seat: a word that says
 * who has it, and a page of the shared memory with room for thread-local data and a stack. The page stays with the seat for whoever comes next.
 *
 *     word   generation * 4 + state
 *     state  FREE --share--> OFFERED --attach--> TAKEN --close--> FREE
 *                               \---withdrawn     \--abandon--> ENDING --its worker has ended--> FREE
 *     page   thread-local data | stack, growing down
 *            0                   4096           65536
 *
 * The generation, one more each time a seat is offered, makes an old ticket worthless.
 */
import { CM_MAX_THREADS } from './generated.js';
import type { Heap } from './memory.js';
import type { Seat } from './types.js';

/** A word and the address of a page. */
const SEAT_BYTES = 8;

const FREE = 0;
const OFFERED = 1;
const TAKEN = 2;
const ENDING = 3;
const STATES = 4;

export const PAGE_BYTES = 65536;
export const MAX_TLS_BYTES = 4096;

/** Looks for a free seat among those at `seats`. undefined: there is none. */
export function offerSeat(heap: Heap, seats: number, newPage: () => number): Seat | undefined {
    for (let at = seats; at < seats + CM_MAX_THREADS * SEAT_BYTES; at += SEAT_BYTES) {
        const word = heap.u32(at);
        if (word % STATES !== FREE) continue;
        const ticket = (word + STATES + OFFERED) >>> 0;
        if (!heap.swap(at, word, ticket)) continue;
        try {
            if (heap.u32(at + 4) === 0) heap.setU32(at + 4, newPage());
        } catch (error) {
            heap.swap(at, ticket, word);
            throw error;
        }
        return { at, ticket, page: heap.u32(at + 4) };
    }
    return undefined;
}

function changeState(heap: Heap, { at, ticket }: Seat, from: number, to: number): boolean {
    return heap.swap(at, ticket - OFFERED + from, ticket - OFFERED + to);
}

export function takeSeat(heap: Heap, seat: Seat): boolean {
    return changeState(heap, seat, OFFERED, TAKEN);
}

/** Nobody has taken it, and nobody will. */
export function withdrawSeat(heap: Heap, seat: Seat): boolean {
    return changeState(heap, seat, OFFERED, FREE);
}

/** By its holder, in whatever state it is. */
export function leaveSeat(heap: Heap, seat: Seat): void {
    if (!changeState(heap, seat, TAKEN, FREE)) clearSeat(heap, seat);
}

/** Its holder is to end: from now on it is refused, but what it was doing may still be under way. */
export function endSeat(heap: Heap, seat: Seat): boolean {
    return changeState(heap, seat, TAKEN, ENDING);
}

/** Its holder has ended. False: it left by itself. */
export function clearSeat(heap: Heap, seat: Seat): boolean {
    return changeState(heap, seat, ENDING, FREE);
}

export function isTaken(heap: Heap, { at, ticket }: Seat): boolean {
    return heap.u32(at) === ticket - OFFERED + TAKEN;
}

/** Neither offered nor taken any more. */
export function isOver(heap: Heap, seat: Seat): boolean {
    return ![OFFERED, TAKEN, ENDING].includes(heap.u32(seat.at) - seat.ticket + OFFERED);
}
