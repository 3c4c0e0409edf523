// Outside models: the example from tools/ as a process of its own, and ones whose every answer a test writes itself.
import assert from 'node:assert/strict';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { waitFor } from './http.mjs';
import { start } from './need.mjs';

export const exampleModel = fileURLToPath(new URL('../../tools/example_model.py', import.meta.url));

/// The options of a server whose pieces `model` makes.
export const by = (model, ...args) => ({ args: ['--generator', model.url, ...args] });

/// `tools/example_model.py` on a port that stays its own while it is killed and started again.
export class ExampleModel {
  #process;

  constructor(port, args = []) {
    Object.assign(this, { port, args });
  }

  get url() {
    return `http://127.0.0.1:${this.port}/generate`;
  }

  async start() {
    this.#process = start('python3', [exampleModel, '--port', String(this.port), ...this.args]);
    const { output, exited } = this.#process;
    let gone;
    exited.then((end) => (gone = end));
    await waitFor(
      () => {
        assert(!gone, `the model ended: ${gone?.stderr}`);
        return Buffer.concat(output.stdout).includes('Listening on');
      },
      { every: 5, what: 'the model to listen' },
    );
    return this;
  }

  async kill() {
    this.#process.child.kill('SIGKILL');
    await this.#process.exited;
  }
}

/// A model inside the test process: `answer(wish, response, call)` writes what it likes, `wish` being the JSON that
/// came and `call` the number of the request, from 0 on.
export async function startModel(answer) {
  const model = { wishes: [], closed: 0, open: 0 };
  const server = http.createServer(async (request, response) => {
    const body = [];
    for await (const part of request) body.push(part);
    const call = model.wishes.length;
    model.wishes.push(JSON.parse(Buffer.concat(body)));
    model.open += 1;
    response.on('close', () => {
      model.open -= 1;
      model.closed += response.writableFinished ? 0 : 1; // Segue hung up
    });
    response.on('error', () => {});
    model.answer(model.wishes[call], response, call);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return Object.assign(model, { answer, url: `http://127.0.0.1:${server.address().port}/generate` });
}

/// A tone of 440 Hz on the left and 660 Hz on the right, as floats, from `fromMs` on: the same wherever it begins.
export function tone({ rate, channels = 2, seconds, fromMs = 0 }) {
  const first = Math.round((fromMs * rate) / 1000);
  const frames = Math.round(seconds * rate) - first;
  const samples = new Float32Array(frames * channels);
  for (let i = 0; i < frames; ++i)
    for (let channel = 0; channel < channels; ++channel)
      samples[i * channels + channel] = 0.3 * Math.sin((2 * Math.PI * (channel ? 660 : 440) * (first + i)) / rate);
  return samples;
}

/// Floats as 16-bit samples.
export function to16Bit(samples, { bigEndian = false } = {}) {
  const bytes = Buffer.alloc(samples.length * 2);
  samples.forEach((x, i) => {
    const value = Math.round(x * 32767);
    if (bigEndian) bytes.writeInt16BE(value, 2 * i);
    else bytes.writeInt16LE(value, 2 * i);
  });
  return bytes;
}

/// The header of a WAV file. Without a size, as it is streamed: all ones.
export function wavHeader({ rate, channels, float = false, size }) {
  const bytes = float ? 4 : 2;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(size === undefined ? 0xffffffff : size + 36, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(float ? 3 : 1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * channels * bytes, 28);
  header.writeUInt16LE(channels * bytes, 32);
  header.writeUInt16LE(8 * bytes, 34);
  header.write('data', 36);
  header.writeUInt32LE(size ?? 0xffffffff, 40);
  return header;
}

/// Answers with a tone as L16, from where it is asked on, up to the end or to `cutAfter` seconds of sound.
export function sendTone(wish, response, { cutAfter = Infinity, resumes = true } = {}) {
  const rate = 48_000;
  const fromMs = resumes ? wish.resumeAtMs : 0;
  const headers = { 'Content-Type': `audio/L16;rate=${rate};channels=2`, 'Segue-Length-Ms': wish.durationS * 1000 };
  response.writeHead(200, resumes ? { ...headers, 'Segue-Resumed-At-Ms': fromMs } : headers);
  const bytes = to16Bit(tone({ rate, seconds: wish.durationS, fromMs }), { bigEndian: true });
  const cut = Math.round(cutAfter * rate) * 4;
  if (bytes.length <= cut) response.end(bytes);
  else response.write(bytes.subarray(0, cut), () => response.destroy());
}
