// SPDX-License-Identifier: MIT OR Apache-2.0
/** Node: modules and snapshots are files. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Host } from './host.js';
import { fileStorage } from './storage/node.js';

async function compile(url: string | URL): Promise<WebAssembly.Module> {
    const text = String(url);
    const isFile = !/^[a-z][a-z0-9+.-]+:/i.test(text) || text.startsWith('file:');
    if (!isFile) throw new Error(`Node reads modules from files, not from ${text}: see wasmBinary`);
    return WebAssembly.compile(await readFile(text.startsWith('file:') ? fileURLToPath(text) : text));
}

function breathe(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
}

export const host: Host = { compile, fileStorage, breathe };
