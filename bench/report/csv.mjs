// SPDX-License-Identifier: MIT OR Apache-2.0
// csv.mjs - the files that benchmarks write: one header line, fields in double quotes where they hold a comma.

const NUMBERS = new Set(['threads', 'recall', 'median', 'min', 'max', 'rounds', 'distances', 'bytes', 'p50_us', 'p99_us', 'p999_us']);

function fields(line) {
    return [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map((match) => match[1] ?? match[2]);
}

/** Rows as objects; numbers are numbers, and empty fields of theirs undefined. */
export function parse(text) {
    const [header, ...lines] = text.trim().split('\n');
    const names = fields(header);
    return lines.map((line) => {
        const values = fields(line);
        if (values.length !== names.length) throw new Error(`${values.length} fields instead of ${names.length}: ${line}`);
        return Object.fromEntries(
            names.map((name, i) => [name, !NUMBERS.has(name) ? values[i] : values[i] === '' ? undefined : Number(values[i])]),
        );
    });
}
