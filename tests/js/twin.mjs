// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * twin.mjs FOLDER - runs the commands of FOLDER/commands.json with the command line, inside that folder and in one process, for twins.test.mjs. Writes what each
 * said to results.json, and what the snapshot was after it to N.after.
 */
import fs, { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const writeSync = fs.writeSync;
let printed = '';
fs.writeSync = (file, bytes, ...rest) => {
    if (file !== 1) return writeSync(file, bytes, ...rest);
    printed += Buffer.from(bytes).subarray(rest[0] ?? 0);
    return bytes.length - (rest[0] ?? 0);
};
syncBuiltinESMExports();
await import('../../js/dist/index.js'); // provides the host
const { run } = await import('../../js/dist/cli/run.js');
const { safeText } = await import('../../js/dist/cli/text.js');

process.chdir(process.argv[2]);
process.setMaxListeners(0); // every run listens for signals
const results = [];
for (const [i, args] of JSON.parse(readFileSync('commands.json', 'utf8')).entries()) {
    printed = '';
    let [status, err] = [0, ''];
    try {
        await run(args);
    } catch (error) {
        if (error.status === undefined) throw error;
        [status, err] = [error.status, `Error: ${safeText(error.message)}\nHint: ${safeText(error.hint)}\n`];
    }
    results.push({ status, out: printed, err });
    if (existsSync('m.chrono')) copyFileSync('m.chrono', `${i}.after`);
}
writeFileSync('results.json', JSON.stringify(results));
process.exit(0);
