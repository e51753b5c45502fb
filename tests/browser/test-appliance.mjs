// SPDX-License-Identifier: Apache-2.0
// The main job: SkylinkJS 0.6.37 in Chromium sees and hears the appliance, in
// every order and direction, with both codecs.
//
// In an ordinary run each property has a case; FULL=1 runs all combinations.

import { Chromium } from './lib/chromium.mjs';
import { startAppliance, startServer } from './lib/appliance.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { finish, test } from './lib/tap.mjs';

const SECONDS = 20;

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor((sorted.length - 1) * q)].toFixed(1) : '-';
}

async function openPage(t, pages, api, name) {
  const browser = await Chromium.start({ name });
  t.after(() => browser.stop());
  return browser.open(`${pages.url}skylink.html?api=${api}`);
}

const joinPage = (page, media) =>
  page.evaluate((m) => client.join({ room: 'lobby', media: m }), media);

// The appliance's stream, shown in a <video>.
const waitStream = (page) => page.waitFor(() => {
  const joined = client.find('peerJoined', (e) => e[3] === false);
  return joined && client.streams[joined[1]] &&
    client.video(joined[1])?.videoWidth ? joined[1] : null;
}, { timeout: 30000, what: 'the appliance\'s stream' });

async function checkPicture(t, page, peer, fps) {
  const captured = async () => (await page.appliance.status()).video.frames_captured;
  const before = [await captured(), await page.evaluate((p) => client.stats(p), peer)];
  const watched = await page.evaluate((p, ms) =>
    measure.frames(client.video(p), ms), peer, SECONDS * 1000);
  const after = [await captured(), await page.evaluate((p) => client.stats(p), peer)];
  const frames = after[0] - before[0];
  const decoded = after[1].video.decoded - before[1].video.decoded;
  t.note(`${decoded} of ${frames} captured frames decoded, ` +
    `${watched.read} barcodes read of ${watched.presented} presented, ` +
    `latency ${quantile(watched.latency, 0.5)} ms median, ` +
    `${quantile(watched.latency, 0.95)} ms p95`);
  t.ok(frames >= SECONDS * fps * 0.5, `only ${frames} frames captured`);
  t.ok(decoded >= frames * 0.95, `${decoded} decoded of ${frames} captured`);
  t.ok(watched.read >= SECONDS * 3, `only ${watched.read} barcodes read`);
  const order = watched.frames.flatMap((n, i) =>
    i && n <= watched.frames[i - 1] ? [`${watched.frames[i - 1]} then ${n}`] : []);
  t.deepEqual(order, [], 'barcodes out of order');
  return watched;
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
  const appliance = async () => startAppliance(t, ['--set', `room.server=${server.url}`,
    '--set', `video.codec=${codec}`, '--source', 'test', '--audio-source', 'test',
    '--set', 'network.loopback=yes']);
  if (pageFirst) {
    await joinPage(page, media);
    page.appliance = await appliance();
  } else {
    page.appliance = await appliance();
    await page.appliance.waitFor((s) => s.room.state === 'joined', 'the appliance to join');
    await joinPage(page, media);
  }
  const peer = await waitStream(page);
  await checkPicture(t, page, peer, 30);
  await checkTone(t, page, peer);

  const status = await page.appliance.status();
  const stats = await page.evaluate((p) => client.stats(p), peer);
  const row = status.peers[0];
  t.equal(row.codec.toLowerCase(), codec);
  t.equal(row.profile, 'AEAD_AES_128_GCM');
  t.match(stats.transport.srtp, /AEAD_AES_128_GCM$/);
  t.equal(status.video.rungs.length, 1);
  t.equal(status.video.frame_copies, 0, 'pictures were copied on their way');
  t.equal(status.network.bitstream_copies, 0, 'units were copied on their way');
  if (sending)
    t.ok(row.rx_video_packets > 0 && row.rx_audio_packets > 0,
      'nothing arrived from the page');
  t.note(`${status.network.io}, gso ${row.gso}, demux ${status.network.demux}, ` +
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
    `${order.sending ? 'sending' : 'receive-only'} page`, (t) => run(t, order));

finish();
