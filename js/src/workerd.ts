// SPDX-License-Identifier: MIT OR Apache-2.0
/** The entry for Cloudflare Workers and their kin. */
import { provideHost } from './host.js';
import { host } from './host-workerd.js';

export * from './exports.js';

provideHost(host);
