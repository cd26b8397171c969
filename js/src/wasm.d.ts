// SPDX-License-Identifier: MIT OR Apache-2.0
/** What an imported module is where hosts compile ahead of time (host-workerd.ts). */
declare module '*.wasm' {
    const module: WebAssembly.Module;
    export default module;
}
