// SPDX-License-Identifier: Apache-2.0
// pages/client-2x.js - client.js's verbs in SkylinkJS 2.x

const MUTED = 0;

export async function create(version, { record, show, hide, received, plain, api, key },
  client) {
  const { default: Skylink, SkylinkEventManager, SkylinkConstants, SkylinkLogger } =
    await import(`/skylinkjs-${version}/src/index.js`);
  let skylink = null;
  let room = null;
  let self = null;
  let requests = {};

  const state = () => Object.values(Skylink.getSkylinkState() ?? {})
    .find((s) => s.room?.roomName === room);
  const about = (info) => {
    const streams = Object.values(info?.mediaStatus ?? {});
    return { userData: info?.userData,
      audioMuted: streams.some((s) => s.audioMuted === MUTED),
      videoMuted: streams.some((s) => s.videoMuted === MUTED) };
  };
  const listen = {
    peerJoined: ({ peerId, peerInfo, isSelf }) => {
      if (isSelf) self = peerId;
      record('joined', { peerId, self: isSelf, ...about(peerInfo) });
    },
    peerUpdated: ({ peerId, peerInfo, isSelf }) => record('updated',
      { peerId, self: isSelf, ...about(peerInfo) }),
    streamMuted: ({ peerId, peerInfo, isSelf }) => record('updated',
      { peerId, self: isSelf, ...about(peerInfo) }),
    peerLeft: ({ peerId, isSelf }) => {
      if (isSelf) return;
      hide(peerId);
      record('left', { peerId });
    },
    onIncomingStream: ({ peerId, stream, isSelf }) => isSelf || show(peerId, stream),
    onIncomingMessage: ({ message, peerId, isSelf }) => isSelf || record('message', { peerId,
      content: message.content, p2p: message.isDataChannel, isPrivate: message.isPrivate }),
    roomLock: ({ isLocked, peerId }) => record('lock', { peerId, locked: isLocked }),
    systemAction: ({ action, reason }) => record('action', { action, reason }),
    onIncomingDataRequest: ({ transferId, peerId, transferInfo, isSelf }) => {
      if (isSelf) return;
      requests[transferId] = peerId;
      record('request', { peerId, transferId, size: transferInfo.size,
        file: transferInfo.name });
    },
    dataTransferState: ({ state: now, transferId, peerId, error }) => record('transfer',
      { peerId, transferId, state: now, error: plain(error?.message ?? error) }),
    // Also for what was sent, and as isSelf both times.
    onIncomingData: ({ data, transferId, peerId }) =>
      requests[transferId] === peerId && received(peerId, transferId, data),
    channelRetry: ({ fallbackType }) => record('channelRetry', { fallbackType }),
    socketError: ({ errorCode, type }) => record('socketError', { code: errorCode, type }),
    iceConnectionState: (e) => record('ice', { peerId: e.peerId, state: e.state }),
    dataChannelState: (e) => record('channel', { peerId: e.peerId, state: e.state,
      channel: e.channelName, error: e.error }),
    handshakeProgress: (e) => record('handshake', { peerId: e.peerId, state: e.state,
      error: e.error }),
  };
  for (const [name, listener] of Object.entries(listen))
    SkylinkEventManager.addEventListener(SkylinkConstants.EVENTS[
      name.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()], ({ detail }) => listener(detail));
  SkylinkLogger.setLevel(SkylinkLogger.logLevels.WARN);

  // 'completed' or why not: 2.x resolves with its errors, too.
  const settled = (promise) => Promise.resolve(promise).then((results) => {
    const failures = [].concat(results).map((r) => r instanceof Error ? r
      : Object.values(r ?? {}).find((of) => of?.error)?.error).filter(Boolean);
    return failures.length ? String(failures[0].message ?? failures[0]) : 'completed';
  }, (error) => error?.message ?? JSON.stringify(plain(error)));

  return {
    get skylink() { return skylink; },
    state,
    connection: (peerId) => state()?.peerConnections[peerId],
    async join({ room: name, camera, userData, polling }) {
      // It falls back to polling by no error, only for want of WebSocket.
      if (polling) window.WebSocket = undefined;
      room = name;
      self = null;
      requests = {};
      skylink = new Skylink({ appKey: key, defaultRoom: name, roomServer: `//${api}`,
        forceSSL: false });
      const joining = skylink.joinRoom({ roomName: name, userData, audio: !!camera,
        video: camera || false });
      // Nor does it say that it cannot connect.
      await Promise.race([joining, new Promise((_, reject) =>
        setTimeout(() => reject(new Error('joinRoom: no connection')), 20000))]);
      // That was the camera; the room answers by event, or says why not.
      const from = client.events.length;
      const refusal = () => client.has({ name: 'action', action: 'reject' }, from);
      await client.until(() => self || refusal(), 15000);
      if (!self) throw new Error(`joinRoom: ${refusal()?.reason ?? 'no answer'}`);
      return self;
    },
    leave: () => settled(skylink.leaveRoom(room)),
    transport: () => state()?.socketSession.socketType,
    sendMessage: (content, peerId) => skylink.sendMessage(room, content, peerId),
    sendP2P: (content, peerId) => skylink.sendP2PMessage(room, content, peerId),
    setUserData: (data) => skylink.setUserData(room, data),
    mute: (audioMuted, videoMuted) => skylink.muteStreams(room, { audioMuted, videoMuted }),
    // Another camera's stream in place of the one before.
    stopStream: () => skylink.stopStreams(room),
    sendStream: async (video) => {
      await skylink.sendStream(room,
        await navigator.mediaDevices.getUserMedia({ audio: true, video }));
    },
    lock: () => skylink.lockRoom(room),
    unlock: () => skylink.unlockRoom(room),
    refresh: (peerId) => settled(skylink.refreshConnection(room, peerId, false)),
    sendBlob: (peerId, { size, seed, file, timeout }) => settled(skylink.sendBlobData(room,
      client.blob(size, seed, file), peerId, timeout)),
    sendUrl: null,
    accept: (peerId, transferId, yes = true) => {
      settled(skylink.respondBlobRequest(room, peerId, transferId, yes));
    },
    cancel: (peerId, transferId) => {
      settled(skylink.cancelBlobTransfer(room, peerId, transferId));
    },
  };
}
