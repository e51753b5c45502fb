// SPDX-License-Identifier: Apache-2.0
// The viewer page with SkylinkJS peers that send: pictures, sound, labels,
// nobody there, the connection lost and found again.
//
// SHOTS=folder writes screenshots there, to be looked at.

import { Chromium } from './lib/chromium.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { steady } from './lib/load.mjs';
import { startRoomServer } from './lib/program.mjs';
import { finish, test } from './lib/tap.mjs';

const shot = (page, name, options) => process.env.SHOTS
  ? page.screenshot(`${process.env.SHOTS}/${name}.png`, options) : null;
const PHONE = { width: 390, height: 844, mobile: true, scale: 2 };

async function openViewer(t, server, { query = '', autoplay = false } = {}) {
  const browser = await Chromium.start({ name: 'viewer', autoplay });
  t.after(() => browser.stop());
  const page = await browser.open(`${server.url}${query}`);
  await page.evaluate(() => {
    window.text = (id) => document.getElementById(id).textContent;
  });
  return { browser, page };
}

async function openSender(t, server, pages, name, options = {}) {
  const browser = await Chromium.start({ name });
  t.after(() => browser.stop());
  const page = await browser.open(`${pages.url}skylink.html?api=${server.host}`);
  await page.evaluate((o) => client.join(o), { media: 'picture', userData: name,
    picture: { width: 640, height: 360, fps: 30, hz: 440 }, ...options });
  return { browser, page };
}

async function start(t, args = []) {
  const server = await startRoomServer(args);
  t.after(() => server.stop());
  const pages = await startPageServer();
  t.after(() => pages.stop());
  return { server, pages };
}

const videos = (page, n, timeout = 60000) => page.waitFor((count) => {
  const all = [...document.querySelectorAll('.tile video')];
  return all.length === count && all.every((v) => v.videoWidth > 0 &&
    v.getVideoPlaybackQuality().totalVideoFrames > 5);
}, { args: [n], timeout, what: `${n} moving pictures` });

const noErrors = (t, page) =>
  t.deepEqual(page.console.filter((l) => /^(error|exception|warning)/.test(l)), []);

await test('it waits, shows who comes, and says who left', async (t) => {
  const { server, pages } = await start(t);
  const { page } = await openViewer(t, server);
  await page.waitFor(() => text('message-title') === 'Nobody is sending yet');
  t.equal(await page.evaluate(() => text('room')), 'lobby');
  await shot(page, 'empty-desktop');

  const alice = await openSender(t, server, pages, 'Alice');
  await videos(page, 1);
  await page.waitFor(() => text('state-text') === 'Live, 1 picture');
  t.equal(await page.evaluate(() => document.querySelector('.tile .name').textContent), 'Alice');
  t.equal(await page.evaluate(() => document.getElementById('message').hidden), true);
  await shot(page, 'one-desktop');

  await openSender(t, server, pages, 'Bob', { media: 'camera' });
  await videos(page, 2);
  await shot(page, 'two-desktop');
  await shot(page, 'two-phone', PHONE);

  await alice.page.evaluate(() => client.skylink.muteStream({ audioMuted: true,
    videoMuted: true }));
  await page.waitFor(() => [...document.querySelectorAll('.tile')].some((tile) =>
    tile.classList.contains('no-picture') && tile.textContent.includes('camera off, muted')),
  { what: 'the label of a muted peer' });
  await shot(page, 'muted-phone', PHONE);
  await alice.browser.stop();
  await videos(page, 1);
  t.equal(await page.evaluate(() => document.querySelector('.tile .name').textContent !== 'Alice'),
    true);
  noErrors(t, page);
});

await test('the picture is the one sent, and it is fresh', async (t) => {
  const { server, pages } = await start(t);
  const { page } = await openViewer(t, server);
  await openSender(t, server, pages, 'Alice');
  await videos(page, 1);
  // The page's own policy forbids foreign scripts: the tool injects this one.
  await page.evaluate((await import('node:fs')).readFileSync(
    new URL('./lib/measure.js', import.meta.url), 'utf8'));
  const fine = (s) => s.read >= 40 && s.read >= 0.9 * s.presented;
  const seen = await steady(t, async () => {
    const watched = await page.evaluate(() =>
      measure.frames(document.querySelector('.tile video'), 4000));
    const latency = [...watched.latency].sort((a, b) => a - b);
    t.note(`${watched.read} of ${watched.presented} frames read, age median ` +
      `${latency[latency.length >> 1]?.toFixed(0)} ms`);
    t.equal(watched.backwards, 0);
    return watched;
  }, fine);
  t.ok(fine(seen), `${seen.read} of ${seen.presented} frames read`);
});

await test('sound waits for a click', async (t) => {
  const { server, pages } = await start(t);
  const { page } = await openViewer(t, server);
  await openSender(t, server, pages, 'Alice');
  await videos(page, 1);
  const muted = () => page.evaluate(() => document.querySelector('.tile video').muted);
  t.equal(await muted(), true);
  t.equal(await page.evaluate(() => text('sound-text')), 'Turn sound on');
  await page.click('#sound');
  await page.waitFor(() => !document.querySelector('.tile video').muted);
  t.equal(await page.evaluate(() =>
    document.getElementById('sound').getAttribute('aria-pressed')), 'true');
  await page.evaluate((await import('node:fs')).readFileSync(
    new URL('./lib/measure.js', import.meta.url), 'utf8'));
  const tone = await page.evaluate(() =>
    measure.tone(document.querySelector('.tile video').srcObject));
  t.note(`tone ${tone.hz.toFixed(1)} Hz at ${tone.db.toFixed(0)} dB`);
  t.ok(Math.abs(tone.hz - 440) < 3);
  await page.click('#sound');
  t.equal(await muted(), true);
});

await test('another room by its name', async (t) => {
  const { server, pages } = await start(t);
  const { page } = await openViewer(t, server, { query: '?room=K%C3%BCche%20%26%20Hof' });
  await page.waitFor(() => text('message-title') === 'Nobody is sending yet');
  t.equal(await page.evaluate(() => text('room')), 'Küche & Hof');
  await openSender(t, server, pages, 'Lobby', { room: 'lobby' });
  await openSender(t, server, pages, 'Küche', { room: 'Küche & Hof' });
  await videos(page, 1);
  t.equal(await page.evaluate(() => document.querySelector('.tile .name').textContent), 'Küche');
});

await test('it comes back by itself when the server does', async (t) => {
  const { server, pages } = await start(t);
  const { page } = await openViewer(t, server);
  const sender = await openSender(t, server, pages, 'Alice');
  await videos(page, 1);
  await server.stop();
  await page.waitFor(() => text('message-title') === 'Connection lost');
  await shot(page, 'lost-desktop');
  await shot(page, 'lost-phone', PHONE);

  const again = await startRoomServer(['--listen', server.host]);
  t.after(() => again.stop());
  await page.waitFor(() => ['empty', 'live'].includes(
    document.getElementById('state').dataset.state), { what: 'the rejoin' });
  const rejoined = Date.now();
  await sender.page.evaluate(() => client.skylink.joinRoom('lobby', { userData: 'Alice' }));
  await page.waitFor(() => text('state-text') === 'Live, 1 picture' &&
    document.querySelector('.tile:not(.waiting) video')?.videoWidth > 0,
  { what: 'the picture again' });
  t.note(`picture ${Date.now() - rejoined} ms after the sender's joinRoom`);
});

await test('a locked room is said to be locked', async (t) => {
  const { server, pages } = await start(t);
  const sender = await openSender(t, server, pages, 'Alice');
  await sender.page.evaluate(() => client.skylink.lockRoom());
  const { page } = await openViewer(t, server);
  await page.waitFor(() => text('message-title') === 'The room is locked');
  await shot(page, 'locked-desktop');
  await sender.page.evaluate(() => client.skylink.unlockRoom());
  await page.click('#retry');
  await videos(page, 1);
});

await test('without WebSocket it polls', async (t) => {
  const { server, pages } = await start(t);
  const browser = await Chromium.start({ name: 'viewer' });
  t.after(() => browser.stop());
  const page = await browser.open();
  await page.send('Page.addScriptToEvaluateOnNewDocument', { source:
    'window.WebSocket = class { constructor() { setTimeout(() => this.onerror?.(), 10); } close() {} };' });
  await page.navigate(server.url);
  await openSender(t, server, pages, 'Äpfel 😀');
  await videos(page, 1);
  t.equal(await page.evaluate(() => document.querySelector('.tile .name').textContent),
    'Äpfel 😀');
});

await test('two viewers and a sender leave each other alone', async (t) => {
  const { server, pages } = await start(t);
  const first = await openViewer(t, server);
  const second = await openViewer(t, server);
  await first.page.waitFor(() => /1 other is here/.test(text('message-text')));
  await openSender(t, server, pages, 'Alice');
  await Promise.all([videos(first.page, 1), videos(second.page, 1)]);
  second.browser.kill();
  const before = await first.page.evaluate(() =>
    document.querySelector('.tile video').getVideoPlaybackQuality().totalVideoFrames);
  await first.page.waitFor((n) => document.querySelector('.tile video')
    .getVideoPlaybackQuality().totalVideoFrames > n + 20, { args: [before] });
  noErrors(t, first.page);
});

finish();
