// SPDX-License-Identifier: Apache-2.0
// lib/measure.js - reads the test picture and the test tone inside a page
//
// A classic script: it defines window.measure, in any page it is loaded or
// evaluated in.
//
// The barcode: 60 cells of 16x16 pixels at the top left of the picture (of
// width/60 in pictures narrower than 960): black, white, 32 bits clock (0.1 ms
// modulo 2^32), 16 bits frame number, 8 bits XOR of these six bytes, white,
// black. Scaled pictures have scaled cells: the likely sizes are tried.

window.measure = (() => {
  const CELLS = 60;
  const CELL_PX = 8; // in our canvas
  const FULL_WIDTHS = [1280, 1920, 960, 3840, 2560];

  const canvas = document.createElement('canvas');
  canvas.width = CELLS * CELL_PX;
  canvas.height = CELL_PX;
  const context = canvas.getContext('2d', { willReadFrequently: true });

  // Mean brightness of a cell's middle.
  function brightness(pixels, cell) {
    let sum = 0;
    for (let y = 2; y < 6; y++)
      for (let x = 2; x < 6; x++) {
        const i = 4 * (y * canvas.width + cell * CELL_PX + x);
        sum += pixels[i] + pixels[i + 1] + pixels[i + 2];
      }
    return sum / 48;
  }

  function readCells(picture, size) {
    context.drawImage(picture, 0, 0, CELLS * size, size, 0, 0, canvas.width, canvas.height);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const values = [];
    for (let i = 0; i < CELLS; i++) values.push(brightness(pixels, i));
    // The four marks give the threshold, whatever the range and contrast.
    const white = Math.min(values[1], values[58]);
    const black = Math.max(values[0], values[59]);
    if (white - black < 40) return null;
    const threshold = (white + black) / 2;
    const bytes = [];
    for (let i = 0; i < 7; i++) {
      let byte = 0;
      for (let bit = 0; bit < 8; bit++)
        byte = byte * 2 + (values[2 + 8 * i + bit] > threshold ? 1 : 0);
      bytes.push(byte);
    }
    if (bytes.slice(0, 6).reduce((a, b) => a ^ b) !== bytes[6]) return null;
    return {
      clock: ((bytes[0] * 256 + bytes[1]) * 256 + bytes[2]) * 256 + bytes[3],
      frame: bytes[4] * 256 + bytes[5],
    };
  }

  function cellSizes(width) {
    // The appliance's cells are whole pixels, a canvas's need not be.
    const sizes = width >= 960 ? [16] : [Math.floor(width / CELLS), width / CELLS];
    for (const full of FULL_WIDTHS) sizes.push(16 * width / full);
    return [...new Set(sizes)].filter((s) => s * CELLS <= width + 1);
  }

  // The barcode of what the element shows now, or of a VideoFrame taken from
  // it: { clock, frame } or null.
  function barcode(video, picture = video) {
    const width = video.videoWidth;
    if (!width) return null;
    const sizes = cellSizes(width);
    if (video.barcodeCell?.width === width) sizes.unshift(video.barcodeCell.size);
    for (const size of sizes) {
      const found = readCells(picture, size);
      if (!found) continue;
      video.barcodeCell = { width, size };
      return found;
    }
    return null;
  }

  const wallTenths = () => (performance.timeOrigin + performance.now()) * 10;

  // Reads every presented frame until stop(), which gives
  // { presented, read, frames, first, last, increasing, repeated, backwards,
  //   latency:[ms] until shown, submitted:[ms] until given to the compositor,
  //   interval:[ms], width, height }. Frame numbers are unwrapped
  // (16 bits). A canvas as a source may send a picture twice (repeated); then
  // they are not increasing, though nothing went backwards.
  function watch(video) {
    const seen = { presented: 0, read: 0, frames: [], latency: [], submitted: [], interval: [],
      increasing: true, repeated: 0, backwards: 0 };
    let stopped = false;
    let base = 0;
    let previous = null;
    let previousTime = null;
    let previousTimestamp = null;
    function onFrame(now, metadata) {
      if (stopped) return;
      video.requestVideoFrameCallback(onFrame);
      seen.presented++;
      if (previousTime !== null) seen.interval.push(now - previousTime);
      previousTime = now;
      // A late callback finds the next picture already there, and the next
      // callback finds it again: one picture counts once.
      const picture = new VideoFrame(video);
      const repeated = picture.timestamp === previousTimestamp;
      previousTimestamp = picture.timestamp;
      const code = repeated ? null : barcode(video, picture);
      picture.close();
      if (!code) return;
      seen.read++;
      const shownAt = (performance.timeOrigin + metadata.expectedDisplayTime) * 10;
      // 32 bits of tenths of milliseconds: the difference is all that counts.
      const age = (shownAt - code.clock) % 2 ** 32;
      const waited = metadata.expectedDisplayTime - metadata.presentationTime;
      seen.latency.push((age > 2 ** 31 ? age - 2 ** 32 : age) / 10);
      seen.submitted.push(seen.latency[seen.latency.length - 1] - waited);
      if (previous !== null && code.frame < previous - 32768) base += 65536;
      const frame = base + code.frame;
      const last = seen.frames[seen.frames.length - 1];
      if (frame <= last) seen.increasing = false;
      if (frame === last) seen.repeated++;
      if (frame < last) seen.backwards++;
      seen.frames.push(frame);
      previous = code.frame;
    }
    video.requestVideoFrameCallback(onFrame);
    return {
      seen,
      stop() {
        stopped = true;
        return { ...seen, first: seen.frames[0], last: seen.frames[seen.frames.length - 1],
          width: video.videoWidth, height: video.videoHeight };
      },
    };
  }

  // Watch for so many milliseconds.
  async function frames(video, ms) {
    const watching = watch(video);
    await new Promise((resolve) => setTimeout(resolve, ms));
    return watching.stop();
  }

  // The strongest frequency of a stream's sound (Hz) and its level (dB), by
  // an FFT with parabolic interpolation between its bins, about 1 Hz exact.
  async function tone(stream, ms = 1000) {
    const audio = new AudioContext();
    await audio.resume();
    // Chromium feeds a remote stream to Web Audio only while an element
    // plays it.
    const element = new Audio();
    element.muted = true;
    element.srcObject = stream;
    await element.play().catch(() => {});
    const analyser = audio.createAnalyser();
    analyser.fftSize = 32768;
    analyser.smoothingTimeConstant = 0;
    audio.createMediaStreamSource(stream).connect(analyser);
    const fill = 1000 * analyser.fftSize / audio.sampleRate;
    await new Promise((resolve) => setTimeout(resolve, Math.max(ms, fill + 100)));
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    let peak = 1;
    for (let i = 2; i < bins.length - 1; i++) if (bins[i] > bins[peak]) peak = i;
    const [a, b, c] = [bins[peak - 1], bins[peak], bins[peak + 1]];
    const shift = Number.isFinite(a + b + c) && a - 2 * b + c !== 0
      ? (a - c) / (2 * (a - 2 * b + c)) : 0;
    const result = { hz: (peak + shift) * audio.sampleRate / analyser.fftSize, db: b };
    element.srcObject = null;
    await audio.close();
    return result;
  }

  return { barcode, watch, frames, tone, wallTenths };
})();
