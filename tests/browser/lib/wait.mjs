// SPDX-License-Identifier: Apache-2.0
// lib/wait.mjs - waiting in the test's own process

export const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Until the function gives something truthy, which is the result.
export async function until(what, { timeout = 60000, label = what, every = 25 } = {}) {
  const deadline = Date.now() + timeout;
  for (;;) {
    const value = await what();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeout} ms for ${label}`);
    await delay(every);
  }
}
