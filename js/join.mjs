// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * What hosts without a file system load, as few files. A page that no bundler made asks for every file by itself, and each takes its time (docs/BENCHMARKS.md): the 25 modules of web.js become two
 * files, of which one is shared by all entries, so that a store, its storage and its errors are of the same classes wherever they come from. In Node files cost nothing, and stay as they were written.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

/** From the module that is compiled to the file that package.json names: a storage has one for Node as well. */
const ENTRIES = {
    'web.js': 'web.js',
    'workerd.js': 'workerd.js',
    'pool/web.js': 'pool/web.js',
    'pool/pool-worker.js': 'pool/pool-worker.js',
    'storage/opfs.js': 'storage/opfs-web.js',
    'storage/idb.js': 'storage/idb-web.js',
    'storage/bytes.js': 'storage/bytes-web.js',
};
/** Of the modules of web.js these are not shared: they say what the public names are. */
const OWN = ['web.js', 'exports.js'];
/** Nobody imports these after they were joined. */
const ONLY_FOR_WEB = ['host-web.js', 'host-workerd.js', 'pool/workers-web.js'];
/** Beside the WebAssembly modules, which it names by relative paths. */
const SHARED = 'web-shared.js';

const OPTIONS = {
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: ['*.wasm'],
    minifyWhitespace: true,
    metafile: true,
    write: false,
};
const banner = { js: '// SPDX-License-Identifier: MIT OR Apache-2.0' };

/** The modules in `shared` are imported from the shared file. */
const fromShared = (dist, shared, file) => ({
    name: 'from shared',
    setup: ({ onResolve }) =>
        onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
            const isShared = shared.has(relative(dist, join(resolveDir, path)));
            return isShared ? { path: `${dirname(file) === '.' ? '.' : '..'}/${SHARED}`, external: true } : undefined;
        }),
});

/** Below dist, which holds the compiled modules. */
export async function joinForWeb(dist) {
    const read = (file) => readFileSync(join(dist, file), 'utf8');
    /** A text that could be that module, with all that it imports. */
    const joined = (contents, file, plugins = []) => {
        const stdin = { contents, resolveDir: dirname(join(dist, file)), sourcefile: basename(file) };
        return build({ ...OPTIONS, banner, stdin, plugins, absWorkingDir: dist });
    };
    const namesOf = async (file) => Object.values((await joined(read(file), file)).metafile.outputs)[0].exports;

    const { metafile } = await joined(read('web.js'), 'web.js');
    const shared = new Set(Object.keys(metafile.inputs).filter((file) => !OWN.includes(file)));
    shared.add('storage/bytes.js');
    const everything = Array.from(shared, (file) => `export * from './${file}';`).join('\n');
    const outputs = [[SHARED, await joined(everything, SHARED)]];
    for (const [file, out] of Object.entries(ENTRIES)) {
        const contents = shared.has(file) ? `export { ${(await namesOf(file)).join()} } from './${basename(file)}';` : read(file);
        outputs.push([out, await joined(contents, file, [fromShared(dist, shared, file)])]);
    }
    for (const [out, { outputFiles }] of outputs) writeFileSync(join(dist, out), outputFiles[0].text);
    for (const file of ONLY_FOR_WEB) rmSync(join(dist, file));
    // Fails where an entry asks for a name that the shared file has not: `export *` is silent about two modules that have one name.
    await build({ ...OPTIONS, entryPoints: Object.values(ENTRIES), outdir: dist, absWorkingDir: dist });
}
