// SPDX-License-Identifier: MIT OR Apache-2.0
/** twin.mjs FOLDER N - runs `save` of the command line on FOLDER/0.json ... in one process, for twins.test.mjs; writes FOLDER/results.json. */
import { writeFileSync } from 'node:fs';
import { save } from '../../js/dist/cli/save.js';
import { safeText } from '../../js/dist/cli/text.js';

const [folder, n] = process.argv.slice(2);
process.chdir(folder);
process.setMaxListeners(0); // every run listens for signals
const results = [];
for (let i = 0; i < Number(n); i++) {
    try {
        await save(['--input', `${i}.json`, '--output', `${i}.wasm`, '--now', '7']);
        results.push({ status: 0, err: '' });
    } catch ({ status, message, hint }) {
        results.push({ status, err: `Error: ${safeText(message)}\nHint: ${safeText(hint)}\n` });
    }
}
writeFileSync('results.json', JSON.stringify(results));
process.exit(0);
