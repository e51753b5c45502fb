// SPDX-License-Identifier: Apache-2.0
// Four browsers at once, joining and leaving in random order: all see the
// appliance, one encoder runs per codec, and nobody's picture stops when
// another leaves, closes or is killed.
//
// SEED=n repeats a run; STEPS=n makes it longer.

import { startAppliance, startServer } from './lib/appliance.mjs';
import { BUSY, watchLoad } from './lib/load.mjs';
import { SMALL, SMALL_FPS, joinPage, openPage, pageStats, waitStream }
  from './lib/meeting.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { finish, test } from './lib/tap.mjs';
import { until } from './lib/wait.mjs';

const BROWSERS = 4;
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const STEPS = Number(process.env.STEPS ?? (process.env.FULL ? 60 : 14));
const WATCHED = 2 * SMALL_FPS; // frames across each leave

// Mulberry32: small, and the same everywhere.
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let x = Math.imul(state ^ state >>> 15, 1 | state);
    x = x + Math.imul(x ^ x >>> 7, 61 | x) ^ x;
    return ((x ^ x >>> 14) >>> 0) / 2 ** 32;
  };
}

// The ways out of a room: said, a closed page, a crash.
const WAYS = {
  leaves: (page) => page.evaluate(() => client.leave()),
  closes: (page) => page.close(),
  'is killed': async (page) => page.browser.kill(),
};

async function world(t) {
  const pages = await startPageServer();
  t.after(() => pages.stop());
  const server = await startServer(t);
  const appliance = await startAppliance(t, [...SMALL, '--set', `room.server=${server.url}`]);
  await appliance.waitFor((s) => s.room.state === 'joined', 'the appliance to join');
  const slots = Array.from({ length: BROWSERS }, (_, i) => ({
    // Two browsers do not have H.264.
    name: `browser ${i}`, codec: i % 2 ? 'VP8' : 'H264',
    options: i % 2 ? { query: '&without=H264' } : {}, page: null }));
  return { t, pages, server, appliance, slots };
}

const present = (w) => w.slots.filter((slot) => slot.page);

const decoded = async (slot) => (await pageStats(slot.page, slot.peer)).video.decoded;

// One encoder a codec in use, and every page counted as its taker.
async function checkRungs(w) {
  const wanted = {};
  for (const slot of present(w)) wanted[slot.codec] = (wanted[slot.codec] ?? 0) + 1;
  const of = (status) => Object.fromEntries(status.video.rungs.map((r) => [r.codec, r.takers]));
  const same = (status) => status.video.rungs.length === Object.keys(wanted).length &&
    Object.entries(wanted).every(([codec, n]) => of(status)[codec] === n) &&
    status.peers.length === present(w).length;
  let last = null;
  await w.appliance.waitFor((status) => same(last = status), 'encoders').catch((error) => {
    throw new Error(`${error.message}: wanted ${JSON.stringify(wanted)}, have ` +
      `${JSON.stringify(last.video.rungs)} for ${last.peers.length} peers`);
  });
}

async function joins(w, slot) {
  slot.page = await openPage(w.t, w.pages, w.server.host, slot.name, slot.options);
  await joinPage(slot.page, 'none', { userData: slot.name });
  slot.peer = await waitStream(slot.page);
  await until(async () => await decoded(slot) >= 10, { label: `pictures in ${slot.name}` });
}

// Where frames went: the encoders' and the transport's counters.
function explain(t, from, to) {
  for (const a of from.video.rungs) {
    const b = to.video.rungs.find((r) => r.codec === a.codec);
    if (!b) continue;
    const grown = (name) => b[name] - a[name];
    t.note(`  ${b.codec}: ${grown('units_out')} units made, ${grown('keyframes')} keyframes, ` +
      `${grown('frames_dropped')} frames dropped, ${a.target_bps} to ${b.target_bps} bit/s`);
  }
  for (const b of to.peers) {
    const a = from.peers.find((p) => p.peerId === b.peerId);
    const grown = (name) => b.rtc[name] - a.rtc[name];
    if (a) t.note(`  to ${b.userData}: ${grown('videoFrames')} frames, ` +
      `${grown('videoFramesDropped')} dropped, ${grown('plis')} PLI, ${grown('nacks')} NACK`);
  }
}

async function goes(w, slot, way) {
  const { t, appliance } = w;
  const { page } = slot;
  slot.page = null;
  const others = present(w);
  const load = watchLoad();
  const before = await Promise.all(others.map(decoded));
  const from = await appliance.status();
  await WAYS[way](page);
  const captured = others.length ? await until(async () => {
    const n = (await appliance.status()).video.frames_captured - from.video.frames_captured;
    return n >= WATCHED && n;
  }, { label: 'the camera' }) : 0;
  const to = await appliance.status();
  const counts = (await Promise.all(others.map(decoded))).map((n, i) => n - before[i]);
  const busy = load();
  t.note(`${slot.name} ${way}: the others decoded ${counts.join(', ') || 'nothing: no others'}` +
    ` of ${captured} frames, machine load ${Math.round(100 * busy)} %`);
  if (counts.some((n) => n < 0.95 * captured - 1)) explain(t, from, to);
  // What a busy machine cannot encode or decode in time is not lost by the leave.
  const made = Math.min(captured, ...to.video.rungs.map((b) => b.units_out -
    (from.video.rungs.find((a) => a.codec === b.codec)?.units_out ?? 0)));
  const least = (busy > BUSY ? 0.5 * made : 0.95 * captured) - 1;
  for (const n of counts)
    t.ok(n >= least, `${n} of ${captured} frames decoded while ${slot.name} ${way}`);
  await page.browser.stop();
}

await test(`${BROWSERS} browsers come and go, seed ${SEED}`, async (t) => {
  const w = await world(t);
  const idle = (await w.appliance.status()).process;
  const next = random(SEED);
  const pick = (list) => list[Math.floor(next() * list.length)];
  for (const slot of w.slots) await joins(w, slot);
  await checkRungs(w);
  t.note(`all in: ${(await w.appliance.status()).video.rungs.map((r) =>
    `${r.encoder} for ${r.takers}`).join(', ')}`);

  for (let step = 0; step < STEPS; step++) {
    const slot = pick(w.slots);
    if (slot.page) await goes(w, slot, pick(Object.keys(WAYS)));
    else {
      await joins(w, slot);
      t.note(`${slot.name} joins: ${present(w).length} in the room`);
    }
    await checkRungs(w);
  }
  // All again, and then nobody.
  for (const slot of w.slots) if (!slot.page) await joins(w, slot);
  await checkRungs(w);
  const before = await Promise.all(w.slots.map(decoded));
  await Promise.all(w.slots.map((slot, i) => until(async () =>
    await decoded(slot) >= before[i] + SMALL_FPS, { label: `pictures in ${slot.name}` })));
  for (const slot of w.slots) await goes(w, slot, pick(Object.keys(WAYS)));
  const end = await w.appliance.waitFor((s) => !s.peers.length && !s.video.rungs.length &&
    s.process.fds <= idle.fds && s.process.threads <= idle.threads,
  'descriptors and threads of nobody');
  t.note(`before anybody and after all: ${idle.fds} and ${end.process.fds} descriptors, ` +
    `${idle.threads} and ${end.process.threads} threads, ` +
    `${idle.rss_anon_kb} and ${end.process.rss_anon_kb} kB of RssAnon`);
}, { timeout: process.env.FULL || process.env.STEPS ? 1800000 : 360000 });

finish();
