// SPDX-License-Identifier: MIT OR Apache-2.0
export { ChronoMind } from './chronomind.js';
export { ChronoMindError, type ChronoMindErrorCode } from './errors.js';
export { chooseBuild } from './features.js';
export type * from './types.js';
