// SPDX-License-Identifier: Apache-2.0
// What goes away and comes back: the room server, and peers without a word.

import { startAppliance, startServer } from './lib/appliance.mjs';
import { steady } from './lib/load.mjs';
import { SMALL, SMALL_FPS, joinPage, openPage, pageStats, waitStream } from './lib/meeting.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { finish, skip, test } from './lib/tap.mjs';
import { delay, until } from './lib/wait.mjs';

// Packets of media in a second: 50 of sound, and a picture's each.
const PACKETS = 50 + SMALL_FPS;

const joined = (appliance) =>
  appliance.waitFor((s) => s.room.state === 'joined', 'the appliance to join', 60000);

const startMember = (t, server) =>
  startAppliance(t, [...SMALL, '--set', `room.server=${server.url}`]);

const received = (peer) => (peer?.rtc.receivedVideoPackets ?? 0) +
  (peer?.rtc.receivedAudioPackets ?? 0);

// All datagrams an appliance received, whoever the sender and however often
// the connection was made: sampled until stop(), which gives the longest time
// in which fewer than half a window's media came, or 0.
function watchFlow(appliance, window = 1000) {
  const samples = [];
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const { network } = await appliance.status();
      samples.push({ at: Date.now(), n: network.rx_datagrams });
      await delay(50);
    }
  })();
  return async () => {
    stopped = true;
    await running;
    let worst = Infinity;
    for (const [i, from] of samples.entries()) {
      const to = samples.slice(i).find((s) => s.at - from.at >= window);
      if (to) worst = Math.min(worst, (to.n - from.n) / (to.at - from.at) * 1000);
    }
    return { worst, samples: samples.length };
  };
}

await test('the room server restarts: two appliances keep their media and rejoin', async (t) => {
  const server = await startServer(t);
  const pair = [await startMember(t, server), await startMember(t, server)];
  const flowing = (label) => Promise.all(pair.map((a) => a.waitFor((s) =>
    s.room.state === 'joined' && s.peers.length === 1 && s.peers[0].state === 'connected' &&
    s.peers[0].rtc.receivedVideoPackets > 0 && s.peers[0].rtc.receivedAudioPackets > 0,
  label, 60000)));
  const before = await flowing('media both ways');
  const flows = pair.map((a) => watchFlow(a));

  await server.stop('SIGKILL');
  const out = await Promise.all(pair.map((a) => a.waitFor((s) =>
    s.room.state !== 'joined' && s.peers[0]?.state === 'kept', 'the loss of signaling')));
  // Two seconds' media without a server, over the connections of before.
  const kept = await Promise.all(pair.map((a, i) => a.waitFor((s) =>
    received(s.peers[0]) >= received(out[i].peers[0]) + 2 * PACKETS,
  'media without a server')));
  for (const [i, s] of kept.entries()) {
    t.equal(s.peers.length, 1);
    t.equal(s.peers[0].peerId, before[i].peers[0].peerId);
    t.ok(s.room.state !== 'joined');
  }
  t.note(`without a server: ${kept.map((s, i) => received(s.peers[0]) -
    received(out[i].peers[0])).join(' and ')} packets received, ` +
    `${kept.map((s) => s.room.retries).join(' and ')} attempts`);

  const restarted = Date.now();
  await startServer(t, { listen: server.host });
  const after = await flowing('both back in the room');
  t.note(`both joined and connected ${Date.now() - restarted} ms after the server was back`);
  const first = after.map((s) => received(s.peers[0]));
  await Promise.all(pair.map((a, i) => a.waitFor((s) =>
    received(s.peers[0]) >= first[i] + PACKETS, 'media after it')));
  for (const [i, stop] of flows.entries()) {
    const flow = await stop();
    t.note(`appliance ${i}: at least ${Math.round(flow.worst)} datagrams a second ` +
      `from the loss to the rejoin (${flow.samples} samples)`);
    t.ok(flow.worst >= PACKETS / 2, `media stopped: ${flow.worst} datagrams in a second`);
  }
  t.deepEqual((await Promise.all(pair.map((a) => a.status()))).map((s) => s.peers.length), [1, 1]);
});

await test('the room server restarts: a page has the picture back', async (t) => {
  const pages = await startPageServer();
  t.after(() => pages.stop());
  let server = await startServer(t);
  const appliance = await startMember(t, server);
  await joined(appliance);
  const page = await openPage(t, pages, server.host, 'page');
  await joinPage(page, 'camera');
  let peer = await waitStream(page);

  const seen = await steady(t, async () => {
    await server.stop('SIGKILL');
    await page.waitFor((id) => client.events.some((e) => e[0] === 'peerLeft' && e[1] === id),
      { args: [peer], what: 'the page to drop its peers' });
    server = await startServer(t, { listen: server.host });
    await joined(appliance);
    // From joinRoom to the first picture on the screen.
    const result = await page.evaluate((old) => new Promise((resolve, reject) => {
      const start = performance.now();
      const timer = setInterval(() => {
        const id = Object.keys(client.streams).find((i) => i !== old);
        const video = id && client.video(id);
        if (!video) return;
        clearInterval(timer);
        video.requestVideoFrameCallback((now) => resolve({ id, ms: now - start }));
      }, 5);
      setTimeout(() => reject(new Error('no picture in 20 s')), 20000);
      client.skylink.joinRoom('lobby', { audio: true, video: true });
    }), peer);
    t.note(`picture ${Math.round(result.ms)} ms after the page's joinRoom`);
    await until(async () => (await pageStats(page, result.id)).video?.decoded >= SMALL_FPS,
      { label: 'moving pictures' });
    peer = result.id;
    return result;
  }, (s) => s.ms <= 2000);
  t.ok(seen.ms <= 2000, `${seen.ms} ms`);
  const status = await appliance.waitFor((s) => s.peers.length === 1 &&
    s.peers[0].state === 'connected', 'one peer, not two');
  t.ok(status.peers[0].rtc.receivedVideoPackets > 0);
});

// --- peers that go without a word -------------------------------------------------
async function meet(t) {
  const pages = await startPageServer();
  t.after(() => pages.stop());
  const server = await startServer(t);
  const appliance = await startMember(t, server);
  const idle = (await joined(appliance)).process;
  const events = await appliance.follow(['peer*']);
  const page = await openPage(t, pages, server.host, 'page');
  await joinPage(page, 'camera');
  await waitStream(page);
  const [{ peerId }] = (await appliance.waitFor((s) => s.peers[0]?.state === 'connected',
    'the connection')).peers;
  return { pages, server, appliance, idle, events, page, peerId };
}

// When peerLeft came, in milliseconds after `since`.
const left = ({ events, peerId }, since, timeout) => until(() => {
  const event = events.list.find((e) => e.method === 'peerLeft' && e.params.peerId === peerId);
  return event && { ms: event.at - since };
}, { timeout, label: 'peerLeft', every: 5 });

async function checkGone(t, { appliance, idle }) {
  const end = await appliance.waitFor((s) => !s.peers.length && !s.video.rungs.length &&
    s.process.fds <= idle.fds + 1 && s.process.threads <= idle.threads,
  'the peer\'s descriptors and threads to go');
  t.note(`${idle.fds} and ${end.process.fds} descriptors (one listens to events), ` +
    `${idle.threads} and ${end.process.threads} threads`);
}

await test('a killed page has left within a second', async (t) => {
  const world = await meet(t);
  const gone = await steady(t, async () => {
    if (!world.page) {
      world.page = await openPage(t, world.pages, world.server.host, 'page');
      await joinPage(world.page, 'camera');
      await waitStream(world.page);
      [{ peerId: world.peerId }] = (await world.appliance.status()).peers;
    }
    const killed = Date.now();
    world.page.browser.kill();
    world.page = null;
    const result = await left(world, killed, 10000);
    t.note(`peerLeft ${result.ms} ms after SIGKILL`);
    return result;
  }, (s) => s.ms <= 1000);
  t.ok(gone.ms <= 1000, `${gone.ms} ms`);
  await checkGone(t, world);
});

await test('a silent page has left within 30 s', async (t) => {
  const world = await meet(t);
  const pid = world.page.browser.pid;
  const stopped = Date.now();
  process.kill(-pid, 'SIGSTOP');
  t.after(() => {
    try {
      process.kill(-pid, 'SIGCONT');
    } catch { /* it has ended */ }
  });
  const gone = await left(world, stopped, 60000);
  t.note(`peerLeft ${(gone.ms / 1000).toFixed(1)} s after the last sign of life`);
  // The event travels a moment longer than the silence lasts.
  t.ok(gone.ms <= 31000, `${gone.ms} ms`);
  await checkGone(t, world);
});

// A peer whose media never came up, known by its signaling alone: it polls
// once and is never heard of again.
async function signalingOnly(server) {
  const grant = await (await fetch(`${server.url}/api/demo/lobby?rand=1`)).json();
  const url = `${server.url}/socket.io/?EIO=3&transport=polling&b64=1`;
  const opened = await (await fetch(url)).text();
  const { sid } = JSON.parse(/\{.*?\}/.exec(opened)[0]);
  const post = (message) => {
    const packet = `42${JSON.stringify(['message', JSON.stringify(message)])}`;
    return fetch(`${url}&sid=${sid}`, { method: 'POST',
      headers: { 'Content-Type': 'text/plain;charset=UTF-8' },
      body: `${packet.length}:${packet}` });
  };
  await post({ type: 'joinRoom', uid: grant.username, cid: grant.cid, rid: grant.room_key,
    userCred: grant.userCred, timeStamp: grant.timeStamp, apiOwner: grant.apiOwner,
    roomCred: grant.roomCred, start: grant.start, len: grant.len, key: 'demo' });
  const inRoom = await until(async () => {
    const text = await (await fetch(`${url}&sid=${sid}`)).text();
    return /"sid\\?":\\?"([^"\\]+)/.exec(text.slice(text.indexOf('inRoom')))?.[1];
  }, { label: 'inRoom' });
  await post({ type: 'enter', mid: inRoom, rid: grant.room_key, agent: 'chrome', version: '120',
    os: 'Linux', userInfo: { userData: 'silent', settings: { audio: false, video: false },
      mediaStatus: { audioMuted: true, videoMuted: true } },
    receiveOnly: false, sessionType: 'stream', weight: 1, enableIceTrickle: true,
    enableDataChannel: true, enableIceRestart: true, SMProtocolVersion: '0.1.2.4',
    DTProtocolVersion: '0.1.3' });
  return inRoom;
}

if (process.env.FULL)
  await test('a peer of signaling alone has left within 85 s', async (t) => {
    const server = await startServer(t);
    const appliance = await startMember(t, server);
    await joined(appliance);
    const events = await appliance.follow(['peer*']);
    const peerId = await signalingOnly(server);
    const started = Date.now();
    await appliance.waitFor((s) => s.peers.some((p) => p.peerId === peerId), 'the peer');
    const gone = await left({ events, peerId }, started, 120000);
    t.note(`peerLeft ${(gone.ms / 1000).toFixed(1)} s after the last sign of life`);
    // 85 s, the second in which the server looks at its clock, and the way.
    t.ok(gone.ms <= 87000, `${gone.ms} ms`);
    await appliance.waitFor((s) => !s.peers.length, 'nobody');
  }, { timeout: 180000 });
else skip('a peer of signaling alone has left within 85 s', 'takes as long: in full runs');

finish();
