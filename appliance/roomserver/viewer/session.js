// SPDX-License-Identifier: Apache-2.0
// session.js - one stay in a room: from the room API to the last bye
//
//   const session = new Session({ origin, key, room });
//   session.onstate(state, detail)   'connecting' 'joined' 'lost' 'refused'
//   session.onpeer(peer), session.ongone(peer)
//   session.join();  session.leave();
//
// A session ends as 'lost' or 'refused'; the next one is a new object. Its
// connections outlive it until release(), so that pictures stay while the
// signaling connection is made again.

import { askRoom, connect } from './signaling.js';
import { Peer } from './peer.js';

// The peer a browser calls itself, and its version, as SkylinkJS does.
function browser() {
  const agent = navigator.userAgent;
  const found = /Firefox\/([\d.]+)/.exec(agent) ?? /Chrom(?:e|ium)\/([\d.]+)/.exec(agent) ??
    /Version\/([\d.]+).*Safari/.exec(agent);
  const name = !found ? 'chrome' : found[0].startsWith('Firefox') ? 'firefox'
    : found[0].startsWith('Version') ? 'safari' : 'chrome';
  return { name, version: found?.[1].split('.')[0] ?? '0' };
}

// "turn:user@host" as Skylink writes it, to what browsers take. The user
// "none" is a server's way to say that it has no relay.
function toIceServers(servers) {
  const result = [];
  for (const { url, credential } of servers ?? []) {
    const [, scheme, user, rest] = /^(turns?|stuns?):(?:([^@]*)@)?(.+)$/.exec(url ?? '') ?? [];
    if (!scheme || user === 'none') continue;
    if (scheme.startsWith('stun')) result.push({ urls: `${scheme}:${rest.split('?')[0]}` });
    else if (user && credential)
      result.push({ urls: `${scheme}:${rest}`, username: user, credential });
  }
  return result;
}

export class Session {
  onstate = () => {};
  onpeer = () => {};
  ongone = () => {};
  id = null;
  weight = 0;
  iceServers = [];
  peers = new Map();
  #place;
  #channel = null;
  #grant = null;
  #over = false;

  constructor(place) {
    this.#place = place;
  }

  async join() {
    const { origin, key, room } = this.#place;
    this.onstate('connecting');
    try {
      this.#grant = await askRoom(origin, key, room);
      const channel = await connect(origin);
      if (this.#over) return channel.close();
      this.#channel = channel;
    } catch (error) {
      return this.#end('lost', error.message);
    }
    this.#channel.onmessage = (message) => this.#receive(message);
    this.#channel.onclose = (reason) => this.#end('lost', reason);
    const grant = this.#grant;
    this.#channel.send({ type: 'joinRoom', uid: grant.username, cid: grant.cid,
      rid: grant.room_key, userCred: grant.userCred, timeStamp: grant.timeStamp,
      apiOwner: grant.apiOwner, roomCred: grant.roomCred, start: grant.start, len: grant.len,
      isPrivileged: grant.isPrivileged === true, autoIntroduce: grant.autoIntroduce !== false,
      key });
  }

  leave() {
    this.#over = true;
    this.#channel?.close();
    this.release();
  }

  release() {
    for (const peer of this.peers.values()) {
      peer.close();
      this.ongone(peer);
    }
    this.peers.clear();
  }

  #end(state, detail) {
    if (this.#over) return;
    this.#over = true;
    this.#channel?.close();
    this.onstate(state, detail);
  }

  send(message) {
    if (!this.#over) this.#channel.send({ mid: this.id, rid: this.#grant.room_key, ...message });
  }

  userInfo() {
    return { userData: 'Viewer', settings: { audio: false, video: false, maxBandwidth: {},
      googleXBandwidth: {} }, mediaStatus: { audioMuted: true, videoMuted: true } };
  }

  // What enter, welcome and restart have in common. receiveOnly stays false:
  // older clients read it the other way round.
  greeting() {
    const { name, version } = browser();
    return { agent: name, version, os: navigator.platform, userInfo: this.userInfo(),
      receiveOnly: false, sessionType: 'stream', weight: this.weight,
      temasysPluginVersion: null, enableIceTrickle: true, enableDataChannel: true,
      enableIceRestart: true, SMProtocolVersion: '0.1.2.4', DTProtocolVersion: '0.1.3' };
  }

  changed(peer) {
    if (this.peers.get(peer.id) === peer) this.onpeer(peer);
  }

  // A connection that does not come back: start afresh, with everybody.
  peerFailed(peer) {
    this.#drop(peer.id);
    this.#end('lost', 'a connection failed');
  }

  #drop(id) {
    const peer = this.peers.get(id);
    if (!peer) return;
    this.peers.delete(id);
    peer.close();
    this.ongone(peer);
  }

  #peer(id) {
    let peer = this.peers.get(id);
    if (!peer) this.peers.set(id, peer = new Peer(this, id));
    return peer;
  }

  #receive(message) {
    const { type, mid } = message;
    if (type === 'group') {
      for (const text of message.lists ?? []) this.#receive(JSON.parse(text));
    } else if (type === 'inRoom') {
      this.id = message.sid;
      this.weight = message.tieBreaker;
      this.iceServers = toIceServers(message.pc_config?.iceServers);
      this.send({ type: 'enter', ...this.greeting() });
      this.onstate('joined');
    } else if (type === 'redirect') {
      if (message.action === 'reject') this.#end('refused', message);
    } else if (type === 'bye') {
      this.#drop(mid);
    } else if (mid && mid !== this.id) {
      this.#receivePeer(message);
    }
  }

  #receivePeer(message) {
    const { type, mid } = message;
    if (type === 'enter' || type === 'welcome') {
      const peer = this.#peer(mid);
      peer.learn(message);
      if (type === 'enter') peer.greet();
      else peer.onWelcome(message);
      return;
    }
    const peer = this.peers.get(mid);
    if (!peer) return;
    if (message.userInfo) peer.learn(message);
    if (type === 'offer') peer.onOffer(message);
    else if (type === 'answer') peer.onAnswer(message);
    else if (type === 'candidate') peer.onCandidate(message);
    else if (type === 'restart') peer.onRestart(message);
    else if (type === 'muteAudioEvent') peer.muted.audio = message.muted === true;
    else if (type === 'muteVideoEvent') peer.muted.video = message.muted === true;
    else if (type === 'updateUserEvent') peer.info = { ...peer.info, userData: message.userData };
    else return;
    this.changed(peer);
  }
}
