// SPDX-License-Identifier: Apache-2.0
// lib/bytes.mjs - bytes that a page and a test can both make, and their sha256

// The same for the same seed; no two chunks of a file alike.
export function bytes(size, seed = 1) {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = seed >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state = Math.imul(state, 1664525) + 1013904223 | 0;
    words[i] = state ^ state >>> 15;
  }
  return new Uint8Array(words.buffer, 0, size);
}

export async function sha256(data) {
  const digest = await crypto.subtle.digest('SHA-256', data);
  return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, '0')).join('');
}

// A data URL of that many characters.
export function dataUrl(length, seed = 1) {
  const head = 'data:application/octet-stream;base64,';
  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return head + Array.from(bytes(length - head.length, seed), (b) => LETTERS[b & 63]).join('');
}
