// SPDX-License-Identifier: Apache-2.0
// lib/ends.mjs - both ends of a meeting, with the same verbs and events
//
// A PageEnd is a SkylinkJS of some version in a Chromium of its own; its verbs
// are those of pages/client.js. An ApplianceEnd is a skylinkd, asked for the
// same over its socket.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, promisify } from 'node:util';
import { startAppliance } from './appliance.mjs';
import { bytes, dataUrl, sha256 } from './bytes.mjs';
import { Chromium } from './chromium.mjs';
import { until } from './wait.mjs';

export const CAMERA = { resolution: { width: 320, height: 240 }, frameRate: 15 };

const matches = (event, fields) => Object.entries(fields).every(([key, value]) =>
  key === 'state' && Array.isArray(value) ? value.includes(event[key])
    : isDeepStrictEqual(event[key], value));

// What both kinds of end have: a list of events, and waiting for one.
class End {
  // Events from now on: the second argument of wait().
  async mark() {
    return (await this.events()).length;
  }

  async find(fields, from = 0) {
    return (await this.events()).slice(from).find((event) => matches(event, fields)) ?? null;
  }

  wait(fields, from = 0, timeout = 60000) {
    return until(() => this.find(fields, from), { timeout, every: 40,
      label: `${this.name} to see ${JSON.stringify(fields)}` });
  }

  async report() {
    const events = await this.events().catch((error) => [{ name: error.message }]);
    return [`${this.name} ${this.id ?? ''} saw, last first:`,
      ...events.slice(-25).reverse().map((e) => `  ${JSON.stringify(e)}`)];
  }
}

export class PageEnd extends End {
  constructor(browser, page, version, pages, host) {
    super();
    Object.assign(this, { browser, page, version, pages, host, name: version, polling: false });
  }

  static async open(t, pages, host, version, name = version) {
    const browser = await Chromium.start({ name });
    t.after(() => browser.stop());
    const page = await browser.open();
    const end = new PageEnd(browser, page, version, pages, host);
    await end.load();
    return end;
  }

  // The page anew: nothing of before is left in it.
  async load() {
    await this.page.navigate(`${this.pages.url}client.html?v=${this.version}&api=${this.host}`);
    await this.page.waitFor(() => window.client, { what: `${this.name} to load` });
    this.id = null;
  }

  get isPage() { return true; }

  events() {
    return this.page.evaluate(() => client.events);
  }

  mark() {
    return this.page.evaluate(() => client.events.length);
  }

  find(fields, from = 0) {
    return this.page.evaluate((f, n) => client.has(f, n), fields, from);
  }

  // The verb at the very event, for what is over before a test hears of it.
  when(fields, verb) {
    return this.page.evaluate((f, v) => client.when(f, v), fields, verb);
  }

  // What a data event brought.
  took({ length, sha256: digest }) {
    return { length, sha256: digest };
  }

  do(verb, ...args) {
    return this.page.evaluate(async (v, a) => {
      const result = await client[v](...a);
      return result === undefined || typeof result === 'object' ? null : result;
    }, verb, args);
  }

  async join(room, { camera = CAMERA, userData = this.name } = {}) {
    this.id = await this.do('join', { room, camera, userData, polling: this.polling });
  }

  leave() {
    return this.do('leave');
  }

  transport() {
    return this.do('transport');
  }

  stats(peer) {
    return this.page.evaluate((id) => client.stats(id), peer.id);
  }

  description(peer) {
    return this.page.evaluate((id) => client.description(id), peer.id);
  }

  async report() {
    return [...await super.report(), ...this.page.console
      .filter((line) => !/stats|favicon|Not (limiting|preferring)/.test(line)).slice(-8)
      .map((line) => `  ${line.split('\n')[0].slice(0, 300)}`)];
  }
}

const SEND_FILE = fileURLToPath(new URL('send-file.py', import.meta.url));

// The verbs of pages/client.js as methods of the control socket.
const CALLS = {
  sendMessage: (content, peerId) => ['sendMessage', { message: content,
    targetPeerId: peerId ?? null }],
  sendP2P: (content, peerId) => ['sendP2PMessage', { message: content,
    targetPeerId: peerId ?? null }],
  setUserData: (userData) => ['setUserData', { userData }],
  mute: (audioMuted, videoMuted) => ['muteStream', { options: { audioMuted, videoMuted } }],
  lock: () => ['lockRoom'],
  unlock: () => ['unlockRoom'],
  refresh: (peerId) => ['refreshConnection', { targetPeerId: peerId }],
  sendBlob: () => ['sendBlobData'],
  sendUrl: (peerId, { length, seed, timeout }) => ['sendURLData',
    { data: length && dataUrl(length, seed), timeout, targetPeerId: peerId }],
  accept: (peerId, transferId, yes = true) => ['acceptDataTransfer',
    { peerId, transferId, accept: yes }],
  cancel: (peerId, transferId) => ['cancelDataTransfer', { peerId, transferId }],
};

const about = (info) => ({ userData: info?.userData,
  audioMuted: !!info?.mediaStatus?.audioMuted, videoMuted: !!info?.mediaStatus?.videoMuted });

// The daemon's events in the words of pages/client.js.
const HEARD = {
  peerJoined: (e) => ({ name: 'joined', peerId: e.peerId, self: e.isSelf, ...about(e.peerInfo) }),
  peerUpdated: (e) => ({ name: 'updated', peerId: e.peerId, self: e.isSelf,
    ...about(e.peerInfo) }),
  peerLeft: (e) => ({ name: 'left', peerId: e.peerId }),
  peerRestart: (e) => ({ name: 'restart', peerId: e.peerId,
    byUs: e.isSelfInitiateRestart }),
  incomingStream: (e) => !e.isSelf && { name: 'stream', peerId: e.peerId },
  incomingMessage: (e) => !e.isSelf && { name: 'message', peerId: e.peerId,
    content: e.message.content, p2p: e.message.isDataChannel, isPrivate: e.message.isPrivate },
  roomLock: (e) => ({ name: 'lock', peerId: e.peerId, locked: e.isLocked }),
  systemAction: (e) => ({ name: 'action', action: e.action, reason: e.reason }),
  incomingDataRequest: (e) => !e.isSelf && { name: 'request', peerId: e.peerId,
    transferId: e.transferId, size: e.transferInfo.size, file: e.transferInfo.name },
  dataTransferState: (e) => ({ name: 'transfer', peerId: e.peerId, transferId: e.transferId,
    state: e.state, error: e.error?.message ?? e.error ?? null }),
  incomingData: (e) => !e.isSelf && { name: 'data', peerId: e.peerId,
    transferId: e.transferId, data: e.data, info: e.transferInfo },
  dataChannelState: (e) => ({ name: 'channel', peerId: e.peerId, state: e.state,
    channel: e.channelName }),
  iceConnectionState: (e) => ({ name: 'ice', peerId: e.peerId, state: e.state }),
  handshakeProgress: (e) => ({ name: 'handshake', peerId: e.peerId, state: e.state }),
  channelRetry: (e) => ({ name: 'channelRetry', fallbackType: e.fallbackType }),
  socketError: (e) => ({ name: 'socketError', code: e.errorCode, type: e.type }),
};

export class ApplianceEnd extends End {
  constructor(t, appliance, following, folder) {
    super();
    Object.assign(this, { appliance, following, folder, heard: [], name: 'appliance', n: 0 });
  }

  static async open(t, args) {
    const folder = await mkdtemp(path.join(tmpdir(), 'skylink-matrix-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const appliance = await startAppliance(t, [...args,
      '--set', `transfer.directory=${path.join(folder, 'received')}`]);
    return new ApplianceEnd(t, appliance, await appliance.follow(['*']), folder);
  }

  async load() {
    await this.appliance.call('leaveRoom').catch(() => {});
    this.id = null;
  }

  get isPage() { return false; }

  async events() {
    for (const event of this.following.list.slice(this.heard.length))
      this.heard.push(HEARD[event.method]?.(event.params) || { name: '' });
    return this.heard;
  }

  async when(fields, verb) {
    const { peerId, transferId } = await this.wait(fields, await this.mark());
    await this.do(verb, peerId, transferId);
  }

  async took({ data }) {
    const all = typeof data === 'string' ? new TextEncoder().encode(data)
      : await readFile(data.path);
    return { length: all.length, sha256: await sha256(all) };
  }

  async report() {
    const lines = await super.report();
    const status = await this.appliance.status().catch((error) => error.message);
    return [...lines.filter((line) => !line.includes('"name":""')),
      `  status: ${JSON.stringify({ room: status.room, peers: status.peers })}`,
      ...this.appliance.output.trim().split('\n').slice(-8).map((line) => `  ${line}`)];
  }

  async join(room, { userData = this.name } = {}) {
    const from = await this.mark();
    await this.appliance.call('joinRoom', { room, options: { userData } });
    const status = await this.appliance.waitFor((s) => s.room.state === 'joined' &&
      s.room.name === room || s.room.error, 'the appliance to join', 60000);
    if (status.room.state !== 'joined') throw new Error(`joinRoom: ${status.room.error} ` +
      JSON.stringify(await this.find({ name: 'action' }, from)));
    this.id = status.room.id;
  }

  leave() {
    return this.appliance.call('leaveRoom');
  }

  async transport() {
    return (await this.appliance.status()).room.transport;
  }

  async do(verb, ...args) {
    if (verb === 'sendBlob') return this.sendBlob(...args);
    const [method, params] = CALLS[verb](...args);
    const result = this.appliance.call(method, params);
    return verb === 'sendUrl' ? result.then(() => 'completed', (error) => error.message)
      : result;
  }

  // A file of its own for each; gone when it was sent.
  async sendBlob(peerId, { size, seed, file, timeout }) {
    const name = path.join(this.folder, `${this.n++}`);
    await writeFile(name, bytes(size, seed));
    const request = { jsonrpc: '2.0', id: 1, method: 'sendBlobData',
      params: { data: { fd: 0, name: file }, timeout, targetPeerId: peerId } };
    const { stdout } = await promisify(execFile)(SEND_FILE,
      [this.appliance.socket, JSON.stringify(request), name]);
    await rm(name);
    const answer = JSON.parse(stdout);
    return answer.error?.message ?? 'completed';
  }

  async stats(peer) {
    const { rtc } = (await this.appliance.status()).peers
      .find((p) => p.peerId === peer.id) ?? { rtc: {} };
    return { decoded: rtc.receivedVideoPackets ?? 0, packets: rtc.receivedAudioPackets ?? 0 };
  }
}
