// SPDX-License-Identifier: Apache-2.0
// Two SkylinkJS 0.6.37 pages, each in a Chromium of its own, through our room
// server: over WebSocket, and over polling alone.

import { Chromium } from './lib/chromium.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { startRoomServer } from './lib/program.mjs';
import { finish, test } from './lib/tap.mjs';
import { until } from './lib/wait.mjs';

async function setUp(t, serverArgs = []) {
  const pages = await startPageServer();
  t.after(() => pages.stop());
  const server = await startRoomServer(serverArgs);
  t.after(() => server.stop());
  return { pages, server };
}

async function openClient(t, { pages, server }, name) {
  const browser = await Chromium.start({ name });
  t.after(() => browser.stop());
  const page = await browser.open(`${pages.url}skylink.html?api=${server.host}`);
  return { browser, page, name };
}

const join = (client, options) => client.page.evaluate((o) => client.join(o), options);

const self = (client) => client.page.evaluate(() => client.find('peerJoined',
  (e) => e[3] === true)[1]);

const waitEvent = (client, name, peer, timeout = 60000) => client.page.waitFor(
  (n, p) => client.find(n, (e) => e[1] === p || e[2] === p), {
    args: [name, peer], timeout, what: `${name} of ${peer} in ${client.name}` });

// 20 pictures decoded and sound packets coming.
const waitMedia = (client, peer) => client.page.waitFor(async (p) => {
  const s = await client.stats(p);
  return s.video?.decoded >= 20 && s.audio?.packets >= 20 ? s : null;
}, { args: [peer], what: `media of ${peer} in ${client.name}` });

async function meet(t, options) {
  const around = await setUp(t, options.serverArgs);
  const [a, b] = await Promise.all([openClient(t, around, 'alice'),
    openClient(t, around, 'bob')]);
  const started = Date.now();
  await join(a, { room: 'lobby', userData: 'älice', ...options.join });
  await join(b, { room: 'lobby', userData: { name: 'bob' }, ...options.join });
  t.note(`both joined after ${Date.now() - started} ms`);
  a.id = await self(a);
  b.id = await self(b);
  await Promise.all([waitEvent(a, 'peerJoined', b.id), waitEvent(b, 'peerJoined', a.id),
    waitEvent(a, 'incomingStream', b.id), waitEvent(b, 'incomingStream', a.id)]);
  const [seen] = await Promise.all([waitMedia(a, b.id), waitMedia(b, a.id)]);
  t.note(`alice has decoded ${seen.video.decoded} frames of bob, ` +
    `${Date.now() - started} ms after the start`);
  return { ...around, a, b };
}

async function checkMessages(t, a, b) {
  const text = 'zwölf 中文 😀 "quoted" \\ \u2028 end';
  await a.page.evaluate((m) => client.skylink.sendMessage(m), text);
  await b.page.waitFor((m) => client.find('incomingMessage',
    (e) => e[1].content === m && !e[1].isDataChannel && !e[1].isPrivate),
  { args: [text], what: 'the public message' });
  await b.page.evaluate((m, p) => client.skylink.sendMessage(m, p), { list: [1, text] }, a.id);
  const got = await a.page.waitFor(() => client.find('incomingMessage',
    (e) => e[1].isPrivate), { what: 'the private message' });
  t.equal(got[1].content.list[1], text);

  // A burst becomes a group; all parts arrive, once and in order.
  await a.page.evaluate(() => {
    for (let i = 0; i < 20; i++) client.skylink.sendMessage(`burst ${i}`);
  });
  const burst = await b.page.waitFor(() => {
    const all = client.events.filter((e) => e[0] === 'incomingMessage' &&
      String(e[1].content).startsWith('burst ')).map((e) => e[1].content);
    return all.length >= 20 ? all : null;
  }, { what: 'the burst' });
  t.deepEqual(burst, Array.from({ length: 20 }, (_, i) => `burst ${i}`));
}

await test('two pages meet over WebSocket', async (t) => {
  const { a, b, server } = await meet(t, {});
  await checkMessages(t, a, b);

  await a.page.evaluate(() => client.skylink.muteStream({ audioMuted: true,
    videoMuted: false }));
  await b.page.waitFor((id) => client.find('peerUpdated', (e) => e[1] === id &&
    e[2].mediaStatus.audioMuted), { args: [a.id], what: 'the mute' });

  const left = Date.now();
  await b.page.evaluate(() => client.leave());
  await waitEvent(a, 'peerLeft', b.id);
  t.note(`peerLeft ${Date.now() - left} ms after leaveRoom`);
  const stats = await until(async () => {
    const s = await server.stats();
    return s.clients === 1 ? s : null;
  }, { label: 'one client' });
  t.equal(stats.badMessages, 0);
  t.equal(stats.rooms, 1);
});

await test('a locked room lets nobody in', async (t) => {
  const around = await setUp(t);
  const [a, b] = await Promise.all([openClient(t, around, 'alice'),
    openClient(t, around, 'bob')]);
  await join(a, { media: 'none' });
  await a.page.evaluate(() => client.skylink.lockRoom());
  const failure = await join(b, { media: 'none' }).then(() => null, (e) => e.message);
  t.match(failure ?? 'joined', /locked/i);
  const action = await b.page.waitFor(() => client.find('systemAction'));
  t.deepEqual([action[1], action[3]], ['reject', 'locked']);
  await a.page.evaluate(() => client.skylink.unlockRoom());
  await b.page.navigate(`${around.pages.url}skylink.html?api=${around.server.host}`);
  await join(b, { media: 'none' });
  await waitEvent(a, 'peerJoined', await self(b));
});

await test('two pages meet over polling alone', async (t) => {
  const { a, b } = await meet(t, { join: { polling: true } });
  const transport = await a.page.evaluate(() => client.find('channelOpen') &&
    client.skylink._socketSession.transportType);
  t.match(String(transport), /poll/i);
  await checkMessages(t, a, b);
  await b.page.evaluate(() => client.leave());
  await waitEvent(a, 'peerLeft', b.id);
});

await test('a killed page is gone for the others at once', async (t) => {
  for (const polling of [false, true]) {
    const { a, b } = await meet(t, { join: { polling } });
    await a.page.evaluate((id) => client.skylink.on('peerLeft', (p) => {
      if (p === id) window.leftAt = performance.timeOrigin + performance.now();
    }), b.id);
    const killed = Date.now();
    b.browser.kill();
    // By silence alone it would be after 85 s, and not be waited for.
    const at = await a.page.waitFor(() => window.leftAt, { what: 'peerLeft' });
    t.note(`${polling ? 'polling' : 'WebSocket'}: peerLeft ${Math.round(at - killed)} ms ` +
      'after SIGKILL');
  }
});

await test('a silent page is dropped, a talking one stays', async (t) => {
  const { a, b, server } = await meet(t,
    // The page that talks asks every second, and may be late by ten.
    { serverArgs: ['--ping-interval', '1000', '--ping-timeout', '10000'] });
  // SIGSTOP: the connection stays, nothing comes any more.
  process.kill(-b.browser.pid, 'SIGSTOP');
  t.after(() => process.kill(-b.browser.pid, 'SIGCONT'));
  const stopped = Date.now();
  await waitEvent(a, 'peerLeft', b.id);
  t.note(`peerLeft ${Date.now() - stopped} ms after the last sign of life`);
  t.equal((await server.stats()).timeouts, 1);
});

finish();
