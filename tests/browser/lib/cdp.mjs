// SPDX-License-Identifier: Apache-2.0
// lib/cdp.mjs - the DevTools protocol over a pair of pipes
//
// --remote-debugging-pipe: Chromium reads from its descriptor 3 and writes to
// 4, JSON texts that end with a NUL. No port, nothing to guess or to collide.

export class Connection {
  #write;
  #pending = new Map();
  #sessions = new Map(); // sessionId -> (method, params) => void
  #buffered = [];
  #nextId = 1;
  #closed = null;

  constructor(input, output) {
    this.#write = output;
    input.on('data', (chunk) => this.#receive(chunk));
    input.on('close', () => this.close('Chromium is gone'));
    input.on('error', () => this.close('Chromium is gone'));
    output.on('error', () => this.close('Chromium is gone'));
  }

  #receive(chunk) {
    let start = 0;
    for (let end; (end = chunk.indexOf(0, start)) >= 0; start = end + 1) {
      this.#buffered.push(chunk.subarray(start, end));
      this.#dispatch(JSON.parse(Buffer.concat(this.#buffered).toString()));
      this.#buffered = [];
    }
    if (start < chunk.length) this.#buffered.push(chunk.subarray(start));
  }

  #dispatch(message) {
    if (message.id) {
      const waiting = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.error)
        waiting?.reject(new Error(`${waiting.method}: ${message.error.message}`));
      else waiting?.resolve(message.result);
    } else {
      this.#sessions.get(message.sessionId ?? '')?.(message.method, message.params);
    }
  }

  on(sessionId, listener) {
    this.#sessions.set(sessionId, listener);
  }

  send(method, params = {}, sessionId = undefined) {
    if (this.#closed) return Promise.reject(new Error(`${method}: ${this.#closed}`));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { method, resolve, reject });
      this.#write.write(JSON.stringify({ id, method, params, sessionId }) + '\0');
    });
  }

  close(reason) {
    if (this.#closed) return;
    this.#closed = reason;
    for (const { method, reject } of this.#pending.values())
      reject(new Error(`${method}: ${reason}`));
    this.#pending.clear();
  }
}
