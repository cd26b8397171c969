// SPDX-License-Identifier: MIT OR Apache-2.0
// host.js - what platform/wasm imports, as an Emscripten library: here for the C tests, in js/src/loader.ts for everybody else.
mergeInto(LibraryManager.library, {
    now_ms: function () {
        return Date.now();
    },
    monotonic_ms: function () {
        return performance.now();
    },
    random_u32: function () {
        return require('crypto').randomBytes(4).readUInt32LE(0);
    },
});
