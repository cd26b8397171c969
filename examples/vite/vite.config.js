// SPDX-License-Identifier: MIT OR Apache-2.0
// Isolated pages may share memory among workers: your own server has to send these two headers, too.
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

// Before version 8 the development server also needs optimizeDeps: { exclude: ['chronomind'] }.
export default {
    server: { headers },
    preview: { headers },
};
