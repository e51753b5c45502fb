// SPDX-License-Identifier: Apache-2.0
// The console in a real browser: who is let in, what it shows, what its
// buttons do to a SkylinkJS peer; over https and from another address.
//
// Screenshots go to build/screenshots, to be looked at.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { startAppliance } from './lib/appliance.mjs';
import { Chromium } from './lib/chromium.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { BUILD } from './lib/program.mjs';
import { finish, skip, test } from './lib/tap.mjs';
import { trustFlags } from './lib/trust.mjs';
import { until } from './lib/wait.mjs';

const SHOTS = path.join(BUILD, 'screenshots');
const PASSWORD = 'a password for tests';
const WATCHING = 'only for watching';
const SMALL = ['--source', 'test', '--set', 'video.width=640', '--set', 'video.height=360'];
const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844, mobile: true, scale: 2 },
};

// The daemon with a room server, a console and both passwords.
async function startBox(t, { listen = '127.0.0.1:0', args = [] } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'skylink-console-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = async (name, text) => {
    await writeFile(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  };
  const box = await startAppliance(t, [...SMALL, '--set', 'roomserver.enabled=yes',
    '--set', `roomserver.listen=${listen}`, '--set', 'network.loopback=yes',
    '--set', `console.password_file=${await file('console', PASSWORD)}`,
    '--set', `roomserver.viewer_password_file=${await file('viewer', WATCHING)}`, ...args]);
  box.url = (await box.waitFor((s) => s.room.state === 'joined', 'the box to join')).roomserver.url;
  box.port = new URL(box.url).port;
  return box;
}

// Counts are what is tested, not times: a busy machine may take its time.
function patient(page) {
  const wait = page.waitFor.bind(page);
  page.waitFor = (what, options = {}) => wait(what, { timeout: 45000, ...options });
  return page;
}

async function openPage(t, url, { flags = [], size = SIZES.desktop, name = 'console' } = {}) {
  const browser = await Chromium.start({ name, flags });
  t.after(() => browser.stop());
  const page = patient(await browser.open());
  page.browser = browser;
  page.size = size;
  await page.send('Emulation.setDeviceMetricsOverride', { width: size.width,
    height: size.height, mobile: size.mobile ?? false, deviceScaleFactor: size.scale ?? 1 });
  await page.navigate(url);
  return page;
}

const path_of = (page) => page.evaluate(() => location.pathname);

async function login(page, password = PASSWORD) {
  await page.waitFor(() => location.pathname === '/login' && document.querySelector('form').onsubmit,
    { what: 'the login page' });
  await page.evaluate((text) => {
    document.getElementById('password').value = text;
    document.getElementById('submit').click();
  }, password);
}

const live = (page) => page.waitFor(() => location.pathname === '/console/' &&
  document.getElementById('link')?.dataset.level === 'good' &&
  document.getElementById('room-state').textContent.startsWith('In room'),
{ what: 'the live console' });

const text = (page, id) => page.evaluate((i) => document.getElementById(i).textContent, id);

const waitText = (page, id, words) => page.waitFor((i, w) =>
  document.getElementById(i).textContent.includes(w), { args: [id, words], what: `"${words}" in ${id}` });

// Nothing reaches over the edge or out of its card, what can be pressed can be
// hit, and every control has a name.
async function checkLayout(t, page) {
  const wrong = await page.evaluate((innerWidth) => {
    const list = [];
    if (document.documentElement.scrollWidth > innerWidth)
      list.push(`scrolls sideways: ${document.documentElement.scrollWidth}`);
    for (const e of document.querySelectorAll('body *')) {
      const r = e.getBoundingClientRect();
      if (r.width && (r.left < -1 || r.right > innerWidth + 1))
        list.push(`${e.tagName} ${e.id || e.className} ${Math.round(r.left)}..${Math.round(r.right)}`);
      if (e.matches('.card') && r.width < 300) list.push(`a card is ${r.width}px wide`);
      const card = e.closest('.card')?.getBoundingClientRect();
      if (card && r.width && r.right > card.right + 1) list.push(`${e.tagName} ${e.id} leaves its card`);
      if ((e.tagName === 'BUTTON' || e.tagName === 'INPUT') && r.width && r.height < 40)
        list.push(`${e.id} is ${r.height}px high`);
      if (e.tagName === 'BUTTON' && r.width && !e.textContent.trim()) list.push(`${e.id} has no name`);
    }
    return list;
  }, page.size.width);
  t.deepEqual(wrong, []);
}

// WCAG 2.1 contrast of every text that can be seen.
async function checkContrast(t, page) {
  const poor = await page.evaluate(() => {
    const parse = (c) => (/rgba?\(([^)]+)\)/.exec(c)?.[1] ?? '0 0 0 0').split(/[ ,/]+/).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
      .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (e) => {
      for (; e; e = e.parentElement) {
        const c = parse(getComputedStyle(e).backgroundColor);
        if (c.length < 4 || c[3] > 0.9) return c;
      }
      return parse(getComputedStyle(document.documentElement).backgroundColor);
    };
    const list = [];
    for (const e of document.querySelectorAll('body *')) {
      const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
      if (!own || !e.getClientRects().length || e.disabled || e.tagName === 'NOSCRIPT') continue;
      const [a, b] = [luminance(parse(getComputedStyle(e).color)), luminance(ground(e))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) list.push(`${e.tagName} ${e.id || e.className} "${e.textContent.slice(0, 20)}" ${ratio.toFixed(2)}`);
    }
    return list;
  });
  t.deepEqual(poor, []);
}

const noErrors = (t, page) => t.deepEqual(page.console.filter((l) =>
  /^(error|exception|warning)/.test(l) && !/401|429|favicon/.test(l)), []);

async function scheme(page, value) {
  await page.send('Emulation.setEmulatedMedia',
    { features: [{ name: 'prefers-color-scheme', value }] });
}

// A page with SkylinkJS as it comes from npm, in the box's room.
async function openPeer(t, box, { init = {}, flags = [] } = {}) {
  const browser = await Chromium.start({ name: 'Alice', flags });
  t.after(() => browser.stop());
  const page = patient(await browser.open(`${pages.url}skylink.html?api=${new URL(box.url).host}`));
  await page.evaluate((o) => client.join(o), { media: 'picture', userData: 'Alice', init,
    picture: { width: 320, height: 180, fps: 15, hz: 440 } });
  await page.waitFor(() => client.events.some((e) => e[0] === 'incomingStream'),
    { what: 'the stream of the box' });
  return page;
}

function ask(url, { method = 'GET', headers = {}, body } = {}) {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const send = protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send({ hostname, port, path: pathname + search, method, headers,
      rejectUnauthorized: false, agent: false }, (answer) => {
      let all = '';
      answer.on('data', (chunk) => { all += chunk; });
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: all }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

await mkdir(SHOTS, { recursive: true });
const pages = await startPageServer();

await test('console: login, what it shows, mute reaches a peer, the session ends', async (t) => {
  const box = await startBox(t);
  const page = await openPage(t, `${box.url}console/`);
  t.equal(await path_of(page), '/login');
  await checkLayout(t, page);
  await checkContrast(t, page);
  await page.screenshot(path.join(SHOTS, 'console-login.png'), page.size);

  await login(page, 'not this one');
  await waitText(page, 'error', 'not the password');
  await login(page, WATCHING);
  await waitText(page, 'error', 'for watching');
  await login(page);
  await live(page);
  t.equal(await text(page, 'room-state'), 'In room lobby');
  t.equal(await page.evaluate(() => document.cookie), '', 'a script sees the cookie');

  const alice = await openPeer(t, box);
  await page.waitFor(() => [...document.querySelectorAll('#peers bdi')].some((b) =>
    b.textContent === 'Alice'), { what: 'Alice among the peers' });
  await page.waitFor(() => document.getElementById('events').textContent.includes('Alice joined'),
    { what: 'the event' });
  await page.evaluate(() => document.getElementById('preview').click());
  await page.waitFor(() => document.getElementById('picture').videoWidth > 0, { what: 'the preview' });
  await page.waitFor(() => [...document.querySelectorAll('#peers dd')].some((d) =>
    /Mb\/s|kb\/s/.test(d.textContent)), { what: 'rates' });
  for (const [name, size] of Object.entries(SIZES))
    for (const colours of ['light', 'dark']) {
      page.size = size;
      await scheme(page, colours);
      await page.screenshot(path.join(SHOTS, `console-${name}-${colours}.png`), size);
      await checkLayout(t, page);
      await checkContrast(t, page);
    }
  await scheme(page, 'light');

  // A second tab has the same session, and sees what the first one does.
  const second = patient(await page.browser.open(`${box.url}console/`));
  await live(second);
  await page.evaluate(() => document.getElementById('video-mute').click());
  await alice.waitFor(() => client.events.some((e) => e[0] === 'streamMuted' ||
    e[0] === 'peerUpdated' && JSON.stringify(e).includes('"videoMuted":true')),
  { what: 'Alice to see the mute' });
  for (const tab of [page, second]) await waitText(tab, 'video-state', 'Muted');
  t.equal((await box.status()).video.muted, true);
  await waitText(page, 'video-mute', 'Turn picture on');
  await waitText(page, 'problems', 'The picture is muted');
  await page.screenshot(path.join(SHOTS, 'console-muted.png'), page.size);
  await checkContrast(t, page);
  await second.evaluate(() => document.getElementById('video-mute').click());
  await waitText(page, 'video-state', 'On');
  t.equal((await box.status()).video.muted, false);
  await page.evaluate(() => document.getElementById('audio-mute').click());
  await waitText(second, 'audio-state', 'Muted');
  t.equal((await box.status()).audio.muted, true);

  // Logged out in one tab: the other one's connection ends, too.
  await second.evaluate(() => document.getElementById('logout').click());
  for (const tab of [page, second])
    await tab.waitFor(() => location.pathname === '/login', { what: 'the end of the session' });
  noErrors(t, page);
}, { timeout: 240000 });

await test('console: leave and join, the check, the connection lost and found', async (t) => {
  const box = await startBox(t);
  const page = await openPage(t, `${box.url}console/`, { size: SIZES.phone });
  await login(page);
  await live(page);
  await page.evaluate(() => {
    window.confirm = () => true;
    document.getElementById('leave').click();
  });
  await waitText(page, 'room-state', 'In no room');
  await page.waitFor(() => !document.getElementById('join').hidden);
  await page.evaluate(() => document.getElementById('join').click());
  await waitText(page, 'room-state', 'In room lobby');

  await page.evaluate(() => document.getElementById('check').click());
  await page.waitFor(() => document.querySelectorAll('#findings li').length > 3,
    { what: 'what the check found' });
  await page.screenshot(path.join(SHOTS, 'console-health-phone.png'), page.size);
  await checkLayout(t, page);
  await checkContrast(t, page);

  box.kill();
  await page.waitFor(() => document.body.classList.contains('stale') &&
    !document.getElementById('lost').hidden, { what: 'it to say that the box is lost' });
  t.equal(await page.evaluate(() => [...document.querySelectorAll('main button')]
    .filter((b) => b.getClientRects().length).every((b) => b.disabled)), true);
  await page.screenshot(path.join(SHOTS, 'console-lost-phone.png'), page.size);
  await checkLayout(t, page);
  // Another process knows nothing of the session.
  await startBox(t, { listen: `127.0.0.1:${box.port}` });
  await page.waitFor(() => location.pathname === '/login', {
    what: 'it to ask for the password again' });
  await login(page);
  await live(page);
});

await test('console: the self-test, when it was and what failed', async (t) => {
  const box = await startBox(t, { args: ['--set', 'video.source=v4l2:/dev/video-none'] });
  const page = await openPage(t, `${box.url}console/`);
  await login(page);
  await live(page);
  await waitText(page, 'selftest-state', 'Not run yet');
  await waitText(page, 'selftest-more', 'next ');
  const { last } = await box.call('selftest.run');
  t.equal(last.result, 'failed');
  await waitText(page, 'selftest-state', 'Failed');
  await waitText(page, 'problems', 'The last self-test failed');
  const wrong = last.rows.filter((row) => ['failed', 'warning'].includes(row.state));
  const what = await page.evaluate(() => [...document.querySelectorAll('#selftest-rows div')]
    .map((div) => div.textContent));
  t.equal(what.length, wrong.length);
  t.ok(what[0].startsWith('Wrong'), what[0]);
  t.ok(what.some((line) => line.includes('v4l2:/dev/video-none is configured, but it is not there')),
    what.join('\n'));
  for (const [name, size] of Object.entries(SIZES)) {
    page.size = size;
    await page.send('Emulation.setDeviceMetricsOverride', { width: size.width,
      height: size.height, mobile: size.mobile ?? false, deviceScaleFactor: size.scale ?? 1 });
    await page.evaluate(() => document.getElementById('health-title').scrollIntoView());
    await page.screenshot(path.join(SHOTS, `console-selftest-${name}.png`), size);
    await checkLayout(t, page);
    await checkContrast(t, page);
  }
  // What else the last one may have come to.
  t.deepEqual(await page.evaluate(async () => {
    const { selftestWords } = await import('/console/words.js');
    return ['ok', 'warning', 'failed', 'aborted', 'skipped'].map((result) => {
      const { state, level, more } = selftestWords({ running: false, next: null,
        last: { at: 1767225600, result, reason: result === 'skipped' ? 'a peer is here' : null } });
      return [state, level, more.endsWith('none is planned'), more.includes(': a peer is here')];
    });
  }), [['Passed', 'good', true, false], ['Look', 'warn', true, false], ['Failed', 'bad', true, false],
    ['Broken off', 'warn', true, false], ['Skipped', '', true, true]]);
  t.equal(await page.evaluate(async () => {
    const { selftestWords } = await import('/console/words.js');
    return selftestWords({ running: true, next: null, last: null }).state;
  }), 'Running');
  noErrors(t, page);
});

await test('console: guessing is slowed, whatever is tried', async (t) => {
  const box = await startBox(t);
  const page = await openPage(t, `${box.url}console/`);
  for (let i = 0; i < 5; i++) {
    await login(page, `guess ${i}`);
    await waitText(page, 'error', 'not the password');
    await page.evaluate(() => { document.getElementById('error').textContent = ''; });
  }
  await login(page);
  await waitText(page, 'error', 'Too many');
  await page.screenshot(path.join(SHOTS, 'console-slowed.png'), page.size);
  t.equal(await path_of(page), '/login');
});

await test('console: its own listener, without a room server, by https', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'skylink-console-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(path.join(folder, 'password'), PASSWORD, { mode: 0o600 });
  const box = await startAppliance(t, [...SMALL, '--set', 'console.listen=127.0.0.1:0',
    '--set', `console.password_file=${path.join(folder, 'password')}`]);
  const url = await until(() => /the console is at (\S+)/.exec(box.output)?.[1], { label: 'the address' });
  const { port } = new URL(url);
  const page = await openPage(t, `https://127.0.0.1:${port}/`,
    { flags: await trustFlags('127.0.0.1', port) });
  await login(page);
  await page.waitFor(() => document.getElementById('link')?.dataset.level === 'good',
    { what: 'the live console' });
  await waitText(page, 'room-state', 'In no room');
  t.equal((await ask(`https://127.0.0.1:${port}/api/demo/lobby`)).status, 404);
  const cookies = (await page.send('Network.getCookies')).cookies;
  t.equal(cookies.length, 1);
  t.ok(cookies[0].httpOnly && cookies[0].secure && cookies[0].sameSite === 'Strict', JSON.stringify(cookies));
  noErrors(t, page);
});

await test('pages of others, and names of others, get nothing', async (t) => {
  const box = await startBox(t);
  const origin = box.url.slice(0, -1);
  const json = { 'Content-Type': 'application/json' };
  const body = JSON.stringify({ password: PASSWORD });
  const post = (headers) => ask(`${box.url}login`, { method: 'POST', body, headers });
  t.equal((await post({ ...json })).status, 403, 'without Origin');
  t.equal((await post({ ...json, Origin: 'http://evil.example' })).status, 403);
  t.equal((await post({ Origin: origin, 'Content-Type': 'text/plain' })).status, 400, 'a form');
  t.equal((await post({ ...json, Origin: 'http://evil.example', Host: 'evil.example' })).status, 421);
  const good = await post({ ...json, Origin: origin });
  t.equal(good.status, 200);
  t.equal(good.headers['access-control-allow-origin'], undefined);
  const cookie = good.headers['set-cookie'][0].split(';')[0];
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', Cookie: cookie,
    'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' };
  const socket = (headers) => ask(`${box.url}console/socket`, { headers });
  t.equal((await socket({ ...upgrade })).status, 403, 'a script without a page');
  t.equal((await socket({ ...upgrade, Origin: 'http://evil.example' })).status, 403);
  t.equal((await socket({ ...upgrade, Origin: origin, Cookie: '' })).status, 401);
  t.equal((await ask(`${box.url}console/`, { headers: { Cookie: cookie } })).status, 200);
  t.equal((await ask(`${box.url}console/`, { headers: { Cookie: cookie, Host: 'evil.example' } })).status, 421);
  t.equal((await ask(box.url, { headers: { Host: 'evil.example' } })).status, 421, 'the viewer, by a rebound name');
  const answer = await ask(`${box.url}login`);
  t.match(answer.headers['content-security-policy'], /script-src 'self'/);
  t.ok(Math.abs(Date.parse(answer.headers.date) - Date.now()) < 60000, answer.headers.date);
});

const lan = Object.values(networkInterfaces()).flat().find((a) => a.family === 'IPv4' && !a.internal)?.address;
if (!lan) {
  skip('from another address', 'this machine has no address but the loopback');
} else {
  await test('from another address: https, a password, SkylinkJS by wss', async (t) => {
    const box = await startBox(t, { listen: `${lan}:0` });
    t.equal(new URL(box.url).protocol, 'https:');
    const clear = box.url.replace('https:', 'http:');
    for (const [asked, expected] of [['', ''], ['console/', 'console/'], ['?room=a%20b', '?room=a%20b']]) {
      const answer = await ask(clear + asked);
      t.equal(answer.status, 302);
      t.equal(answer.headers.location, box.url + expected);
    }
    t.equal((await ask(`${box.url}viewer-config.json`)).status, 401);
    t.equal((await ask(`${box.url}viewer.js`)).status, 401);
    const flags = await trustFlags(lan, box.port);
    const page = await openPage(t, clear, { flags, size: SIZES.phone, name: 'viewer' });
    t.equal(await page.evaluate(() => location.protocol + location.pathname), 'https:/login');
    await login(page, WATCHING);
    await page.waitFor(() => document.querySelector('.tile video')?.videoWidth > 0,
      { what: 'the picture' });
    await page.navigate(`${box.url}console/`);
    t.equal(await path_of(page), '/login', 'who may watch may not operate');

    const alice = await openPeer(t, box, { init: { forceSSL: true }, flags });
    await alice.waitFor(() => [...document.querySelectorAll('video')].some((v) => v.videoWidth > 0),
      { what: 'the picture of the box by wss' });
    const addresses = await alice.evaluate(() => performance.getEntriesByType('resource')
      .map((e) => e.name).filter((n) => n.includes('/api/')));
    t.ok(addresses.length && addresses.every((a) => a.startsWith(`https://${lan}`)), String(addresses));
    noErrors(t, page);
  });

  await test('a demo for other machines: its address opens the picture', async (t) => {
    const demo = await startAppliance(t, ['--demo', ...SMALL, '--listen', `${lan}:0`]);
    const address = await until(() => demo.printed.split('\n')[0], { label: 'the address' });
    t.match(address, new RegExp(`^https://${lan}:[0-9]+/#password=`));
    t.match(demo.output, /a browser warns of it once/);
    const token = /Console: (\S+)/.exec(demo.output)[1];
    const flags = await trustFlags(lan, new URL(address).port);
    const page = await openPage(t, address, { flags, name: 'viewer' });
    await page.waitFor(() => document.querySelector('.tile video')?.videoWidth > 0,
      { what: 'the picture' });
    t.equal(await page.evaluate(() => location.hash), '');
    const other = await openPage(t, token, { flags });
    await live(other);
    const again = await openPage(t, token, { flags });
    await waitText(again, 'error', 'has been used');
    t.match(demo.output, /password is [a-z-]+[0-9]{4}/);
  });
}

await pages.stop();
finish();
