// SPDX-License-Identifier: MIT OR Apache-2.0
/** Principal components: the two directions along which the directions of the vectors differ most, by power iteration on their covariance. */

const ITERATIONS = 60;

/** Calls `visit(unit)` with every vector at length 1: nearness in the store is by angle. The array is the same each time. */
function forEachUnit(vectors, dimensions, visit) {
    const unit = new Float64Array(dimensions);
    for (let at = 0; at < vectors.length; at += dimensions) {
        let square = 0;
        for (let d = 0; d < dimensions; d++) square += vectors[at + d] ** 2;
        const factor = square > 0 ? 1 / Math.sqrt(square) : 0;
        for (let d = 0; d < dimensions; d++) unit[d] = vectors[at + d] * factor;
        visit(unit, at / dimensions);
    }
}

function meanOf(vectors, dimensions) {
    const mean = new Float64Array(dimensions);
    forEachUnit(vectors, dimensions, (unit) => {
        for (let d = 0; d < dimensions; d++) mean[d] += unit[d];
    });
    return mean.map((x) => (x * dimensions) / vectors.length);
}

function covarianceOf(vectors, dimensions, mean) {
    const sums = new Float64Array(dimensions * dimensions);
    const centred = new Float64Array(dimensions);
    forEachUnit(vectors, dimensions, (unit) => {
        for (let d = 0; d < dimensions; d++) centred[d] = unit[d] - mean[d];
        for (let a = 0; a < dimensions; a++) for (let b = 0; b < dimensions; b++) sums[a * dimensions + b] += centred[a] * centred[b];
    });
    return sums;
}

function dot(a, b) {
    return a.reduce((sum, x, i) => sum + x * b[i], 0);
}

function timesMatrix(matrix, vector) {
    const n = vector.length;
    return vector.map((_, row) => dot(matrix.subarray(row * n, (row + 1) * n), vector));
}

/** Length 1, and at right angles to `other`. */
function straightened(vector, other) {
    const along = other === undefined ? 0 : dot(vector, other);
    const rest = other === undefined ? vector : vector.map((x, d) => x - along * other[d]);
    const length = Math.sqrt(dot(rest, rest)) || 1;
    return rest.map((x) => x / length);
}

/** The two eigenvectors in the plane of two vectors at right angles: iteration finds the plane long before it tells apart two that are nearly as strong. */
function turned(matrix, a, b) {
    const [image, other] = [timesMatrix(matrix, a), timesMatrix(matrix, b)];
    const angle = Math.atan2(2 * dot(image, b), dot(image, a) - dot(other, b)) / 2;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return [a.map((x, d) => cos * x + sin * b[d]), b.map((x, d) => cos * x - sin * a[d])];
}

/** The start is fixed, so the map is the same each time. */
export function principalAxes(vectors, dimensions) {
    const mean = meanOf(vectors, dimensions);
    const covariance = covarianceOf(vectors, dimensions, mean);
    let first = Float64Array.from({ length: dimensions }, (_, d) => Math.sin(d + 1));
    let second = Float64Array.from({ length: dimensions }, (_, d) => Math.cos(d + 1));
    for (let i = 0; i < ITERATIONS; i++) {
        first = straightened(timesMatrix(covariance, first));
        second = straightened(timesMatrix(covariance, second), first);
    }
    [first, second] = turned(covariance, first, second);
    return { mean, first, second };
}

export function projected(vectors, dimensions, { mean, first, second }) {
    const n = vectors.length / dimensions;
    const x = new Float32Array(n);
    const y = new Float32Array(n);
    forEachUnit(vectors, dimensions, (unit, i) => {
        for (let d = 0; d < dimensions; d++) {
            x[i] += (unit[d] - mean[d]) * first[d];
            y[i] += (unit[d] - mean[d]) * second[d];
        }
    });
    return { x, y };
}
