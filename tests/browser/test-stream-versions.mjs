// SPDX-License-Identifier: Apache-2.0
// What the appliance sends changes while a page looks: a screen, the camera
// again, nothing, the camera again. With every version, whoever joined first.
//
// FULL=1: all of it. Else one order with each version.

import { startAppliance, startServer } from './lib/appliance.mjs';
import { PageEnd } from './lib/ends.mjs';
import { SMALL } from './lib/meeting.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { finish, skip, test } from './lib/tap.mjs';
import { until } from './lib/wait.mjs';

const FRAMES = 15; // a second of them

async function meet(t, version, pageFirst) {
  const pages = await startPageServer();
  t.after(() => pages.stop());
  const server = await startServer(t);
  const page = await PageEnd.open(t, pages, server.host, version, 'page');
  if (pageFirst) await page.join('lobby');
  const appliance = await startAppliance(t, [...SMALL, '--set', `room.server=${server.url}`]);
  await appliance.waitFor((s) => s.room.state === 'joined', 'the appliance to join', 60000);
  const events = await appliance.follow(['peerRestart', 'streamEnded', 'incomingStream',
    'handshakeProgress']);
  if (!pageFirst) await page.join('lobby');
  await appliance.waitFor((s) => s.peers[0]?.state === 'connected', 'the connection', 60000);
  const { peerId } = await page.wait({ name: 'stream' });
  return { page, appliance, events, peer: { id: peerId } };
}

// Of the two m-lines that may carry it, whichever moves.
async function picture({ page, peer }, label) {
  const first = (await page.stats(peer)).decoded;
  await until(async () => (await page.stats(peer)).decoded >= first + FRAMES,
    { label, timeout: 60000 });
}

const takes = (n) => (s) => s.peers.filter((p) => p.rtc.videoCodec).length === n;

async function change(t, version, pageFirst) {
  const world = await meet(t, version, pageFirst);
  const { appliance, page, events } = world;
  const own = (name) => events.list.filter((e) => e.method === name && e.params.isSelf).length;
  await picture(world, 'the camera');

  let from = await page.mark();
  await appliance.call('shareScreen', { source: 'test' });
  if (!version.startsWith('2.')) await page.wait({ name: 'stream' }, from);
  await picture(world, 'the screen');
  t.equal(own('streamEnded'), 1);

  from = await page.mark();
  await appliance.call('stopScreen');
  if (!version.startsWith('2.')) await page.wait({ name: 'stream' }, from);
  await picture(world, 'the camera after the screen');
  t.equal(own('streamEnded'), 2);

  await appliance.call('stopStream');
  await appliance.waitFor(takes(0), 'nothing to be negotiated');
  t.equal(own('streamEnded'), 3);
  const status = await appliance.status();
  t.equal(status.peers.length, 1);
  t.equal(status.video, null);

  await appliance.call('sendStream', { options: { audio: true, video: true } });
  await appliance.waitFor(takes(1), 'the picture to be negotiated');
  await picture(world, 'the camera after nothing');
  const errors = events.list.filter((e) => e.method === 'handshakeProgress' &&
    e.params.state === 'error');
  t.deepEqual(errors, []);
  t.equal(status.peers[0].peerId, (await appliance.status()).peers[0].peerId);
}

for (const version of ['0.6.37', '0.9.3', '2.7.2'])
  for (const pageFirst of [false, true]) {
    const name = `${version}, ${pageFirst ? 'older' : 'newer'}: screen, camera, nothing, camera`;
    if (process.env.FULL || !pageFirst)
      await test(name, (t) => change(t, version, pageFirst), { timeout: 120000 });
    else skip(name, 'in full runs');
  }

finish();
