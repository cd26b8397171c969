// SPDX-License-Identifier: MIT OR Apache-2.0
// Shows what the app does.
import { run } from './app.js';

const log = document.getElementById('log');

run({}, (line) => log.append(`${line}\n`)).then(
    () => document.body.setAttribute('data-state', 'done'),
    (error) => {
        log.append(`${error.code ?? error.name}: ${error.message}\n`);
        document.body.setAttribute('data-state', 'failed');
    },
);
