// SPDX-License-Identifier: Apache-2.0
// pages/client.js - the same verbs and events for every SkylinkJS
//
// client.events holds what happened as objects with a name:
//
//   joined       peerId, self, userData        left      peerId
//   stream       peerId                        updated   peerId, userData,
//   message      peerId, content, p2p,                   audioMuted, videoMuted
//                isPrivate                     lock      peerId, locked
//   action       action, reason                restart   peerId
//   request      peerId, transferId, size, file
//   transfer     peerId, transferId, state, error
//   data         peerId, transferId, length, sha256
//
// A run of one transfer's same state is one event with its number as times.
// The verbs are in client-0x.js and client-2x.js, chosen by ?v=VERSION.

import { bytes, dataUrl, sha256 } from '/lib/bytes.js';

const query = new URLSearchParams(location.search);
const version = query.get('v');
const events = [];
const streams = {};

const plain = (value) => {
  try {
    return value instanceof Error ? value.message : value === undefined ? null
      : JSON.parse(JSON.stringify(value));
  } catch {
    return String(value);
  }
};

function record(name, fields = {}) {
  const event = { name };
  for (const [key, value] of Object.entries(fields)) event[key] = plain(value);
  // Progress is one event, however many chunks: a test reads them all.
  const before = events.findLast((e) => e.transferId && e.transferId === event.transferId);
  if (before?.name === 'transfer' && name === 'transfer' && before.state === event.state)
    before.times = (before.times ?? 1) + 1;
  else events.push(event);
  for (const watch of client.watches.splice(0))
    if (!watch(event)) client.watches.push(watch);
}

function show(peerId, stream) {
  let video = document.getElementById(`video-${peerId}`);
  if (!video) {
    video = document.createElement('video');
    video.id = `video-${peerId}`;
    video.autoplay = true;
    video.muted = true;
    video.width = 320;
    document.body.append(video);
  }
  streams[peerId] = stream;
  video.srcObject = stream;
  video.play().catch(() => {});
  record('stream', { peerId });
}

function hide(peerId) {
  delete streams[peerId];
  document.getElementById(`video-${peerId}`)?.remove();
}

// Counted and forgotten: 200 MB need not stay.
async function received(peerId, transferId, data) {
  const all = typeof data === 'string' ? new TextEncoder().encode(data)
    : new Uint8Array(await data.arrayBuffer());
  record('data', { peerId, transferId, length: all.length, sha256: await sha256(all) });
}

const script = (src) => new Promise((resolve, reject) => {
  const element = document.createElement('script');
  element.src = src;
  element.onload = resolve;
  element.onerror = () => reject(new Error(`cannot load ${src}`));
  document.head.append(element);
});

const client = {
  events, streams, version, watches: [],
  // The first event with these fields; of a state that is a list, one of it.
  has: (fields, from = 0) => events.slice(from).find((event) =>
    Object.entries(fields).every(([key, value]) => key === 'state' && Array.isArray(value)
      ? value.includes(event.state)
      : JSON.stringify(event[key]) === JSON.stringify(value))) ?? null,
  blob: (size, seed, name) => new File([bytes(size, seed)], name,
    { type: 'application/octet-stream' }),
  dataUrl,
  // The first time such an event happens, the verb is done at once, in the
  // event itself.
  when(fields, verb, ...args) {
    client.watches.push((event) => {
      const same = Object.entries(fields).every(([key, value]) => event[key] === value);
      if (same) client[verb](event.peerId, event.transferId, ...args);
      return same;
    });
  },
  async stats(peerId) {
    const report = { decoded: 0, packets: 0 };
    const connection = client.connection(peerId);
    (await connection?.getStats())?.forEach((entry) => {
      if (entry.type !== 'inbound-rtp') return;
      if (entry.kind === 'video') report.decoded += entry.framesDecoded ?? 0;
      else report.packets += entry.packetsReceived ?? 0;
    });
    return report;
  },
  // Changes with every description the peer sends.
  description: (peerId) => client.connection(peerId)?.currentRemoteDescription?.sdp ?? null,
  async until(test, ms) {
    for (const end = Date.now() + ms; Date.now() < end;) {
      if (await test()) return true;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return false;
  },
};

const around = { record, show, hide, received, script, plain,
  api: query.get('api'), key: query.get('key') || 'demo' };
const driver = await import(version.startsWith('2.') ? '/client-2x.js' : '/client-0x.js');
Object.assign(client, await driver.create(version, around, client));
window.client = client;
