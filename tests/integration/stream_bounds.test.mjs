// The bounds of streams of applications: how many, how large, how many producers, how long their paths.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { bytesPerSecond, makePiece, octets } from '../support/api.mjs';
import { ask, expectProblem, get } from '../support/http.mjs';
import { useServer } from '../support/server.mjs';

const names = ['a', 'b', 'c'].map((name) => `/v1/stream/${name}`);
const [path] = names;
const by = (id, seq) => ({ ...octets, 'producer-id': id, 'producer-epoch': '0', 'producer-seq': String(seq) });

describe('a server with small bounds', { timeout: 60_000 }, () => {
  const bounds = ['--streams', '3', '--stream-bytes', '1000', '--stream-producers', '2', '--stream-name', '20'];
  const server = useServer({ stable: true, args: bounds });
  const put = (target, headers = octets, body = undefined) => ask(server, 'PUT', target, { headers, body });
  const post = (target, body, headers = octets) => ask(server, 'POST', target, { headers, body });
  const remove = (target) => ask(server, 'DELETE', target);
  const created = async (...args) => assert.equal((await put(...args)).status, 201);
  const size = async (target) => (await get(server, target)).body.length;

  afterEach(async () => {
    for (const name of [...names, '/v1/stream/d', `/v1/stream/${'x'.repeat(20)}`]) await remove(name);
  });

  it('has room for so many streams, and again when one is gone', async () => {
    const full = async () => {
      const refused = await put('/v1/stream/d');
      expectProblem(refused, 429, { code: 'busy', says: /too many streams: there may be 3;/ });
      assert.match(refused.headers['retry-after'], /^[1-9]\d*$/);
      assert.equal((await put(path)).status, 200, 'one that is there is found');
      assert.equal((await post(path, 'x')).status, 204);
      expectProblem(await put('/v1/stream/d', { 'stream-forked-from': path }), 429, { code: 'busy' });
      expectProblem(await get(server, '/v1/stream/d'), 404);
    };
    for (const name of names) await created(name);
    await full();
    await server.restart();
    await full();
    assert.equal((await remove(names[1])).status, 204);
    await created('/v1/stream/d');
    expectProblem(await put(names[1]), 429);
  });

  it('has room for no more of them when many come at once', async () => {
    const replies = await Promise.all(Array.from({ length: 12 }, (_, at) => put(`/v1/stream/at/${at}`)));
    const there = replies.flatMap(({ status }, at) => (status === 201 ? [`/v1/stream/at/${at}`] : []));
    assert.equal(there.length, 3);
    for (const reply of replies.filter(({ status }) => status !== 201)) expectProblem(reply, 429, { code: 'busy' });
    for (const name of there) assert.equal((await remove(name)).status, 204);
  });

  it('does not count generations', async () => {
    for (const name of names) await created(name);
    const piece = await makePiece(server, { duration_s: 5 });
    assert(piece.audio_bytes >= 5 * bytesPerSecond, 'nor is their sound bounded by --stream-bytes');
    assert.equal(await size(piece.urls.download), piece.audio_bytes);
    expectProblem(await put('/v1/stream/d'), 429);
  });

  it('keeps a stream from growing beyond the bound, and goes on with what fits', async () => {
    await created(path);
    const beyond = async (has) => {
      expectProblem(await post(path, 'x'.repeat(1001 - has)), 413, { code: 'too_large' });
      assert.equal(await size(path), has);
    };
    await beyond(0);
    assert.equal((await post(path, 'x'.repeat(600))).status, 204);
    await beyond(600);
    await server.restart();
    await beyond(600);
    assert.equal((await post(path, 'x'.repeat(300))).status, 204);
    assert.equal((await post(path, 'x'.repeat(100))).status, 204, 'to the last byte');
    await beyond(1000);
    assert.equal((await ask(server, 'POST', path, { headers: { 'stream-closed': 'true' } })).status, 204);
    assert.equal((await get(server, path)).headers['stream-closed'], 'true');
  });

  it('keeps the bound when many appends come at once', async () => {
    await created(path);
    const replies = await Promise.all(Array.from({ length: 20 }, () => post(path, 'x'.repeat(90))));
    assert.deepEqual(replies.map(({ status }) => status).sort(), [...Array(11).fill(204), ...Array(9).fill(413)]);
    assert.equal(await size(path), 990);
  });

  it('keeps a stream from being created beyond the bound', async () => {
    expectProblem(await put(path, octets, 'x'.repeat(1001)), 413, { code: 'too_large', says: /it may have 1000 bytes/ });
    expectProblem(await get(server, path), 404);
    await created(path, octets, 'x'.repeat(1000));
  });

  it('keeps a fork from being created beyond the bound, of which its parent’s part is one', async () => {
    await created(path, octets, 'x'.repeat(900));
    expectProblem(await put(names[1], { 'stream-forked-from': path }, 'x'.repeat(101)), 413, { code: 'too_large' });
    await created(names[2], { 'stream-forked-from': path }, 'x'.repeat(50));
    expectProblem(await post(names[2], 'x'.repeat(51)), 413, { code: 'too_large', says: /it may have 1000 bytes/ });
    assert.equal((await post(names[2], 'x'.repeat(50))).status, 204);
  });

  it('has room for so many producers of a stream, which go on', async () => {
    await created(path);
    let seq = 0;
    const goOn = async () => {
      for (const id of ['one', 'two']) assert.equal((await post(path, 'x', by(id, seq))).status, 200);
      const refused = await post(path, 'x', by('three', 0));
      expectProblem(refused, 429, { code: 'busy', says: /too many producers: it may have 2/ });
      assert.match(refused.headers['retry-after'], /^[1-9]\d*$/);
      ++seq;
    };
    await goOn();
    await goOn();
    await server.restart();
    await goOn();
    assert.equal((await post(path, 'x')).status, 204, 'one without a name is no further producer');
    await created(names[1]);
    assert.equal((await post(names[1], 'x', by('three', 0))).status, 200, 'another stream has its own');
    assert.equal(await size(path), 7);
  });

  it('refuses paths that are too long', async () => {
    await created(`/v1/stream/${'x'.repeat(20)}`);
    for (const name of ['x'.repeat(21), 'ä'.repeat(11), 'x/'.repeat(10) + 'x'])
      expectProblem(await put(`/v1/stream/${encodeURI(name)}`), 400, { says: /20 bytes/ });
    await server.restart();
    expectProblem(await put(`/v1/stream/${'x'.repeat(21)}`), 400, { says: /20 bytes/ });
    expectProblem(await get(server, `/v1/stream/${'x'.repeat(21)}`), 404);
  });
});
