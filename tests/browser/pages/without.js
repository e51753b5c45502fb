// SPDX-License-Identifier: Apache-2.0
// pages/without.js - ?without=H264: a browser that lacks a video codec
//
// Stands before SkylinkJS: what it offers and answers no longer has the codec.

(() => {
  const missing = new URLSearchParams(location.search).get('without');
  if (!missing) return;
  const kept = RTCRtpReceiver.getCapabilities('video').codecs
    .filter((codec) => codec.mimeType.toLowerCase() !== `video/${missing}`.toLowerCase());
  const prototype = RTCPeerConnection.prototype;
  for (const method of ['createOffer', 'createAnswer']) {
    const plain = prototype[method];
    prototype[method] = function withoutCodec(...args) {
      const videos = () => this.getTransceivers()
        .filter((t) => t.receiver.track.kind === 'video');
      // The old form has its callbacks first.
      const options = args[typeof args[0] === 'function' ? 2 : 0];
      if (method === 'createOffer' && options?.offerToReceiveVideo && !videos().length)
        this.addTransceiver('video', { direction: 'recvonly' });
      for (const transceiver of videos()) transceiver.setCodecPreferences(kept);
      return plain.apply(this, args);
    };
  }
})();
