// Streams of applications: created, appended to, closed and removed over HTTP.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { offsetOf } from '../support/api.mjs';
import { ask, expectProblem, get, sha256 } from '../support/http.mjs';
import { useServer } from '../support/server.mjs';

const text = { 'content-type': 'text/plain' };
const json = { 'content-type': 'application/json' };
let count = 0;
const fresh = () => `/v1/stream/app/${++count}`;
const by = (epoch, seq, more = text) => ({ ...more, 'producer-id': 'p', 'producer-epoch': String(epoch), 'producer-seq': String(seq) });

describe('a stream of an application', { timeout: 60_000 }, () => {
  const server = useServer({ stable: true });
  const put = (path, headers = text, body = undefined) => ask(server, 'PUT', path, { headers, body });
  const post = (path, headers = text, body = undefined) => ask(server, 'POST', path, { headers, body });

  it('is created once, found again with the same type, and refused with another', async () => {
    const path = fresh();
    const created = await put(path);
    assert.equal(created.status, 201);
    assert.equal(created.headers['stream-next-offset'], offsetOf(0));
    assert.equal(created.headers.location, `http://127.0.0.1:${server.port}${path}`);
    assert.equal((await put(path, { 'content-type': 'Text/Plain' })).status, 200);
    const { title } = expectProblem(await put(path, json), 409, { code: 'conflict' });
    assert.equal(title, 'It does not fit what is there');
    expectProblem(await put(path, { ...text, 'stream-closed': 'true' }), 409);
  });

  it('is created by one of many who try at once', async () => {
    const path = fresh();
    const replies = await Promise.all(Array.from({ length: 10 }, () => put(path, text, 'first')));
    assert.deepEqual(replies.map(({ status }) => status).sort(), [...Array(9).fill(200), 201]);
    assert.equal((await get(server, path)).text, 'first');
  });

  it('is there or is made whoever removes it meanwhile', async () => {
    const path = fresh();
    const again = (times, act) => Array.from({ length: times }, () => async () => {
      for (let round = 0; round < 60; ++round) await act();
    });
    const made = { 200: 0, 201: 0 };
    const create = async () => ++made[(await put(path)).status];
    const remove = async () => assert([204, 404].includes((await ask(server, 'DELETE', path)).status));
    await Promise.all([...again(2, create), ...again(3, remove)].map((run) => run()));
    assert.deepEqual(Object.keys(made), ['200', '201'], 'nothing else was answered');
    assert(made[201] > 1, `${made[201]} were made anew`);
  });

  it('keeps what is appended, in order, and tells where it ends', async () => {
    const path = fresh();
    await put(path, text, 'a');
    for (const [at, letter] of [...'bcd'].entries()) {
      const reply = await post(path, text, letter);
      assert.equal(reply.status, 204);
      assert.equal(reply.headers['stream-next-offset'], offsetOf(at + 2));
    }
    const whole = await get(server, path);
    assert.equal(whole.text, 'abcd');
    assert.equal((await get(server, `${path}?offset=${offsetOf(2)}`)).text, 'cd');
  });

  it('is not sent again to who has it', async () => {
    const path = fresh();
    await put(path, text, 'abc');
    const { etag } = (await get(server, path)).headers;
    const asked = async (known) => (await get(server, path, { 'if-none-match': known })).status;
    assert.deepEqual([await asked(etag), await asked(`"other", W/${etag}`), await asked('*')], [304, 304, 304]);
    assert.equal(await asked('"other"'), 200);
    await post(path, text, 'd');
    assert.equal(await asked(etag), 200);
  });

  it('is closed once, with a last word or without, and then refuses everything but the same', async () => {
    const path = fresh();
    await put(path);
    assert.equal((await post(path, { ...text, 'stream-closed': 'true' }, 'end')).status, 204);
    assert.equal((await post(path, { 'stream-closed': 'true' })).status, 204);
    const late = await post(path, text, 'more');
    expectProblem(late, 409, { code: 'closed' });
    assert.equal(late.headers['stream-closed'], 'true');
    assert.equal(late.headers['stream-next-offset'], offsetOf(3));
    assert.equal((await get(server, path)).headers['stream-closed'], 'true');
  });

  it('stores what a producer repeats once, fences old epochs, and names what is missing', async () => {
    const path = fresh();
    await put(path);
    assert.equal((await post(path, by(0, 0), 'a')).status, 200);
    const repeated = await post(path, by(0, 0), 'a');
    assert.deepEqual([repeated.status, repeated.headers['producer-seq']], [204, '0']);
    const gap = await post(path, by(0, 2), 'c');
    expectProblem(gap, 409, { code: 'producer_gap' });
    assert.deepEqual([gap.headers['producer-expected-seq'], gap.headers['producer-received-seq']], ['1', '2']);
    assert.equal((await post(path, by(1, 0), 'b')).status, 200);
    const stale = await post(path, by(0, 1), 'zombie');
    expectProblem(stale, 403, { code: 'stale_producer' });
    assert.equal(stale.headers['producer-epoch'], '1');
    assert.equal((await get(server, path)).text, 'ab');
  });

  it('keeps the borders of JSON messages, and takes an array apart', async () => {
    const path = fresh();
    await put(path, json);
    await post(path, json, '{"n": 1}');
    const middle = await post(path, json, '[{"n": 2}, [3]]');
    assert.deepEqual((await get(server, path)).json, [{ n: 1 }, { n: 2 }, [3]]);
    assert.deepEqual((await get(server, `${path}?offset=${middle.headers['stream-next-offset']}`)).json, []);
    expectProblem(await post(path, json, '[]'), 400);
    expectProblem(await post(path, json, '{"n":'), 400);
  });

  it('survives a restart with its producers', async () => {
    const path = fresh();
    await put(path);
    await post(path, by(3, 0), 'x'.repeat(100_000));
    const sum = sha256((await get(server, path)).body);
    await server.restart();
    assert.equal(sha256((await get(server, path)).body), sum);
    assert.equal((await post(path, by(3, 0), 'x'.repeat(100_000))).status, 204, 'recognised as a repetition');
    assert.equal((await post(path, by(3, 1), 'y')).status, 200);
  });

  it('is gone after DELETE, and its name is free', async () => {
    const path = fresh();
    await put(path, text, 'old');
    assert.equal((await ask(server, 'DELETE', path)).status, 204);
    expectProblem(await get(server, path), 404);
    expectProblem(await ask(server, 'DELETE', path), 404);
    assert.equal((await put(path, json)).status, 201);
    assert.deepEqual((await get(server, path)).json, []);
  });

  it('refuses bad questions with what is allowed', async () => {
    const path = fresh();
    await put(path);
    expectProblem(await post(path, text), 400, { says: /Stream-Closed/ });
    expectProblem(await post(path, {}, 'no type'), 400, { says: /Content-Type/ });
    expectProblem(await post(path, json, '{}'), 409, { code: 'wrong_type' });
    expectProblem(await post(path, { ...text, 'producer-id': 'p' }, 'x'), 400, { says: /Producer-Epoch/ });
    expectProblem(await post(path, { ...by(0, 0), 'producer-seq': '-1' }, 'x'), 400);
    expectProblem(await post(path, { ...by(0, 0), 'producer-id': 'gen/me' }, 'x'), 400);
    expectProblem(await post(path, by(0, 5), 'x'), 409, { code: 'producer_gap' });
    await post(path, by(0, 0), 'x');
    expectProblem(await post(path, by(1, 5), 'x'), 400, { says: /begins with sequence number 0/ });
    expectProblem(await post('/v1/stream/app/none', text, 'x'), 404);
    expectProblem(await put('/v1/stream/app//twice'), 400, { says: /path/ });
    expectProblem(await put(`/v1/stream/${'x'.repeat(600)}`), 400);
    expectProblem(await put(fresh(), { ...text, 'stream-ttl': '05' }), 400, { says: /Stream-TTL/ });
    expectProblem(await put('/v1/stream/__ds/subscriptions/mine'), 501);
    expectProblem(await put('/v1/stream/generations/mine/audio'), 405, { says: /GET/ });
  });
});

describe('a stream that is written to just when it retires', { timeout: 60_000 }, () => {
  const idleMs = 100;
  const server = useServer({ args: ['--idle', `${idleMs}ms`] });

  it('still tells where it ended', async () => {
    const producers = Array.from({ length: 100 }, async (_, i) => {
      const path = `/v1/stream/ended/${i}`;
      await ask(server, 'PUT', path, { headers: { ...text, 'stream-closed': 'true' }, body: 'all' });
      for (let n = 0; n < 10; ++n) {
        const late = await ask(server, 'POST', path, { headers: text, body: 'more' });
        expectProblem(late, 409, { code: 'closed' });
        assert.deepEqual([late.headers['stream-closed'], late.headers['stream-next-offset']], ['true', offsetOf(3)]);
        await delay(idleMs + 3 * Math.random());
      }
    });
    await Promise.all(producers);
  });

  it('stores what is appended', async () => {
    const producers = Array.from({ length: 150 }, async (_, i) => {
      const path = `/v1/stream/idle/${i}`;
      await ask(server, 'PUT', path, { headers: text });
      for (let n = 0; n < 20; ++n) {
        assert.equal((await ask(server, 'POST', path, { headers: text, body: String(n % 10) })).status, 204);
        await delay(idleMs + 3 * Math.random());
      }
      assert.equal((await get(server, path)).text, '01234567890123456789');
    });
    await Promise.all(producers);
  });
});
