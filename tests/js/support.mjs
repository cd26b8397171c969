// SPDX-License-Identifier: MIT OR Apache-2.0
/** What the tests of the package share: the builds, stores that close themselves, numbers from a seed. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChronoMind } from '../../js/dist/index.js';

export { randomFrom, randomVector } from './random.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The long forms, too. */
export const isFull = process.env.CM_TEST_LENGTH === 'full';

/** The only build of other-build.mjs; undefined: all. */
const other = process.env.CHRONOMIND_TEST_BUILD;

/** Why a test with workers is skipped; false: it is not. */
export const noWorkers = other !== undefined && 'this host shares no memory';

export const BUILDS = other === undefined ? ['threads', 'single-thread'] : ['single-thread'];

const FILES = { threads: 'chronomind.wasm', 'single-thread': 'chronomind-st.wasm', wasi: 'chronomind-wasi.wasm' };

/** A file that another build step makes; without it a test fails instead of proving nothing. */
export function built(path, how) {
    const file = join(root, path);
    assert.ok(existsSync(file), `${path} is missing: ${how}`);
    return file;
}

/** A file of the native build: build/native, or CHRONOMIND_NATIVE. */
export function native(name) {
    return built(join(process.env.CHRONOMIND_NATIVE ?? 'build/native', name), 'run ./build.sh native');
}

/** The bytes of a module: build/wasm or build/wasm-emscripten. */
export function moduleBytes(build, toolchain = 'clang') {
    const [folder, how] =
        toolchain === 'clang'
            ? ['build/wasm', 'bash wasm/build.sh']
            : ['build/wasm-emscripten', 'bash wasm/build.sh --toolchain emscripten --out build/wasm-emscripten'];
    return readFileSync(built(`${folder}/${FILES[build]}`, how));
}

/** Both builds of both toolchains, and the one for WASI hosts. */
export const MODULES = [
    ...['clang', 'emscripten'].flatMap((toolchain) => BUILDS.map((build) => ({ name: `${toolchain} ${build}`, toolchain, build }))),
    { name: 'clang wasi', toolchain: 'clang', build: 'single-thread', file: 'wasi' },
];

const compiled = new Map();

/** One of MODULES for ChronoMind.open(), compiled once. */
export function moduleOf({ name, build, toolchain, file = build }) {
    if (!compiled.has(name)) compiled.set(name, new WebAssembly.Module(moduleBytes(file, toolchain)));
    return compiled.get(name);
}

/** A temporary folder that goes when the test ends. */
export function temporaryFolder(t) {
    const folder = mkdtempSync(join(tmpdir(), 'chronomind-js-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
}

/** A store that is closed when the test ends. */
export async function open(t, options) {
    const mind = await ChronoMind.open(options);
    t.after(() => mind.close());
    return mind;
}

export async function load(t, from, options) {
    const mind = await ChronoMind.load(from, options);
    t.after(() => mind.close());
    return mind;
}

/** Asserts a ChronoMindError of this code whose message matches; gives it back. */
export function refuses(code, message, action) {
    let caught;
    try {
        action();
    } catch (error) {
        caught = error;
    }
    return assertError(caught, code, message);
}

export async function rejects(code, message, action) {
    let caught;
    try {
        await action();
    } catch (error) {
        caught = error;
    }
    return assertError(caught, code, message);
}

function assertError(error, code, message) {
    assert.equal(error?.name, 'ChronoMindError', `${code} expected, got ${error?.stack ?? 'no error'}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return error;
}

/** Of crowd.mjs; on two processors. */
export const CROWD = { nReaders: 3, livesPerSecond: 400 };

/** Judges what runCrowd() says. */
export function isRight(t, { wrong, nWrong, whole, ...rates }) {
    t.diagnostic(JSON.stringify(rates));
    assert.deepEqual(wrong, []);
    assert.equal(nWrong, 0);
    assert.ok(whole, 'check(), size and the table say the same');
    assert.ok(rates.recall >= 0.95, `recall ${rates.recall}`);
    assert.ok(rates.searchesPerSecond > 0 && rates.writesPerSecond > 0 && rates.searchesHere > 0);
}

/** Judges what runDeaths() says. */
export function isWhole(t, { wrong, nWrong, ...figures }) {
    t.diagnostic(JSON.stringify(figures));
    assert.deepEqual(wrong, []);
    assert.equal(nWrong, 0);
    const { retiredFirstHalf, retiredSecondHalf, drained, blockBytes, textBytes, nBusy } = figures;
    assert.ok(nBusy > 0, 'some died in the middle of a change');
    assert.ok(
        retiredSecondHalf <= 2 * retiredFirstHalf + 300,
        `${retiredSecondHalf} wait to be reclaimed, ${retiredFirstHalf} in the first half: the dead hold it`,
    );
    assert.ok(drained < 200, `${drained} wait at the end`);
    assert.ok(blockBytes[1] - blockBytes[0] < textBytes / 10, `${blockBytes} of ${textBytes} bytes written`);
}
