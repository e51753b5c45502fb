// SPDX-License-Identifier: Apache-2.0
// lib/matrix.mjs - the rows of the matrix of versions
//
// A row does its thing between the ends m.a, who was in the room first, and
// m.b, in both directions. What a client cannot do, or does wrongly, stands
// in DEFECTS, and is then what the row expects.

import { bytes, dataUrl, sha256 } from './bytes.mjs';
import { until } from './wait.mjs';

const FRAMES = 15; // counted in each direction
const PACKETS = 20;
const SIZES = [0, 1, 49152, 49153, 65456, 65457, 1 << 20];
const LARGE = 200 << 20;
const SOON = 3; // seconds: the timeout of transfers that hang

export const is2x = (end) => end.isPage && end.version.startsWith('2.');
const is0x = (end) => end.isPage && !is2x(end);
const URL_SLICE = 1212;
const slice = (binary) => binary ? 65456 : 49152;
const URL_LENGTHS = [100, URL_SLICE, URL_SLICE + 1, 100000];

// The clients' own defects: what, when, and what comes of it.
//   refused  the sender's client does not even ask
//   short    the last byte is not sent: the receiver ends with an error
//   lost     the receiver cannot take the data: the sender ends with an error
//   hangs    the answer goes astray: nothing happens, and nobody's timer runs
//   unheard  the receiver's client does not tell it
const DEFECTS = [
  { what: 'without mediaInfoList 2.x tells of no stream, though media comes (§16)',
    ends: 'unheard', when: (x, y, { media }) => media && is0x(x) && is2x(y) },
  { what: 'SkylinkJS 2.x sends but texts over the server', ends: 'refused',
    when: (x, y, { content }) => content && typeof content !== 'string' && is2x(x) },
  { what: '0.x does not know 2.x\'s type of message (§16)', ends: 'unheard',
    when: (x, y, { content }) => content && is2x(x) && is0x(y) },
  { what: '2.x has no data URLs to send', ends: 'refused',
    when: (x, y, { length }) => length && is2x(x) },
  { what: 'an empty Blob is refused by SkylinkJS', ends: 'refused',
    when: (x, y, { size }) => x.isPage && size === 0 },
  { what: '2.x answers on the main channel, 0.x waits on its own (§16)', ends: 'hangs',
    when: (x, y, { size }) => size !== undefined && is0x(x) && is2x(y) },
  { what: 'the last byte of k slices and one byte is never sent (§10.5)', ends: 'short',
    when: (x, y, { size, length, binary }) => x.isPage &&
      (size > slice(binary) && size % slice(binary) === 1 ||
      length > URL_SLICE && length % URL_SLICE === 1) },
  { what: '2.x takes a data URL for base64', ends: 'lost',
    when: (x, y, { length }) => length !== undefined && is2x(y) },
];

function defectOf(t, x, y, what) {
  const defect = DEFECTS.find(({ when }) => when(x, y, what));
  if (defect) t.note(`${JSON.stringify(what)} from ${x.name} to ${y.name}: ${defect.what}`);
  return defect?.ends;
}

let seeds = 0; // nothing is sent twice

const both = async ({ a, b }, row) => {
  await row(a, b);
  await row(b, a);
};

export async function meet({ a, b }, room) {
  await a.join(room);
  await b.join(room);
  await Promise.all([[a, b], [b, a]].flatMap(([x, y]) => [
    x.wait({ name: 'joined', peerId: y.id, self: false }),
    x.wait({ name: 'channel', peerId: y.id, state: 'open' })]));
}

async function join({ t, a, b }) {
  await both({ a, b }, async (x, y) => {
    const { userData } = await x.find({ name: 'joined', peerId: y.id });
    t.equal(userData, y.name);
  });
}

// Decoded pictures in pages, packets of them in the appliance.
async function flows(x, y) {
  const before = await y.stats(x);
  await until(async () => {
    const now = await y.stats(x);
    return now.decoded >= before.decoded + FRAMES && now.packets >= before.packets + PACKETS;
  }, { timeout: 60000, label: `media of ${x.name} in ${y.name}` });
}

async function media({ t, a, b }) {
  await both({ a, b }, async (x, y) => {
    const unheard = defectOf(t, x, y, { media: true });
    if (!unheard) await y.wait({ name: 'stream', peerId: x.id });
    await flows(x, y);
    if (unheard) t.equal(await y.find({ name: 'stream', peerId: x.id }), null);
  });
}

const CONTENT = { text: 'zwölf 中文 😀 "quoted" \\ end', list: [1, null, true, { deep: 'er' }] };

const messages = (verb, p2p) => async ({ t, a, b }) => {
  for (const content of ['a text', CONTENT])
    await both({ a, b }, async (x, y) => {
      const ends = p2p ? null : defectOf(t, x, y, { content });
      for (const isPrivate of [false, true]) {
        const from = await y.mark();
        await x.do(verb, content, isPrivate ? y.id : undefined);
        if (ends) {
          // What was said after it has come, and it has not.
          const after = `after ${++seeds}`;
          await x.do('setUserData', after);
          await y.wait({ name: 'updated', peerId: x.id, userData: after }, from);
          t.equal(await y.find({ name: 'message' }, from), null);
        } else {
          await y.wait({ name: 'message', peerId: x.id, content, p2p, isPrivate }, from);
        }
      }
    });
};

const userData = ({ a, b }) => both({ a, b }, async (x, y) => {
  for (const data of [{ name: 'Zoë', n: [1, 2] }, 'a text']) {
    const from = await y.mark();
    await x.do('setUserData', data);
    await y.wait({ name: 'updated', peerId: x.id, userData: data }, from);
  }
});

const mute = ({ a, b }) => both({ a, b }, async (x, y) => {
  for (const [audioMuted, videoMuted] of [[true, false], [true, true], [false, false]]) {
    const from = await y.mark();
    await x.do('mute', audioMuted, videoMuted);
    await y.wait({ name: 'updated', peerId: x.id, audioMuted, videoMuted }, from);
  }
  await flows(x, y);
});

async function lock(m) {
  const third = await m.third();
  await both(m, async (x, y) => {
    const from = await y.mark();
    await x.do('lock');
    await y.wait({ name: 'lock', locked: true }, from);
    await third.load();
    const refused = await third.join(m.together, { camera: null }).then(() => 'joined',
      (error) => error.message);
    m.t.match(refused, /locked/i);
    await third.wait({ name: 'action', action: 'reject', reason: 'locked' });
    // Whoever it is opens it again.
    const until = await x.mark();
    await y.do('unlock');
    await x.wait({ name: 'lock', locked: false }, until);
  });
  await third.load();
  await third.join(m.together, { camera: null });
  await Promise.all([m.a, m.b].map((end) => end.wait({ name: 'joined', peerId: third.id })));
  await third.leave();
  await Promise.all([m.a, m.b].map((end) => end.wait({ name: 'left', peerId: third.id })));
}

const refresh = ({ a, b }) => both({ a, b }, async (x, y) => {
  const pages = [[x, y], [y, x]].filter(([end]) => end.isPage);
  const marks = await Promise.all([x.mark(), y.mark()]);
  const before = await Promise.all(pages.map(([end, peer]) => end.description(peer)));
  await x.do('refresh', y.id);
  await Promise.all(pages.map(([end, peer], i) => until(async () =>
    await end.description(peer) !== before[i],
  { label: `a new description of ${peer.name} in ${end.name}` })));
  await Promise.all([x, y].map((end, i) => end.isPage ||
    end.wait({ name: 'restart' }, marks[i])));
  await flows(x, y);
  await flows(y, x);
});

// --- transfers ----------------------------------------------------------------
// Asks and waits for the other's event; what comes of it as a promise in .sent.
async function offer(x, y, { size, binary = false, length, timeout }) {
  const seed = ++seeds;
  const from = { x: await x.mark(), y: await y.mark() };
  const file = `file ${seed}.bin`;
  const sent = x.do(length === undefined ? 'sendBlob' : 'sendUrl', y.id,
    { size, length, seed, file, timeout, binary });
  sent.catch(() => {});
  return { seed, file, from, sent };
}

async function request(y, x, { from }) {
  return y.wait({ name: 'request', peerId: x.id }, from.y);
}

const OVER = ['error', 'cancel', 'rejected', 'userRejected', 'uploadCompleted',
  'downloadCompleted'];

// One transfer from x to y, or its defect.
async function transfer({ t }, x, y, what) {
  const ends = defectOf(t, x, y, what);
  const name = `${JSON.stringify(what)} from ${x.name} to ${y.name}`;
  const offered = await offer(x, y, { timeout: ends ? SOON : 60, ...what });
  if (ends === 'refused') {
    t.ok(await offered.sent !== 'completed');
    t.equal(await y.find({ name: 'request' }, offered.from.y), null);
    return;
  }
  const asked = await request(y, x, offered);
  const { transferId } = asked;
  const start = Date.now();
  if (what.size !== undefined) t.equal(asked.file, offered.file);
  await y.do('accept', x.id, transferId);
  if (ends === 'short') {
    const end = await y.wait({ name: 'transfer', transferId, state: ['error', 'cancel'] },
      offered.from.y, (SOON + 10) * 1000);
    t.note(`  ${y.name}: ${end.state}: ${end.error}`);
  } else if (ends === 'hangs') {
    await y.wait({ name: 'transfer', transferId, state: 'downloadStarted' }, offered.from.y);
    // The answer is on the main channel: what is said there later has come.
    await y.do('sendP2P', transferId, x.id);
    await x.wait({ name: 'message', content: transferId }, offered.from.x);
    t.equal(await x.find({ name: 'transfer', peerId: y.id,
      state: ['uploadStarted', 'uploading', ...OVER] }, offered.from.x), null);
    // 2.x would refuse others while this one lasts.
    await x.do('cancel', y.id, transferId);
    await y.do('cancel', x.id, transferId);
  } else if (ends === 'lost') {
    const end = await x.wait({ name: 'transfer', peerId: y.id, state: ['error', 'cancel'] },
      offered.from.x, (SOON + 10) * 1000);
    t.note(`  ${x.name}: ${end.state}: ${end.error}`);
    t.ok(await offered.sent !== 'completed');
  } else {
    const data = await y.wait({ name: 'data', peerId: x.id, transferId }, offered.from.y,
      what.size === LARGE ? 300000 : 30000);
    if (what.size === LARGE)
      t.note(`${name}: ${Math.round(what.size / 1000 / (Date.now() - start))} MB/s, ` +
        'hashing included');
    const right = what.length === undefined ? bytes(what.size, offered.seed)
      : new TextEncoder().encode(dataUrl(what.length, offered.seed));
    t.deepEqual(await y.took(data), { length: right.length, sha256: await sha256(right) });
    t.equal(await offered.sent, 'completed', name);
    await Promise.all([
      x.wait({ name: 'transfer', peerId: y.id, state: 'uploadCompleted' }, offered.from.x),
      y.wait({ name: 'transfer', transferId, state: 'downloadCompleted' }, offered.from.y)]);
    return;
  }
  t.equal(await y.find({ name: 'data', transferId }, offered.from.y), null);
}

const file = async (m, full) => {
  const large = full && !(m.a.isPage && m.b.isPage);
  for (const size of large ? [...SIZES, LARGE] : SIZES) {
    await both(m, async (x, y) => {
      await transfer(m, x, y, { size });
      if (is0x(x) && size) await transfer(m, x, y, { size, binary: true });
    });
  }
};

const url = (m, full) => both(m, async (x, y) => {
  if (is2x(x)) {
    m.t.equal(defectOf(m.t, x, y, { length: 1 }), 'refused');
    m.t.equal(await x.page.evaluate(() => client.sendUrl), null);
    return;
  }
  // Each that is lost takes its timeout.
  for (const length of is2x(y) && !full ? [100] : URL_LENGTHS)
    await transfer(m, x, y, { length });
});

// --- cancelled at every step ---------------------------------------------------
const BIG = 64 << 20; // goes on long enough to be cancelled

const STEPS = {
  async 'the receiver refuses'(m, x, y) {
    const offered = await offer(x, y, { size: 1000, timeout: 20 });
    const { transferId } = await request(y, x, offered);
    await y.do('accept', x.id, transferId, false);
    await x.wait({ name: 'transfer', peerId: y.id, state: 'rejected' }, offered.from.x);
    return offered;
  },
  async 'the sender cancels before the answer'(m, x, y) {
    const offered = await offer(x, y, { size: 1000, timeout: 20 });
    const { transferId } = await request(y, x, offered);
    const mine = await x.find({ name: 'transfer', peerId: y.id }, offered.from.x);
    await x.do('cancel', y.id, mine?.transferId ?? transferId);
    await y.wait({ name: 'transfer', transferId, state: 'cancel' }, offered.from.y);
    return offered;
  },
  async 'the sender cancels amid'(m, x, y) {
    const amid = x.when({ name: 'transfer', peerId: y.id, state: 'uploading' }, 'cancel');
    if (x.isPage) await amid;
    const offered = await offer(x, y, { size: BIG, timeout: 20 });
    const { transferId } = await request(y, x, offered);
    await y.do('accept', x.id, transferId);
    await y.wait({ name: 'transfer', transferId, state: 'cancel' }, offered.from.y);
    return offered;
  },
  async 'the receiver cancels amid'(m, x, y) {
    const amid = y.when({ name: 'transfer', peerId: x.id, state: 'downloading' }, 'cancel');
    if (y.isPage) await amid;
    const offered = await offer(x, y, { size: BIG, timeout: 20 });
    const { transferId } = await request(y, x, offered);
    await y.do('accept', x.id, transferId);
    await x.wait({ name: 'transfer', peerId: y.id, state: 'cancel' }, offered.from.x);
    return offered;
  },
};

const cancel = async (m) => {
  for (const [name, step] of Object.entries(STEPS))
    await both(m, async (x, y) => {
      m.t.note(`${name}: ${x.name} to ${y.name}`);
      const { from, sent } = await step(m, x, y);
      m.t.ok(await sent !== 'completed');
      m.t.equal(await y.find({ name: 'data' }, from.y), null);
      await transfer(m, x, y, { size: 1 }); // and it goes on
    });
};

async function leave(m) {
  for (const [who, other] of [['b', 'a'], ['a', 'b']]) {
    if (!m.together) await m.meet();
    const [x, y] = [m[who], m[other]];
    const from = await y.mark();
    await x.leave();
    await y.wait({ name: 'left', peerId: x.id }, from);
    m.together = null;
  }
}

// Everybody in one room: the first is the appliance, the others are pages.
export async function crowd(t, [appliance, ...pages], room) {
  const all = [appliance, ...pages];
  for (const end of all) await end.join(room);
  for (const end of all)
    for (const other of all.filter((one) => one !== end)) {
      await end.wait({ name: 'joined', peerId: other.id, self: false });
      await end.wait({ name: 'channel', peerId: other.id, state: 'open' });
      await flows(other, end);
    }
  // What it says reaches each in the form that this version reads.
  const from = await Promise.all(pages.map((page) => page.mark()));
  const heard = (fields) => Promise.all(pages.map((page, i) =>
    page.wait({ peerId: appliance.id, ...fields }, from[i])));
  await appliance.do('setUserData', CONTENT);
  await heard({ name: 'updated', userData: CONTENT });
  await appliance.do('sendMessage', CONTENT);
  await heard({ name: 'message', content: CONTENT, p2p: false, isPrivate: false });
  await appliance.do('sendP2P', CONTENT);
  await heard({ name: 'message', content: CONTENT, p2p: true, isPrivate: false });
  await appliance.do('mute', true, false);
  await heard({ name: 'updated', audioMuted: true, videoMuted: false });
  await appliance.do('mute', false, false);
  for (const page of pages) await transfer({ t }, appliance, page, { size: 65457 });
  for (const page of pages) {
    const mark = await appliance.mark();
    await page.leave();
    await appliance.wait({ name: 'left', peerId: page.id }, mark);
  }
}

// pages: also of two pages without the appliance.
export const ROWS = {
  join: { run: join, pages: true },
  media: { run: media, pages: true },
  'P2P message': { run: messages('sendP2P', true), pages: true },
  'signaling message': { run: messages('sendMessage', false), pages: true },
  'user data': { run: userData },
  mute: { run: mute },
  lock: { run: lock },
  refresh: { run: refresh },
  file: { run: file, pages: true },
  'data URL': { run: url },
  cancel: { run: cancel },
  leave: { run: leave },
};
