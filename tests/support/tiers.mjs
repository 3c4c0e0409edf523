// Finished pieces between the chunk store and the object store: made quickly, watched as an operator watches them, and the
// objects themselves.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bytesPerFrame, completed, generate, metricsOf, until } from './api.mjs';
import { ask, get, waitFor } from './http.mjs';
import { start } from './need.mjs';

/// Whole frames that are no music: good enough for whoever only keeps them, and never the same twice.
export function noise(bytes) {
  const frames = randomBytes(Math.ceil(bytes / bytesPerFrame) * bytesPerFrame);
  for (let at = 0; at < frames.length; at += bytesPerFrame) frames.writeUInt32BE(0xfffb9400, at);
  return frames;
}

/// A piece with this sound, which is pushed, `size` bytes at a time: the quick way to a long one.
export async function pushPiece(server, sound, { size = 256 << 10, ...fields } = {}) {
  const { request_id: id, urls, producer } = await generate(server, { generator: 'push', ...fields });
  const step = Math.floor(size / bytesPerFrame) * bytesPerFrame;
  const headers = { 'content-type': 'audio/mpeg', 'producer-id': producer.id, 'producer-epoch': String(producer.epoch) };
  for (let at = 0, seq = 0; at < sound.length; at += step, ++seq) {
    const last = at + step >= sound.length ? { 'stream-closed': 'true' } : {};
    const body = sound.subarray(at, at + step);
    const reply = await ask(server, 'POST', urls.audio_stream, {
      body,
      headers: { ...headers, ...last, 'producer-seq': String(seq) },
    });
    assert.equal(reply.status, 200, reply.text);
  }
  return until(server, id, completed);
}

/// All transfers, page by page; with `dead`, the dead letters. While a catalogue is slow or away the server says when to ask again.
export async function transfersOf(server, { dead = false } = {}) {
  const all = [];
  for (let after = 0; after !== null;) {
    const page = async () => {
      const reply = await get(server, `/v1/transfers?after=${after}${dead ? '&state=dead' : ''}`);
      if (reply.status === 503 && reply.headers['retry-after']) return undefined;
      assert.equal(reply.status, 200, reply.text);
      return reply.json;
    };
    const { transfers, next } = await waitFor(page, { every: 200, what: 'transfers to be listed' });
    all.push(...transfers);
    after = next;
  }
  return all;
}

/// What is to be done with a piece, or was done last.
export async function transferOf(server, id) {
  return (await transfersOf(server)).find(({ path }) => path === `generations/${id}/audio`);
}

/// Waits until the transfer of a piece satisfies `condition` and returns it.
export async function untilTransfer(server, id, condition, { deadline = 20_000 } = {}) {
  let last;
  const holds = async () => {
    last = await transferOf(server, id);
    return last && condition(last) && last;
  };
  return waitFor(holds, { deadline, what: () => `${condition} of the transfer ${JSON.stringify(last)} of ${id}` });
}

export const evicted = ({ kind, state }) => kind === 'evict' && state === 'done';
export const stored = ({ kind, state }) => kind === 'evict' && state === 'waiting';
export const dead = ({ state }) => state === 'dead';
/// Its objects are gone. Where somebody was at work on the piece it is looked at once more, a quarter of an hour after the purge.
export const removed = ({ kind, state, created, due }) =>
  kind === 'remove' && (state === 'done' || (state === 'waiting' && Math.abs(Date.parse(due) - Date.parse(created) - 900_000) < 1_000));

/// Waits until a piece is back in the chunk store that was archived with the transfer `before`; it may have gone again.
export function untilBack(server, id, before) {
  return untilTransfer(server, id, (now) => now.id !== before.id && (stored(now) || evicted(now)));
}

/// Waits until an object alone has a piece: its chunks are evicted, and nobody has its stream in memory.
export async function untilAway(server, id) {
  const row = await untilTransfer(server, id, evicted);
  const inMemory = async () => (await get(server, '/v1/system')).text.includes(id);
  await waitFor(async () => !(await inMemory()), { what: 'its stream to be idle' });
  return row;
}

/// How many reads were served so far by each tier: ring, cache, store, object.
export async function readsOf(server) {
  const { samples } = await metricsOf(server);
  return Object.fromEntries(
    ['ring', 'cache', 'store', 'object'].map((tier) => [tier, samples[`segue_reads_total{tier="${tier}"}`]]),
  );
}

/// What a server with `--objects file:` keeps in `data`, as paths below its folder of objects, uploads that are not finished
/// among them.
export function objectsIn(data) {
  const folder = join(data, 'objects');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, path, name }) => relative(folder, join(parentPath ?? path, name))).sort();
}

/// The two objects of a piece.
export const objectsOf = (id) => ['json', 'mp3'].map((type) => `generations/${id}/audio.${type}`);

/// What a tenant's bucket really holds: its objects, key → tag (that of a multipart upload ends with the number of its parts),
/// and the ids of uploads that are not finished.
export async function bucketOf(radosgw, tenant = radosgw.tenant) {
  const ask = async (query) => {
    const { status, body } = await radosgw.request('GET', `/${tenant.bucket}?${query}`, tenant);
    assert.equal(status, 200, body);
    assert.match(body, /<IsTruncated>false</);
    return body;
  };
  const objects = (await ask('list-type=2')).matchAll(/<Key>([^<]*)<\/Key>.*?<ETag>&quot;(.*?)&quot;/gs);
  const uploads = (await ask('uploads=')).matchAll(/<UploadId>([^<]*)<\/UploadId>/g);
  return {
    objects: Object.fromEntries([...objects].map(([, key, tag]) => [key, tag])),
    uploads: [...uploads].map(([, id]) => id),
  };
}

/// A `segue work` process.
export class Worker {
  #process;

  constructor(args) {
    this.args = args;
  }

  get pid() {
    return this.#process.child.pid;
  }

  /// Everything it has written to stderr since its last start.
  get log() {
    return Buffer.concat(this.#process.output.stderr).toString();
  }

  /// The steps that it says to have done, like `upload generations/…/audio`.
  get steps() {
    return [...this.log.matchAll(/ step_done: (.*)/g)].map(([, step]) => step);
  }

  async start() {
    this.#process = start('segue', ['work', ...this.args]);
    const { child, output } = this.#process;
    const says = () => Buffer.concat(output.stdout).toString();
    await waitFor(() => says() === 'Segue is working\n' || child.exitCode !== null, { what: () => `a worker: ${this.log}` });
    assert.equal(child.exitCode, null, this.log);
    return this;
  }

  /// Kills it, in whatever it does, if it runs.
  async kill(signal = 'SIGKILL') {
    this.#process?.child.kill(signal);
    return this.#process?.exited;
  }

  /// Asks it to end, and insists that it does.
  async stop() {
    const overdue = setTimeout(() => this.#process.child.kill('SIGKILL'), 10_000);
    const { code, signal } = await this.kill('SIGTERM').finally(() => clearTimeout(overdue));
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, this.log);
  }
}
