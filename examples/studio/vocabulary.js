// SPDX-License-Identifier: MIT OR Apache-2.0
/** From typed text to a vector: the mean of the directions of its words. The last word may be unfinished: the most frequent one that begins so is taken. */

export class Vocabulary {
    /** In the order of frequency. */
    #words = [];
    #vectorOf = new Map();

    add(word, vector) {
        this.#words.push(word);
        this.#vectorOf.set(word, vector);
    }

    has(word) {
        return this.#vectorOf.has(word);
    }

    /** { vector, words, unknown }; the vector is undefined when no word is known. `more(word)` knows words that are not in here. */
    read(text, more) {
        const typed = text.toLowerCase().split(/\s+/).filter(Boolean);
        const isOpen = !/\s$/.test(text);
        const words = [];
        const unknown = [];
        let vector;
        typed.forEach((word, i) => {
            const isLast = i === typed.length - 1;
            const found = this.#find(word, isLast && isOpen, more);
            if (found === undefined) unknown.push(word);
            else {
                words.push(found.word);
                vector = sum(vector, found.vector);
            }
        });
        return { vector, words, unknown };
    }

    #find(word, isUnfinished, more) {
        const vector = this.#vectorOf.get(word) ?? more(word);
        if (vector !== undefined) return { word, vector };
        const whole = isUnfinished ? this.#words.find((candidate) => candidate.startsWith(word)) : undefined;
        return whole === undefined ? undefined : { word: whole, vector: this.#vectorOf.get(whole) };
    }
}

/** Adds the direction of `vector`: long ones must not count for more. */
function sum(before, vector) {
    const length = Math.hypot(...vector);
    return vector.map((x, i) => (before?.[i] ?? 0) + x / length);
}
