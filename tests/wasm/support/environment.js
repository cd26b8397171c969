// SPDX-License-Identifier: MIT OR Apache-2.0
// environment.js - lets getenv() see what the C tests ask for. Emscripten shows them an environment of its own.
Module['preRun'] = [].concat(Module['preRun'] || [], function () {
    for (const name of ['CM_TEST_LENGTH', 'TAP_ONLY', 'TAP_SKIP']) {
        if (process.env[name] !== undefined) ENV[name] = process.env[name];
    }
});
