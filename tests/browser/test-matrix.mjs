// SPDX-License-Identifier: Apache-2.0
// Every version with every other: SkylinkJS 0.6.37, 0.9.3 and 2.7.2 pages with
// the appliance, as the first in the room and as the second (it then answers,
// or offers), and with each other through our room server.
//
// And the short form over polling alone, and with the first ports of the
// server's list dead. FULL=1 runs all pairs, and files of 200 MB; otherwise
// one pair of each kind. ONLY=text: rows so named.

import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startServer } from './lib/appliance.mjs';
import { ApplianceEnd, PageEnd } from './lib/ends.mjs';
import { startFront } from './lib/front.mjs';
import { ROWS, crowd, is2x, meet } from './lib/matrix.mjs';
import { SMALL } from './lib/meeting.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { finish, note, test } from './lib/tap.mjs';

const FULL = !!process.env.FULL;
const VERSIONS = ['0.6.37', '0.9.3', '2.7.2'];
const A = 'appliance';

const LAST = VERSIONS[2];

// [first in the room, second, only these rows, way to the server]: of each
// kind of row one; what is only in full runs follows.
const SHORT = ['join', 'media', 'P2P message', 'signaling message', 'leave'];
const PAIRS = [
  [A, '0.6.37'], ['0.9.3', A], [A, LAST], [LAST, A], ['0.6.37', LAST],
  [A, '0.6.37', SHORT, 'polling only'], [A, '0.6.37', SHORT, 'dead ports'],
];
const MORE = [
  ['0.6.37', A], [A, '0.9.3'],
  ...VERSIONS.flatMap((v) => VERSIONS.map((w) => [v, w])),
  ...['polling only', 'dead ports'].flatMap((way) => VERSIONS.flatMap((v) =>
    [[A, v, SHORT, way], [v, A, SHORT, way]])),
].filter((pair) => !PAIRS.some((p) => String(p) === String(pair)));

// Ways to the server: what the front does, and what the ends must have seen.
const WAYS = {
  'polling only': {
    front: { upgrades: false },
    async check(t, front, end) {
      t.ok(front.refused > 0);
      t.match(String(await end.transport()), /polling/i, end.name);
    },
  },
  'dead ports': {
    front: { deadPorts: 2 },
    async check(t, front, end) {
      if (is2x(end)) return; // takes the one port in ipSigserver
      t.ok(front.hungUp > 0);
      t.ok(await end.find({ name: 'channelRetry', fallbackType: 'fallbackPortNonSSL' }),
        `no retry in ${end.name}`);
      t.match(String(await end.transport()), /websocket/i, end.name);
    },
  },
};

// What lives as long as the whole test.
const ends = [];
const kept = { after: (cleanup) => ends.unshift(cleanup) };
const pages = await startPageServer();
kept.after(() => pages.stop());
const server = await startServer(kept);
const opened = {};
const fronts = {};

async function front(way) {
  if (!way) return server;
  return fronts[way] ??= startFront({ server: server.host, ...WAYS[way].front })
    .then((started) => {
      kept.after(() => started.stop());
      return started;
    });
}

// One Chromium for each place; a daemon for each way to the server.
async function open(version, place, way) {
  const { url, host } = await front(way);
  const name = version === A ? `${A} ${way ?? ''}`.trim() : `${version} ${place}`;
  const end = await (opened[name] ??= version === A
    ? ApplianceEnd.open(kept, [...SMALL, '--set', `room.server=${url}`])
    : PageEnd.open(kept, pages, host, version, name));
  // 2.x polls only where there is no WebSocket at all.
  if (end.isPage) Object.assign(end, { host, polling: way === 'polling only' && is2x(end) });
  return end;
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
  m.a ??= await open(m.first, 'first', m.way);
  m.b ??= await open(m.second, 'second', m.way);
  m.ends = [m.a, m.b];
  await Promise.all(m.ends.map((end) => end.load()));
  const room = `matrix-${++rooms}`;
  await meet(m, room);
  m.together = room;
  if (m.way)
    for (const end of m.ends) await WAYS[m.way].check(m.t, await front(m.way), end);
}

async function session(first, second, rows, way) {
  const m = { first, second, way, together: null, meet: () => begin(m),
    third: () => open('0.6.37', 'third') };
  const by = `${first} + ${second}${way ? `, ${way}` : ''}`;
  const withPages = first !== A && second !== A;
  for (const [row, { run, pages: alsoPages }] of Object.entries(ROWS)) {
    if (rows && !rows.includes(row) || withPages && !alsoPages) continue;
    const name = `${by}: ${row}`;
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

for (const pair of FULL ? [...PAIRS, ...MORE] : PAIRS) await session(...pair);

await test('all versions in one room with the appliance', async (t) => {
  const all = [await open(A)];
  for (const version of VERSIONS) all.push(await open(version, 'first'));
  try {
    await Promise.all(all.map((end) => end.load()));
    await crowd(t, all, `matrix-${++rooms}`);
  } catch (error) {
    await explain({ ends: all }, error, 'all');
    throw error;
  }
});

for (const end of ends) await end();
finish();
