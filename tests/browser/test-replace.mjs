// SPDX-License-Identifier: Apache-2.0
// A page replaces its stream again and again. Each time its browser wants new
// m-lines, and 64 are all there may be: the appliance gives back those that
// nobody uses, and the browser takes them again.
//
// FULL=1: a hundred times, in both versions that make new lines. Else as often
// as shows that lines come back.

import { startAppliance, startServer } from './lib/appliance.mjs';
import { CAMERA, PageEnd } from './lib/ends.mjs';
import { SMALL } from './lib/meeting.mjs';
import { startPageServer } from './lib/page-server.mjs';
import { finish, skip, test } from './lib/tap.mjs';
import { until } from './lib/wait.mjs';

const TIMES = process.env.FULL ? 100 : 12;
const LINES_MAX = 24; // in use, idle ones that are kept, and those of one round

const lines = (sdp) => sdp.split('\r\n').filter((line) => line.startsWith('m='));

async function replace(t, version) {
  const pages = await startPageServer();
  t.after(() => pages.stop());
  const server = await startServer(t);
  const appliance = await startAppliance(t, [...SMALL, '--set', `room.server=${server.url}`]);
  await appliance.waitFor((s) => s.room.state === 'joined', 'the appliance to join', 60000);
  const events = await appliance.follow(['incomingStream', 'handshakeProgress',
    'channelMessage']);
  const page = await PageEnd.open(t, pages, server.host, version, 'page');
  await page.join('lobby');
  await appliance.waitFor((s) => s.peers[0]?.state === 'connected', 'the connection', 60000);
  const streams = () => events.list.filter((e) => e.method === 'incomingStream' &&
    !e.params.isSelf).length;
  const received = async () => (await appliance.status()).peers[0].rtc.receivedVideoPackets;
  await until(() => streams() > 0, { label: 'the first stream', timeout: 60000 });

  const acks = () => events.list.filter((e) => e.method === 'channelMessage' &&
    e.params.message.type === 'answerAck').length;
  // 2.x stops one stream before it sends another, and loses the other when an
  // offer of its own is still open: it acks our answer when it has applied it.
  const acked = async (verb, ...parameters) => {
    const before = acks();
    await page.do(verb, ...parameters);
    await until(() => acks() > before, { label: `${verb} to be over`, timeout: 60000 });
  };

  if (version === '2.7.2')
    await until(() => acks() > 0, { label: 'the first offer to be over', timeout: 60000 });
  for (let i = 1; i <= TIMES; i++) {
    const before = streams();
    if (version === '2.7.2') {
      await acked('stopStream');
      await acked('sendStream', CAMERA);
    } else {
      await page.do('replace', CAMERA);
    }
    await until(() => streams() > before, { label: `stream ${i}`, timeout: 60000 });
  }
  const before = await received();
  await until(async () => await received() > before + 10,
    { label: 'the last stream\'s packets', timeout: 60000 });
  const errors = events.list.filter((e) => e.method === 'handshakeProgress' &&
    e.params.state === 'error');
  t.deepEqual(errors, []);
  const status = await appliance.status();
  t.equal(status.peers.length, 1);
  const sdp = await page.page.evaluate((id) =>
    client.connection(id).localDescription.sdp, status.room.id);
  t.note(`${lines(sdp).length} m-lines after ${TIMES} streams`);
  t.ok(lines(sdp).length <= LINES_MAX, `${lines(sdp).length} m-lines`);
}

for (const version of ['0.9.3', '2.7.2']) {
  const name = `${version}: its stream replaced ${TIMES} times`;
  if (process.env.FULL || version === '2.7.2')
    await test(name, (t) => replace(t, version), { timeout: process.env.FULL ? 3000000 : 300000 });
  else skip(name, 'in full runs');
}

finish();
