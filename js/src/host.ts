// SPDX-License-Identifier: MIT OR Apache-2.0
/** What differs between Node and browsers. package.json's "imports" map `#host` to host-node.ts or host-web.ts. */
import type { SnapshotStorage } from './storage/storage.js';

export interface Host {
    compile(url: string | URL): Promise<WebAssembly.Module>;
    fileStorage(path: string | URL): SnapshotStorage;
    /** Lets timers, events and input run. */
    breathe(): Promise<void>;
}
