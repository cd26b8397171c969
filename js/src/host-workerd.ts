// SPDX-License-Identifier: MIT OR Apache-2.0
/** Cloudflare Workers: bytes are not compiled at run time; an imported .wasm file is a module already. There are no threads. */
import module from './chronomind-st.wasm';
import type { Host } from './host.js';
import { compile, noFiles } from './host-web.js';

function breathe(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 0));
}

export const host: Host = { precompiled: { build: 'single-thread', module }, compile, fileStorage: noFiles, breathe };
