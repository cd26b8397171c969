// SPDX-License-Identifier: MIT OR Apache-2.0
/** Which build a host can run: one look at the host, and one pure function that decides. */
import type { Build, Features } from './types.js';

/** A function that returns a v128 constant. */
const SIMD_MODULE = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

/** A shared memory of one page and a function with i32.atomic.load. */
const THREADS_MODULE = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 65, 0, 254, 16, 2, 0, 26, 11,
];

/** The headers that isolate a page, so that it may share memory. */
export const ISOLATION_HEADERS = 'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';

function validates(bytes: number[]): boolean {
    return WebAssembly.validate(new Uint8Array(bytes));
}

export function detectFeatures(): Features {
    const webAssembly = typeof WebAssembly === 'object' && typeof WebAssembly.validate === 'function';
    return {
        webAssembly,
        simd: webAssembly && validates(SIMD_MODULE),
        threads: webAssembly && typeof SharedArrayBuffer === 'function' && validates(THREADS_MODULE),
        crossOriginIsolated: isolation(),
    };
}

/** Only browsers isolate pages; Node, Deno and Bun share memory among their workers in any case. */
function isolation(): boolean | undefined {
    const host = globalThis as { crossOriginIsolated?: boolean; process?: { versions?: { node?: string } } };
    return host.process?.versions?.node === undefined ? host.crossOriginIsolated : undefined;
}

export interface Choice {
    build: Build | undefined;
    reason: string;
}

/**
 * Which build a host with these features gets, and why. A browser lets a page make shared memories that it then refuses to post, so isolation decides and not a try.
 */
export function chooseBuild(features: Features): Choice {
    if (!features.webAssembly) return { build: undefined, reason: 'this host has no WebAssembly' };
    if (!features.simd) return { build: undefined, reason: 'this host has WebAssembly without SIMD: update it' };
    if (features.crossOriginIsolated === false) {
        return {
            build: 'single-thread',
            reason: `this page is not cross-origin isolated, so workers cannot share a store: send ${ISOLATION_HEADERS}`,
        };
    }
    if (!features.threads) return { build: 'single-thread', reason: 'this host has no shared WebAssembly memory' };
    return { build: 'threads', reason: 'shared memory and atomics are available' };
}
