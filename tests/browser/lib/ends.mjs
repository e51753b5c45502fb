// SPDX-License-Identifier: Apache-2.0
// lib/ends.mjs - both ends of a meeting, with the same verbs and events
//
// A PageEnd is a SkylinkJS of some version in a Chromium of its own; its verbs
// are those of pages/client.js.

import { isDeepStrictEqual } from 'node:util';
import { Chromium } from './chromium.mjs';
import { until } from './wait.mjs';

export const CAMERA = { resolution: { width: 320, height: 240 }, frameRate: 15 };

const matches = (event, fields) => Object.entries(fields).every(([key, value]) =>
  value instanceof RegExp ? value.test(event[key])
    : Array.isArray(value) && key === 'state' ? value.includes(event[key])
      : isDeepStrictEqual(event[key], value));

// What both kinds of end have: a list of events, and waiting for one.
class End {
  // Events from now on: the second argument of wait().
  async mark() {
    return (await this.events()).length;
  }

  async find(fields, from = 0) {
    return (await this.events()).slice(from).find((event) => matches(event, fields)) ?? null;
  }

  wait(fields, from = 0, timeout = 15000) {
    return until(() => this.find(fields, from), { timeout, every: 40,
      label: `${this.name} to see ${JSON.stringify(fields, (k, v) =>
        v instanceof RegExp ? String(v) : v)}` });
  }

  async report() {
    const events = await this.events().catch((error) => [{ name: error.message }]);
    return [`${this.name} ${this.id ?? ''} saw, last first:`,
      ...events.slice(-25).reverse().map((e) => `  ${JSON.stringify(e)}`)];
  }
}

export class PageEnd extends End {
  constructor(browser, page, version, pages, host) {
    super();
    Object.assign(this, { browser, page, version, pages, host, name: version });
  }

  static async open(t, pages, host, version, name = version) {
    const browser = await Chromium.start({ name });
    t.after(() => browser.stop());
    const page = await browser.open();
    const end = new PageEnd(browser, page, version, pages, host);
    await end.load();
    return end;
  }

  // The page anew: nothing of before is left in it.
  async load() {
    await this.page.navigate(`${this.pages.url}client.html?v=${this.version}&api=${this.host}`);
    await this.page.waitFor(() => window.client, { what: `${this.name} to load` });
    this.id = null;
  }

  get isPage() { return true; }

  events() {
    return this.page.evaluate(() => client.events);
  }

  do(verb, ...args) {
    return this.page.evaluate(async (v, a) => {
      const result = await client[v](...a);
      return result === undefined || typeof result === 'object' ? null : result;
    }, verb, args);
  }

  async join(room, { camera = CAMERA, userData = this.name, polling = false } = {}) {
    this.id = await this.do('join', { room, camera, userData, polling });
  }

  leave() {
    return this.do('leave');
  }

  has(verb) {
    return this.page.evaluate((v) => typeof client[v] === 'function', verb);
  }

  stats(peer) {
    return this.page.evaluate((id) => client.stats(id), peer.id);
  }

  description(peer) {
    return this.page.evaluate((id) => client.description(id), peer.id);
  }

  async report() {
    return [...await super.report(), ...this.page.console
      .filter((line) => !/stats|favicon|Not (limiting|preferring)/.test(line)).slice(-8)
      .map((line) => `  ${line.split('\n')[0].slice(0, 300)}`)];
  }
}
