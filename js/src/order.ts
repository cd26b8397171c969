// SPDX-License-Identifier: MIT OR Apache-2.0
/** Order by UTF-8 bytes, as the C side sorts: that of code points, which UTF-16 and therefore `<` does not keep. */
export function compareUtf8(a: string, b: string): number {
    for (let at = 0; ; ) {
        const [x, y] = [a.codePointAt(at), b.codePointAt(at)];
        if (x === undefined || y === undefined) return a.length - b.length;
        if (x !== y) return x - y;
        at += x > 0xffff ? 2 : 1;
    }
}
