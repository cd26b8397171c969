// SPDX-License-Identifier: MIT OR Apache-2.0
/** The workers of the host, provided as the host is (../host.ts). */
import { ChronoMindError } from '../errors.js';
import type { Workers } from './protocol.js';

let provided: Workers | undefined;

/** By an entry, while it is loaded. */
export function provideWorkers(workers: Workers): void {
    provided = workers;
}

export function theWorkers(): Workers {
    if (provided !== undefined) return provided;
    throw new ChronoMindError('CM_E_ENVIRONMENT', "no workers were provided: an inner file was loaded instead of 'chronomind/pool'");
}
