// SPDX-License-Identifier: Apache-2.0
// lib/chromium.mjs - one Chromium process per client, and its pages
//
//   const browser = await Chromium.start({ name: 'alice' });
//   const page = await browser.open('http://127.0.0.1:8080/');
//   await page.waitFor(() => document.title === 'Ready');
//   await browser.stop();
//
// Functions given to evaluate() and waitFor() run in the page: they see their
// arguments (JSON), nothing of this process.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Connection } from './cdp.mjs';
import { delay } from './wait.mjs';

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
  '--remote-debugging-pipe',
];

const source = (what, args) => typeof what === 'string'
  ? what : `(${what})(${args.map((a) => JSON.stringify(a) ?? 'undefined').join(',')})`;

export class Page {
  #connection;
  #session;
  #target;
  #name;
  console = []; // lines the page logged, exceptions included

  constructor(connection, session, target, name) {
    this.#connection = connection;
    this.#session = session;
    this.#target = target;
    this.#name = name;
    connection.on(session, (method, params) => this.#event(method, params));
  }

  #event(method, params) {
    if (method === 'Runtime.consoleAPICalled')
      this.console.push(`${params.type}: ` + params.args
        .map((a) => a.value ?? a.description ?? a.type).join(' '));
    else if (method === 'Runtime.exceptionThrown')
      this.console.push('exception: ' + (params.exceptionDetails.exception?.description ??
        params.exceptionDetails.text));
    else if (method === 'Log.entryAdded')
      this.console.push(`${params.entry.level}: ${params.entry.text} ${params.entry.url ?? ''}`);
    if (process.env.VERBOSE && this.console.length)
      console.log(`# ${this.#name}: ${this.console[this.console.length - 1]}`);
  }

  send(method, params) {
    return this.#connection.send(method, params, this.#session);
  }

  async navigate(url) {
    const { errorText } = await this.send('Page.navigate', { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await this.waitFor(() => document.readyState === 'complete', { what: `${url} to load` });
  }

  // The value of an expression or of a function called in the page; promises
  // are awaited.
  async evaluate(what, ...args) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression: source(what, args), awaitPromise: true, returnByValue: true,
      userGesture: true,
    });
    if (exceptionDetails)
      throw new Error(`in ${this.#name}: ` +
        (exceptionDetails.exception?.description ?? exceptionDetails.text));
    return result.value;
  }

  // Until the function gives something truthy, which is the result.
  async waitFor(what, { timeout = 60000, args = [], what: label } = {}) {
    const deadline = Date.now() + timeout;
    for (;;) {
      let value;
      try {
        value = await this.evaluate(what, ...args);
      } catch (error) {
        if (!/context|navigat/i.test(error.message)) throw error;
      }
      if (value) return value;
      if (Date.now() > deadline)
        throw new Error(`${this.#name}: waited ${timeout} ms for ${label ?? what}`);
      await delay(25);
    }
  }

  async screenshot(file, { width = 1280, height = 800, mobile = false, scale = 1 } = {}) {
    await this.send('Emulation.setDeviceMetricsOverride',
      { width, height, mobile, deviceScaleFactor: scale });
    if (mobile) await this.send('Emulation.setTouchEmulationEnabled', { enabled: true });
    await delay(300); // layout and the next video frames
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    await writeFile(file, Buffer.from(data, 'base64'));
  }

  async click(selector) {
    const { x, y } = await this.evaluate((s) => {
      const r = document.querySelector(s).getBoundingClientRect();
      return { x: r.x + r.width / 2, y: r.y + r.height / 2 };
    }, selector);
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.send('Input.dispatchMouseEvent',
        { type, x, y, button: 'left', clickCount: 1 });
  }

  close() {
    return this.#connection.send('Target.closeTarget', { targetId: this.#target });
  }
}

export class Chromium {
  #child;
  #connection;
  #profile;
  #name;

  // options: name (for messages), flags (more of them), autoplay (false: as
  // browsers do, sound waits for a click)
  static async start({ name = 'chromium', flags = [], autoplay = true } = {}) {
    const browser = new Chromium();
    browser.#name = name;
    browser.#profile = await mkdtemp(path.join(tmpdir(), 'skylink-browser-'));
    const all = [...FLAGS, `--user-data-dir=${browser.#profile}`, ...flags];
    if (autoplay) all.push('--autoplay-policy=no-user-gesture-required');
    // An own process group: its helpers end with it, and nobody else's do.
    browser.#child = spawn(PROGRAM, all, {
      stdio: ['ignore', 'ignore', process.env.VERBOSE === '2' ? 'inherit' : 'ignore',
        'pipe', 'pipe'],
      detached: true,
    });
    browser.#child.on('error', () => {});
    browser.#connection = new Connection(browser.#child.stdio[4], browser.#child.stdio[3]);
    running.add(browser);
    try {
      await browser.#connection.send('Browser.getVersion');
    } catch (error) {
      await browser.stop();
      throw new Error(`Cannot start ${PROGRAM}: ${error.message}`);
    }
    return browser;
  }

  get pid() {
    return this.#child.pid;
  }

  async open(url = 'about:blank') {
    const { targetId } = await this.#connection.send('Target.createTarget',
      { url: 'about:blank' });
    const { sessionId } = await this.#connection.send('Target.attachToTarget',
      { targetId, flatten: true });
    const page = new Page(this.#connection, sessionId, targetId, this.#name);
    await Promise.all([page.send('Page.enable'), page.send('Runtime.enable'),
      page.send('Log.enable')]);
    if (url !== 'about:blank') await page.navigate(url);
    return page;
  }

  // As a crash or a pulled plug of the machine's browser: no farewell.
  kill() {
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch { /* it has ended by itself */ }
  }

  async stop() {
    running.delete(this);
    const ended = this.#child.exitCode !== null || this.#child.signalCode !== null ||
      this.#child.pid === undefined
      ? Promise.resolve()
      : new Promise((resolve) => this.#child.once('exit', resolve));
    this.#connection.send('Browser.close').catch(() => {});
    await Promise.race([ended, delay(3000)]);
    if (this.#child.pid !== undefined) this.kill();
    await ended;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

const running = new Set();
process.on('exit', () => {
  for (const browser of running) browser.kill();
});
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => process.exit(1));
