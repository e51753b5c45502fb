// SPDX-License-Identifier: Apache-2.0
// lib/program.mjs - a program of ours that prints its address and serves
//
// $BUILD is the build directory; build/ in the project otherwise.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';

export const TOP = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const BUILD = path.resolve(process.env.BUILD ?? path.join(TOP, 'build'));

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

// Return: { url, pid, lines, next(), child, stop() }; url is the first line
// that is an address, lines what else it printed.
export async function startProgram(name, args = [], { env = {}, timeout = 20000 } = {}) {
  const child = spawn(path.join(BUILD, name), args,
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  const lines = [];
  const waiting = [];
  running.add(child);
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => {
    running.delete(child);
    resolve({ code, signal });
  }));
  child.stdin.on('error', () => {});

  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${name} printed no address in ${timeout} ms`));
    }, timeout);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (process.env.VERBOSE) console.log(`# ${name}: ${line}`);
      const found = /^https?:\/\/\S+$/.exec(line.trim());
      if (found) {
        clearTimeout(timer);
        resolve(found[0]);
        return;
      }
      lines.push(line);
      waiting.shift()?.(line);
    });
    child.once('error', reject);
    ended.then(({ code, signal }) => reject(new Error(`${name} ended: ${code ?? signal}`)));
  });

  return {
    url, lines, child, pid: child.pid,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    // End of input is the polite way for test programs, SIGTERM for daemons.
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return ended;
      child.kill(signal);
      return ended;
    },
  };
}

export async function startRoomServer(args = []) {
  const program = await startProgram('tests/room-server', args);
  return {
    ...program,
    host: new URL(program.url).host,
    async stats() {
      const line = program.next();
      program.child.stdin.write('\n');
      return JSON.parse(await line);
    },
    async stop() {
      program.child.stdin.end();
      const ended = new Promise((resolve) => program.child.once('exit', resolve));
      if (program.child.exitCode === null) await ended;
      return program.child.exitCode;
    },
  };
}
