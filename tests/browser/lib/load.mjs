// SPDX-License-Identifier: Apache-2.0
// lib/load.mjs - how busy the machine was, and rows taken again when it was
//
// A test machine may have other work. A row that counts frames and misses its
// line while the processors were busy says nothing about our program: it is
// taken again, at most ROWS times in all. Its last outcome counts.

import { readFileSync } from 'node:fs';

export const BUSY = 0.8;
const ROWS = 3;

function times() {
  const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/);
  const [user, nice, system, idle, iowait, irq, softirq, steal] = fields.map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, all: busy + idle + iowait };
}

// Return: a function that tells the load since this call, 0 to 1.
export function watchLoad() {
  const before = times();
  return () => {
    const now = times();
    return now.all > before.all ? (now.busy - before.busy) / (now.all - before.all) : 0;
  };
}

const percent = (load) => `${Math.round(100 * load)} %`;

// What row() gave, with .load: the first time enough(result) holds, or the
// machine was not busy. row() may fail by itself for what no load excuses.
export async function steady(t, row, enough) {
  for (let n = 1; ; n++) {
    const load = watchLoad();
    const result = { ...await row(), load: load() };
    t.note(`machine load ${percent(result.load)}`);
    if (enough(result) || result.load <= BUSY || n === ROWS) return result;
    t.note(`taken again: missed its line above ${percent(BUSY)} load`);
  }
}
