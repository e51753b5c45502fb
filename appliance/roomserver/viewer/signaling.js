// SPDX-License-Identifier: Apache-2.0
// signaling.js - Engine.IO 3 / Socket.IO 1.x to the server of this page
//
// connect() gives an object with send(message) and close(); it reports by the
// callbacks onmessage(message) and onclose(). WebSocket is tried first, XHR
// long polling when that does not get through (some proxies swallow it).

const PATH = '/socket.io/';
const OPEN_TIMEOUT = 6000;

// Each packet: one digit for Engine.IO, for messages one more for Socket.IO.
const OPEN = '0', CLOSE = '1', PING = '2', PONG = '3', CONNECTED = '40', DISCONNECTED = '41',
  EVENT = '42';

class Channel {
  onmessage = () => {};
  onclose = () => {};
  #connected;
  #failed;
  #timer = null;
  #pingTimer = null;
  #pongTimer = null;
  #closed = false;
  connected = new Promise((resolve, reject) => {
    this.#connected = resolve;
    this.#failed = reject;
  });

  constructor() {
    this.#timer = setTimeout(() => this.fail('no answer'), OPEN_TIMEOUT);
  }

  send(message) {
    this.write(EVENT + JSON.stringify(['message', JSON.stringify(message)]));
  }

  receive(packet) {
    if (this.#closed) return;
    if (packet[0] === OPEN) this.#schedule(JSON.parse(packet.slice(1)));
    else if (packet[0] === PONG) clearTimeout(this.#pongTimer);
    else if (packet === CONNECTED) {
      clearTimeout(this.#timer);
      this.#connected(this);
    } else if (packet === DISCONNECTED || packet[0] === CLOSE) this.fail('closed');
    else if (packet.startsWith(EVENT)) this.#event(packet.slice(EVENT.length));
  }

  #event(text) {
    try {
      const [name, argument] = JSON.parse(text);
      if (name === 'message') this.onmessage(JSON.parse(argument));
    } catch (error) {
      console.warn('A message of the server makes no sense:', error);
    }
  }

  #schedule({ sid, pingInterval, pingTimeout }) {
    this.opened(sid);
    this.#pingTimer = setInterval(() => {
      this.write(PING);
      clearTimeout(this.#pongTimer);
      this.#pongTimer = setTimeout(() => this.fail('silence'), pingTimeout);
    }, pingInterval);
  }

  // The end, whoever wanted it: reported once.
  fail(reason) {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#pongTimer);
    clearInterval(this.#pingTimer);
    this.shut();
    this.#failed(new Error(reason));
    this.onclose(reason);
  }

  close() {
    if (this.#closed) return;
    this.onclose = () => {};
    this.write(DISCONNECTED);
    this.fail('left');
  }

  opened() {}
}

class SocketChannel extends Channel {
  #socket;

  constructor(origin) {
    super();
    this.#socket = new WebSocket(`${origin.replace(/^http/, 'ws')}${PATH}` +
      '?EIO=3&transport=websocket');
    this.#socket.onmessage = ({ data }) => this.receive(data);
    this.#socket.onerror = () => this.fail('WebSocket failed');
    this.#socket.onclose = () => this.fail('closed');
  }

  write(packet) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(packet);
  }

  shut() {
    this.#socket.close();
  }
}

// Packets of a payload "<length>:<packet>...": lengths count UTF-8 bytes, which
// travel as one character each.
function splitPayload(text) {
  const packets = [];
  let at = 0;
  while (at < text.length) {
    const colon = text.indexOf(':', at);
    const length = Number(text.slice(at, colon));
    if (colon < 0 || !Number.isInteger(length) || length < 1) throw new Error('bad payload');
    const bytes = text.slice(colon + 1, colon + 1 + length);
    packets.push(new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))));
    at = colon + 1 + length;
  }
  return packets;
}

function joinPayload(packets) {
  return packets.map((packet) => {
    const bytes = new TextEncoder().encode(packet);
    return `${bytes.length}:` + Array.from(bytes, (b) => String.fromCharCode(b)).join('');
  }).join('');
}

class PollingChannel extends Channel {
  #url;
  #abort = new AbortController();
  #queue = [];
  #posting = false;
  #done = false;

  constructor(origin) {
    super();
    this.#url = `${origin}${PATH}?EIO=3&transport=polling&b64=1`;
    this.#poll();
  }

  opened(sid) {
    this.#url += `&sid=${encodeURIComponent(sid)}`;
  }

  async #request(options) {
    const answer = await fetch(this.#url, { cache: 'no-store', ...options });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.text();
  }

  async #poll() {
    try {
      while (!this.#done)
        for (const packet of splitPayload(await this.#request({ signal: this.#abort.signal })))
          this.receive(packet);
    } catch {
      this.fail('polling failed');
    }
  }

  write(packet) {
    this.#queue.push(packet);
    if (!this.#posting) this.#post();
  }

  async #post() {
    this.#posting = true;
    try {
      while (this.#queue.length)
        await this.#request({ method: 'POST', body: joinPayload(this.#queue.splice(0)),
          keepalive: this.#done, headers: { 'Content-Type': 'text/plain;charset=UTF-8' } });
    } catch {
      this.fail('sending failed');
    }
    this.#posting = false;
  }

  shut() {
    this.#done = true;
    this.#abort.abort();
  }
}

let socketsWork = true;

// Return: a channel that is connected. Throws when neither way gets through.
export async function connect(origin) {
  if (socketsWork) {
    try {
      return await new SocketChannel(origin).connected;
    } catch { /* the other way, then */ }
  }
  const channel = await new PollingChannel(origin).connected;
  socketsWork = false;
  return channel;
}

// The room API: who we are in the room, and the tokens that prove it.
export async function askRoom(origin, key, room) {
  const answer = await fetch(`${origin}/api/${encodeURIComponent(key)}/` +
    `${encodeURIComponent(room)}?rand=${Date.now()}`,
  { cache: 'no-store', signal: AbortSignal.timeout?.(8000) });
  const grant = await answer.json();
  if (!grant.success) throw new Error(grant.info || `The room was refused (${grant.error})`);
  return grant;
}
