// SPDX-License-Identifier: MIT OR Apache-2.0
/** For require(): the ES module itself. */
import type * as esm from './opfs.js' with { 'resolution-mode': 'import' };

const loaded = require('./opfs.js') as typeof esm;

export const opfsStorage: typeof esm.opfsStorage = loaded.opfsStorage;
