// SPDX-License-Identifier: Apache-2.0
// skylinkd --demo as a newcomer starts it: one address on the terminal, and
// behind it the viewer page with the moving picture and its sound.
//
// Screenshots go to build/screenshots, to be looked at.

import { mkdir } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { startAppliance } from './lib/appliance.mjs';
import { Chromium } from './lib/chromium.mjs';
import { steady } from './lib/load.mjs';
import { BUILD, TOP } from './lib/program.mjs';
import { finish, test } from './lib/tap.mjs';
import { until } from './lib/wait.mjs';

const SHOTS = path.join(BUILD, 'screenshots');
const SECONDS = 5;
const FPS = 30;
const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844, mobile: true, scale: 2 },
};
const MEASURE = readFileSync(new URL('./lib/measure.js', import.meta.url), 'utf8');

const addresses = (appliance) => appliance.printed.split('\n').filter(Boolean);

async function startDemo(t, args = [], options = {}) {
  const demo = await startAppliance(t, [...options.command ? [] : ['--demo'],
    '--source', 'test', ...args], options);
  await until(() => addresses(demo).length, { label: 'the address' });
  demo.url = addresses(demo)[0];
  return demo;
}

async function openViewer(t, demo, size) {
  const browser = await Chromium.start({ name: 'viewer', autoplay: false });
  t.after(() => browser.stop());
  const page = await browser.open();
  const { width, height, mobile = false, scale = 1 } = size;
  await page.send('Emulation.setDeviceMetricsOverride',
    { width, height, mobile, deviceScaleFactor: scale });
  if (mobile) await page.send('Emulation.setTouchEmulationEnabled', { enabled: true });
  await page.navigate(demo.url);
  await page.evaluate(() => {
    window.text = (id) => document.getElementById(id).textContent;
    window.states = [];
    new MutationObserver(() => states.push(text('state-text'))).observe(
      document.getElementById('state'), { childList: true, characterData: true, subtree: true });
    window.picture = () => document.querySelector('.tile:not(.waiting) video:not(.old)');
  });
  // The page's own policy forbids foreign scripts: the tool injects this one.
  await page.evaluate(MEASURE);
  return page;
}

const waitPicture = (page, frames = 10) => page.waitFor((n) => {
  const video = window.picture();
  return text('state-text') === 'Live, 1 picture' && video?.videoWidth &&
    video.getVideoPlaybackQuality().totalVideoFrames >= n;
}, { args: [frames], what: 'the moving picture' });

const waitTitle = (page, title) => page.waitFor((wanted) => text('message-title') === wanted &&
  !document.getElementById('message').hidden, { args: [title], what: title });

async function checkPicture(t, page) {
  const fine = (s) => s.read >= 0.5 * SECONDS * FPS;
  const seen = await steady(t, async () => {
    const watched = await page.evaluate((ms) =>
      measure.frames(window.picture(), ms), SECONDS * 1000);
    const latency = [...watched.latency].sort((a, b) => a - b);
    t.note(`${watched.read} barcodes read of ${watched.presented} presented, ` +
      `${watched.first} to ${watched.last}, latency median ` +
      `${latency[latency.length >> 1]?.toFixed(1)} ms`);
    t.ok(watched.increasing, `barcodes out of order: ${watched.frames}`);
    return watched;
  }, fine);
  t.ok(fine(seen), `only ${seen.read} barcodes read in ${SECONDS} s`);
}

async function checkSound(t, page) {
  t.equal(await page.evaluate(() => window.picture().muted), true);
  t.equal(await page.evaluate(() => text('sound-text')), 'Turn sound on');
  await page.click('#sound');
  await page.waitFor(() => !window.picture().muted && !window.picture().paused);
  const tone = await page.evaluate(() => measure.tone(window.picture().srcObject));
  t.note(`tone ${tone.hz.toFixed(1)} Hz at ${tone.db.toFixed(0)} dB`);
  t.ok(Math.abs(tone.hz - 440) < 3, `${tone.hz} Hz is not the tone of 440 Hz`);
}

// Nothing reaches over the edge, and what can be pressed can be hit.
async function checkLayout(t, page, size) {
  // A phone's browser zooms out to what does not fit: its own idea of the
  // width is no measure.
  const wrong = await page.evaluate((innerWidth, innerHeight) => {
    const list = [];
    if (document.documentElement.scrollWidth > innerWidth) list.push('scrolls sideways');
    for (const e of document.querySelectorAll('header *, #message *, .tile, figcaption')) {
      const r = e.getBoundingClientRect();
      if (r.width && (r.left < -1 || r.right > innerWidth + 1 || r.bottom > innerHeight + 1))
        list.push(`${e.tagName} ${e.id || e.className} ${Math.round(r.left)}..${
          Math.round(r.right)} of ${innerWidth}`);
      if (e.tagName === 'BUTTON' && r.width && r.height < 36) list.push(`${e.id} is ${r.height}px high`);
    }
    return list;
  }, size.width, size.height);
  t.deepEqual(wrong, []);
}

await mkdir(SHOTS, { recursive: true });

for (const [name, size] of Object.entries(SIZES))
  await test(`the viewer page on a ${name}`, async (t) => {
    const demo = await startDemo(t);
    const page = await openViewer(t, demo, size);
    const shot = (what) => page.screenshot(path.join(SHOTS, `demo-${name}-${what}.png`), size);
    await waitPicture(page);
    await checkPicture(t, page);
    await checkLayout(t, page, size);
    await shot('live');
    await checkSound(t, page);
    await shot('sound');

    await demo.call('leaveRoom');
    await waitTitle(page, 'Nobody is sending yet');
    await checkLayout(t, page, size);
    await shot('nobody');
    await demo.call('joinRoom', { room: 'lobby' });
    await waitPicture(page);

    demo.kill();
    await waitTitle(page, 'Connection lost');
    // Some attempts fail; what was on the screen stays there meanwhile.
    await page.waitFor(() => states.filter((s) => s === 'Connection lost').length >= 3,
      { what: 'attempts that fail' });
    await waitTitle(page, 'Connection lost');
    t.equal(await page.evaluate(() => document.querySelectorAll('.tile').length), 1);
    await checkLayout(t, page, size);
    await shot('lost');
    const again = await startDemo(t, ['--listen', new URL(demo.url).host]);
    t.equal(again.url, demo.url);
    await page.evaluate(() => window.picture()?.classList.add('old'));
    await waitPicture(page);
    t.equal(await page.evaluate(() => document.getElementById('message').hidden), true);
    await checkPicture(t, page);
    await checkLayout(t, page, size);
    await shot('back');
    t.deepEqual(page.console.filter((line) => /^(exception|warning)/.test(line)), []);
  }, { timeout: 180000 });

// Somebody else has this port.
async function occupy(t) {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return server.address().port;
}

const WAYS = { 'skylinkd --demo': {}, './dev run': { command: [path.join(TOP, 'dev'), 'run'] } };
for (const [name, options] of Object.entries(WAYS))
  await test(`${name}: one address line, and it answers`, async (t) => {
    const started = Date.now();
    const demo = await startDemo(t, [], options);
    const answer = await fetch(demo.url);
    t.note(`${demo.url} answered ${Date.now() - started} ms after the start`);
    t.equal(answer.status, 200);
    t.match(await answer.text(), /<title>Skylink viewer<\/title>/);
    await demo.waitFor((s) => s.room.state === 'joined', 'the demo to join');
    t.equal(await demo.stop(), 0);
    t.equal(addresses(demo).length, 1);
  });

await test('a busy port: --demo takes the next free one', async (t) => {
  const port = await occupy(t);
  const demo = await startDemo(t, ['--set', `roomserver.listen=127.0.0.1:${port}`]);
  const taken = Number(new URL(demo.url).port);
  t.note(`${port} is busy, ${taken} taken`);
  t.ok(taken > port && taken < port + 100);
  t.equal((await fetch(demo.url)).status, 200);
  t.equal((await demo.status()).roomserver.url, demo.url);
});

await test('a busy port that was asked for is an error', async (t) => {
  const port = await occupy(t);
  const failed = await startAppliance(t, ['--demo', '--source', 'test', '--listen',
    `127.0.0.1:${port}`], { fails: true });
  t.equal(await failed.ended, 1);
  t.equal(failed.printed, '');
  t.match(failed.output, new RegExp(`127\\.0\\.0\\.1:${port}.*in use`, 'i'));
  t.note(failed.output.trim());
});

finish();
