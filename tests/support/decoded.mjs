// What a decoder makes of the bytes of a piece.
import assert from 'node:assert/strict';
import { run } from './need.mjs';

/// The samples of an MP3, 16 bit, interleaved stereo at 48 kHz. Fails unless the decoder is content with every byte.
export async function decode(mp3) {
  const { code, stderr, bytes } = await run('ffmpeg', ['-v', 'error', '-f', 'mp3', '-i', '-', '-f', 's16le', '-'], { input: mp3 });
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '', 'the decoder has nothing to complain of');
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/// The frequency of a tone, in Hz, from its rising zero crossings in the middle half. `channel` is 0 or 1.
export function frequencyOf(samples, channel) {
  const from = samples.length >> 2;
  const to = from + (samples.length >> 1);
  const crossings = [];
  for (let i = from - (from % 2) + channel; i + 2 < to; i += 2) {
    if (samples[i] < 0 && samples[i + 2] >= 0) crossings.push(i / 2 - samples[i] / (samples[i + 2] - samples[i]));
  }
  return ((crossings.length - 1) * 48_000) / (crossings.at(-1) - crossings[0]);
}

/// The largest sample.
export const peakOf = (samples) => samples.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0);
