// Streams that expire: when nobody has used them for a while, or at a fixed time. A disk may let a sync wait for a second or
// more: lives are longer than that, and what must not be late is counted from the answer that it follows.
import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { append, octets, offsetOf } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { ask, expectProblem, get, open, waitFor } from '../support/http.mjs';
import { ByteEventListener } from '../support/listeners.mjs';
import { Server, stablePort, useServer } from '../support/server.mjs';

const ttl = (seconds) => ({ ...octets, 'stream-ttl': String(seconds) });
const at = (time) => ({ ...octets, 'stream-expires-at': new Date(time).toISOString() });
let count = 0;
const fresh = () => `/v1/stream/expiry/${++count}`;

const put = (server, path, headers, body) => ask(server, 'PUT', path, { headers, body });
const head = async (server, path) => (await ask(server, 'HEAD', path)).status;
const stream = async (server, headers, body) => {
  const path = fresh();
  const reply = await put(server, path, headers, body);
  assert.equal(reply.status, 201, reply.text);
  return path;
};
/// Waits until HEAD, which is no use of a stream, says `status`.
const ends = (server, path, status = 404, deadline = 6000) =>
  waitFor(async () => (await head(server, path)) === status, { deadline, every: 50, what: `${path} to expire` });

/// Calls `use` every 300 ms, for so long.
async function during(ms, use) {
  for (const end = Date.now() + ms; Date.now() < end; await moment(300)) await use();
}

/// A server of one test's own, which may be stopped.
async function withServer(test, ...args) {
  const server = new Server({ port: await stablePort(), args });
  try {
    await server.start();
    await test(server);
    await server.stop();
  } catch (error) {
    console.log(server.log);
    throw error;
  } finally {
    await server.dispose();
  }
}

describe('a stream that expires', { concurrency: true, timeout: 60_000 }, () => {
  const server = useServer({ args: ['--long-poll-timeout', '10s'] });

  it('tells when, and is another one with another time', async () => {
    const idle = await stream(server, ttl(3600));
    const fixed = await stream(server, { ...octets, 'stream-expires-at': '2099-01-31T12:00:00+02:00' });
    for (const method of ['HEAD', 'PUT']) {
      const told = await ask(server, method, idle, { headers: ttl(3600) });
      assert.deepEqual([told.status, told.headers['stream-ttl'], told.headers['stream-expires-at']], [200, '3600', undefined]);
      const time = await ask(server, method, fixed, { headers: at('2099-01-31T10:00:00Z') });
      assert.deepEqual([time.status, time.headers['stream-ttl']], [200, undefined]);
      assert.equal(Date.parse(time.headers['stream-expires-at']), Date.parse('2099-01-31T10:00:00Z'));
    }
    for (const other of [ttl(3601), octets, at('2099-01-31T10:00:00Z')])
      expectProblem(await put(server, idle, other), 409, { code: 'conflict' });
    const forever = await ask(server, 'HEAD', await stream(server, octets));
    assert.deepEqual([forever.headers['stream-ttl'], forever.headers['stream-expires-at']], [undefined, undefined]);
  });

  it('is gone after its time without use, and its path is free', async () => {
    const begun = Date.now();
    const path = await stream(server, ttl(1), 'old');
    const there = Date.now();
    await ends(server, path);
    const gone = Date.now();
    assert(gone - begun > 950 && gone - there < 3000, `${gone - begun} ms, ${gone - there} after it was there`);
    expectProblem(await get(server, path), 404, { code: 'not_found' });
    expectProblem(await ask(server, 'POST', path, { headers: octets, body: 'x' }), 404);
    expectProblem(await ask(server, 'DELETE', path), 404);
    assert.equal((await put(server, path, { 'content-type': 'text/plain' })).status, 201);
    assert.equal((await get(server, path)).text, '');
  });

  it('lives on while it is read or appended to, but not by being asked for with HEAD', async () => {
    const [read, written, asked] = await Promise.all([3, 3, 3].map((seconds) => stream(server, ttl(seconds), 'a')));
    await during(5000, async () => {
      assert.equal((await get(server, read)).text, 'a');
      await append(server, written, 'b');
      await head(server, asked);
    });
    assert.deepEqual(await Promise.all([read, written, asked].map((path) => head(server, path))), [200, 200, 404]);
    await Promise.all([ends(server, read), ends(server, written)]);
  });

  it('lives on while somebody listens', async () => {
    const [polled, heard] = await Promise.all([3, 3].map((seconds) => stream(server, ttl(seconds))));
    const poll = get(server, `${polled}?live=long-poll&offset=now`);
    const listener = new ByteEventListener(server, heard);
    const following = listener.follow();
    await moment(4500);
    for (const path of [polled, heard]) await append(server, path, 'still here');
    assert.equal((await poll).text, 'still here');
    await waitFor(() => listener.bytes.toString() === 'still here', { what: 'the event' });
    listener.leave();
    await following;
    await ends(server, polled);
  });

  it('goes its time after its last listener has left', async () => {
    const paths = await Promise.all(['sse', 'long-poll'].map(() => stream(server, ttl(3), 'a')));
    const doors = paths.map((path, at) => `${path}?live=${['sse', 'long-poll'][at]}&offset=${offsetOf(1)}`);
    const events = await open(server, 'GET', doors[0]);
    const poll = http.get(`${server.url}${doors[1]}`, { agent: false }).on('error', () => {});
    await moment(4500);
    assert.deepEqual(await Promise.all(paths.map((path) => head(server, path))), [200, 200]);
    events.destroy();
    poll.destroy();
    await everyCase(paths, (path) => ends(server, path, 404, 5000)); // the poll would have stayed for longer
  });

  it('goes at its fixed time whatever is done with it, and its listeners are not told that it was closed', async () => {
    const time = Date.now() + 5000;
    const path = await stream(server, at(time), 'a');
    const poll = get(server, `${path}?live=long-poll&offset=${offsetOf(1)}`);
    const events = await open(server, 'GET', `${path}?live=sse&offset=-1`);
    let said = '';
    const ended = new Promise((resolve) =>
      events
        .on('data', (bytes) => (said += bytes))
        .on('end', resolve)
        .on('error', resolve),
    );
    for (const door of ['GET', 'HEAD', 'GET', 'HEAD', 'GET']) {
      assert.equal((await ask(server, door, path)).status, 200);
      await moment(250);
    }
    await ends(server, path);
    const late = Date.now() - time;
    assert(late > -50 && late < 2000, `${late} ms late`);
    await ended;
    assert.match(said, /event: control/);
    assert.doesNotMatch(said, /streamClosed/);
    const reply = await poll;
    assert(Date.now() < time + 3000, 'a long poll does not wait for nothing');
    expectProblem(reply, 404, { code: 'not_found' });
    assert.equal(reply.headers['stream-closed'], undefined);
  });

  it('leaves memory and comes back without a longer life', async () => {
    await withServer(
      async (other) => {
        const used = await stream(other, ttl(3), 'a');
        const begun = Date.now();
        const unused = await stream(other, ttl(4), 'a');
        const there = Date.now();
        await during(2400, async () => assert.equal((await get(other, used)).text, 'a'));
        assert.equal(await head(other, unused), 200, 'it is loaded again, which is no use of it');
        await ends(other, unused);
        const gone = Date.now();
        assert(gone - begun > 3950 && gone - there < 6000, `${gone - begun} ms, ${gone - there} after it was there`);
        await get(other, used);
        await ends(other, used);
      },
      '--idle',
      '100ms',
    );
  });

  it('has a whole new time after a restart, and goes then, also when nobody asks', async () => {
    await withServer(async (other) => {
      const [parent, fork] = [await stream(other, ttl(2), 'abc'), fresh()];
      assert.equal((await put(other, fork, { 'stream-forked-from': parent, ...ttl(3600) })).status, 201);
      await ends(other, parent, 410);
      const time = Date.now() + 1500;
      const made = [ttl(3), ttl(3), octets, at(time)].map((headers) => stream(other, headers));
      const [watched, alone, late, down] = await Promise.all(made);
      await other.stop();
      await moment(time + 100 - Date.now()); // what went by while it was down
      const up = Date.now();
      await other.start();
      const begun = Date.now();
      assert.deepEqual([await head(other, down), await head(other, watched), await head(other, late)], [404, 200, 200]);
      assert.equal((await put(other, down, octets)).status, 201);
      await ends(other, watched);
      const gone = Date.now();
      assert(gone - up > 2950 && gone - begun < 5000, `${gone - up} ms, ${gone - begun} after it was ready`);
      await moment(1000);
      await other.restart(); // had it not gone, it would now have another whole time
      assert.deepEqual([await head(other, alone), await head(other, watched), await head(other, late)], [404, 404, 200]);
      assert.deepEqual([(await get(other, parent)).status, (await get(other, fork)).text], [410, 'abc']);
    });
  });

  it('is 410 while a fork of it lives, which reads on', async () => {
    const parent = await stream(server, ttl(3), 'abc');
    const [fork, heir] = [fresh(), fresh()];
    assert.equal((await put(server, fork, { 'stream-forked-from': parent, ...ttl(3600) })).status, 201);
    const inherits = await put(server, heir, { 'stream-forked-from': parent });
    assert.deepEqual([inherits.status, inherits.headers['stream-ttl']], [201, '3']);
    await ends(server, parent, 410);
    expectProblem(await get(server, parent), 410, { code: 'gone' });
    expectProblem(await put(server, parent, octets), 409, { code: 'conflict' });
    await append(server, fork, 'def');
    assert.equal((await get(server, fork)).text, 'abcdef');
    await ends(server, heir);
    assert.equal((await ask(server, 'DELETE', fork)).status, 204);
    assert.equal((await put(server, parent, octets)).status, 201);
  });

  it('is refused with a time that is none, or with two', async () => {
    const path = fresh();
    expectProblem(await put(server, path, { ...ttl(60), ...at('2099-01-01') }), 400, { says: /exclude/ });
    await everyCase(['', '05', '+5', '1.5', '1e3', '-1', 'abc', '5s', '0x5', '99999999999999999999'], async (text) =>
      expectProblem(await put(server, path, ttl(text)), 400, { says: /Stream-TTL/ }),
    );
    const times = [
      'not-a-time',
      '2027-02-30T00:00:00Z',
      '2027-13-01T00:00:00Z',
      '2027-01-01',
      '2027-01-01T00:00:00',
      '1893456000',
    ];
    await everyCase(times, async (text) =>
      expectProblem(await put(server, path, { ...octets, 'stream-expires-at': text }), 400, { says: /Stream-Expires-At/ }),
    );
    assert.equal(await head(server, path), 404);
  });
});
