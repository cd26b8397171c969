// SPDX-License-Identifier: MIT OR Apache-2.0
/** Which build a host gets: a pure function over what the host offers, and what this host offers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChronoMind, chooseBuild } from '../../js/dist/index.js';

const full = { webAssembly: true, simd: true, threads: true, crossOriginIsolated: undefined };

const choices = [
    ['Node', {}, 'threads', /shared memory/],
    ['an isolated page', { crossOriginIsolated: true }, 'threads', /shared memory/],
    [
        'a page without the headers',
        { crossOriginIsolated: false },
        'single-thread',
        /Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp/,
    ],
    ['an isolated page of a browser without atomics', { crossOriginIsolated: true, threads: false }, 'single-thread', /no shared/],
    ['a host without shared memory', { threads: false }, 'single-thread', /no shared/],
    ['a host without SIMD', { simd: false }, undefined, /SIMD/],
    ['a page without headers and SIMD', { simd: false, crossOriginIsolated: false }, undefined, /SIMD/],
    ['a host without WebAssembly', { webAssembly: false, simd: false, threads: false }, undefined, /no WebAssembly/],
];

for (const [name, features, build, reason] of choices) {
    test(`${name}: ${build ?? 'none'}`, () => {
        const choice = chooseBuild(Object.freeze({ ...full, ...features }));
        assert.equal(choice.build, build);
        assert.match(choice.reason, reason);
    });
}

test('every combination has one answer, and threads only where all of it is there', () => {
    for (let bits = 0; bits < 8; bits++) {
        for (const crossOriginIsolated of [true, false, undefined]) {
            const features = { webAssembly: (bits & 1) > 0, simd: (bits & 2) > 0, threads: (bits & 4) > 0, crossOriginIsolated };
            const { build, reason } = chooseBuild(features);
            assert.equal(build === 'threads', bits === 7 && crossOriginIsolated !== false, JSON.stringify(features));
            assert.equal(build === undefined, (bits & 3) !== 3, JSON.stringify(features));
            assert.ok(reason.length > 0);
        }
    }
});

test('this host has everything, and capabilities() says so', () => {
    assert.deepEqual(ChronoMind.capabilities(), {
        version: '0.1.0',
        build: 'threads',
        reason: 'shared memory and atomics are available',
        features: full,
    });
});

test('a host that validates nothing gets no build', (t) => {
    t.mock.method(WebAssembly, 'validate', () => false);
    const { build, features } = ChronoMind.capabilities();
    assert.equal(build, undefined);
    assert.deepEqual(features, { webAssembly: true, simd: false, threads: false, crossOriginIsolated: undefined });
});
