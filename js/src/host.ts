// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * What differs between Node, browsers and hosts that compile ahead of time. The entry of the package (package.json's "exports" choose among index.ts, web.ts and
 * workerd.ts) provides it, and the rest asks for it here: no import has to be resolved by condition within the package, where import maps and workers would fail.
 */
import { ChronoMindError } from './errors.js';
import type { SnapshotStorage } from './storage/storage.js';
import type { Build } from './types.js';

export interface Host {
    /** Of a host that compiles no bytes: what it can run. */
    readonly precompiled?: { readonly build: Build; readonly module: WebAssembly.Module };
    compile(url: string | URL): Promise<WebAssembly.Module>;
    fileStorage(path: string | URL): SnapshotStorage;
    /** Lets timers, events and input run. */
    breathe(): Promise<void>;
}

let provided: Host | undefined;

/** By an entry, while it is loaded. */
export function provideHost(host: Host): void {
    provided = host;
}

export function theHost(): Host {
    if (provided !== undefined) return provided;
    throw new ChronoMindError('CM_E_ENVIRONMENT', "no host was provided: an inner file was loaded instead of 'chronomind'");
}
