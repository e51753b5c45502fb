// SPDX-License-Identifier: Apache-2.0
// How fast a data channel is. Prints a line of JSON for each row.
//
//   bench-channel.mjs [ROUNDS [MEGABYTES [FROM:TO...]]]
//
// Rows alternate within a round: the appliance's transport to a page and back,
// two of the appliance's, and two pages of two Chromiums as the baseline. Rates
// are the receiver's, from the first message to the last; "per core" is by the
// CPU time of the appliance's process. With $DELAY_MS each packet is so long on
// its way (tests/slow-link.c): a round trip takes twice that.

import { spawn } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { Chromium } from './lib/chromium.mjs';
import { watchLoad } from './lib/load.mjs';
import { BUILD } from './lib/program.mjs';

const PIECE = 65536; // bytes of a message
const FLAGS = ['--disable-features=WebRtcHideLocalIpsWithMdns'];

const encode = (text) => Buffer.from(text).toString('base64');
const decode = (text) => Buffer.from(text, 'base64').toString();

// A process of ours.
class Program {
  #child;
  #lines = [];
  #waiting = [];

  constructor(role) {
    this.#child = spawn(path.join(BUILD, 'tests', 'bench-channel'), [role],
      { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const waiting = this.#waiting.shift();
      if (waiting) waiting(line);
      else this.#lines.push(line);
    });
  }

  async #next(word) {
    const line = this.#lines.shift() ?? await new Promise((r) => this.#waiting.push(r));
    const [first, ...rest] = line.split(' ');
    if (first !== word) throw new Error(`${line}, instead of ${word}`);
    return rest;
  }

  #say(text) { this.#child.stdin.write(`${text}\n`); }
  async describe() { return decode((await this.#next('sdp'))[0]); }
  accept(sdp) { this.#say(`sdp ${encode(sdp)}`); }
  async opened() { await this.#next('open'); }
  async expect(bytes) {
    this.#say(`expect ${bytes}`);
    await this.#next('ready');
  }
  async received() {
    const [bytes, seconds, cpu, kb] = (await this.#next('received')).map(Number);
    return { bytes, seconds, cpu, kb };
  }
  send(bytes, size) { this.#say(`send ${bytes} ${size}`); }
  async sent() {
    await this.#next('sent');
    this.#say('cpu');
    const [bytes, seconds, cpu, kb] = (await this.#next('cpu')).map(Number);
    return { bytes, seconds, cpu, kb };
  }
  async stop() {
    this.#child.stdin.end();
    await new Promise((r) => this.#child.once('exit', r));
  }
}

// A page, with the same methods.
class PageEnd {
  #browser;
  #page;

  static async start(role) {
    const end = new PageEnd();
    end.#browser = await Chromium.start({ name: role, flags: FLAGS });
    end.#page = await end.#browser.open('about:blank');
    await end.#page.evaluate((offers) => {
      const pc = new RTCPeerConnection();
      const end = window.end = { pc };
      const take = (channel) => {
        channel.binaryType = 'arraybuffer';
        channel.bufferedAmountLowThreshold = 1 << 20;
        end.channel = channel;
        channel.onmessage = ({ data }) => {
          if (!end.got) end.start = performance.now();
          end.got += data.byteLength;
          if (end.got >= end.expected) end.seconds = (performance.now() - end.start) / 1000;
        };
        channel.onopen = () => { end.open = true; };
      };
      if (offers) take(pc.createDataChannel('bench'));
      else pc.ondatachannel = ({ channel }) => { take(channel); end.open = true; };
    }, role === 'offer');
    return end;
  }

  async describe() {
    return this.#page.evaluate(async () => {
      const { pc } = window.end;
      await pc.setLocalDescription();
      if (pc.iceGatheringState !== 'complete')
        await new Promise((done) => {
          pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done();
        });
      return pc.localDescription.sdp;
    });
  }
  async accept(sdp, type) {
    await this.#page.evaluate((s, t) => window.end.pc.setRemoteDescription({ type: t, sdp: s }),
      sdp, type);
  }
  async opened() { await this.#page.waitFor(() => window.end.open); }
  async expect(bytes) {
    await this.#page.evaluate((n) => {
      Object.assign(window.end, { expected: n, got: 0, seconds: 0 });
    }, bytes);
  }
  async received() {
    await this.#page.waitFor(() => window.end.seconds, { timeout: 120000 });
    return this.#page.evaluate(() => ({ bytes: window.end.got, seconds: window.end.seconds }));
  }
  async send(bytes, size) {
    await this.#page.evaluate((n, each) => {
      const { channel } = window.end;
      const data = new Uint8Array(each);
      let left = n;
      const more = () => {
        while (left && channel.bufferedAmount < 4 << 20) {
          channel.send(left < each ? data.subarray(0, left) : data);
          left -= Math.min(left, each);
        }
      };
      channel.onbufferedamountlow = more;
      more();
    }, bytes, size);
  }
  async sent() { return {}; }
  async stop() { await this.#browser.stop(); }
}

const kinds = {
  appliance: (role) => new Program(role),
  page: (role) => PageEnd.start(role),
};

// A long way between both: each is told of the link's port as the other's.
class Link {
  #child;
  #ports;
  #address;

  static async start(ms) {
    const link = new Link();
    // Not 127.0.0.1, which a page's sockets do not reach.
    link.#address = Object.values(networkInterfaces()).flat()
      .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    if (!link.#address) throw new Error('a page needs an address of IPv4 for the link');
    link.#child = spawn(path.join(BUILD, 'tests', 'slow-link'), [ms, link.#address],
      { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: link.#child.stdout })[Symbol.asyncIterator]();
    link.#ports = [(await lines.next()).value, (await lines.next()).value];
    return link;
  }

  // One candidate is enough: UDP, of the end itself.
  lead(sdp, side) {
    const words = (line) => line.split(' ');
    const lines = sdp.split('\r\n');
    const one = lines.find((line) => line.startsWith('a=candidate:') &&
      words(line)[2].toLowerCase() === 'udp' && words(line)[4] === this.#address);
    if (!one) throw new Error(`no ${this.#address} in ${sdp}`);
    return lines.flatMap((line) => {
      if (!line.startsWith('a=candidate:')) return [line];
      return line === one ? [[...words(line).slice(0, 5), this.#ports[side], ...words(line).slice(6)].join(' ')] : [];
    }).join('\r\n');
  }

  async stop() {
    this.#child.stdin.end();
    await new Promise((r) => this.#child.once('exit', r));
  }
}

async function connect(from, to, link) {
  const a = await kinds[from]('offer');
  const b = await kinds[to]('answer');
  const lead = (sdp, side) => link ? link.lead(sdp, side) : sdp;
  await b.accept(lead(await a.describe(), 0), 'offer');
  await a.accept(lead(await b.describe(), 1), 'answer');
  await Promise.all([a.opened(), b.opened()]);
  return [a, b];
}

async function run(a, b, bytes) {
  await b.expect(bytes);
  await a.send(bytes, PIECE);
  const received = await b.received();
  return { received, sent: await a.sent() };
}

const rate = ({ bytes, seconds }) => bytes / 1e6 / seconds;
const delay = process.env.DELAY_MS;
const perCore = (bytes, cpu) => cpu ? bytes / 1e6 / cpu : undefined;

async function row(from, to, bytes) {
  const link = delay && await Link.start(delay);
  const [a, b] = await connect(from, to, link);
  const load = watchLoad();
  try {
    await run(a, b, bytes / 8); // until the windows are open
    const { received, sent } = await run(a, b, bytes);
    return { row: `${from} to ${to}`, rate: rate(received), load: load(),
      sender: perCore(bytes, sent.cpu), receiver: perCore(bytes, received.cpu),
      kb: sent.kb ?? received.kb };
  } finally {
    await Promise.all([a.stop(), b.stop()]);
    await link?.stop();
  }
}

const [rounds = '3', megabytes = '200', ...chosen] = process.argv.slice(2);
const pairs = chosen.length ? chosen : ['appliance:page', 'page:appliance',
  'appliance:appliance', 'page:page'];
for (let i = 0; i < Number(rounds); i++)
  for (const pair of pairs)
    console.log(JSON.stringify(await row(...pair.split(':'), Number(megabytes) * 1e6)));
