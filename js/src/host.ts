// SPDX-License-Identifier: MIT OR Apache-2.0
/** What differs between Node and browsers. package.json's "imports" map `#host` to host-node.ts or host-web.ts. */
import type { Source } from './loader.js';

/** Replaces a file at once: until commit() nothing is changed, and after abort() nothing remains. */
export interface FileWriter {
    write(bytes: Uint8Array): void;
    commit(): void;
    abort(): void;
}

export interface FileReader extends Source {
    close(): void;
}

export interface Host {
    compile(url: string | URL): Promise<WebAssembly.Module>;
    /** undefined: there is no such file. */
    openFile(path: string | URL): FileReader | undefined;
    createFile(path: string | URL): FileWriter;
    /** Lets timers, events and input run. */
    breathe(): Promise<void>;
}
