// SPDX-License-Identifier: MIT OR Apache-2.0
/** Browsers, and every other host without a file system. */
import { ChronoMindError } from './errors.js';
import type { Host } from './host.js';

/** Servers that answer every unknown address with their first page hide what is wrong. */
const NOT_BUNDLED = "the bundler did not take it along (Vite before 8: optimizeDeps: { exclude: ['chronomind'] }); see wasmUrl";

/** Compiles while loading; from the bytes where a server sends another MIME type than application/wasm. */
export async function compile(url: string | URL): Promise<WebAssembly.Module> {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText} for ${url}`);
    const type = response.headers.get('content-type') ?? '';
    if (type.startsWith('text/html')) throw new Error(`${url} is a page and no module: ${NOT_BUNDLED}`);
    if (type.startsWith('application/wasm') && typeof WebAssembly.compileStreaming === 'function') {
        return WebAssembly.compileStreaming(response);
    }
    return WebAssembly.compile(await response.arrayBuffer());
}

export function noFiles(): never {
    throw new ChronoMindError('CM_E_ENVIRONMENT', 'this host has no file system: use { opfs }, { idb }, or load(bytes) and toBytes()');
}

/** A message to oneself: browsers let a chain of timers wait 4 ms each. */
function breathe(): Promise<void> {
    return new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
            port1.close();
            resolve();
        };
        port2.postMessage(null);
    });
}

export const host: Host = { compile, fileStorage: noFiles, breathe };
