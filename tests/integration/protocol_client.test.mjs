// The client of the protocol's own makers, which knows nothing of this server: it writes, reads through each door, and
// goes on where it was after the server was killed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { createFetchWithBackoff, DurableStream, IdempotentProducer, stream } from '@durable-streams/client';
import { waitFor } from '../support/http.mjs';
import { useServer } from '../support/server.mjs';

const patience = { initialDelay: 50, maxDelay: 200, multiplier: 1.3 };
const doors = [false, 'long-poll', 'sse'];
const message = (at) => ({ at, text: `message ${at} ${'x'.repeat(at % 50)}` });
const numbers = (from, to) => Array.from({ length: to - from }, (_, at) => from + at);

/// What is said in each type: `said` is what a client appends, `whole` what a reader has in the end.
const types = {
  'application/json': { said: (at) => JSON.stringify(message(at)), whole: (all) => all.map(message) },
  'application/octet-stream': {
    said: (at) => new Uint8Array(100 + (at % 50)).fill(at % 256),
    whole: (all) => Buffer.concat(all.map(types['application/octet-stream'].said)).toString('hex'),
  },
};

/// A reader that keeps what it was given and the offset behind it, and nothing else between two sessions.
class Reader {
  offset = '-1';
  parts = [];

  constructor(server, { url, contentType }, live) {
    Object.assign(this, { server, url, live, json: contentType === 'application/json' });
  }

  get whole() {
    return this.json ? this.parts : Buffer.concat(this.parts).toString('hex');
  }

  /// One session: until the client says that it is over, or `leave`.
  async session() {
    const { url, offset, live, json } = this;
    const response = await stream({ url, offset, live, json, backoffOptions: patience, sseResilience: { logWarnings: false } });
    this.response = response;
    const take = (parts, { offset: next, streamClosed }) => {
      this.parts.push(...parts);
      this.offset = next;
      this.done = streamClosed;
    };
    if (!live) return take(json ? await response.json() : [await response.body()], response);
    if (json) response.subscribeJson((batch) => take(batch.items, batch));
    else response.subscribeBytes((batch) => take([batch.data], batch));
    await response.closed.finally(() => moment(50)); // it still hands on what came last
  }

  /// Session after session, until the stream is closed.
  async follow() {
    while (!this.done) {
      await this.session().catch(() => {});
      if (!this.done) await waitFor(() => this.server.ready, { what: 'the server to come back' });
    }
  }

  leave() {
    this.response?.cancel();
  }
}

for (const [contentType, { said, whole }] of Object.entries(types))
  describe(`the independent client, with ${contentType}`, { timeout: 30_000 }, () => {
    const server = useServer({ stable: true });
    const create = (name) =>
      DurableStream.create({ url: `${server.url}/v1/stream/client/${name}`, contentType, backoffOptions: patience });
    const append = async (handle, from, to) => {
      for (const at of numbers(from, to)) await handle.append(said(at));
    };
    const heard = (reader, count) => {
      const expected = JSON.stringify(whole(numbers(0, count)));
      return waitFor(() => JSON.stringify(reader.whole) === expected, {
        what: () =>
          `${count} messages through ${reader.live || 'catch-up'}: ${reader.parts.length} parts until ${reader.offset}`,
      });
    };

    it('creates, finds, reads, closes and deletes', async () => {
      const handle = await create('life');
      await append(handle, 0, 3);
      const found = await DurableStream.head({ url: handle.url });
      assert.deepEqual([found.exists, found.contentType, found.streamClosed], [true, contentType, false]);
      const reader = new Reader(server, handle, false);
      await reader.session();
      assert.deepEqual([reader.whole, reader.offset], [whole(numbers(0, 3)), found.offset]);
      assert.equal((await handle.close({ body: said(3) })).finalOffset, (await handle.head()).offset);
      await reader.follow();
      assert.deepEqual([reader.whole, reader.done], [whole(numbers(0, 4)), true]);
      await assert.rejects(handle.append(said(4)), (error) => error.code === 'STREAM_CLOSED' || error.status === 409);
      await DurableStream.delete({ url: handle.url });
      assert.deepEqual(await DurableStream.head({ url: handle.url }), { exists: false });
    });

    for (const live of doors)
      it(`reads through ${live || 'catch-up'}, and goes on from its last offset after a kill`, async () => {
        const handle = await create(`kill-${live}`);
        await append(handle, 0, 10);
        const reader = new Reader(server, handle, live);
        const first = reader.session().catch(() => {});
        await heard(reader, 10);
        if (live) {
          await append(handle, 10, 20);
          await heard(reader, 20);
        } else await append(handle, 10, 20);
        const { offset, parts } = reader;
        reader.leave();
        await first;
        await server.kill();
        await server.start();
        await append(handle, 20, 30);
        const later = Object.assign(new Reader(server, handle, live), { offset, parts: [...parts] });
        const following = later.follow();
        await heard(later, 30);
        await handle.close();
        await following;
        assert.deepEqual(later.whole, whole(numbers(0, 30)));
      });

    it('misses nothing and has nothing twice when the server is killed in the middle of writing and reading', async () => {
      const handle = await create('storm');
      const options = { maxInFlight: 1, lingerMs: 1, maxBatchBytes: 500, fetch: createFetchWithBackoff(fetch, patience) };
      const failures = [];
      const producer = new IdempotentProducer(handle, 'writer', { ...options, onError: (error) => failures.push(error) });
      const readers = doors.map((live) => new Reader(server, handle, live));
      const following = Promise.all(readers.map((reader) => reader.follow()));
      const writing = (async () => {
        for (const at of numbers(0, 300)) {
          producer.append(said(at));
          if (at % 3 === 0) await moment(10);
        }
        await producer.flush();
      })();
      for (const share of [0.2, 0.5]) {
        await waitFor(() => readers.every(({ whole: has }) => has.length > share * whole(numbers(0, 300)).length), {
          what: 'the next kill',
        });
        await server.kill();
        await server.start();
      }
      await writing;
      await producer.close();
      await following;
      assert.deepEqual(failures, []);
      for (const { live, whole: has } of readers)
        assert.deepEqual(has, whole(numbers(0, 300)), `through ${live || 'catch-up'}`);
    });
  });
