// SPDX-License-Identifier: MIT OR Apache-2.0
/** For require(): the ES module itself. */
import type * as esm from './bytes.js' with { 'resolution-mode': 'import' };

const loaded = require('./bytes.js') as typeof esm;

export const bytesStorage: typeof esm.bytesStorage = loaded.bytesStorage;

export type BytesStorage = esm.BytesStorage;
