// SPDX-License-Identifier: MIT OR Apache-2.0
/** Fetches word vectors from serve.mjs, saying how far it is. For workers and the page. */

/** The body in one buffer, reported as it comes. */
async function bodyOf(response, onProgress) {
    const total = Number(response.headers.get('Content-Length'));
    const bytes = new Uint8Array(total);
    let done = 0;
    for (const reader = response.body.getReader(); ; ) {
        const { value } = await reader.read();
        if (value === undefined) break;
        bytes.set(value, done);
        done += value.length;
        onProgress?.(done, total);
    }
    if (done !== total) throw new Error(`the server sent ${done} of ${total} bytes`);
    return bytes.buffer;
}

/** `count` words from the place `from` on in the order of frequency: fewer at the end of the list. */
export async function fetchWords(from, count, onProgress) {
    const response = await fetch(`/words.bin?from=${from}&count=${count}`);
    if (!response.ok) throw new Error(`the word vectors did not come: ${response.status} ${response.statusText}`);
    const buffer = await bodyOf(response, onProgress);
    const [n, dimensions, textBytes] = new Uint32Array(buffer, 0, 3);
    const words = n === 0 ? [] : new TextDecoder().decode(new Uint8Array(buffer, 12, textBytes)).split('\n');
    const vectors = new Float32Array(buffer, 12 + ((textBytes + 3) & ~3), n * dimensions);
    return { words, dimensions, vectorAt: (i) => vectors.subarray(i * dimensions, (i + 1) * dimensions) };
}
