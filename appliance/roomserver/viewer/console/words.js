// SPDX-License-Identifier: Apache-2.0
// words.js - what the box's figures are called; pure

const ROOM = {
  idle: 'In no room',
  asking: 'Asking the room server',
  connecting: 'Connecting to the room server',
  joining: 'Joining',
  joined: 'In the room',
  waiting: 'Waiting to try again',
};

export function duration(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600)
    return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  return `${Math.floor(seconds / 86400)} days`;
}

export function rate(bps) {
  if (!(bps > 0)) return '–';
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(1)} Mb/s` : `${Math.round(bps / 1000)} kb/s`;
}

export const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour12: false });

const moment = (s) => new Date(s * 1000).toLocaleString([],
  { dateStyle: 'medium', timeStyle: 'short', hour12: false });

export function roomWords({ room, since, time, wanted_room: wanted }) {
  const name = room.name ?? '';
  const state = room.state === 'joined' ? `In room ${name}`
    : room.state === 'idle' || !name ? ROOM[room.state] ?? room.state
      : `${ROOM[room.state] ?? room.state}: ${name}`;
  const more = [];
  if (room.state === 'joined') more.push(`since ${clock(since)}, ${duration((time - since) / 1000)}`);
  if (room.locked) more.push('locked');
  if (room.state === 'waiting' && room.next_attempt_s !== null)
    more.push(`next try in ${Math.ceil(room.next_attempt_s)} s`);
  if (room.state === 'idle' && wanted) more.push(`configured: ${wanted}`);
  return { state, more: more.join(' · ') };
}

// What somebody should do something about, the worst first.
export function problems({ room, video, audio, health, selftest }) {
  const list = [];
  const add = (level, what, advice) => list.push({ level, what, advice });
  if (room.error && room.state !== 'joined')
    add('bad', 'The room cannot be joined', room.refusal === 'locked'
      ? 'Somebody in the room has locked it; it is tried again.'
      : `${room.error} The box goes on trying. Check the network, and room.server.`);
  if (room.state === 'idle' && room.hint) add('warn', 'Nothing to join', room.hint);
  for (const stage of health.stages ?? [])
    if (!stage.ok) add('bad', `The ${stage.stage} is stuck`,
      `Nothing for ${duration(stage.still_s)}. The box starts itself anew.`);
  if (video?.state === 'placeholder')
    add('bad', 'The camera does not work', `${video.detail ?? ''} Peers see a placeholder. ` +
      'Look at the cable; the picture comes back by itself.');
  if (audio?.state === 'silence')
    add('bad', 'The microphone does not work', `${audio.detail ?? ''} Peers hear silence. ` +
      'Look at the cable; the sound comes back by itself.');
  if (video?.muted) add('warn', 'The picture is muted', 'Peers see nothing until it is turned on.');
  if (audio?.muted) add('warn', 'The sound is muted', 'Peers hear nothing until it is turned on.');
  for (const finding of health.findings ?? [])
    if (finding.state === 'failed') add('bad', finding.what, finding.advice ?? '');
  if (selftest?.last?.result === 'failed')
    add('bad', 'The last self-test failed', 'What it found stands under Health.');
  return list;
}

const SELFTEST = {
  ok: ['good', 'Passed'],
  warning: ['warn', 'Look'],
  failed: ['bad', 'Failed'],
  aborted: ['warn', 'Broken off'],
  skipped: ['', 'Skipped'],
};

// The self-test at night: its pill, when it was and will be, what is to be done.
export function selftestWords({ running, next, last }) {
  const [level, state] = running ? ['', 'Running']
    : !last ? ['', 'Not run yet'] : SELFTEST[last.result] ?? ['warn', last.result];
  const more = [];
  if (last) more.push(`Last ${moment(last.at)}${last.reason ? `: ${last.reason}` : ''}`);
  more.push(next ? `next ${moment(next)}` : 'none is planned');
  return { level, state, more: more.join(' · '), rows: last?.rows ?? [] };
}

// One of the things that are sent: its pill, and a line of detail.
export function mediaWords(kind, media) {
  if (!media) return { level: '', state: 'Not sent', detail: 'None is configured.' };
  const detail = [media.source];
  for (const rung of media.rungs ?? [])
    if (rung.takers)
      detail.push(`${rung.codec} ${rung.width}×${rung.height}, ${rate(rung.target_bps)}, ` +
        `${rung.takers} ${rung.takers === 1 ? 'peer' : 'peers'}`);
  const broken = media.state === 'placeholder' || media.state === 'silence';
  const state = media.muted ? 'Muted' : broken ? 'Not working'
    : media.state === 'idle' ? 'Ready, nobody takes it' : 'On';
  const level = media.muted || broken ? 'bad' : media.state === 'idle' ? '' : 'good';
  return { level, state, detail: detail.filter(Boolean).join(' · ') };
}

const STATES = {
  connected: ['Connected', 'good'],
  connecting: ['Connecting', 'warn'],
  kept: ['Kept without signaling', 'warn'],
  failed: ['Failed', 'bad'],
  closed: ['Closed', 'bad'],
};
const LIMITS = {
  none: 'nothing',
  congestion: 'its network',
  encoder: 'a slower peer or the encoder',
  cap: 'the configured cap',
};

export function peerWords(peer) {
  const [state, level] = STATES[peer.state] ?? [peer.state, 'warn'];
  const status = peer.mediaStatus ?? {};
  const muted = [status.videoMuted && 'no picture', status.audioMuted && 'no sound']
    .filter(Boolean).join(', ');
  const here = [peer.agent === peer.name ? '' : peer.agent,
    peer.since === null ? '' : `for ${duration(peer.since)}`].filter(Boolean).join(', ');
  return { state, level, here, figures: [
    ['Takes', peer.codec ?? 'nothing'],
    ['Sends', muted || 'all'],
    ['May get', rate(peer.target_bps)],
    ['Limited by', LIMITS[peer.limited] ?? '–'],
    ['Lost', peer.loss === undefined || peer.loss === null ? '–' : `${(peer.loss * 100).toFixed(1)} %`],
    ['Round trip', peer.rtt_ms ? `${Math.round(peer.rtt_ms)} ms` : '–'],
  ] };
}
