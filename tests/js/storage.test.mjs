// SPDX-License-Identifier: MIT OR Apache-2.0
/** The storage contract over files and bytes, and how places are named. That of browsers: tests/browser/storage.test.mjs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs, { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import * as chronomind from '../../js/dist/index.js';
import { bytesStorage } from '../../js/dist/storage/bytes.js';
import { idbStorage } from '../../js/dist/storage/idb.js';
import { fileStorage } from '../../js/dist/storage/node.js';
import { opfsStorage } from '../../js/dist/storage/opfs.js';
import { behaviours, SEED } from './storage-contract.mjs';
import { open, refuses, rejects, root, temporaryFolder } from './support.mjs';

const { ChronoMind } = chronomind;

for (const [title, behaviour] of Object.entries(behaviours)) {
    test(`files: ${title}`, async (t) => {
        t.diagnostic(`seed ${SEED}`);
        const folder = temporaryFolder(t);
        await behaviour(chronomind, () => fileStorage(join(folder, 'm.chrono')));
        const left = readdirSync(folder).filter((name) => name !== 'm.chrono');
        assert.deepEqual(left, [], 'no temporary file stays');
    });

    test(`bytes: ${title}`, () => {
        const storage = bytesStorage();
        return behaviour(chronomind, () => storage);
    });
}

test('a file whose permissions cannot be copied stays, and nothing beside it', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'a.chrono');
    const mind = await open(t, { dimensions: 2 });
    await mind.save({ path });
    const before = readFileSync(path);
    mind.insert({ id: 'x', vector: [1, 2] });
    const { fchmodSync } = fs;
    t.after(() => {
        fs.fchmodSync = fchmodSync;
        syncBuiltinESMExports();
    });
    fs.fchmodSync = () => {
        throw Object.assign(new Error('EPERM: operation not permitted, fchmod'), { code: 'EPERM' });
    };
    syncBuiltinESMExports();
    await rejects('CM_E_IO', /a\.chrono/, () => mind.save({ path }));
    assert.deepEqual(readdirSync(folder), ['a.chrono']);
    assert.deepEqual(readFileSync(path), before);
});

test('path is the file storage: open, save, save elsewhere, load', async (t) => {
    const folder = temporaryFolder(t);
    const [path, other] = [join(folder, 'a.chrono'), join(folder, 'b.chrono')];
    const mind = await open(t, { dimensions: 2, path });
    mind.insert({ id: 'x', vector: [1, 2] });
    await mind.save();
    await mind.save({ path: other });
    await mind.save({ storage: fileStorage(pathToFileURL(join(folder, 'c.chrono'))) });
    for (const name of ['a', 'b', 'c']) assert.deepEqual(readFileSync(join(folder, `${name}.chrono`)), Buffer.from(mind.toBytes()));
    const copy = await ChronoMind.load({ path: other });
    copy.insert({ id: 'y', vector: [2, 1] });
    await copy.save();
    copy.close();
    assert.notDeepEqual(readFileSync(other), readFileSync(path));
    const bytes = bytesStorage();
    await mind.save({ storage: bytes });
    assert.deepEqual(bytes.bytes, mind.toBytes());
});

test('two stores of bytes are two places', async (t) => {
    const [first, second] = [bytesStorage(), bytesStorage()];
    const mind = await open(t, { dimensions: 2, storage: first });
    await mind.save({ storage: second });
    assert.equal(first.bytes, undefined);
    const reader = await open(t, { storage: second, readOnly: true });
    await reader.save({ storage: first });
    assert.deepEqual(first.bytes, second.bytes);
    await rejects('CM_E_READ_ONLY', /bytes \d+ was opened with readOnly/, () => reader.save({ storage: second }));
});

test('a file that is read only by name stays so under another spelling of its path', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'm.chrono');
    const mind = await open(t, { dimensions: 2, path });
    await mind.save();
    const reader = await open(t, { path, readOnly: true });
    for (const same of [path, `${folder}/./m.chrono`, pathToFileURL(path)]) {
        await rejects('CM_E_READ_ONLY', /m\.chrono was opened with readOnly/, () => reader.save(same));
    }
    await reader.save(join(folder, 'copy.chrono'));
    assert.ok(existsSync(join(folder, 'copy.chrono')));
});

test('places that are none', async (t) => {
    const mind = await open(t, { dimensions: 2 });
    await rejects('CM_E_ARGUMENT', /^path and idb are both given/, () => ChronoMind.open({ path: 'x', idb: 'y' }));
    await rejects('CM_E_ARGUMENT', /^opfs and storage are both given/, () => mind.save({ opfs: 'x', storage: bytesStorage() }));
    for (const storage of [5, null, {}, { name: 'x', read() {} }, { ...bytesStorage(), lock: true }]) {
        await rejects('CM_E_ARGUMENT', /^storage is .*must have a name and the functions/, () => ChronoMind.open({ storage }));
    }
    for (const place of [5, null, {}, { pth: 'x' }, new Uint8Array(3)]) {
        await rejects('CM_E_ARGUMENT', /^save\(\) got .*must be a path, or one of|^save\(\) got/, () => mind.save(place));
    }
    await rejects('CM_E_ARGUMENT', /^save\(\) needs a path/, () => mind.save());
    await rejects('CM_E_ARGUMENT', /^readOnly is 1/, () => ChronoMind.open({ storage: bytesStorage(), readOnly: 1 }));
    await rejects('CM_E_ARGUMENT', /^readOnly is true, but/, () => ChronoMind.open({ readOnly: true }));
    await rejects('CM_E_ARGUMENT', /^readOnly is true, but/, () => ChronoMind.load(mind.toBytes(), { readOnly: true }));
    for (const name of ['', '/', 'a//b', '../a', 'a/.', 5, null]) {
        refuses('CM_E_ARGUMENT', /^opfs is .*must be a name/, () => opfsStorage(name));
        if (typeof name !== 'string' || name === '') refuses('CM_E_ARGUMENT', /^idb must be a name/, () => idbStorage(name));
    }
});

test('Node has no OPFS and no IndexedDB: the error says what it has', async (t) => {
    const mind = await open(t, { dimensions: 2 });
    await rejects('CM_E_ENVIRONMENT', /no origin private file system.*\{ path \}/, () => ChronoMind.open({ opfs: 'x' }));
    await rejects('CM_E_ENVIRONMENT', /no IndexedDB.*\{ path \}/, () => ChronoMind.open({ idb: 'x' }));
    await rejects('CM_E_ENVIRONMENT', /\{ path \}/, () => mind.save({ opfs: 'x' }));
    await rejects('CM_E_ENVIRONMENT', /\{ path \}/, () => mind.save({ idb: 'x' }));
});

test('a process that is killed in the middle of a save leaves the old file, and its temporary one is no obstacle', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'm.chrono');
    const mind = await open(t, { dimensions: 1024, maxMemories: 400, path });
    mind.insert({ id: 'old', vector: new Float32Array(1024).fill(1) });
    await mind.save();
    const old = readFileSync(path);
    const script = join(folder, 'killed.mjs');
    writeFileSync(
        script,
        `import { ChronoMind } from ${JSON.stringify(pathToFileURL(join(root, 'js/dist/index.js')).href)};
        import { fileStorage } from ${JSON.stringify(pathToFileURL(join(root, 'js/dist/storage/node.js')).href)};
        const storage = fileStorage(${JSON.stringify(path)});
        const write = async () => {
            const writer = await storage.write();
            let n = 0;
            return { ...writer, write(bytes) { writer.write(bytes); if (++n === 2) process.kill(process.pid, 'SIGKILL'); } };
        };
        const mind = await ChronoMind.open({ storage: { ...storage, write } });
        for (let i = 0; i < 300; i++) mind.insert({ id: 'm' + i, vector: new Float32Array(1024).fill(i + 1) });
        await mind.save();`,
    );
    const { signal, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    assert.equal(signal, 'SIGKILL', stderr);
    assert.ok(
        readdirSync(folder).some((name) => name.endsWith('.tmp')),
        'it was in the middle',
    );
    assert.deepEqual(readFileSync(path), old);
    mind.insert({ id: 'new', vector: new Float32Array(1024).fill(2) });
    await mind.save();
    const copy = await ChronoMind.load(path);
    assert.equal(copy.size, 2);
    copy.check();
    copy.close();
});
