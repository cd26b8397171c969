// SPDX-License-Identifier: MIT OR Apache-2.0
/** The entry for browsers, with a bundler or without: it and all that it loads are imported by relative paths, because module workers have no import maps. */
import { provideHost } from './host.js';
import { host } from './host-web.js';

export * from './exports.js';

provideHost(host);
