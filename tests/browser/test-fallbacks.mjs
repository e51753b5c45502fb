// SPDX-License-Identifier: Apache-2.0
// Every forced fallback of the transport streams to a real page, `skylinkctl
// status` says what is in use, and a relay is enough where nothing else is.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createSocket } from 'node:dgram';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { startAppliance, startServer } from './lib/appliance.mjs';
import { steady } from './lib/load.mjs';
import { SMALL, SMALL_FPS, account, counters, joinPage, openPage, waitStream }
  from './lib/meeting.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { BUILD } from './lib/program.mjs';
import { finish, skip, test } from './lib/tap.mjs';

const SECONDS = 5;

// Decoded frames, increasing barcodes and the tone over some seconds.
async function checkStream(t, appliance, page, peer) {
  const fine = (s) => s.captured >= 0.9 * SECONDS * SMALL_FPS &&
    s.decoded >= 0.95 * s.captured - 1 && s.read >= SECONDS * 3;
  const seen = await steady(t, async () => {
    const before = await counters(appliance, page, peer);
    const watched = await page.evaluate((p, ms) =>
      measure.frames(client.video(p), ms), peer, SECONDS * 1000);
    const frames = account(before, await counters(appliance, page, peer));
    t.note(`${watched.read} barcodes read; ${frames.text}`);
    t.ok(watched.increasing, `barcodes out of order: ${watched.frames}`);
    return { ...frames, read: watched.read };
  }, fine);
  t.ok(fine(seen), `${seen.decoded} decoded of ${seen.captured} captured, ` +
    `${seen.read} barcodes read`);
  const tone = await page.evaluate((p) => measure.tone(client.streams[p], 500), peer);
  t.ok(Math.abs(tone.hz - 440) < 3, `${tone.hz} Hz is not the tone of 440 Hz`);
}

async function meet(t, settings, { before = null } = {}) {
  const pages = await startPageServer();
  t.after(() => pages.stop());
  const server = await startServer(t);
  const appliance = await startAppliance(t, [...SMALL,
    '--set', `room.server=${server.url}`, ...settings.flatMap((s) => ['--set', s])]);
  const page = await openPage(t, pages, server.host, 'page');
  if (before) await page.evaluate(...before);
  await joinPage(page, 'camera');
  const peer = await waitStream(page);
  return { appliance, page, peer };
}

const ctl = async (appliance, ...args) => (await promisify(execFile)(
  path.join(BUILD, 'appliance/skylinkctl'), ['--socket', appliance.socket, ...args])).stdout;

const EPOLL = { setting: 'network.io=epoll', words: /epoll/,
  holds: (status) => status.network.io === 'epoll' };
const NO_GSO = { setting: 'network.gso=off', words: /no GSO/,
  holds: (status) => status.network.gso === false &&
    status.peers.every((p) => p.rtc.gso === false) };
const CALLBACK = { setting: 'network.demux=callback', words: /demultiplexed by libnice/,
  holds: (status) => status.network.demux === 'callback' &&
    status.peers.every((p) => p.rtc.kernelDemux === false) };

for (const forced of [[EPOLL], [NO_GSO], [CALLBACK], [EPOLL, NO_GSO, CALLBACK]])
  await test(forced.map((f) => f.setting).join(', '), async (t) => {
    const { appliance, page, peer } = await meet(t, forced.map((f) => f.setting));
    await checkStream(t, appliance, page, peer);
    const status = await appliance.status();
    const text = await ctl(appliance, 'status');
    t.note(text.split('\n').find((line) => /^network/i.test(line)) ?? 'no network line');
    for (const f of forced) {
      t.ok(f.holds(status), `${f.setting}: ${JSON.stringify(status.network)} ` +
        JSON.stringify(status.peers));
      t.match(text, f.words);
    }
    t.deepEqual(JSON.parse(await ctl(appliance, 'status', '--json')).network.io,
      status.network.io);
    t.ok(status.peers[0].rtc.receivedVideoPackets > 0, 'nothing arrived from the page');
    t.equal(status.network.tx_errors, 0);
  });

await test('nothing forced', async (t) => {
  const { appliance, page, peer } = await meet(t, []);
  await checkStream(t, appliance, page, peer);
  const status = await appliance.status();
  t.note(`${status.network.io} ${status.network.io_reason ?? ''}, gso ` +
    `${status.peers[0].rtc.gso}, demux ${status.network.demux}`);
  if (status.network.io === 'epoll')
    t.ok(status.network.io_reason, 'epoll, and no reason given');
});

// --- a relay alone -------------------------------------------------------------
const TURNSERVER = '/usr/bin/turnserver';

async function freePort() {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, resolve));
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

const lanAddress = () => Object.values(networkInterfaces()).flat()
  .find((a) => a.family === 'IPv4' && !a.internal)?.address;

async function startRelay(t, address) {
  const folder = await mkdtemp(path.join(tmpdir(), 'skylink-relay-'));
  const port = await freePort();
  const child = spawn(TURNSERVER, ['-n', '--no-cli', '--no-tls', '--no-dtls', '--no-tcp',
    '--lt-cred-mech', '--user=page:secret', '--realm=test', `--listening-ip=${address}`,
    `--relay-ip=${address}`, `--listening-port=${port}`, '--allow-loopback-peers',
    '--log-file=stdout', '--simple-log', '--verbose',
    `--pidfile=${folder}/turnserver.pid`, `--userdb=${folder}/users`],
  { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('coturn does not listen')), 60000);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!/UDP listener opened/.test(line)) return;
      clearTimeout(timer);
      resolve();
    });
    ended.then((code) => reject(new Error(`coturn ended with ${code}`)));
  });
  return `turn:${address}:${port}`;
}

// Chromium gathers relayed candidates on no loopback interface.
const address = lanAddress();
if (!address) skip('a page behind a relay', 'this machine has the loopback interface alone');
else await test('a page behind a relay', async (t) => {
  const urls = await startRelay(t, address);
  // Whatever SkylinkJS asks for, this browser has nothing but the relay.
  const relayed = (server) => {
    const Plain = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Plain {
      constructor(config, ...rest) {
        super({ ...config, iceTransportPolicy: 'relay',
          iceServers: [{ urls: server, username: 'page', credential: 'secret' }] }, ...rest);
      }
    };
  };
  const { appliance, page, peer } = await meet(t, [], { before: [relayed, urls] });
  await checkStream(t, appliance, page, peer);
  const relay = await page.evaluate(async (p) => {
    const report = await client.skylink._peerConnections[p].getStats();
    let type = null;
    report.forEach((pair) => {
      if (pair.type === 'candidate-pair' && pair.nominated && pair.state === 'succeeded')
        type = report.get(pair.localCandidateId).candidateType;
    });
    return type;
  }, peer);
  t.equal(relay, 'relay');
  const status = await appliance.status();
  t.note(status.peers[0].pair);
  t.match(status.peers[0].pair, /-> (relay|prflx)/);
});

finish();
