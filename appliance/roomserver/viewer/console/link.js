// SPDX-License-Identifier: Apache-2.0
// link.js - the connection to the box: comes back by itself, says how it is
//
//   const link = new Link();
//   link.onpage(page), link.onevent(event), link.onmissed(n)
//   link.onstate('live' | 'lost' | 'login', secondsUntilTry)
//   await link.command('mute', { video: true });   throws what went wrong

const FIRST_RETRY = 500;
const LAST_RETRY = 10000;
// The box speaks every second: silence of so long is a connection lost.
const SILENCE = 5000;
const ANSWER = 8000;
const CHECK_ANSWER = 35000;
const CLOSED_LOGIN = 4401;

export class Link {
  onpage = () => {};
  onevent = () => {};
  onmissed = () => {};
  onfresh = () => {}; // the lines of before come again
  onstate = () => {};
  #socket = null;
  #heard = 0;
  #attempt = 0;
  #retry = null;
  #waiting = new Map();
  #next = Math.floor(Math.random() * 2 ** 31);

  constructor() {
    setInterval(() => this.#watch(), 1000);
    addEventListener('online', () => this.hurry());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.hurry();
    });
    this.#open();
  }

  hurry() {
    if (this.#retry) this.#open();
  }

  #open() {
    clearTimeout(this.#retry);
    this.#retry = null;
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/console/socket`);
    this.#socket = socket;
    this.#heard = Date.now();
    let fresh = true;
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heard = Date.now();
      if (fresh) this.onfresh();
      fresh = false;
      this.#receive(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#lose(code);
    };
  }

  #receive({ page, event, result, missed }) {
    if (page) {
      this.#attempt = 0;
      this.onstate('live', 0);
      this.onpage(page);
    }
    if (event) this.onevent(event);
    if (missed) this.onmissed(missed);
    if (result) this.#settle(result.id, result.ok ? null : result.error);
  }

  #settle(id, error) {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error) waiting.reject(new Error(error));
    else waiting.resolve();
  }

  #watch() {
    if (this.#retry || Date.now() - this.#heard < SILENCE) return;
    this.#socket.close();
    this.#lose(0);
  }

  async #lose(code) {
    const lost = this.#socket;
    this.#socket = null;
    for (const id of [...this.#waiting.keys()])
      this.#settle(id, 'The connection was lost: whether it was done is not known.');
    const pause = Math.min(LAST_RETRY, FIRST_RETRY * 1.7 ** this.#attempt++) *
      (0.75 + Math.random() / 2);
    this.onstate('lost', pause / 1000);
    this.#retry = setTimeout(() => this.#open(), pause);
    // A refused upgrade does not say why: ask.
    const over = code === CLOSED_LOGIN || lost && await this.#isLoggedOut();
    if (!over) return;
    clearTimeout(this.#retry);
    this.#retry = null;
    this.onstate('login', 0);
  }

  async #isLoggedOut() {
    try {
      const response = await fetch('/session', { cache: 'no-store',
        signal: AbortSignal.timeout(SILENCE) });
      return response.ok && (await response.json()).role !== 'operate';
    } catch {
      return false;
    }
  }

  command(command, parameters = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN)
      return Promise.reject(new Error('There is no connection to the box.'));
    const id = this.#next++;
    this.#socket.send(JSON.stringify({ id, command, ...parameters }));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, 'The box did not answer.'),
        command === 'check' ? CHECK_ANSWER : ANSWER);
      this.#waiting.set(id, { resolve, reject, timer });
    });
  }
}
