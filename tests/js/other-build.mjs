// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * node --import ./other-build.mjs: a host without shared memory, so that all tests of the package run on the single-thread build; with CHRONOMIND_TEST_BUILD=wasi the module that
 * it gets is the one for WASI hosts. builds.test.mjs runs them so.
 */
import { readFileSync } from 'node:fs';

delete globalThis.SharedArrayBuffer;

if (process.env.CHRONOMIND_TEST_BUILD === 'wasi') {
    const { compile } = WebAssembly;
    const bytes = readFileSync(new URL('../../build/wasm/chronomind-wasi.wasm', import.meta.url));
    const replaced = readFileSync(new URL('../../js/dist/chronomind-st.wasm', import.meta.url));
    WebAssembly.compile = (source) =>
        compile(replaced.equals(new Uint8Array(source.buffer ?? source, source.byteOffset, source.byteLength)) ? bytes : source);
}
