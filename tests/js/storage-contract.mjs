// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The contract of js/src/storage/storage.ts, as behaviours that hold for every storage: storage.test.mjs runs them over files and bytes in Node,
 * tests/browser/storage.test.mjs over OPFS and IndexedDB in pages and workers. What needs a second tab or a death in the middle is there only.
 *
 * It imports nothing, for it runs in browsers. A behaviour gets the package and a function that makes the storage of a name of its own.
 */

export const SEED = 20261127;

export function equal(found, expected, what) {
    const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
    if (a !== b) throw new Error(`${what}: expected ${b}, found ${a}`);
}

export async function rejects(code, message, action, what) {
    const error = await action().then(
        () => undefined,
        (reason) => reason,
    );
    equal(error?.code ?? String(error), code, what);
    if (!message.test(error.message)) throw new Error(`${what}: ${message} does not match "${error.message}"`);
}

/** The same bytes on every machine. */
function bytesFrom(seed, length) {
    let state = (seed + SEED) >>> 0;
    return Uint8Array.from({ length }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state >>> 24;
    });
}

/** Position of the first difference; -1: there is none. */
function difference(a, b) {
    if (a.length !== b.length) return Math.min(a.length, b.length);
    return a.findIndex((byte, i) => byte !== b[i]);
}

async function write(storage, bytes, partBytes = bytes.length) {
    const writer = await storage.write();
    for (let at = 0; at < bytes.length; at += partBytes) writer.write(bytes.subarray(at, at + partBytes));
    await writer.commit();
}

async function read(storage) {
    const reader = await storage.read();
    if (reader === undefined) return undefined;
    const bytes = new Uint8Array(reader.nBytes);
    reader.read(0, bytes);
    reader.close();
    return bytes;
}

async function holds(storage, expected, what) {
    const found = await read(storage);
    equal(found === undefined ? 'nothing' : difference(found, expected), -1, what);
}

/** Large enough for several pieces of every storage. */
const LARGE = { dimensions: 1024, maxMemories: 700, efConstruction: 8, m: 4 };

function fill(mind, n, first = 0) {
    for (let i = first; i < first + n; i++) mind.insert({ id: `m${i}`, vector: bytesFrom(i, mind.config.dimensions), timestamp: 0 });
}

function event() {
    let happen;
    const happened = new Promise((resolve) => {
        happen = resolve;
    });
    return { happen, happened };
}

/** As the storage is, but its writers stop at the nth write. */
function failingAt(storage, n) {
    return {
        ...storage,
        async write() {
            const writer = await storage.write();
            let count = 0;
            return {
                ...writer,
                write(bytes) {
                    if (++count === n) throw new Error('unplugged');
                    writer.write(bytes);
                },
            };
        },
    };
}

export const behaviours = {
    'a place where nothing was saved has no snapshot': async ({ ChronoMind }, storage) => {
        equal(await storage().read(), undefined, 'read()');
        await rejects('CM_E_IO', /nothing was saved there/, () => ChronoMind.load({ storage: storage() }), 'load()');
        await rejects('CM_E_IO', /nothing was saved there/, () => ChronoMind.open({ storage: storage(), readOnly: true }), 'read only');
        equal(await storage().read(), undefined, 'read() after it');
    },

    'parts of every size come back, at any offset': async (_, storage) => {
        const bytes = bytesFrom(1, 2_700_001);
        for (const partBytes of [bytes.length, 65_537, 1 << 20]) {
            await write(storage(), bytes, partBytes);
            await holds(storage(), bytes, `parts of ${partBytes}`);
        }
        const reader = await storage().read();
        for (const [from, to] of [
            [0, 1],
            [1_048_575, 1_048_577],
            [3, 2_100_000],
            [2_700_000, 2_700_001],
            [5, 5],
        ]) {
            const part = new Uint8Array(to - from);
            reader.read(from, part);
            equal(difference(part, bytes.subarray(from, to)), -1, `${from} to ${to}`);
        }
        let error;
        try {
            reader.read(2_700_000, new Uint8Array(2));
        } catch (thrown) {
            error = thrown;
        }
        equal(error?.code, 'CM_E_IO', 'beyond the end');
        reader.close();
    },

    'a writer may reuse the memory of a part once write() is over': async (_, storage) => {
        const part = new Uint8Array(1000);
        const writer = await storage().write();
        for (let i = 0; i < 5; i++) writer.write(part.fill(i));
        await writer.commit();
        await holds(
            storage(),
            Uint8Array.from({ length: 5000 }, (__, i) => Math.floor(i / 1000)),
            'the parts',
        );
    },

    'the old snapshot is there until commit(), and stays after abort()': async (_, storage) => {
        const [old, young] = [bytesFrom(1, 3_000_000), bytesFrom(2, 1_500_000)];
        const first = await storage().write();
        first.write(old);
        equal(await read(storage()), undefined, 'before the first commit');
        await first.abort();
        equal(await read(storage()), undefined, 'after the first abort');
        await write(storage(), old);
        const writer = await storage().write();
        writer.write(young);
        await holds(storage(), old, 'before commit');
        await writer.abort();
        await holds(storage(), old, 'after abort');
        await write(storage(), young);
        await holds(storage(), young, 'a shorter one leaves nothing of the longer');
    },

    'a reader keeps the snapshot it found': async (_, storage) => {
        const [old, young] = [bytesFrom(3, 2_000_000), bytesFrom(4, 2_000_000)];
        await write(storage(), old);
        const reader = await storage().read();
        await write(storage(), young);
        const found = new Uint8Array(reader.nBytes);
        reader.read(0, found);
        equal(difference(found, old), -1, 'the old one');
        reader.close();
        await holds(storage(), young, 'the new one');
    },

    'whoever reads while others write finds one of the snapshots, whole': async (_, storage) => {
        const versions = [5, 6, 7].map((seed) => bytesFrom(seed, 1_200_000 + seed * 100_000));
        await write(storage(), versions[0]);
        let isOver = false;
        const writing = (async () => {
            for (let i = 1; i <= 12; i++) await write(storage(), versions[i % 3], 400_000);
            isOver = true;
        })();
        let nReads = 0;
        while (!isOver || nReads < 3) {
            const found = await read(storage());
            equal(
                versions.some((version) => difference(found, version) === -1),
                true,
                `read ${nReads++} is whole`,
            );
            if (nReads > 10_000) throw new Error('the writer does not end');
        }
        await writing;
    },

    'a store comes back as it was saved, and goes back where it came from': async ({ ChronoMind }, storage) => {
        const first = await ChronoMind.open({ ...LARGE, storage: storage() });
        fill(first, 500);
        await first.save();
        const bytes = first.toBytes();
        equal(bytes.length > 2 << 20, true, `${bytes.length} bytes are more than two pieces`);
        first.close();
        await holds(storage(), bytes, 'save() writes what toBytes() gives');
        const second = await ChronoMind.load({ storage: storage() });
        equal(second.size, 500, 'size');
        fill(second, 10, 500);
        await second.save();
        second.close();
        const third = await ChronoMind.open({ dimensions: 1024, storage: storage() });
        third.check();
        equal([third.size, third.has('m509'), third.config.m], [510, true, 4], 'after the second save');
        third.close();
    },

    'an exception in the middle of a save leaves the old snapshot, and the store usable': async ({ ChronoMind }, storage) => {
        const first = await ChronoMind.open({ ...LARGE, storage: storage() });
        fill(first, 300);
        await first.save();
        const old = first.toBytes();
        first.close();
        const second = await ChronoMind.open({ storage: failingAt(storage(), 2) });
        fill(second, 100, 300);
        const error = await second.save().catch((reason) => reason);
        equal(error.message, 'unplugged', 'what was thrown');
        await holds(storage(), old, 'the old one');
        second.check();
        equal(second.size, 400, 'the store');
        second.close();
        const third = await ChronoMind.open({ storage: storage() });
        equal(third.size, 300, 'opened again');
        fill(third, 1, 300);
        await third.save();
        third.close();
        equal((await read(storage())).length > 0, true, 'the next save');
    },

    'a damaged snapshot is not opened, not changed, and not kept locked': async ({ ChronoMind }, storage) => {
        const mind = await ChronoMind.open({ ...LARGE, storage: storage() });
        fill(mind, 100);
        const damaged = mind.toBytes();
        mind.close();
        damaged[damaged.length >> 1] ^= 1;
        await write(storage(), damaged);
        for (let i = 0; i < 2; i++) await rejects('CM_E_CORRUPT', /./, () => ChronoMind.open({ storage: storage() }), 'open()');
        await rejects('CM_E_CORRUPT', /./, () => ChronoMind.load({ storage: storage() }), 'load()');
        await holds(storage(), damaged, 'the bytes');
        await write(storage(), bytesFrom(9, 5000));
        await rejects('CM_E_NOT_SNAPSHOT', /./, () => ChronoMind.open({ storage: storage() }), 'noise');
    },

    'the snapshot of other vectors is refused, and not kept locked': async ({ ChronoMind }, storage) => {
        const mind = await ChronoMind.open({ dimensions: 4, storage: storage() });
        await mind.save();
        mind.close();
        const wrong = () => ChronoMind.open({ dimensions: 5, storage: storage() });
        for (let i = 0; i < 2; i++) await rejects('CM_E_CONFIG', /dimensions is 5: the snapshot .* has 4/, wrong, 'open()');
    },

    'saves of one store take turns, and close() in the meantime harms none that writes': async ({ ChronoMind }, storage) => {
        const mind = await ChronoMind.open({ ...LARGE, storage: storage() });
        fill(mind, 200);
        const first = mind.save();
        fill(mind, 1, 200);
        const others = [mind.save(), mind.save({ storage: storage() })];
        await Promise.all([first, ...others]);
        const late = mind.save();
        late.catch(() => {});
        mind.close();
        await rejects('CM_E_CLOSED', /closed/, () => late, 'a save whose turn did not come');
        await rejects('CM_E_CLOSED', /closed/, () => mind.save(), 'a save of what is closed');
        const again = await ChronoMind.open({ storage: storage() });
        equal(again.size, 201, 'the last state');
        again.close();
    },

    'close() while a save is being written: it ends, and only then is the place free': async ({ ChronoMind }, storage) => {
        const [gate, begun] = [event(), event()];
        const write = async () => {
            const writer = await storage().write();
            const commit = async () => {
                begun.happen();
                await gate.happened;
                await writer.commit();
            };
            return { ...writer, commit };
        };
        const mind = await ChronoMind.open({ dimensions: 4, storage: { ...storage(), write } });
        mind.insert({ id: 'a', vector: [1, 2, 3, 4] });
        const save = mind.save();
        await begun.happened;
        mind.close();
        const early = ChronoMind.open({ dimensions: 4, storage: storage() });
        if (storage().lock !== undefined) await rejects('CM_E_LOCKED', /another tab, worker or store/, () => early, 'open() meanwhile');
        else (await early).close();
        gate.happen();
        await save;
        const next = await ChronoMind.open({ storage: storage() });
        equal(next.has('a'), true, 'what was saved');
        next.close();
    },

    'a store that is read only changes in memory, and does not save where it came from': async ({ ChronoMind }, storage) => {
        const mind = await ChronoMind.open({ dimensions: 4, storage: storage() });
        mind.insert({ id: 'a', vector: [1, 2, 3, 4] });
        await mind.save();
        const old = await read(storage());
        const reader = await ChronoMind.open({ storage: storage(), readOnly: true });
        const loaded = await ChronoMind.load({ storage: storage() }, { readOnly: true });
        for (const store of [reader, loaded]) {
            store.insert({ id: 'b', vector: [4, 3, 2, 1] });
            await rejects('CM_E_READ_ONLY', /readOnly/, () => store.save(), 'save()');
            equal(store.size, 2, 'in memory');
        }
        await holds(storage(), old, 'the snapshot');
        for (const store of [mind, reader, loaded]) store.close();
    },

    'where there are locks, one store writes: the next is told so, until the first is closed': async ({ ChronoMind }, storage) => {
        if (storage().lock === undefined) {
            const both = [
                await ChronoMind.open({ dimensions: 4, storage: storage() }),
                await ChronoMind.open({ dimensions: 4, storage: storage() }),
            ];
            for (const mind of both) await mind.save();
            for (const mind of both) mind.close();
            return;
        }
        const mind = await ChronoMind.open({ dimensions: 4, storage: storage() });
        await mind.save();
        const other = await ChronoMind.open({ dimensions: 4 });
        await rejects('CM_E_LOCKED', /readOnly: true/, () => ChronoMind.open({ storage: storage() }), 'open()');
        await rejects('CM_E_LOCKED', /readOnly: true/, () => ChronoMind.load({ storage: storage() }), 'load()');
        await rejects('CM_E_LOCKED', /another tab, worker or store/, () => other.save({ storage: storage() }), 'save(place)');
        mind.close();
        for (let i = 0; i < 20; i++) {
            const next = await ChronoMind.open({ storage: storage() });
            if (i % 2 === 0) await next.save();
            next.close();
        }
        for (let i = 0; i < 3; i++) await other.save({ storage: storage() });
        other.close();
    },
};
