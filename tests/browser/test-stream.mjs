// SPDX-License-Identifier: Apache-2.0
// The appliance's stream changes while SkylinkJS 0.6.37 watches: a screen
// instead of the camera and back, another size, none, and one again.

import { startAppliance, startServer } from './lib/appliance.mjs';
import { SMALL, joinPage, openPage, pageStats, waitStream } from './lib/meeting.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { finish, test } from './lib/tap.mjs';

const FRAMES = 15; // decoded, then the picture is called moving

const told = (page, peer) => page.evaluate((p) => client.skylink.getPeerInfo(p).settings, peer);

// The mean colour of the picture's left half, where neither ball nor grain is
// for long: the test picture has its light bars there, the screen's is blue.
const colour = (page, peer) => page.evaluate((p) => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const video = client.video(p);
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, video.videoHeight * 0.75, video.videoWidth / 4,
    video.videoHeight * 0.1, 0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
}, peer);

const isBlue = ([r, g, b]) => b > r + 25 && b > g;

// The picture has the size, and goes on.
async function moving(page, peer, width, height) {
  await page.waitFor((p, w, h) => client.video(p)?.videoWidth === w &&
    client.video(p).videoHeight === h, { args: [peer, width, height], timeout: 60000,
    what: `a picture of ${width}x${height}` });
  const before = (await pageStats(page, peer)).video.decoded;
  await page.waitFor(async (p, n) => (await client.stats(p)).video.decoded >= n,
    { args: [peer, before + FRAMES], timeout: 60000,
      what: `${FRAMES} pictures more than ${before}` });
}

const shows = (page, peer, screen) => page.waitFor((p, s) =>
  client.skylink.getPeerInfo(p).settings.video?.screenshare === s,
{ args: [peer, screen], what: `screenshare to be told as ${screen}` });

const ended = (page, peer) => page.evaluate((p) => client.events.filter((e) =>
  e[0] === 'streamEnded' && e[1] === p).length, peer);
const came = (page, peer) => page.evaluate((p) => client.events.filter((e) =>
  e[0] === 'incomingStream' && e[1] === p).length, peer);

async function begin(t, codec, pageFirst) {
  const pages = await startPageServer();
  t.after(() => pages.stop());
  const server = await startServer(t);
  const page = await openPage(t, pages, server.host, 'page');
  const start = () => startAppliance(t, [...SMALL, '--set', `room.server=${server.url}`,
    '--set', `video.codec=${codec}`]);
  if (pageFirst) await joinPage(page, 'none');
  const appliance = await start();
  await appliance.waitFor((s) => s.room.state === 'joined', 'the appliance to join');
  if (!pageFirst) await joinPage(page, 'none');
  const peer = await waitStream(page);
  const events = await appliance.follow(['mediaAccess*', 'streamEnded', 'incomingStream',
    'device.state']);
  return { appliance, page, peer, events };
}

const names = (events) => events.list.filter((e) => e.method !== 'device.state')
  .filter((e) => e.params.isSelf !== false).map((e) => e.method);

async function run(t, codec, pageFirst) {
  const { appliance, page, peer, events } = await begin(t, codec, pageFirst);
  await moving(page, peer, 640, 360);
  t.ok(!isBlue(await colour(page, peer)), 'the test picture is blue');
  t.equal((await told(page, peer)).video.screenshare, false);
  const { process: { fds, threads } } = await appliance.status();

  const screen = await appliance.call('shareScreen');
  t.equal(screen.isScreensharing, true);
  await shows(page, peer, true);
  await moving(page, peer, 640, 360);
  t.ok(isBlue(await colour(page, peer)), `${await colour(page, peer)} is not the screen`);
  t.equal((await told(page, peer)).audio, false, 'the screen was said to have sound');
  t.ok(await came(page, peer) >= 2, 'the screen is no stream of its own');

  await appliance.call('stopScreen');
  await shows(page, peer, false);
  await moving(page, peer, 640, 360);
  t.ok(!isBlue(await colour(page, peer)), 'the screen is still there');

  await appliance.call('sendStream', { options: { audio: { stereo: true },
    video: { resolution: 'HD', frameRate: 10 } } });
  await moving(page, peer, 1280, 720);
  await page.waitFor((p) => client.skylink.getPeerInfo(p).settings.video?.resolution?.width
    === 1280, { args: [peer], what: 'the size to be told' });
  t.equal((await told(page, peer)).audio.stereo, true);

  // What cannot be had changes nothing.
  await t.rejects(appliance.call('sendStream', { options: { audio: true,
    video: { source: 'v4l2:/dev/no-such-camera' } } }), /no-such-camera/);
  await moving(page, peer, 1280, 720);

  const before = { ended: await ended(page, peer), came: await came(page, peer) };
  await appliance.call('stopStream');
  await page.waitFor((p, n) => client.events.filter((e) => e[0] === 'streamEnded' &&
    e[1] === p).length > n, { args: [peer, before.ended], what: 'streamEnded' });
  await page.waitFor((p) => client.skylink.getPeerInfo(p).settings.video === false,
    { args: [peer], what: 'no video to be told' });
  const status = await appliance.waitFor((s) => !s.video && !s.audio &&
    s.streams.userMedia === null, 'nothing to be sent');
  t.equal(status.peers.length, 1, 'the peer went with the stream');

  await appliance.call('sendStream', { options: { audio: true, video: true } });
  await page.waitFor((p, n) => client.events.filter((e) => e[0] === 'incomingStream' &&
    e[1] === p).length > n, { args: [peer, before.came], what: 'a stream again' });
  await moving(page, peer, 640, 360);

  const all = names(events);
  const count = (name) => all.filter((n) => n === name).length;
  t.equal(count('mediaAccessSuccess'), 3, `${all}`);
  t.equal(count('mediaAccessStopped'), 3, `${all}`);
  t.equal(count('mediaAccessError'), 1, `${all}`);
  t.equal(count('streamEnded'), 4, `${all}`);
  t.equal(count('incomingStream'), 4, `${all}`);
  const now = (await appliance.status()).process;
  t.note(`descriptors ${fds} -> ${now.fds}, threads ${threads} -> ${now.threads}`);
  t.ok(now.fds <= fds + 2, 'descriptors grew');
  t.ok(now.threads <= threads + 1, 'threads grew');
}

await test('H264, appliance first', (t) => run(t, 'h264', false), { timeout: 180000 });
await test('VP8, page first', (t) => run(t, 'vp8', true), { timeout: 180000 });

await test('twenty changes in a row', async (t) => {
  const { appliance, page, peer } = await begin(t, 'h264', false);
  await moving(page, peer, 640, 360);
  for (let i = 0; i < 10; i++) {
    await appliance.call('shareScreen');
    await appliance.call('stopScreen');
  }
  await shows(page, peer, false);
  await moving(page, peer, 640, 360);
  t.ok(!isBlue(await colour(page, peer)), 'the screen is still there');
  const { video } = await appliance.status();
  t.equal(video.state, 'live');
  t.note(`${video.replaced} sources were shown`);
}, { timeout: 180000 });

finish();
