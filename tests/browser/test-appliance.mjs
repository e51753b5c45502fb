// SPDX-License-Identifier: Apache-2.0
// The main job: SkylinkJS 0.6.37 in Chromium sees and hears the appliance, in
// every order and direction, with both codecs.
//
// In an ordinary run each property has a case; FULL=1 runs all combinations.

import { startAppliance, startServer } from './lib/appliance.mjs';
import { steady } from './lib/load.mjs';
import { account, counters, joinPage, openPage, pageStats, waitStream } from './lib/meeting.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { finish, test } from './lib/tap.mjs';

const SECONDS = 20;
const FPS = 30;

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor((sorted.length - 1) * q)].toFixed(1) : '-';
}

async function watchPicture(t, appliance, page, peer) {
  const before = await counters(appliance, page, peer);
  const watched = await page.evaluate((p, ms) =>
    measure.frames(client.video(p), ms), peer, SECONDS * 1000);
  const frames = account(before, await counters(appliance, page, peer));
  t.note(`${frames.decoded} of ${frames.captured} captured frames decoded, ` +
    `${watched.read} barcodes read of ${watched.presented} presented, ` +
    `latency ${quantile(watched.latency, 0.5)} ms median, ` +
    `${quantile(watched.latency, 0.95)} ms p95`);
  t.note(frames.text);
  const order = watched.frames.flatMap((n, i) =>
    i && n <= watched.frames[i - 1] ? [`${watched.frames[i - 1]} then ${n}`] : []);
  t.deepEqual(order, [], 'barcodes out of order');
  return { ...frames, read: watched.read };
}

async function checkPicture(t, appliance, page, peer) {
  const all = (seen) => seen.captured >= 0.95 * SECONDS * FPS;
  const most = (seen) => seen.decoded >= 0.95 * seen.captured;
  const read = (seen) => seen.read >= SECONDS * 3;
  const seen = await steady(t, () => watchPicture(t, appliance, page, peer),
    (s) => all(s) && most(s) && read(s));
  t.ok(all(seen), `only ${seen.captured} frames captured`);
  t.ok(most(seen), `${seen.decoded} decoded of ${seen.captured} captured`);
  t.ok(read(seen), `only ${seen.read} barcodes read`);
}

async function checkTone(t, page, peer) {
  const tone = await page.evaluate((p) => measure.tone(client.streams[p], 1000), peer);
  t.note(`tone ${tone.hz.toFixed(1)} Hz at ${tone.db.toFixed(0)} dB`);
  t.ok(Math.abs(tone.hz - 440) < 3, `${tone.hz} Hz is not the tone of 440 Hz`);
}

async function run(t, { codec, pageFirst, sending }) {
  const pages = await startPageServer();
  t.after(() => pages.stop());
  const server = await startServer(t);
  const media = sending ? 'camera' : 'none';
  const page = await openPage(t, pages, server.host, 'page');
  const start = () => startAppliance(t, ['--set', `room.server=${server.url}`,
    '--set', `video.codec=${codec}`, '--source', 'test', '--audio-source', 'test',
    '--set', 'network.loopback=yes']);
  let appliance;
  if (pageFirst) {
    await joinPage(page, media);
    appliance = await start();
  } else {
    appliance = await start();
    await appliance.waitFor((s) => s.room.state === 'joined', 'the appliance to join');
    await joinPage(page, media);
  }
  const peer = await waitStream(page);
  await checkPicture(t, appliance, page, peer);
  await checkTone(t, page, peer);

  const status = await appliance.status();
  const stats = await pageStats(page, peer);
  const row = status.peers[0];
  t.equal(row.codec.toLowerCase(), codec);
  t.match(stats.transport.srtp, /AEAD_AES_128_GCM$/);
  t.equal(row.profile, 'AEAD_AES_128_GCM');
  t.equal(status.video.rungs.length, 1);
  t.equal(status.video.frame_copies, 0, 'pictures were copied on their way');
  t.equal(status.network.bitstream_copies, 0, 'units were copied on their way');
  if (sending)
    t.ok(row.rtc.receivedVideoPackets > 0 && row.rtc.receivedAudioPackets > 0,
      'nothing arrived from the page');
  t.note(`${status.network.io}, gso ${row.rtc.gso}, demux ${status.network.demux}, ` +
    `pair ${row.pair}`);
}

const ORDERS = [
  { codec: 'vp8', pageFirst: true, sending: true },
  { codec: 'h264', pageFirst: false, sending: true },
  { codec: 'vp8', pageFirst: false, sending: false },
  { codec: 'h264', pageFirst: true, sending: false },
];
const ALL = ['vp8', 'h264'].flatMap((codec) => [true, false].flatMap((pageFirst) =>
  [true, false].map((sending) => ({ codec, pageFirst, sending }))));

for (const order of process.env.FULL ? ALL : ORDERS)
  await test(`${order.codec.toUpperCase()}, ${order.pageFirst ? 'page' : 'appliance'} first, ` +
    `${order.sending ? 'sending' : 'receive-only'} page`, (t) => run(t, order), { timeout: 180000 });

finish();
