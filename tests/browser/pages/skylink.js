// SPDX-License-Identifier: Apache-2.0
// pages/skylink.js - what the tests do with SkylinkJS 0.6.37
//
//   client.join({ room, media: 'camera'|'picture'|'none', polling })
//
// client.events holds all SDK events of interest as [name, ...arguments], as
// far as they are JSON; client.streams the streams by peer id, each in a
// playing <video id="video-PEER">.

window.client = (() => {
  const api = new URLSearchParams(location.search).get('api');
  const key = new URLSearchParams(location.search).get('key') || 'demo';
  const events = [];
  const streams = {};
  const times = {};
  let skylink = null;
  let source = null;

  const WATCHED = ['readyStateChange', 'channelOpen', 'channelClose', 'channelRetry',
    'socketError', 'peerJoined', 'peerLeft', 'peerUpdated', 'incomingStream',
    'incomingMessage', 'handshakeProgress', 'iceConnectionState', 'dataChannelState',
    'roomLock', 'systemAction', 'peerRestart', 'mediaAccessError', 'streamEnded',
    'streamMuted'];

  const plain = (value) => {
    try {
      return value instanceof MediaStream ? '[stream]'
        : value === undefined ? null : JSON.parse(JSON.stringify(value));
    } catch {
      return String(value);
    }
  };

  function show(peerId, stream) {
    let video = document.getElementById(`video-${peerId}`);
    if (!video) {
      video = document.createElement('video');
      video.id = `video-${peerId}`;
      video.autoplay = true;
      video.muted = true;
      video.width = 320;
      document.body.append(video);
    }
    video.srcObject = stream;
    video.play().catch(() => {});
    return video;
  }

  function create() {
    skylink = new window.Skylink();
    skylink.setLogLevel(skylink.LOG_LEVEL.WARN);
    for (const name of WATCHED)
      skylink.on(name, (...args) => {
        times[name] ??= performance.now();
        events.push([name, ...args.map(plain)]);
      });
    skylink.on('incomingStream', (peerId, stream, isSelf) => {
      if (isSelf) return;
      streams[peerId] = stream;
      show(peerId, stream);
    });
    skylink.on('peerLeft', (peerId) => {
      delete streams[peerId];
      document.getElementById(`video-${peerId}`)?.remove();
    });
  }

  const call = (method, ...args) => new Promise((resolve, reject) => {
    skylink[method](...args, (error, success) => {
      if (error) reject(new Error(`${method}: ${JSON.stringify(error.error ?? error,
        (k, v) => v instanceof Error ? v.message : v)}`));
      else resolve(plain(success));
    });
  });

  async function join({ room = 'lobby', media = 'camera', polling = false, picture = {},
    userData = null, init = {} } = {}) {
    create();
    if (polling) window.WebSocket = undefined;
    await call('init', { appKey: key, defaultRoom: room, roomServer: `//${api}`,
      forceSSL: false, ...init });
    if (media === 'picture') {
      source = window.picture.start(picture);
      await call('sendStream', source.stream).catch(() => {});
    }
    const options = { userData, audio: media === 'camera', video: media === 'camera' };
    if (media === 'picture')
      return call('joinRoom', room, { userData });
    return call('joinRoom', room, options);
  }

  return {
    events, streams, times, call, join,
    get skylink() { return skylink; },
    count: (name) => events.filter((e) => e[0] === name).length,
    find: (name, test = () => true) => events.find((e) => e[0] === name && test(e)),
    leave: () => call('leaveRoom'),
    video: (peerId) => document.getElementById(`video-${peerId}`),
    async stats(peerId) {
      const pc = skylink._peerConnections[peerId];
      const report = {};
      (await pc.getStats()).forEach((entry) => {
        if (entry.type === 'inbound-rtp')
          report[entry.kind] = { packets: entry.packetsReceived, bytes: entry.bytesReceived,
            decoded: entry.framesDecoded ?? null, dropped: entry.framesDropped ?? null,
            freezes: entry.freezeCount ?? null };
        else if (entry.type === 'transport')
          report.transport = { srtp: entry.srtpCipher, dtls: entry.dtlsState,
            role: entry.dtlsRole };
      });
      return report;
    },
  };
})();
