// SPDX-License-Identifier: Apache-2.0
// How fast a file goes from one end of a room to the other, in SkylinkJS's
// protocol. Prints a line of JSON for each row.
//
//   bench-transfer.mjs [ROUNDS [MEGABYTES [FROM:TO...]]]
//
// Ends are SkylinkJS 0.6.37 in a Chromium of its own ("page") and the
// appliance's room ("appliance"); rows alternate within a round. Time is from
// the acceptance to the last acknowledgement, at the receiver.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { startServer } from './lib/appliance.mjs';
import { Chromium } from './lib/chromium.mjs';
import { watchLoad } from './lib/load.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { BUILD } from './lib/program.mjs';

const MINUTES = 600000;
const FLAGS = ['--disable-features=WebRtcHideLocalIpsWithMdns'];

// A process of ours.
class Program {
  #child;
  #lines = [];
  #waiting = [];

  static start(context, room) {
    const end = new Program();
    end.#child = spawn(path.join(BUILD, 'tests', 'bench-transfer'),
      [context.server.url, 'demo', room], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: end.#child.stdout }).on('line', (line) => {
      const waiting = end.#waiting.shift();
      if (waiting) waiting(line);
      else end.#lines.push(line);
    });
    return end;
  }

  async #next(word) {
    const line = this.#lines.shift() ?? await new Promise((r) => this.#waiting.push(r));
    const [first, ...rest] = line.split(' ');
    if (first !== word) throw new Error(`${line}, instead of ${word}`);
    return rest;
  }

  async met() { await this.#next('peer'); }
  send(bytes, kind) { this.#child.stdin.write(`send ${bytes}${kind ? ` ${kind}` : ''}\n`); }
  async #ended(word) {
    const [bytes, seconds, cpu, kb] = (await this.#next(word)).map(Number);
    return { bytes, seconds, cpu, kb };
  }
  sent() { return this.#ended('uploadCompleted'); }
  received() { return this.#ended('downloadCompleted'); }
  async stop() {
    this.#child.stdin.end();
    await new Promise((r) => this.#child.once('exit', r));
  }
}

// A page.
class PageEnd {
  #browser;
  #page;

  static async start(context, room) {
    const end = new PageEnd();
    end.#browser = await Chromium.start({ name: 'page', flags: FLAGS });
    end.#page = await end.#browser.open(
      `${context.pages.url}skylink.html?api=${context.server.host}`);
    await end.#page.evaluate((api, name) => new Promise((joined, failed) => {
      const skylink = new Skylink();
      const seen = window.seen = { skylink, open: false, ended: [] };
      skylink.setLogLevel(skylink.LOG_LEVEL.ERROR);
      skylink.on('dataChannelState', (state, peer, error, channel, type) => {
        if (state === 'open' && type === 'messaging') seen.open = true;
      });
      skylink.on('incomingDataRequest', (id, peer, info, isSelf) => {
        if (!isSelf) skylink.acceptDataTransfer(peer, id, true);
      });
      skylink.on('dataTransferState', (state, id, peer, info, error) => {
        if (/Started$/.test(state)) seen.start = performance.now();
        if (/Completed$|^error$|^rejected$|^cancel$/.test(state))
          seen.ended.push({ state, bytes: info.size, error: error && `${error.message}`,
            seconds: (performance.now() - seen.start) / 1000 });
      });
      skylink.init({ appKey: 'demo', defaultRoom: name, roomServer: `//${api}`,
        forceSSL: false }, (bad) => {
        if (bad) failed(new Error(JSON.stringify(bad)));
        else skylink.joinRoom({}, (no) => no ? failed(new Error(JSON.stringify(no))) : joined());
      });
    }), context.server.host, room);
    return end;
  }

  async met() { await this.#page.waitFor(() => window.seen.open, { timeout: 30000 }); }
  async send(bytes, kind) {
    await this.#page.evaluate((n, binary) => {
      const file = new File([new Uint8Array(n)], 'bench.bin');
      window.seen.skylink.sendBlobData(file, binary);
    }, bytes, kind !== 'string');
  }
  async #ended(state) {
    await this.#page.waitFor(() => window.seen.ended.length, { timeout: MINUTES });
    const ended = await this.#page.evaluate(() => window.seen.ended.shift());
    if (ended.state !== state) throw new Error(JSON.stringify(ended));
    return ended;
  }
  sent() { return this.#ended('uploadCompleted'); }
  received() { return this.#ended('downloadCompleted'); }
  async stop() { await this.#browser.stop(); }
}

const kinds = { appliance: Program, page: PageEnd };

async function row(context, name, bytes) {
  const [from, to, kind] = name.split(':');
  const room = `bench-${Math.random().toString(36).slice(2)}`;
  const a = await kinds[from].start(context, room);
  const b = await kinds[to].start(context, room);
  try {
    await Promise.all([a.met(), b.met()]);
    const load = watchLoad();
    await a.send(bytes, kind);
    const [sent, received] = await Promise.all([a.sent(), b.received()]);
    return { row: name, rate: bytes / 1e6 / received.seconds, load: load(),
      sender: sent.cpu && bytes / 1e6 / sent.cpu,
      receiver: received.cpu && bytes / 1e6 / received.cpu, kb: sent.kb ?? received.kb };
  } finally {
    await Promise.all([a.stop(), b.stop()]);
  }
}

const [rounds = '3', megabytes = '200', ...chosen] = process.argv.slice(2);
const rows = chosen.length ? chosen : ['appliance:page', 'page:appliance',
  'appliance:page:string', 'page:appliance:string', 'appliance:appliance', 'page:page'];
const cleanups = [];
const pages = await startPageServer();
const server = await startServer({ after: (cleanup) => cleanups.unshift(cleanup) });
for (let i = 0; i < Number(rounds); i++)
  for (const name of rows)
    console.log(JSON.stringify(await row({ pages, server }, name, Number(megabytes) * 1e6)));
await pages.stop();
for (const cleanup of cleanups) await cleanup();
