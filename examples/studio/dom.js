// SPDX-License-Identifier: MIT OR Apache-2.0
/** Small things with elements. */

export const byId = (id) => document.getElementById(id);

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
        else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
    }
    node.append(...children);
    return node;
}

/** element('button', { type: 'button', onclick }, 'Text') */
export function element(tag, attributes = {}, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
}

export function isStill() {
    return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
