// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * .npy and .fvecs input, with an optional file of ids, as records.
 *
 * Both formats are rows of little-endian floats: .npy says once how many and how long, .fvecs says before each row how long. A row whose length cannot be
 * right is handed on without its numbers: the importer refuses it by its length, as it does for JSON.
 */
import { CM_MAX_DIMENSIONS, CM_MAX_ID_BYTES } from '../generated.js';
import type { Input } from './input.js';
import { InputRecord } from './record.js';
import type { RecordHandler } from './record-reader.js';
import { FAILED, Failure } from './report.js';

const MAX_HEADER_BYTES = 1 << 20;

export interface BulkSource {
    vectors: Input;
    /** Absent: row numbers. */
    ids: Input | undefined;
    /** 0: those of the first vector. */
    dimensions: number;
    handler: RecordHandler;
}

function fail(message: string): never {
    throw new Failure(FAILED, message, "see 'chronomind save --help' for the formats");
}

class Rows {
    readonly #source: BulkSource;
    readonly #record = new InputRecord();
    readonly #numberBytes: 4 | 8;
    #dimensions: number;

    constructor(source: BulkSource, numberBytes: 4 | 8) {
        this.#source = source;
        this.#numberBytes = numberBytes;
        this.#dimensions = source.dimensions;
    }

    begin(): void {
        this.#record.next();
    }

    failAtEnd(): never {
        return fail(`${this.#source.vectors.name}: the file ends inside record ${this.#record.number}`);
    }

    async read(n: number): Promise<void> {
        const record = this.#record;
        await this.#readId();
        record.states.id = record.states.data = 'good';
        if (this.#dimensions > 0 ? n === this.#dimensions : n >= 1 && n <= CM_MAX_DIMENSIONS) {
            await this.#readNumbers(n);
            this.#dimensions = n;
        } else {
            record.nNumbers = n;
        }
        this.#source.handler.take(record);
    }

    async #readId(): Promise<void> {
        const record = this.#record;
        const { ids, vectors } = this.#source;
        if (ids === undefined) {
            record.id = String(record.number - 1);
            return;
        }
        const line = await ids.line(CM_MAX_ID_BYTES);
        if (line === undefined) fail(`${ids.name}: ends after ${record.number - 1} ids, ${vectors.name} holds more vectors`);
        if (line.length === 0) fail(`${ids.name}: line ${record.number} is empty`);
        if (line.length > CM_MAX_ID_BYTES) fail(`${ids.name}: line ${record.number} is longer than ${CM_MAX_ID_BYTES} bytes`);
        record.id = line;
    }

    async #readNumbers(n: number): Promise<void> {
        const bytes = await this.#source.vectors.take(n * this.#numberBytes);
        if (bytes.length < n * this.#numberBytes) this.failAtEnd();
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        for (let at = 0; at < bytes.length; at += this.#numberBytes) {
            this.#record.addNumber(this.#numberBytes === 8 ? view.getFloat64(at, true) : view.getFloat32(at, true));
        }
    }

    async requireNoMoreIds(): Promise<void> {
        const { ids, vectors } = this.#source;
        if (ids === undefined || (await ids.line(CM_MAX_ID_BYTES)) === undefined) return;
        fail(`${ids.name}: holds more ids than ${vectors.name} holds vectors`);
    }
}

export async function readFvecs(source: BulkSource): Promise<void> {
    const rows = new Rows(source, 4);
    for (;;) {
        const start = await source.vectors.take(4);
        if (start.length === 0) return rows.requireNoMoreIds();
        rows.begin();
        if (start.length < 4) rows.failAtEnd();
        await rows.read(new DataView(start.buffer, start.byteOffset).getUint32(0, true));
    }
}

export async function readNpy(source: BulkSource): Promise<void> {
    const { numberBytes, nRows, nColumns } = await readNpyHeader(source.vectors);
    const rows = new Rows(source, numberBytes);
    for (let i = 0; i < nRows; i++) {
        rows.begin();
        await rows.read(nColumns);
    }
    const more = await source.vectors.take(1);
    if (more.length > 0) fail(`${source.vectors.name}: the file goes on after its last record`);
    await rows.requireNoMoreIds();
}

interface NpyHeader {
    numberBytes: 4 | 8;
    nRows: number;
    nColumns: number;
}

async function readNpyHeader(input: Input): Promise<NpyHeader> {
    const text = await readHeaderText(input);
    const descr = /'descr' *: *'([^']{0,63})'/.exec(text)?.[1];
    const order = /'fortran_order' *: *(True|False)/.exec(text)?.[1];
    const shape = /'shape' *: *\( *((?:\d{1,16} *(?:, *|(?=\)))){0,31})\)/.exec(text)?.[1];
    if (descr === undefined || order === undefined || shape === undefined) return fail(`${input.name}: not a .npy file`);
    if (descr !== '<f4' && descr !== '<f8') fail(`${input.name}: .npy dtype '${descr}' is not supported: need <f4 or <f8`);
    if (order === 'True') fail(`${input.name}: .npy data is in Fortran order: need C order`);
    const axes = shape.match(/\d+/g) ?? [];
    if (axes.length !== 2) fail(`${input.name}: .npy shape has ${axes.length} dimensions: need 2 (vectors, numbers)`);
    return { numberBytes: descr === '<f8' ? 8 : 4, nRows: Number(axes[0]), nColumns: Number(axes[1]) };
}

/** Bytes that must be there. */
async function takeHeader(input: Input, nBytes: number): Promise<Uint8Array> {
    const bytes = await input.take(nBytes);
    return bytes.length === nBytes ? bytes : fail(`${input.name}: not a .npy file`);
}

async function readHeaderText(input: Input): Promise<string> {
    const start = await takeHeader(input, 8);
    if (Buffer.from(start.subarray(0, 6)).toString('latin1') !== '\x93NUMPY') fail(`${input.name}: not a .npy file`);
    const [major, minor] = [start[6] as number, start[7] as number];
    if (major < 1 || major > 3 || minor !== 0) fail(`${input.name}: .npy version ${major}.${minor} is not supported`);
    const length = await takeHeader(input, major === 1 ? 2 : 4);
    const nBytes = length.reduceRight((sum, byte) => sum * 256 + byte, 0);
    if (nBytes > MAX_HEADER_BYTES) fail(`${input.name}: not a .npy file`);
    return Buffer.from(await takeHeader(input, nBytes)).toString('latin1');
}
