// SPDX-License-Identifier: MIT OR Apache-2.0
/** For require(): the ES module itself. */
import type * as esm from './idb.js' with { 'resolution-mode': 'import' };

const loaded = require('./idb.js') as typeof esm;

export const idbStorage: typeof esm.idbStorage = loaded.idbStorage;
