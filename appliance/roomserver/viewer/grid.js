// SPDX-License-Identifier: Apache-2.0
// grid.js - the tiles: one figure per peer that sends something
//
// The number of columns is the one that gives the largest tiles.

const RATIO = 16 / 9;

// Largest tile of the given ratio when n of them fill a box.
export function tileSize(n, width, height, gap) {
  let best = { width: 0, height: 0, columns: 1 };
  for (let columns = 1; columns <= n; columns++) {
    const rows = Math.ceil(n / columns);
    const roomWidth = (width - gap * (columns - 1)) / columns;
    const roomHeight = (height - gap * (rows - 1)) / rows;
    const w = Math.min(roomWidth, roomHeight * RATIO);
    if (w > best.width) best = { width: w, height: w / RATIO, columns };
  }
  return best;
}

export function labelOf(peer) {
  const data = peer.info.userData;
  const name = typeof data === 'string' ? data : data?.name ?? data?.displayName ?? '';
  return String(name).trim().slice(0, 60) || `Peer ${peer.id.slice(0, 4)}`;
}

export class Grid {
  #root;
  #tiles = new Map();
  #sound = false;
  onblocked = () => {}; // the browser allows no sound without a click

  constructor(root) {
    this.#root = root;
    new ResizeObserver(() => this.#layout()).observe(root);
  }

  get size() {
    return this.#tiles.size;
  }

  #create(peer) {
    const tile = document.createElement('figure');
    tile.className = 'tile';
    const video = document.createElement('video');
    video.autoplay = true;
    video.playsInline = true;
    video.muted = !this.#sound;
    video.srcObject = new MediaStream();
    const initial = document.createElement('div');
    initial.className = 'initial';
    initial.setAttribute('aria-hidden', 'true');
    const caption = document.createElement('figcaption');
    const name = document.createElement('span');
    name.className = 'name';
    const note = document.createElement('span');
    note.className = 'note';
    caption.append(name, note);
    tile.append(video, initial, caption);
    tile.ondblclick = () => document.fullscreenElement
      ? document.exitFullscreen() : video.requestFullscreen?.();
    this.#root.append(tile);
    const entry = { tile, video, initial, name, note };
    this.#tiles.set(peer, entry);
    return entry;
  }

  // Show, change or (when it sends nothing) remove a peer's tile.
  update(peer) {
    const tracks = Object.values(peer.tracks).filter(Boolean);
    if (!tracks.length) return this.remove(peer);
    const entry = this.#tiles.get(peer) ?? this.#create(peer);
    const stream = entry.video.srcObject;
    for (const old of stream.getTracks())
      if (!tracks.includes(old)) stream.removeTrack(old);
    for (const track of tracks)
      if (!stream.getTracks().includes(track)) stream.addTrack(track);
    this.#play(entry.video);

    const label = labelOf(peer);
    const dark = !peer.tracks.video || peer.muted.video;
    const notes = [];
    if (peer.waiting) notes.push('connecting');
    else if (peer.tracks.video?.muted && !peer.muted.video) notes.push('no picture');
    if (peer.muted.video) notes.push('camera off');
    if (peer.muted.audio) notes.push('muted');
    entry.name.textContent = label;
    entry.note.textContent = notes.join(', ');
    entry.initial.textContent = [...label][0].toUpperCase();
    entry.video.setAttribute('aria-label', `Picture of ${label}`);
    entry.tile.classList.toggle('no-picture', dark);
    entry.tile.classList.toggle('waiting', peer.waiting);
    this.#layout();
  }

  remove(peer) {
    const entry = this.#tiles.get(peer);
    if (!entry) return;
    entry.video.srcObject = null;
    entry.tile.remove();
    this.#tiles.delete(peer);
    this.#layout();
  }

  set sound(on) {
    this.#sound = on;
    for (const { video } of this.#tiles.values()) {
      video.muted = !on;
      this.#play(video);
    }
  }

  #play(video) {
    if (!video.paused) return;
    video.play().catch((error) => {
      if (error.name === 'NotAllowedError' && !video.muted) this.onblocked();
    });
  }

  #layout() {
    const style = getComputedStyle(this.#root);
    const gap = parseFloat(style.columnGap) || 0;
    const width = this.#root.clientWidth - parseFloat(style.paddingLeft) -
      parseFloat(style.paddingRight);
    const height = this.#root.clientHeight - parseFloat(style.paddingBottom);
    const size = tileSize(Math.max(this.#tiles.size, 1), width, height, gap);
    this.#root.style.setProperty('--tile-width', `${Math.floor(size.width)}px`);
    this.#root.style.setProperty('--tile-height', `${Math.floor(size.height)}px`);
  }
}
