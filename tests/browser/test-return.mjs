// SPDX-License-Identifier: Apache-2.0
// A page that falls silent and wakes up: the picture is back by itself, with
// every version, whoever joined first, while another connection stands.
//
// FULL=1: all of it. Else one silence of each kind with one version.

import { startAppliance, startServer } from './lib/appliance.mjs';
import { PageEnd } from './lib/ends.mjs';
import { SMALL } from './lib/meeting.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { finish, skip, test } from './lib/tap.mjs';
import { delay, until } from './lib/wait.mjs';

const FRAMES = 15; // a second of them

const start = (t, server) => startAppliance(t, [...SMALL, '--set', `room.server=${server.url}`]);

const connected = (n) => (s) => s.room.state === 'joined' &&
  s.peers.filter((p) => p.state === 'connected').length === n;

// The appliance that is watched, another one, and a page.
async function meet(t, version, pageFirst) {
  const pages = await startPageServer();
  t.after(() => pages.stop());
  const server = await startServer(t);
  const page = await PageEnd.open(t, pages, server.host, version, 'page');
  const world = { page };
  if (pageFirst) await page.join('lobby');
  world.appliance = await start(t, server);
  await world.appliance.waitFor((s) => s.room.state === 'joined', 'the appliance to join', 60000);
  world.other = await start(t, server);
  if (!pageFirst) {
    await world.other.waitFor(connected(1), 'the other appliance', 60000);
    await page.join('lobby');
  }
  await world.appliance.waitFor(connected(2), 'both connections', 60000);
  world.id = (await world.other.status()).peers.find((p) => p.peerId !== page.id).peerId;
  await flows(world, 'the picture');
  return world;
}

// Pictures both ways: what the page shows, and what the appliance receives.
async function flows({ page, appliance, id }, label, timeout = 20000) {
  const peer = { id };
  const first = (await page.stats(peer)).decoded;
  const received = (s) => s.peers.find((p) => p.peerId === page.id)?.rtc.receivedVideoPackets ?? 0;
  const before = received(await appliance.status());
  await until(async () => {
    const { decoded } = await page.stats(peer);
    // Another connection counts from 0.
    return decoded >= (decoded < first ? 0 : first) + FRAMES;
  }, { label, timeout });
  await appliance.waitFor((s) => {
    const now = received(s);
    return now >= (now < before ? 0 : before) + FRAMES;
  }, `${label}, the other way`);
}

function silence(t, { page }, ms) {
  const { pid } = page.browser;
  process.kill(-pid, 'SIGSTOP');
  const wake = () => {
    try {
      process.kill(-pid, 'SIGCONT');
    } catch { /* it has ended */ }
  };
  t.after(wake);
  return delay(ms).then(wake);
}

async function comesBack(t, version, pageFirst, seconds) {
  const world = await meet(t, version, pageFirst);
  const { appliance, page } = world;
  const events = await appliance.follow(['peerLeft', 'peerRestart', 'iceConnectionState',
    'sessionDisconnect']);
  const asleep = Date.now();
  await silence(t, world, seconds * 1000);
  const awake = Date.now();
  await appliance.waitFor((s) => s.peers.some((p) => p.peerId === page.id &&
    p.state === 'connected'), 'the connection to be back', 60000);
  await flows(world, 'the picture to be back', 30000);
  const failed = events.list.find((e) => e.params.state === 'failed');
  t.ok(failed, 'the silence was not noticed');
  t.note(`${((failed.at - asleep) / 1000).toFixed(1)} s until it was noticed; pictures both ways ` +
    `${((Date.now() - awake) / 1000).toFixed(1)} s after the page went on`);
  const count = (name) => events.list.filter((e) => e.method === name &&
    (name !== 'peerLeft' || e.params.peerId === page.id)).length;
  t.ok(count('peerRestart') > 0);
  t.equal(count('sessionDisconnect'), 0);
  return { world, left: count('peerLeft') };
}

const VERSIONS = ['0.6.37', '0.9.3', '2.7.2'];
for (const version of VERSIONS)
  for (const pageFirst of [false, true])
    for (const seconds of [12, 20]) {
      const name = `${version}, ${pageFirst ? 'older' : 'newer'}, silent for ${seconds} s`;
      if (process.env.FULL || (version === '0.6.37' && seconds === 12 && !pageFirst))
        await test(name, async (t) => {
          const { left } = await comesBack(t, version, pageFirst, seconds);
          t.equal(left, 0);
        }, { timeout: 150000 });
      else skip(name, 'takes as long: in full runs');
    }

// Longer than we wait: it has left, and its answers bring it back.
for (const version of VERSIONS)
  for (const pageFirst of [false, true]) {
    const name = `${version}, ${pageFirst ? 'older' : 'newer'}, silent for 35 s`;
    if (process.env.FULL)
      await test(name, async (t) => {
        const { left } = await comesBack(t, version, pageFirst, 35);
        t.equal(left, 1);
      }, { timeout: 150000 });
    else skip(name, 'takes as long: in full runs');
  }


finish();
