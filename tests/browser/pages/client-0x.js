// SPDX-License-Identifier: Apache-2.0
// pages/client-0x.js - client.js's verbs in SkylinkJS 0.6 and 0.9

export async function create(version, { record, show, hide, received, script, api, key },
  client) {
  if (version === '0.9.3') await script('/socket.io-1.4.8.js');
  await script(`/skylink-${version}.js`);
  const skylink = new window.Skylink();
  skylink.setLogLevel(skylink.LOG_LEVEL.WARN);

  const about = (info) => ({ userData: info?.userData,
    audioMuted: muted(info, 'audioMuted'), videoMuted: muted(info, 'videoMuted') });
  const muted = (info, name) => !!info?.mediaStatus?.[name];
  const listen = {
    peerJoined: (peerId, info, self) => record('joined', { peerId, self, ...about(info) }),
    peerUpdated: (peerId, info, self) => record('updated', { peerId, self, ...about(info) }),
    peerLeft: (peerId) => {
      hide(peerId);
      record('left', { peerId });
    },
    peerRestart: (peerId) => record('restart', { peerId }),
    incomingStream: (peerId, stream, self) => self || show(peerId, stream),
    incomingMessage: (message, peerId, info, self) => self || record('message', { peerId,
      content: message.content, p2p: message.isDataChannel, isPrivate: message.isPrivate }),
    roomLock: (locked, peerId) => record('lock', { peerId, locked }),
    systemAction: (action, message, reason) => record('action', { action, reason }),
    incomingDataRequest: (transferId, peerId, info, self) => self || record('request',
      { peerId, transferId, size: info.size, file: info.name }),
    dataTransferState: (state, transferId, peerId, info, error) => record('transfer',
      { peerId, transferId, state, error: error?.message }),
    incomingData: (data, transferId, peerId, info, self) =>
      self || received(peerId, transferId, data),
    channelRetry: (fallbackType) => record('channelRetry', { fallbackType }),
    socketError: (code, error, type) => record('socketError', { code, type }),
    iceConnectionState: (state, peerId) => record('ice', { peerId, state }),
    dataChannelState: (state, peerId, error, channel) => record('channel',
      { peerId, state, channel, error }),
    handshakeProgress: (state, peerId, error) => record('handshake', { peerId, state, error }),
  };
  for (const [name, listener] of Object.entries(listen)) skylink.on(name, listener);

  const call = (method, ...args) => new Promise((resolve, reject) => {
    skylink[method](...args, (error, success) => error
      ? reject(new Error(`${method}: ${JSON.stringify(error.error ?? error,
        (k, v) => v instanceof Error ? v.message : v)}`))
      : resolve(success));
  });

  return {
    skylink,
    connection: (peerId) => skylink._peerConnections[peerId],
    async join({ room, camera, userData, polling }) {
      if (polling) window.WebSocket = undefined;
      await call('init', { appKey: key, defaultRoom: room, roomServer: `//${api}`,
        forceSSL: false });
      await call('joinRoom', room, { userData, audio: !!camera, video: camera || false });
      return skylink._user.sid;
    },
    // Comes back when the others are told, with or without a room.
    leave: () => call('leaveRoom').catch(() => {}),
    transport: () => skylink._socketSession.transportType,
    sendMessage: (content, peerId) => skylink.sendMessage(content, peerId),
    sendP2P: (content, peerId) => skylink.sendP2PMessage(content, peerId),
    setUserData: (data) => skylink.setUserData(data),
    mute: (audioMuted, videoMuted) => skylink.muteStream({ audioMuted, videoMuted }),
    // Another camera's stream in place of the one before.
    replace: async (video) => {
      await call('sendStream', await navigator.mediaDevices.getUserMedia({ audio: true, video }));
    },
    lock: () => skylink.lockRoom(),
    unlock: () => skylink.unlockRoom(),
    refresh: (peerId) => skylink.refreshConnection(peerId),
    sendBlob: (peerId, { size, seed, file, timeout, binary }) => call('sendBlobData',
      client.blob(size, seed, file), timeout, peerId, !!binary).then(() => 'completed',
      (error) => error.message),
    sendUrl: (peerId, { length, seed, timeout }) => call('sendURLData',
      client.dataUrl(length, seed), timeout, peerId).then(() => 'completed',
      (error) => error.message),
    accept: (peerId, transferId, yes = true) =>
      skylink.acceptDataTransfer(peerId, transferId, yes),
    cancel: (peerId, transferId) => skylink.cancelDataTransfer(peerId, transferId),
  };
}
