// Disks that hang, fail or are full: what is acknowledged is kept, who listens stays, and everything goes on by itself.
import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import {
  append,
  catchUp,
  closeStream,
  createStream,
  endOf,
  generate,
  hasSound,
  makePiece,
  metricsOf,
  octets,
  show,
  soundOf,
  until,
} from '../support/api.mjs';
import { decode } from '../support/decoded.mjs';
import { FaultyDisk, SmallDisk } from '../support/faulty_disk.mjs';
import { ask, expectProblem, get, sha256, waitFor } from '../support/http.mjs';
import { ByteEventListener, ProgressiveListener, WebSocketListener } from '../support/listeners.mjs';
import { Producer } from '../support/producer.mjs';
import { useServer } from '../support/server.mjs';

const wish = { prompt: 'solemn church organ', duration_s: 15, seed: 11 };

/// Reads for so long, again and again; returns the ms that the slowest answer took.
async function readFor(duration, server, paths) {
  let slowest = 0;
  for (const end = performance.now() + duration; performance.now() < end; ) {
    for (const path of paths) {
      const asked = performance.now();
      const reply = await get(server, path);
      assert.equal(reply.status, 200, `${path}: ${reply.text}`);
      slowest = Math.max(slowest, performance.now() - asked);
    }
    await moment(100);
  }
  return slowest;
}

/// A song, an application that appends, and who listens to them.
async function begin(test, server, appends) {
  const path = `/v1/stream/ill/${server.pid}/${Date.now()}`;
  await createStream(server, path);
  const producer = new Producer(server, path, appends);
  const producing = producer.run();
  const { request_id: id, urls } = await generate(server, { ...wish, pace: 'realtime' });
  const toApplication = [WebSocketListener, ByteEventListener].map((Door) => new Door(server, path));
  const toSong = [
    new WebSocketListener(server, urls.audio_stream),
    new ByteEventListener(server, urls.audio_stream),
    new ProgressiveListener(server, urls.audio),
  ];
  const listeners = [...toApplication, ...toSong];
  const followed = Promise.all(listeners.map((listener) => listener.follow()));
  followed.catch(() => {}); // shown where it is awaited
  test.after(() => {
    producer.abandon();
    for (const listener of listeners) listener.leave();
  });
  await until(server, id, hasSound);
  await waitFor(() => listeners.every(({ position }) => position > 0), { what: 'everybody to hear something' });
  return { path, producer, producing, id, urls, toApplication, toSong, listeners, followed };
}

/// Everything goes on, and everything that should be there is there, once.
async function assertWhole(server, reference, all, { cuts = false } = {}) {
  const { path, producer, producing, id, toApplication, toSong, listeners, followed } = all;
  const acknowledged = producer.acknowledged.length;
  await waitFor(() => producer.acknowledged.length > acknowledged + 3, { what: 'appends to be acknowledged again' });
  producer.stop();
  await producing;
  await closeStream(server, path);
  await endOf(server, id);
  await followed;
  const [stream, song] = [(await catchUp(server, path)).bytes, await soundOf(server, id)];
  assert.equal(sha256(stream), sha256(Buffer.concat(producer.acknowledged)), 'every acknowledged append, once and in order');
  assert.equal(sha256(song), sha256(reference), 'the song is that of an uninterrupted run');
  await decode(song);
  for (const listener of toApplication) assert.equal(sha256(listener.bytes), sha256(stream), listener.constructor.name);
  for (const listener of toSong) assert.equal(sha256(listener.bytes), sha256(song), listener.constructor.name);
  if (cuts) return;
  assert.equal(listeners.reduce((sum, { cuts }) => sum + cuts, 0), 0, 'nobody was cut off');
  assert.deepEqual(listeners.flatMap(({ complaints }) => complaints), []);
}

for (const [does, how] of Object.entries({ hangs: 'hang', fails: 'fail' }))
  describe(`a chunk store whose disk ${does}`, { timeout: 120_000 }, () => {
    const disk = new FaultyDisk();
    const server = useServer({ ...disk.under, args: ['--idle', '1s'] });
    afterEach(() => disk.heal());

    it('for five seconds acknowledges nothing, keeps its listeners, and goes on by itself', async (test) => {
      const reference = await soundOf(server, (await makePiece(server, wish)).request_id);
      const { pid } = server;
      const all = await begin(test, server);
      const { path, id, urls, producer, listeners } = all;
      disk.fallIll(how);
      await moment(300); // what was under way is over
      const state = async () => ({
        acknowledged: producer.acknowledged.length,
        heard: listeners.map(({ position }) => position),
        made: (await show(server, id)).audio_bytes,
      });
      const before = await state();
      const later = generate(server, { ...wish, duration_s: 5 });
      const reads = ['/healthz', '/v1/generations', urls.self, `${path}?offset=-1`, `${urls.audio_stream}?offset=-1`];
      const slowest = await readFor(4_700, server, reads);
      assert.deepEqual(await state(), before, 'nothing is acknowledged, and nothing heard that is not durable');
      assert(slowest < 1_000, `a read took ${slowest} ms`);
      // What was under way when the disk failed is undecided, and answered when that is known; what comes later is refused.
      const refused = how === 'fail' ? [await ask(server, 'POST', path, { body: 'x', headers: octets })] : [];
      disk.heal();
      refused.push(...producer.refusals);
      for (const reply of refused) {
        expectProblem(reply, 503);
        assert.match(reply.headers['retry-after'], /^[1-9]\d*$/);
      }
      await assertWhole(server, reference, all);
      await endOf(server, (await later).request_id);
      assert.equal(server.pid, pid);
    });

    /// Reads `paths` from a disk that has just become ill; nothing of them is in memory.
    const readCold = async (...paths) => {
      await waitFor(async () => (await metricsOf(server)).samples.segue_streams_live === 0, { what: 'every stream to leave memory' });
      disk.fallIll(how);
      const created = []; // the store learns how its disk is, and tries to come back
      for (let i = 0; i < 3; ++i) {
        created.push(ask(server, 'PUT', `/v1/stream/ill/${Date.now()}`).catch((error) => error));
        await moment(200);
      }
      const slowest = await readFor(1_500, server, paths);
      assert(slowest < 1_000, `a read took ${slowest} ms`);
      disk.heal();
      for (const { status } of await Promise.all(created)) assert([201, 503].includes(status), `${status}`);
    };

    it('lets read a finished song that nobody has in memory', async () => {
      const { urls } = await makePiece(server, { ...wish, duration_s: 5 });
      await readCold(urls.audio, urls.events);
    });

    it('lets read an unfinished stream that nobody has in memory', async () => {
      const path = '/v1/stream/ill/cold';
      await createStream(server, path);
      await append(server, path, 'still there');
      await readCold(`${path}?offset=-1`);
    });
  });

describe('a disk that is full', { timeout: 120_000 }, () => {
  const mebibyte = 1 << 20;
  const reserve = 64;
  const disk = new SmallDisk(300 * mebibyte);
  const server = useServer({ data: disk.data, args: ['--reserve', `${reserve}MiB`, '--idle', '1s'] });
  after(() => disk.remove());

  it('refuses appends with 507, goes on reading, and takes them when there is space again', async (test) => {
    const reference = await soundOf(server, (await makePiece(server, wish)).request_id);
    const all = await begin(test, server, { size: mebibyte });
    const { pid } = server;
    const { producer, path, id, urls, listeners } = all;
    disk.fillUpTo((reserve + 3) * mebibyte);
    await waitFor(() => producer.refusals.length > 0, { what: 'the disk to be full' });
    const [refusal] = producer.refusals;
    expectProblem(refusal, 507, { code: 'storage_full', says: /reserve/ });
    assert.match(refusal.headers['retry-after'], /^[1-9]\d*$/);

    const { acknowledged } = producer;
    const full = async () => { // what makes room takes a while
      disk.fillUpTo((reserve - 1) * mebibyte);
      const [appended, made] = [acknowledged.length, (await show(server, id)).audio_bytes];
      await moment(1_500);
      return acknowledged.length === appended && (await show(server, id)).audio_bytes === made;
    };
    await waitFor(full, { deadline: 30_000, what: 'nothing to be taken any more' });
    const heard = acknowledged.length * mebibyte;
    await waitFor(() => all.toApplication.every(({ position }) => position === heard), { what: 'listeners to have what is there' });
    const before = (await show(server, id)).audio_bytes;
    await readFor(2_000, server, ['/healthz', '/v1/generations', urls.self, `${path}?offset=-1`, `${urls.audio_stream}?offset=-1`]);
    assert.equal(sha256((await catchUp(server, path)).bytes), sha256(Buffer.concat(acknowledged)));
    assert.equal((await show(server, id)).audio_bytes, before, 'the song waits');
    const later = await generate(server, { ...wish, duration_s: 5 }); // its row is small: it is promised, and waits
    assert(listeners.every(({ done }) => !done));

    disk.empty();
    await assertWhole(server, reference, all);
    await endOf(server, later.request_id);
    assert.equal(server.pid, pid);
  });

  it('lets read what nobody has in memory', async () => {
    const { urls } = await makePiece(server, { ...wish, duration_s: 5 });
    const path = '/v1/stream/ill/cold';
    await createStream(server, path);
    await append(server, path, 'still there');
    await waitFor(async () => (await metricsOf(server)).samples.segue_streams_live === 0, { what: 'every stream to leave memory' });
    disk.fillUpTo((reserve - 1) * mebibyte);
    expectProblem(await ask(server, 'PUT', '/v1/stream/ill/new'), 507);
    await readFor(1_000, server, [urls.audio, urls.events, `${path}?offset=-1`]);
    disk.empty();
  });
});

describe('a disk that appends have filled', { timeout: 120_000 }, () => {
  const mebibyte = 1 << 20;
  const disk = new SmallDisk(220 * mebibyte);
  const server = useServer({ data: disk.data });
  after(() => disk.remove());

  it('has room again when something is removed, also what lies between what stays', async () => {
    const [kept, removed] = ['/v1/stream/full/kept', '/v1/stream/full/removed'];
    for (const path of [kept, removed]) await createStream(server, path);
    const part = Buffer.alloc(mebibyte, 'x');
    const add = (path) => ask(server, 'POST', path, { body: part, headers: octets });
    let there = 0;
    const fill = async () => {
      const answers = [await add(kept), await add(removed)];
      there += answers[0].status === 204 ? 1 : 0;
      return answers.every(({ status }) => status === 507);
    };
    const full = async () => { // also when all was tidied up that can be
      for (const end = Date.now() + 3_000; Date.now() < end; await moment(100)) if (!(await fill())) return false;
      return true;
    };
    await waitFor(full, { every: 0, deadline: 60_000, what: 'the disk to be full' });
    assert.equal((await ask(server, 'DELETE', removed)).status, 204);
    const goal = there + 20;
    const more = async () => {
      while (there < goal && (await add(kept)).status === 204) ++there;
      return there === goal;
    };
    await waitFor(more, { every: 200, deadline: 30_000, what: 'room for twenty appends' });
    const whole = (await catchUp(server, kept)).bytes;
    assert.equal(sha256(whole), sha256(Buffer.concat(Array(there).fill(part))));
  });
});

describe('a disk that is full to the last byte, since there is no reserve', { timeout: 120_000 }, () => {
  const mebibyte = 1 << 20;
  const disk = new SmallDisk(300 * mebibyte);
  const server = useServer({ stable: true, data: disk.data, args: ['--reserve', '0'] });
  after(() => disk.remove());

  it('costs nothing that was acknowledged, and service goes on when there is space again', async (test) => {
    const reference = await soundOf(server, (await makePiece(server, wish)).request_id);
    const all = await begin(test, server, { size: mebibyte });
    disk.fillUpTo(0);
    let count;
    const stuck = async () => count === (count = all.producer.acknowledged.length);
    await waitFor(stuck, { every: 2_000, deadline: 30_000, what: 'appends to come to a standstill' });
    await moment(2_000);
    test.diagnostic(`${count} appends of 1 MiB were acknowledged; the process ${server.ready ? 'goes on' : 'has ended'}`);
    disk.empty();
    const back = async () => {
      if (!server.ready) await server.start(); // RocksDB may end the process, also when it opens what it could not finish
      return all.producer.acknowledged.length > count;
    };
    await waitFor(back, { what: 'appends to be acknowledged again' });
    await assertWhole(server, reference, all, { cuts: true });
  });
});
