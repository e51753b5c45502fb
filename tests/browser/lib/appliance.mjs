// SPDX-License-Identifier: Apache-2.0
// lib/appliance.mjs - skylinkd as its users start it, asked over its socket
//
//   const appliance = await startAppliance(t, ['--source', 'test']);
//   await appliance.waitFor((status) => status.room.state === 'joined', 'it to join');

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BUILD, startProgram } from './program.mjs';
import { until } from './wait.mjs';

const DAEMON = 'appliance/skylinkd';

// One question over the control socket.
export function ask(socket, method, params = undefined) {
  return new Promise((resolve, reject) => {
    const connection = createConnection(socket);
    let text = '';
    connection.setTimeout(60000, () => connection.destroy(new Error(`${method}: no answer`)));
    connection.on('error', reject);
    connection.on('data', (chunk) => {
      text += chunk;
      if (!text.includes('\n')) return;
      connection.end();
      const answer = JSON.parse(text);
      if (answer.error) reject(new Error(`${method}: ${answer.error.message}`));
      else resolve(answer.result);
    });
    connection.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) + '\n');
  });
}

// The daemon's events as they come: { list: [{ at, method, params }], close() },
// at in milliseconds of Date.now().
export function follow(socket, events) {
  return new Promise((resolve, reject) => {
    const connection = createConnection(socket);
    const list = [];
    let text = '';
    connection.on('error', reject);
    connection.on('data', (chunk) => {
      const lines = (text + chunk).split('\n');
      text = lines.pop();
      for (const message of lines.map((line) => JSON.parse(line)))
        if (message.method) list.push({ at: Date.now(), ...message });
        else if (message.error) reject(new Error(message.error.message));
        else resolve({ list, close: () => connection.destroy() });
    });
    connection.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe',
      params: { events } }) + '\n');
  });
}

// A room server of its own: { url, host, pid, stop() }.
export async function startServer(t, { listen = '127.0.0.1:0', args = [] } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'skylink-server-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const server = await startProgram(DAEMON, ['--room-server', '--listen', listen,
    '--socket', path.join(folder, 'control.sock'), ...args]);
  t.after(() => server.stop());
  return { ...server, url: server.url.replace(/\/$/, ''), host: new URL(server.url).host };
}

// Return: { pid, status(), call(), waitFor(), follow(), stop(), kill(), output,
// printed (on standard output alone) }
// fails: it is expected to end by itself with an error. command: what starts
// it, with arguments of its own.
export async function startAppliance(t, args = [],
  { fails = false, command = [path.join(BUILD, DAEMON)] } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'skylink-appliance-'));
  const socket = path.join(folder, 'control.sock');
  const config = path.join(folder, 'skylink.conf');
  await writeFile(config, ''); // not what this machine may have in /etc
  const child = spawn(command[0], [...command.slice(1), '--config', config,
    '--socket', socket, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit',
    (code, signal) => resolve(code ?? signal)));
  const appliance = {
    pid: child.pid, child, output: '', printed: '', ended, socket,
    call: (method, params) => ask(socket, method, params),
    status: () => ask(socket, 'stats.status'),
    waitFor: (test, label, timeout = 60000) => until(async () => {
      const status = await appliance.status().catch(() => null);
      return status && test(status) ? status : null;
    }, { label, timeout }),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      return ended;
    },
    kill: () => child.kill('SIGKILL'),
    follow: async (events) => {
      const following = await follow(socket, events);
      t.after(() => following.close());
      return following;
    },
  };
  child.stdout.on('data', (chunk) => { appliance.printed += chunk; });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      appliance.output += chunk;
      if (process.env.VERBOSE) process.stderr.write(chunk);
    });
  t.after(async () => {
    const code = await appliance.stop();
    await rm(folder, { recursive: true, force: true });
    if (code !== 0 && code !== 'SIGKILL' && !fails)
      throw new Error(`skylinkd ended with ${code}\n${appliance.output.slice(-4000)}`);
  });
  if (!fails) await appliance.waitFor((s) => s.version, 'skylinkd to answer');
  return appliance;
}
