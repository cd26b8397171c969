// SPDX-License-Identifier: MIT OR Apache-2.0
// build.mjs [FOLDER] - compiles js/src into js/dist, without the declarations that no user's import leads to, joins what browsers load into few files, and puts both WebAssembly modules
// (from FOLDER, default build/wasm) beside it.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { joinForWeb } from './join.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = process.argv[2] ?? join(root, 'build/wasm');
const dist = join(root, 'js/dist');

for (const name of ['chronomind.wasm', 'chronomind-st.wasm']) {
    if (existsSync(join(modules, name))) continue;
    console.error(`js/build.mjs: ${join(modules, name)} is missing: run wasm/build.sh first`);
    process.exit(1);
}
rmSync(dist, { recursive: true, force: true });
// @langchain/core is there twice, for import and for require, and a class of the one is none of the other: so this file is compiled for both.
const adapter = { module: join(root, 'js/src/langchain.ts'), required: join(root, 'js/src/langchain.cts') };
copyFileSync(adapter.module, adapter.required);
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--project', root], { stdio: 'inherit' });
rmSync(adapter.required);
if (status !== 0) process.exit(status ?? 1);
for (const name of ['chronomind.wasm', 'chronomind-st.wasm']) {
    copyFileSync(join(modules, name), join(dist, name));
    chmodSync(join(dist, name), 0o644);
}
chmodSync(join(dist, 'cli.js'), 0o755);

await joinForWeb(dist);

/** The declarations that package.json's "exports" name, and all that they import. */
function neededDeclarations() {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const entries = JSON.stringify(exports).matchAll(/"types":"([^"]+)"/g);
    const needed = new Set(Array.from(entries, ([, path]) => join(root, path)));
    for (const file of needed) {
        const imported = readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?['"](\.[^'"]+)\.(c?)js['"]/g);
        for (const [, path, c] of imported) needed.add(join(dirname(file), `${path}.d.${c}ts`));
    }
    return needed;
}

const needed = neededDeclarations();
for (const path of readdirSync(dist, { recursive: true })) {
    if (/\.d\.c?ts$/.test(path) && !needed.has(join(dist, path))) rmSync(join(dist, path));
}
