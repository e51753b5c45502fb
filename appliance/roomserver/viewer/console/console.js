// SPDX-License-Identifier: Apache-2.0
// console.js - the page: shows what the link tells, and does what is pressed

import { Link } from './link.js';
import { Preview } from './preview.js';
import { clock, duration, mediaWords, peerWords, problems, roomWords,
  selftestWords } from './words.js';

const MAX_EVENTS = 100;

const $ = (id) => document.getElementById(id);
const link = new Link();
const preview = new Preview($('picture'));

let page = null;
let state = 'connecting';
let lostSince = 0;
let retryAt = 0;

// Only real changes: what is read aloud or selected stays alone.
function say(id, text) {
  const element = typeof id === 'string' ? $(id) : id;
  if (element.textContent !== text) element.textContent = text;
}

function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const shown = new Map();
function fill(id, items, build) {
  const text = JSON.stringify(items);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  $(id).replaceChildren(...items.map(build));
}

function pill(element, level, text) {
  if (element.dataset.level !== level) element.dataset.level = level;
  say(element, text);
}

/* --- the connection -------------------------------------------------------- */
function showLink() {
  const lost = state === 'lost';
  const wait = Math.ceil((retryAt - Date.now()) / 1000);
  $('link').dataset.level = state === 'live' ? 'good' : lost ? 'bad' : 'warn';
  say('link-text', state === 'live' ? 'Live' : lost ? 'Lost' : 'Connecting');
  document.body.classList.toggle('stale', lost);
  $('lost').hidden = !lost;
  if (lost)
    say('lost', page
      ? `The connection to the box is lost. What is shown is ${
        duration((Date.now() - lostSince) / 1000)} old. ${
        wait > 0 ? `Trying again in ${wait} s.` : 'Trying again.'}`
      : 'The box does not answer. Trying again.');
  for (const button of document.querySelectorAll('main button'))
    if (lost) button.disabled = true;
  if (!lost && page) showButtons();
}

link.onstate = (next, seconds) => {
  if (next === 'login') {
    location.replace('/login?next=/console/');
    return;
  }
  if (next === 'lost' && state !== 'lost') lostSince = Date.now();
  retryAt = Date.now() + seconds * 1000;
  state = next;
  showLink();
};
setInterval(() => { if (state === 'lost') showLink(); }, 1000);

/* --- events ---------------------------------------------------------------- */
function addEvent(level, text, time) {
  const row = make('li', undefined, { 'data-level': level });
  row.append(make('time', time ? clock(time) : ''), make('bdi', text));
  $('events').prepend(row);
  while ($('events').children.length > MAX_EVENTS) $('events').lastChild.remove();
  $('events-none').hidden = true;
}

link.onfresh = () => {
  $('events').replaceChildren();
  $('events-none').hidden = false;
};
link.onevent = ({ level, text, time }) => addEvent(level, text, time);
link.onmissed = (n) => addEvent('warn', `${n} more happened than this page could take`);

/* --- what is shown --------------------------------------------------------- */
function showMedia(kind, media) {
  const { level, state: words, detail } = mediaWords(kind, media);
  const name = kind === 'video' ? 'picture' : 'sound';
  const button = $(`${kind}-mute`);
  pill($(`${kind}-state`), level, words);
  say(`${kind}-detail`, detail);
  button.hidden = !media;
  if (!button.dataset.busy) say(button, media?.muted ? `Turn ${name} on` : `Mute ${name}`);
  button.classList.toggle('muted', Boolean(media?.muted));
}

function showPreview() {
  const can = Boolean(page.preview && page.room.state === 'joined' && page.video);
  $('preview').hidden = !can;
  say('preview', preview.wanted ? 'Stop showing it here' : 'Show the picture here');
  say('screen-note', !page.video ? 'No picture is sent.'
    : page.room.state !== 'joined' ? 'In no room: nothing is sent.'
      : !page.preview ? 'The room is at another server: its picture cannot be shown here.'
        : preview.wanted ? 'Connecting to the room …'
          : 'To show it here makes this page a peer of the room.');
  $('screen-muted').hidden = !page.video?.muted;
  preview.follow(can ? page.preview : null, page.room.id);
}

function buildPeer(peer) {
  const { state: words, level, here, figures } = peerWords(peer);
  const row = make('li'), head = make('div', undefined, { class: 'peer-head' });
  head.append(make('bdi', peer.name), make('span', words, { class: 'pill', 'data-level': level }));
  head.append(make('span', here, { class: 'quiet' }));
  const list = make('dl', undefined, { class: 'figures' });
  for (const [name, value] of figures) {
    const pair = make('div');
    pair.append(make('dt', name), make('dd', value));
    list.append(pair);
  }
  row.append(head, list);
  return row;
}

const FINDING = { ok: ['good', 'Fine'], warning: ['warn', 'Look'], failed: ['bad', 'Wrong'],
  skipped: ['', 'Skipped'] };

function buildFinding({ state: kind, what, advice }) {
  const [level, word] = FINDING[kind] ?? ['', kind];
  const row = make('li'), line = make('div');
  line.append(make('span', word, { class: 'pill', 'data-level': level }), make('span', what));
  row.append(line);
  if (advice) row.append(make('p', advice, { class: 'quiet' }));
  return row;
}

function buildStage({ stage, wanted, ok, still_s: still }) {
  const row = make('li');
  row.append(make('span', ok ? 'Fine' : 'Stuck', { class: 'pill', 'data-level': ok ? 'good' : 'bad' }),
    make('span', !wanted ? `${stage}: not wanted now` : ok ? `${stage}: it moves`
      : `${stage}: nothing for ${duration(still)}`));
  return row;
}

const ORDER = { failed: 0, warning: 1, skipped: 2, ok: 3 };
const byState = (rows) => [...rows].sort((a, b) => ORDER[a.state] - ORDER[b.state]);

// A room server alone has none.
function showSelftest(selftest) {
  $('selftest').hidden = !selftest;
  if (!selftest) return;
  const { level, state: words, more, rows } = selftestWords(selftest);
  pill($('selftest-state'), level, words);
  say('selftest-more', more);
  fill('selftest-rows', byState(rows), buildFinding);
}

function showHealth({ health }) {
  const findings = byState(health.findings ?? []);
  const n = (kind) => findings.filter((f) => f.state === kind).length;
  say('health-sum', health.checking ? 'The box looks at itself; this takes up to half a minute.'
    : !health.findings ? 'Not checked since the start. “Check now” looks at devices, network, '
      + 'certificates and disk.'
      : `${n('failed')} wrong, ${n('warning')} to look at, ${n('ok')} fine, at ${clock(health.checked)}`);
  fill('findings', findings, buildFinding);
  fill('stages', health.stages ?? [], buildStage);
}

function showButtons() {
  const busy = (id) => Boolean($(id).dataset.busy);
  for (const kind of ['video', 'audio'])
    $(`${kind}-mute`).disabled = busy(`${kind}-mute`) || !page[kind];
  $('join').hidden = page.room.state !== 'idle' || !page.wanted_room;
  $('leave').hidden = page.room.state === 'idle';
  $('join').disabled = busy('join');
  $('leave').disabled = busy('leave');
  $('check').disabled = busy('check') || page.health.checking;
  $('preview').disabled = false;
}

function show() {
  const { state: words, more } = roomWords(page);
  document.title = `${page.box} · Skylink console`;
  say('box', page.box);
  say('room-state', words);
  say('room-more', more);
  fill('problems', problems(page), ({ level, what, advice }) => {
    const row = make('li', undefined, { 'data-level': level });
    row.append(make('strong', what), make('span', advice));
    return row;
  });
  showMedia('video', page.video);
  showMedia('audio', page.audio);
  showPreview();
  say('peers-count', String(page.n_peers));
  fill('peers', page.peers, buildPeer);
  $('peers-none').hidden = page.n_peers > 0;
  showHealth(page);
  showSelftest(page.selftest);
  say('footer', `skylinkd ${page.version} · up ${duration(page.uptime_s)} · ${
    Math.round(page.process.cpu_percent)} % of a core · ${
    Math.round(page.process.rss_kb / 1024)} MB`);
  showButtons();
}

link.onpage = (next) => {
  page = next;
  show();
};

/* --- what is pressed ------------------------------------------------------- */
// A button says that it was pressed, until the box says how it went.
async function press(button, errorId, words, command, parameters) {
  button.dataset.busy = '1';
  button.disabled = true;
  if (words) button.textContent = words;
  say(errorId, '');
  try {
    await link.command(command, parameters);
  } catch (error) {
    say(errorId, error.message);
  }
  delete button.dataset.busy;
  if (page) show();
  showLink();
}

for (const kind of ['video', 'audio'])
  $(`${kind}-mute`).onclick = () => press($(`${kind}-mute`), 'sent-error',
    page[kind].muted ? 'Turning on …' : 'Muting …', 'mute', { [kind]: !page[kind].muted });
$('join').onclick = () => press($('join'), 'room-error', null, 'join');
$('leave').onclick = () => {
  if (confirm('The box leaves the room: nobody there sees or hears it any more.'))
    press($('leave'), 'room-error', null, 'leave');
};
$('check').onclick = () => press($('check'), 'check-error', null, 'check');
$('preview').onclick = () => {
  preview.wanted = !preview.wanted;
  showPreview();
};
$('logout').onclick = async () => {
  await fetch('/logout', { method: 'POST' }).catch(() => {});
  location.replace('/login?next=/console/');
};
addEventListener('pagehide', () => {
  preview.wanted = false;
  preview.follow(null, null);
});

showLink();
fetch('/session').then((answer) => answer.json()).then(({ viewer }) => {
  $('viewer').hidden = !viewer;
}).catch(() => {});
