// SPDX-License-Identifier: MIT OR Apache-2.0
/** What every entry of the package exports: index.ts, web.ts and workerd.ts, which differ in the host that they provide. */
export { ChronoMind } from './chronomind.js';
export { ChronoMindError, type ChronoMindErrorCode } from './errors.js';
export { chooseBuild } from './features.js';
export type * from './types.js';
