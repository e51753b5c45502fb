// SPDX-License-Identifier: Apache-2.0
// lib/tap.mjs - test cases that report in TAP
//
//   await test('a page joins', async (t) => { t.equal(1, 1); t.note('12 ms'); });
//   finish();
//
// A case fails by throwing. What it hands to t.after() is done at its end, in
// reverse order, however it ended.

import assert from 'node:assert/strict';

let n = 0;
let failed = 0;

export const note = (text) => console.log(`# ${text}`);

export async function test(name, body, { timeout = 120000 } = {}) {
  const only = process.env.ONLY;
  if (only && !name.includes(only)) return;
  const cleanups = [];
  const t = {
    ok: assert.ok, equal: assert.equal, deepEqual: assert.deepEqual, match: assert.match, rejects: assert.rejects,
    note, after: (cleanup) => cleanups.unshift(cleanup),
  };
  const start = Date.now();
  let error = null;
  let timer;
  try {
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done after ${timeout} ms`)), timeout);
    });
    await Promise.race([body(t), late]);
  } catch (e) {
    error = e;
  }
  clearTimeout(timer);
  for (const cleanup of cleanups) {
    try {
      await cleanup();
    } catch (e) {
      error ??= e;
    }
  }
  n++;
  if (error) {
    failed++;
    for (const line of (error.stack ?? String(error)).split('\n')) note(line);
  }
  console.log(`${error ? 'not ok' : 'ok'} ${n} - ${name} (${Date.now() - start} ms)`);
}

export function skip(name, reason) {
  console.log(`ok ${++n} - ${name} # SKIP ${reason}`);
}

export function finish() {
  console.log(`1..${n}`);
  process.exit(failed ? 1 : 0);
}
