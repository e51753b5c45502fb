// SPDX-License-Identifier: Apache-2.0
// pages/picture.js - a moving picture with barcode, and a tone, as a stream
//
// What a page sends in place of a camera, so that the other end can tell
// that it is this picture, which frame of it, and how old.

window.picture = (() => {
  function draw(context, width, height, frame) {
    const cell = width >= 960 ? 16 : width / 60;
    const clock = Math.floor((performance.timeOrigin + performance.now()) * 10) % 2 ** 32;
    const bytes = [Math.floor(clock / 2 ** 24) & 255, Math.floor(clock / 2 ** 16) & 255,
      Math.floor(clock / 256) & 255, clock & 255, frame >> 8 & 255, frame & 255];
    bytes.push(bytes.reduce((a, b) => a ^ b));
    const cells = [0, 1];
    for (const byte of bytes)
      for (let bit = 7; bit >= 0; bit--) cells.push(byte >> bit & 1);
    cells.push(1, 0);

    context.fillStyle = `hsl(${frame % 360} 60% 35%)`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#fff';
    context.beginPath();
    context.arc(width / 2 + width / 3 * Math.cos(frame / 15),
      height / 2 + height / 4 * Math.sin(frame / 15), height / 8, 0, 7);
    context.fill();
    cells.forEach((on, i) => {
      context.fillStyle = on ? '#fff' : '#000';
      context.fillRect(i * cell, 0, cell, cell);
    });
  }

  // Return: { stream, stop() }
  function start({ width = 640, height = 360, fps = 30, hz = 440 } = {}) {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d');
    let frame = 0;
    draw(context, width, height, frame);
    const timer = setInterval(() => draw(context, width, height, ++frame & 65535), 1000 / fps);
    const stream = canvas.captureStream(fps);
    const audio = new AudioContext();
    const oscillator = audio.createOscillator();
    const volume = audio.createGain();
    const sink = audio.createMediaStreamDestination();
    oscillator.frequency.value = hz;
    volume.gain.value = 0.3;
    oscillator.connect(volume).connect(sink);
    oscillator.start();
    stream.addTrack(sink.stream.getAudioTracks()[0]);
    return {
      stream,
      stop() {
        clearInterval(timer);
        audio.close();
      },
    };
  }

  return { start };
})();
