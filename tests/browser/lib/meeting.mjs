// SPDX-License-Identifier: Apache-2.0
// lib/meeting.mjs - a SkylinkJS page that sees the appliance, and their counters

import { Chromium } from './chromium.mjs';

// Test rows that are not about the picture's size use one that several
// browsers and the encoders can share two processors for.
export const SMALL = ['--source', 'test', '--audio-source', 'test',
  '--set', 'network.loopback=yes', '--set', 'video.width=640', '--set', 'video.height=360',
  '--set', 'video.fps=15', '--set', 'video.bitrate=500k'];
export const SMALL_FPS = 15;

export async function openPage(t, pages, api, name, { query = '', ...options } = {}) {
  const browser = await Chromium.start({ name, ...options });
  t.after(() => browser.stop());
  const page = await browser.open(`${pages.url}skylink.html?api=${api}${query}`);
  page.browser = browser;
  return page;
}

export const joinPage = (page, media, options = {}) =>
  page.evaluate((o) => client.join(o), { room: 'lobby', media, ...options });

// The appliance's stream, shown in a <video> and counted in the statistics,
// which Chromium renews only now and then: its peer id. The newest, when it
// came more than once.
export const waitStream = (page, { timeout = 30000, not = null } = {}) =>
  page.waitFor(async (old) => {
    const joined = client.events.filter((e) => e[0] === 'peerJoined' && e[3] === false)
      .map((e) => e[1]).reverse();
    const found = joined.find((id) => id !== old && client.streams[id] &&
      client.video(id)?.videoWidth);
    return found && (await client.stats(found)).video ? found : null;
  }, { args: [not], timeout, what: 'the appliance\'s stream' });

export const pageStats = (page, peer) => page.evaluate((p) => client.stats(p), peer);

// Both ends' counters at (nearly) one moment.
export async function counters(appliance, page, peer) {
  const status = await appliance.status();
  return { status, video: (await pageStats(page, peer)).video };
}

const add = (rows, name) => rows.reduce((sum, row) => sum + (row[name] ?? 0), 0);

// Where frames went between two counters(): the way from the camera to the
// page, one number a station.
export function account(before, after) {
  const rungs = (c) => c.status.video.rungs;
  const rtc = (c) => c.status.peers.map((p) => p.rtc);
  const grown = (rows, name) => add(rows(after), name) - add(rows(before), name);
  const video = (name) => after.video[name] - before.video[name];
  const captured = after.status.video.frames_captured - before.status.video.frames_captured;
  return {
    captured, decoded: video('decoded'),
    text: `captured ${captured}, ` +
      `missed ${after.status.video.frames_missed - before.status.video.frames_missed}; ` +
      `encoder took ${grown(rungs, 'frames_in')}, dropped ${grown(rungs, 'frames_dropped')}, ` +
      `made ${grown(rungs, 'units_out')}, ${grown(rungs, 'keyframes')} of them keyframes; ` +
      `transport sent ${grown(rtc, 'videoFrames')}, ` +
      `dropped ${grown(rtc, 'videoFramesDropped')}, ${grown(rtc, 'rtxPackets')} packets again, ` +
      `for ${grown(rtc, 'nacks')} NACK and ${grown(rtc, 'plis')} PLI; ` +
      `page decoded ${video('decoded')}, dropped ${video('dropped')}, ` +
      `froze ${video('freezes')} times`,
  };
}
