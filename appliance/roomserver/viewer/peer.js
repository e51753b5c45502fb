// SPDX-License-Identifier: Apache-2.0
// peer.js - the connection with one other peer, receive-only
//
// Speaks as SkylinkJS 0.6.37 does: whoever weighs more offers; descriptions
// and candidates travel as messages with a target.

const FAILED_TIMEOUT = 8000;

export class Peer {
  tracks = { audio: null, video: null };
  info = {};
  muted = { audio: false, video: false };
  waiting = true; // no connection (yet, or any more)
  #session;
  #pc;
  #candidates = [];
  #greeted = false;
  #failedTimer = null;
  #work = Promise.resolve();

  constructor(session, id) {
    this.id = id;
    this.#session = session;
    this.#pc = new RTCPeerConnection({ iceServers: session.iceServers });
    this.#pc.onicecandidate = ({ candidate }) => this.#sendCandidate(candidate);
    this.#pc.ontrack = (event) => this.#addTrack(event);
    this.#pc.ondatachannel = ({ channel }) => this.#watchChannel(channel);
    this.#pc.onconnectionstatechange = () => this.#stateChanged();
  }

  get modern() { // SkylinkJS 2.x
    return /^2\./.test(this.protocol ?? '');
  }

  // From enter, welcome, offer, answer, restart.
  learn(message) {
    this.protocol = message.SMProtocolVersion ?? this.protocol;
    if (message.userInfo) {
      this.info = message.userInfo;
      const status = message.userInfo.mediaStatus ?? {};
      this.muted = { audio: !!status.audioMuted, video: !!status.videoMuted };
    }
    this.#session.changed(this);
  }

  // One step after the other, as descriptions must be.
  #then(step) {
    this.#work = this.#work.then(step).catch((error) => {
      if (this.#pc.signalingState !== 'closed')
        console.warn(`Peer ${this.id}:`, error);
    });
  }

  greet() {
    if (this.#greeted) return;
    this.#greeted = true;
    this.#session.send({ type: 'welcome', target: this.id, ...this.#session.greeting() });
  }

  onWelcome(message) {
    if (this.modern || this.#heavierThan(message)) this.#then(() => this.#offer());
    else this.greet();
  }

  onRestart(message) {
    if (this.#heavierThan(message)) this.#then(() => this.#offer(message.doIceRestart === true));
    else
      this.#session.send({ type: 'restart', target: this.id, ...this.#session.greeting(),
        isRestartResend: true, doIceRestart: message.doIceRestart === true,
        isConnectionRestart: message.isConnectionRestart === true,
        lastRestart: message.lastRestart, explicit: message.explicit });
  }

  // Equal weights would make both wait: the larger id breaks the tie.
  #heavierThan({ weight }) {
    const mine = this.#session.weight;
    return mine === weight ? this.#session.id > this.id : mine > weight;
  }

  async #offer(iceRestart = false) {
    if (this.#pc.signalingState !== 'stable') return;
    if (!this.#pc.getTransceivers().length) {
      const channel = this.#pc.createDataChannel(`${this.#session.id}_${this.id}`);
      this.#watchChannel(channel);
      this.#pc.addTransceiver('audio', { direction: 'recvonly' });
      this.#pc.addTransceiver('video', { direction: 'recvonly' });
    }
    await this.#pc.setLocalDescription(await this.#pc.createOffer({ iceRestart }));
    this.#sendDescription(this.#pc.localDescription);
  }

  onOffer(message) {
    this.#then(async () => {
      // Both offered at once: the heavier's stands, as with SkylinkJS.
      if (this.#pc.signalingState !== 'stable' && this.#heavierThan(message)) return;
      await this.#pc.setRemoteDescription({ type: 'offer', sdp: message.sdp });
      await this.#addCandidates();
      await this.#pc.setLocalDescription(await this.#pc.createAnswer());
      this.#sendDescription(this.#pc.localDescription);
    });
  }

  onAnswer(message) {
    this.#then(async () => {
      if (this.#pc.signalingState !== 'have-local-offer') return;
      await this.#pc.setRemoteDescription({ type: 'answer', sdp: message.sdp });
      await this.#addCandidates();
      if (this.modern)
        this.#session.send({ type: 'answerAck', target: this.id, success: true });
    });
  }

  onCandidate({ candidate, id, label }) {
    if (!candidate) return;
    this.#then(async () => {
      this.#candidates.push({ candidate, sdpMid: id, sdpMLineIndex: label });
      if (this.#pc.remoteDescription) await this.#addCandidates();
    });
  }

  async #addCandidates() {
    for (const candidate of this.#candidates.splice(0))
      await this.#pc.addIceCandidate(candidate).catch(() => {}); // of an older description
  }

  #sendDescription({ type, sdp }) {
    this.#session.send({ type, sdp, target: this.id, userInfo: this.#session.userInfo(),
      weight: this.#session.weight, mediaInfoList: [] });
  }

  #sendCandidate(candidate) {
    if (candidate?.candidate)
      this.#session.send({ type: 'candidate', target: this.id, label: candidate.sdpMLineIndex,
        id: candidate.sdpMid, candidate: candidate.candidate });
  }

  #addTrack({ track, receiver }) {
    // Interactive use: show a frame when it is there, do not collect.
    receiver.playoutDelayHint = 0;
    if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
    this.tracks[track.kind] = track; // the newest m-line is the current stream
    track.onmute = track.onunmute = () => this.#session.changed(this);
    track.onended = () => {
      if (this.tracks[track.kind] === track) this.tracks[track.kind] = null;
      this.#session.changed(this);
    };
    this.#session.changed(this);
  }

  // The messaging channel has to be there; a viewer takes no files.
  #watchChannel(channel) {
    channel.onmessage = ({ data }) => {
      if (typeof data !== 'string' || !data.includes('"WRQ"')) return;
      try {
        const message = JSON.parse(data);
        if (message.type === 'WRQ' && !/^fastBinary/.test(message.dataType ?? ''))
          channel.send(JSON.stringify({ type: 'ACK', sender: this.#session.id, ackN: -1 }));
      } catch { /* a piece of somebody's file */ }
    };
  }

  #stateChanged() {
    const state = this.#pc.connectionState;
    this.waiting = state !== 'connected';
    clearTimeout(this.#failedTimer);
    if (state === 'failed') {
      this.#session.send({ type: 'restart', target: this.id, ...this.#session.greeting(),
        isRestartResend: false, doIceRestart: true, isConnectionRestart: true });
      this.#failedTimer = setTimeout(() => this.#session.peerFailed(this), FAILED_TIMEOUT);
    }
    this.#session.changed(this);
  }

  close() {
    clearTimeout(this.#failedTimer);
    this.#pc.close();
    this.waiting = true;
  }
}
