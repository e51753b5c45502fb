// SPDX-License-Identifier: Apache-2.0
// Every version with every other: SkylinkJS 0.6.37, 0.9.3 and 2.7.2 pages with
// the appliance, as the first in the room and as the second (it then answers,
// or offers), and with each other through our room server.
//
// FULL=1 runs all rows with all pairs and 200 MB; otherwise each row is run
// once with each kind of pair that differs. ONLY=text: rows so named.

import { ApplianceEnd, PageEnd } from './lib/ends.mjs';
import { startServer } from './lib/appliance.mjs';
import { SMALL } from './lib/meeting.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { finish, note, skip, test } from './lib/tap.mjs';
import { ROWS, meet } from './lib/matrix.mjs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const FULL = !!process.env.FULL;
const VERSIONS = ['0.6.37', '0.9.3', '2.7.2'];
const A = 'appliance';

// [first in the room, second, rows or null for all]
const PAIRS = [
  ...VERSIONS.flatMap((v) => [[A, v], [v, A]]),
  ...VERSIONS.flatMap((v) => VERSIONS.map((w) => [v, w])),
];

// What lives as long as the whole test.
const ends = [];
const kept = { after: (cleanup) => ends.unshift(cleanup) };
const pages = await startPageServer();
kept.after(() => pages.stop());
const server = await startServer(kept);
const opened = {};

// One Chromium for each place, one daemon for all.
function open(version, place) {
  const name = version === A ? A : `${version} ${place}`;
  return opened[name] ??= version === A
    ? ApplianceEnd.open(kept, [...SMALL, '--set', `room.server=${server.url}`])
    : PageEnd.open(kept, pages, server.host, version, name);
}

async function explain(m, error, name) {
  const folder = path.join(tmpdir(), 'skylink-matrix');
  await mkdir(folder, { recursive: true });
  for (const end of m.ends ?? []) {
    for (const line of await end.report()) note(line);
    if (!end.isPage) continue;
    const file = path.join(folder, `${name} ${end.name}.png`.replace(/[^a-z0-9.]+/gi, '-'));
    await end.page.screenshot(file, { width: 800, height: 600 })
      .then(() => note(`  ${file}`), (e) => note(e.message));
  }
}

let rooms = 0;

// Both afresh, in a room of their own.
async function begin(m) {
  m.a ??= await open(m.first, 'first');
  m.b ??= await open(m.second, 'second');
  m.ends = [m.a, m.b];
  await Promise.all(m.ends.map((end) => end.load()));
  const room = `matrix-${++rooms}`;
  await meet(m, room);
  m.together = room;
}

async function session(first, second, rows) {
  const m = { first, second, together: null, meet: () => begin(m),
    third: () => open('0.6.37', 'third') };
  const [by, withPages] = [`${first} + ${second}`, first !== A && second !== A];
  for (const [row, { run, pages: alsoPages, verb }] of Object.entries(ROWS)) {
    if (rows && !rows.includes(row) || withPages && !alsoPages) continue;
    const name = `${by}: ${row}`;
    const daemon = [first, second].includes(A) && verb && await open(A);
    if (daemon && !await daemon.has(verb)) {
      skip(name, `the daemon does not serve ${verb}`);
      continue;
    }
    await test(name, async (t) => {
      m.t = t;
      try {
        if (!m.together) await begin(m);
        await run(m, FULL);
      } catch (error) {
        await explain(m, error, name);
        m.together = null;
        throw error;
      }
    }, { timeout: FULL ? 600000 : 120000 });
  }
  if (m.ends) await Promise.all(m.ends.map((end) => end.load()));
}

for (const [first, second, rows] of PAIRS) await session(first, second, rows);
for (const end of ends) await end();
finish();
