// SPDX-License-Identifier: MIT OR Apache-2.0
/** For require(): the ES module itself. */
import type * as esm from './node.js' with { 'resolution-mode': 'import' };

const loaded = require('./node.js') as typeof esm;

export const fileStorage: typeof esm.fileStorage = loaded.fileStorage;
