#!/usr/bin/env node
// SPDX-License-Identifier: MIT OR Apache-2.0
/** chronomind, the command line over WebAssembly (docs/CLI.md is the contract; native/cli is its twin). */
import { FAILED, Failure, report } from './cli/report.js';
import { MAIN_HINT, run } from './cli/run.js';
import { provideHost } from './host.js';
import { host } from './host-node.js';

provideHost(host);
process.on('SIGXFSZ', () => {}); // a file beyond `ulimit -f` is then an error to report, not the end

try {
    await run(process.argv.slice(2));
} catch (error) {
    const failure = error instanceof Failure ? error : new Failure(FAILED, String(error), MAIN_HINT);
    process.exit(report(failure));
}
process.exit(0); // standard input may still be open
