// SPDX-License-Identifier: MIT OR Apache-2.0
/** The entry for Node, Deno and Bun. */
import { provideHost } from './host.js';
import { host } from './host-node.js';

export * from './exports.js';

provideHost(host);
