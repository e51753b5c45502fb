// SPDX-License-Identifier: Apache-2.0
// What a person in front of a page waits for: how old the picture is, and how
// long until the first one. Prints a line of JSON for each row.
//
//   bench-page.mjs latency WIDTH HEIGHT BITRATE SECONDS
//   bench-page.mjs join N
//
// The page is SkylinkJS 0.6.37 in headless Chromium, receiving; the daemon has
// its test picture, whose barcode says when it was drawn.

import { startAppliance, startServer } from './lib/appliance.mjs';
import { watchLoad } from './lib/load.mjs';
import { joinPage, openPage, waitStream } from './lib/meeting.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { until } from './lib/wait.mjs';

const SETTLE_MS = 4000; // the encoder's first seconds, the page's first frames

const FRESH = 5; // daemons, for their first join

const quantile = (values, q) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor((sorted.length - 1) * q)] : null;
};

async function withCleanups(body) {
  const cleanups = [];
  const t = { after: (cleanup) => cleanups.unshift(cleanup), note: () => {} };
  try {
    return await body(t);
  } finally {
    for (const cleanup of cleanups) await cleanup();
  }
}

async function startSender(t, server, settings) {
  const sets = { 'room.server': server.url, 'network.loopback': 'yes', 'video.codec': 'h264',
    ...settings };
  const appliance = await startAppliance(t, ['--source', 'test', '--audio-source', 'test',
    ...Object.entries(sets).flatMap(([key, value]) => ['--set', `${key}=${value}`])]);
  await appliance.waitFor((s) => s.room.state === 'joined', 'the appliance to join');
  return appliance;
}

async function start(t, settings) {
  const pages = await startPageServer();
  t.after(() => pages.stop());
  const server = await startServer(t);
  const appliance = await startSender(t, server, settings);
  const page = await openPage(t, pages, server.host, 'bench');
  return { page, server, appliance, url: `${pages.url}skylink.html?api=${server.host}` };
}

const latency = (width, height, bitrate, seconds) => withCleanups(async (t) => {
  const { page, appliance } = await start(t, { 'video.width': width, 'video.height': height,
    'video.bitrate': bitrate, 'video.max_bitrate': bitrate });
  await joinPage(page, 'none');
  const peer = await waitStream(page);
  await page.evaluate((p, ms) => measure.frames(client.video(p), ms), peer, SETTLE_MS);
  const load = watchLoad();
  const before = (await appliance.status()).process.cpu_ms;
  const seen = await page.evaluate((p, ms) => measure.frames(client.video(p), ms), peer,
    seconds * 1000);
  const status = await appliance.status();
  return { width: seen.width, height: seen.height, frames: seen.read,
    fps: seen.read / seconds, median: quantile(seen.submitted, 0.5),
    p95: quantile(seen.submitted, 0.95), shown_median: quantile(seen.latency, 0.5),
    shown_p95: quantile(seen.latency, 0.95), sent_p95: status.network.sent_us_p95 / 1000,
    encode_p95: status.video.rungs[0].encode_us_p95 / 1000,
    cpu: (status.process.cpu_ms - before) / seconds / 10, load: load() };
});

// In the page, before SkylinkJS: notes when an offer or answer goes out over
// the WebSocket, and when the first frame of any video is presented.
function watchJoin() {
  const marks = window.marks = {};
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function watched(data) {
    const type = typeof data === 'string' && /\\"type\\":\\"(offer|answer)\\"/.exec(data);
    if (type) marks[type[1]] ??= performance.now();
    return send.call(this, data);
  };
  document.addEventListener('DOMContentLoaded', () => {
    new MutationObserver((records) => {
      for (const video of records.flatMap((r) => [...r.addedNodes]))
        video.requestVideoFrameCallback?.((now) => { marks.frame ??= now; });
    }).observe(document.body, { childList: true });
  });
}

async function joinOnce({ page, appliance, url }) {
  await page.navigate(url);
  const load = watchLoad();
  await page.evaluate(() => {
    marks.start = performance.now();
    client.join({ room: 'lobby', media: 'none' });
  });
  await page.waitFor(() => marks.frame, { timeout: 30000, what: 'the first frame' });
  const marks = await page.evaluate(() => marks);
  const result = { offer: marks.offer ?? null, load: load(), whole: marks.frame - marks.start,
    signalled: marks.frame - (marks.offer ?? marks.answer) };
  // Gone for good, before the next one comes.
  await page.navigate('about:blank');
  await until(async () => (await appliance.status()).peers.length === 0,
    { label: 'the appliance to see the page leave', timeout: 60000 });
  return result;
}

const joins = (n) => withCleanups(async (t) => {
  const meeting = await start(t, {});
  await meeting.page.send('Page.addScriptToEvaluateOnNewDocument',
    { source: `(${watchJoin})()` });
  const rows = [];
  const load = watchLoad();
  for (let i = 0; i <= n; i++) rows.push(await joinOnce(meeting));
  const late = load();
  // The same browser, and a daemon that nobody has joined before.
  const fresh = [];
  for (let i = 0; i < FRESH; i++) {
    await meeting.appliance.stop();
    meeting.appliance = await startSender(t, meeting.server, {});
    fresh.push((await joinOnce(meeting)).signalled);
  }
  const later = rows.slice(1);
  const of = (name) => ({ median: quantile(later.map((r) => r[name]), 0.5),
    p95: quantile(later.map((r) => r[name]), 0.95), first: rows[0][name] });
  return { joins: n, offers: later.filter((r) => r.offer !== null).length,
    signalled: of('signalled'), whole: of('whole'), fresh: quantile(fresh, 0.5), load: late };
});

const [what, ...args] = process.argv.slice(2);
if (what === 'latency')
  console.log(JSON.stringify(await latency(args[0], args[1], args[2], Number(args[3]))));
else if (what === 'join')
  console.log(JSON.stringify(await joins(Number(args[0]))));
else
  throw new Error('usage: bench-page.mjs latency WIDTH HEIGHT BITRATE SECONDS | join N');
process.exit(0);
