// SPDX-License-Identifier: Apache-2.0
// preview.js - what the box sends, as a peer of its room sees it
//
// A receive-only peer of the viewer page, opened by a button: it makes the box
// encode for one more, and every peer of the room is told of it.

import { Session } from '../session.js';

export class Preview {
  onchange = () => {};
  wanted = false;
  #video;
  #session = null;
  #place = '';
  #self = null;

  constructor(video) {
    this.#video = video;
  }

  // place: { key, room } or null; self: the box's own id in it.
  follow(place, self) {
    const text = place && self ? JSON.stringify([place, self]) : '';
    if (this.wanted && text && text === this.#place) return;
    this.#end();
    if (!this.wanted || !text) return;
    this.#place = text;
    this.#self = self;
    this.#join(place);
  }

  #join(place) {
    const session = new Session({ origin: location.origin, ...place });
    this.#session = session;
    session.onpeer = (peer) => this.#show(session, peer);
    session.ongone = (peer) => this.#show(session, peer, true);
    session.onstate = (state) => {
      // The next page of the box tries again.
      if (session === this.#session && (state === 'lost' || state === 'refused')) this.#end();
    };
    session.join();
  }

  #show(session, peer, gone = false) {
    if (session !== this.#session || peer.id !== this.#self) return;
    const track = gone ? null : peer.tracks.video;
    const live = Boolean(track);
    if (live && this.#video.srcObject?.getVideoTracks()[0] !== track) {
      this.#video.srcObject = new MediaStream([track]);
      this.#video.play().catch(() => {});
    }
    this.#video.classList.toggle('live', live);
    this.onchange();
  }

  #end() {
    const session = this.#session;
    this.#session = null;
    this.#place = '';
    this.#video.srcObject = null;
    this.#video.classList.remove('live');
    session?.leave();
    this.onchange();
  }
}
