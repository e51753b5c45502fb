// SPDX-License-Identifier: Apache-2.0
// viewer.js - the page: joins its room, says how it stands, joins again

import { Grid } from './grid.js';
import { Session } from './session.js';

const FIRST_RETRY = 400;
const LAST_RETRY = 15000;
const REFUSED_RETRY = 10000;
// The old pictures stay this long while the new connections come up.
const STALE_TIMEOUT = 6000;

const $ = (id) => document.getElementById(id);
const grid = new Grid($('grid'));

let place = null;
let session = null;
let stale = null; // the session whose pictures are still shown
let state = 'connecting';
let detail = '';
let attempt = 0;
let retryAt = 0;
let retryTimer = null;
let staleTimer = null;

const REFUSALS = {
  locked: ['The room is locked', 'Somebody in the room has locked it.'],
  expired: ['The room is over', 'Its time has passed.'],
  roomclose: ['The room is closed', ''],
};

function words() {
  const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
  const again = `Trying again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`;
  if (state === 'connecting')
    return attempt ? ['Connecting again', ''] : ['Connecting', ''];
  if (state === 'lost') return ['Connection lost', again];
  if (state === 'refused') {
    const [title, text] = REFUSALS[detail.reason] ??
      ['The room cannot be joined', detail.info ?? ''];
    return [title, `${text} ${again}`.trim()];
  }
  const others = session ? session.peers.size : 0;
  return ['Nobody is sending yet', others
    ? `${others} ${others === 1 ? 'other is' : 'others are'} here and waiting as you are.`
    : 'The picture appears here as soon as somebody joins this room.'];
}

function show() {
  const live = state === 'joined' && grid.size > 0;
  const [title, text] = words();
  const names = { connecting: 'Connecting', lost: 'Connection lost', refused: title };
  const count = `${grid.size} ${grid.size === 1 ? 'picture' : 'pictures'}`;
  $('state').dataset.state = live ? 'live' : state === 'joined' ? 'empty' : state;
  const short = live ? `Live, ${count}` : names[state] ?? 'Waiting';
  if ($('state-text').textContent !== short) $('state-text').textContent = short;
  $('message').hidden = live || (state === 'connecting' && grid.size > 0 && attempt < 2);
  $('message').classList.toggle('busy', state === 'connecting');
  // Only real changes: each one is read aloud.
  if ($('message-title').textContent !== title) $('message-title').textContent = title;
  if ($('message-text').textContent !== text) $('message-text').textContent = text;
  $('retry').hidden = state !== 'lost' && state !== 'refused';
  $('sound').hidden = grid.size === 0;
  document.body.classList.toggle('has-tiles', grid.size > 0);
}

function setSound(on) {
  grid.sound = on;
  $('sound').setAttribute('aria-pressed', String(on));
  $('sound-text').textContent = on ? 'Sound is on' : 'Turn sound on';
}

function dropStale() {
  clearTimeout(staleTimer);
  const old = stale;
  stale = null;
  old?.release();
}

// The last session's pictures until the new ones are there: an attempt that
// met nobody has none, and ends nothing.
function keepPictures() {
  const ended = session;
  session = null;
  if (!ended?.peers.size) return;
  dropStale();
  stale = ended;
}

// Where this page is served with encryption, and what to compare.
function showSecure({ fingerprint, selfSigned }) {
  if (!fingerprint) return;
  const link = $('secure-link');
  link.href = link.textContent = `https://${location.host}/${location.search}`;
  $('self-signed').hidden = !selfSigned;
  $('fingerprint').textContent = fingerprint;
  $('secure').hidden = false;
}

function onState(next, information) {
  state = next;
  detail = information ?? '';
  if (state === 'joined') {
    attempt = 0;
    clearTimeout(staleTimer);
    staleTimer = setTimeout(dropStale, STALE_TIMEOUT);
  } else if (state === 'lost' || state === 'refused') {
    keepPictures();
    if (state === 'refused') dropStale();
    const pause = state === 'refused' ? REFUSED_RETRY
      : Math.min(LAST_RETRY, FIRST_RETRY * 1.8 ** attempt) * (0.75 + Math.random() / 2);
    attempt++;
    retryAt = Date.now() + pause;
    retryTimer = setTimeout(join, pause);
  }
  show();
}

function onPeer(peer) {
  grid.update(peer);
  const fresh = session?.peers.get(peer.id) === peer;
  if (stale && fresh && !peer.waiting && Object.values(peer.tracks).some(Boolean)) dropStale();
  show();
}

function join() {
  clearTimeout(retryTimer);
  const mine = new Session(place);
  session = mine;
  mine.onstate = (...args) => { if (session === mine) onState(...args); };
  mine.onpeer = onPeer;
  mine.ongone = (peer) => {
    grid.remove(peer);
    show();
  };
  mine.join();
}

function hurry() {
  if (state === 'lost' || state === 'refused') join();
}

async function start() {
  setSound(false);
  $('sound').onclick = () => setSound($('sound').getAttribute('aria-pressed') !== 'true');
  $('retry').onclick = hurry;
  grid.onblocked = () => setSound(false);
  addEventListener('online', hurry);
  addEventListener('pagehide', () => session?.leave());
  addEventListener('pageshow', ({ persisted }) => { if (persisted) join(); });
  setInterval(() => { if (state === 'lost' || state === 'refused') show(); }, 1000);
  show();

  for (;;) {
    try {
      const config = await (await fetch('viewer-config.json', { cache: 'no-store' })).json();
      const room = new URLSearchParams(location.search).get('room') || config.room;
      showSecure(config);
      place = { origin: location.origin, key: config.key, room };
      break;
    } catch {
      onState('lost');
      clearTimeout(retryTimer);
      await new Promise((resolve) => setTimeout(resolve, retryAt - Date.now()));
    }
  }
  $('room').textContent = place.room;
  document.title = `${place.room} · Skylink viewer`;
  join();
}

start();
