// Sound that is pushed: a producer appends the frames of a generation itself.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { bytesPerFrame, completed, endOf, eventsOf, generate, makePiece, offsetOf, show, soundOf, until } from '../support/api.mjs';
import { decode, peakOf } from '../support/decoded.mjs';
import { ask, expectProblem, get, sha256, waitFor } from '../support/http.mjs';
import { WebSocketListener } from '../support/listeners.mjs';
import { exampleModel } from '../support/model.mjs';
import { run, start } from '../support/need.mjs';
import { useServer } from '../support/server.mjs';

/// A generation that is open to a producer, and the producer.
async function beginPush(server, fields = {}) {
  const generation = await generate(server, { generator: 'push', ...fields });
  const { id, epoch } = generation.producer;
  const append = (seq, frames, { close = false, headers = {} } = {}) =>
    ask(server, 'POST', generation.urls.audio_stream, {
      body: frames,
      headers: {
        'content-type': 'audio/mpeg',
        'producer-id': id,
        'producer-epoch': String(epoch),
        'producer-seq': String(seq),
        ...(close ? { 'stream-closed': 'true' } : {}),
        ...headers,
      },
    });
  return { ...generation, id: generation.request_id, append };
}

describe('a pushed generation', { timeout: 60_000 }, () => {
  const server = useServer({ stable: true, args: ['--generations-running', '1', '--generations-pushed', '6'] });
  let frames; // of a real piece, in parts of a second
  const aSong = async () => {
    if (!frames) {
      const sound = await soundOf(server, (await makePiece(server, { duration_s: 6, seed: 3 })).request_id);
      const size = 42 * bytesPerFrame;
      frames = Array.from({ length: Math.ceil(sound.length / size) }, (_, i) => sound.subarray(i * size, (i + 1) * size));
    }
    return frames;
  };

  it('sounds as it was pushed, is heard meanwhile, and completes when it is closed', async () => {
    const parts = await aSong();
    const push = await beginPush(server, { duration_s: 6 });
    const listener = new WebSocketListener(server, push.urls.audio_stream);
    const following = listener.follow();
    for (const [seq, part] of parts.entries()) {
      assert.equal((await push.append(seq, part)).status, 200);
      await waitFor(() => listener.position === part.byteOffset - parts[0].byteOffset + part.length);
    }
    assert.equal((await push.append(parts.length, undefined, { close: true })).status, 204);
    const piece = await endOf(server, push.id);
    await following;
    assert.deepEqual([piece.generator, piece.attempt, piece.percent], ['push', 1, 100]);
    assert.equal(sha256(listener.bytes), sha256(Buffer.concat(parts)));
    assert.equal(sha256(await soundOf(server, push.id)), sha256(Buffer.concat(parts)));
  });

  it('takes whole canonical frames and nothing else', async () => {
    const [part] = await aSong();
    const push = await beginPush(server);
    const refusal = { code: 'invalid_argument', says: [/whole frames/, /128 kbit\/s, 48 kHz/] };
    expectProblem(await push.append(0, part.subarray(0, 1000)), 400, { ...refusal, says: [...refusal.says, /Byte 768 of 1000/] });
    expectProblem(await push.append(0, Buffer.concat([Buffer.from('ID3'), part])), 400, refusal);
    expectProblem(await push.append(0, part, { headers: { 'content-type': 'audio/wav' } }), 409, { code: 'wrong_type' });
    assert.equal((await push.append(0, part)).headers['stream-next-offset'], offsetOf(part.length));
    assert.equal((await push.append(1, undefined, { close: true })).status, 204);
    await endOf(server, push.id);
  });

  it('is open to its own producer alone, whom nobody else is told of', async () => {
    const [part] = await aSong();
    const push = await beginPush(server);
    for (const headers of [{ 'producer-id': 'somebody' }, { 'producer-id': '' }])
      expectProblem(await push.append(0, part, { headers }), 403, { code: 'not_the_producer' });
    const others = await beginPush(server);
    expectProblem(await push.append(0, part, { headers: { 'producer-id': others.producer.id } }), 403, { code: 'not_the_producer' });
    const ours = await makePiece(server);
    const toOurs = await ask(server, 'POST', ours.urls.audio_stream, { body: part, headers: { 'producer-id': 'x', 'content-type': 'audio/mpeg' } });
    expectProblem(toOurs, 405, { code: 'method_not_allowed' });
    const events = await ask(server, 'POST', push.urls.events_stream, { body: {}, headers: { 'producer-id': push.producer.id } });
    expectProblem(events, 405, { code: 'method_not_allowed' });
    for (const path of [push.urls.self, '/v1/generations', push.urls.events, '/v1/system'])
      assert(!(await get(server, path)).text.includes(push.producer.id), path);
    for (const x of [push, others]) await ask(server, 'DELETE', x.urls.self);
    expectProblem(await push.append(0, part), 409, { code: 'closed' });
  });

  it('takes an append once, however often it is sent, and tells a zombie from its successor', async () => {
    const [one, two] = await aSong();
    const push = await beginPush(server);
    assert.equal((await push.append(0, one)).status, 200);
    assert.equal((await push.append(0, one)).status, 204);
    expectProblem(await push.append(2, two), 409, { code: 'producer_gap' });
    const successor = { 'producer-epoch': '1' };
    assert.equal((await push.append(0, two, { headers: successor })).status, 200);
    expectProblem(await push.append(1, two), 403, { code: 'stale_producer' });
    assert.equal((await push.append(1, undefined, { close: true, headers: successor })).status, 204);
    const piece = await endOf(server, push.id);
    assert.equal(piece.audio_bytes, one.length + two.length);
  });

  it('waits for its producer over silence, a kill and a restart, and takes no turn from others', async () => {
    const parts = await aSong();
    const push = await beginPush(server);
    await push.append(0, parts[0]);
    await server.kill();
    await server.start();
    await moment(500);
    assert.equal((await push.append(0, parts[0])).status, 204);
    await makePiece(server); // one runs at a time, and this is it
    assert.equal((await push.append(1, parts[1], { close: true })).status, 200);
    const piece = await until(server, push.id, completed);
    assert.equal(sha256(await soundOf(server, push.id)), sha256(Buffer.concat(parts.slice(0, 2))));
    assert.equal(piece.audio_bytes, parts[0].length + parts[1].length);
  });

  it('can be had so many times at once', async () => {
    const open = [];
    for (let i = 0; i < 6; ++i) open.push(await beginPush(server));
    const refused = await ask(server, 'POST', '/v1/generations', { body: { prompt: 'a', generator: 'push' } });
    expectProblem(refused, 429, { code: 'busy', says: [/6 generations are open/] });
    assert(Number(refused.headers['retry-after']) > 0);
    for (const x of open) await ask(server, 'DELETE', `${x.urls.self}?purge=true`);
    const again = await beginPush(server);
    await ask(server, 'DELETE', again.urls.self);
  });

  it('is refused with anything that makes no sense', async () => {
    for (const [body, field] of [
      [{ generator: 'synth' }, 'generator'],
      [{ generator: 'push', pace: 'realtime' }, 'pace'],
    ]) {
      const refused = await ask(server, 'POST', '/v1/generations', { body: { prompt: 'a', ...body } });
      expectProblem(refused, 400, { code: 'invalid_argument', says: [new RegExp(`${field} `)] });
    }
  });
});

describe('the example model that pushes', { timeout: 60_000 }, () => {
  const server = useServer({ stable: true });
  const args = [exampleModel, '--push'];
  const theOnly = async () => (await get(server, '/v1/generations')).json.generations[0];

  it('is heard from the first note to the last', async () => {
    const { code, stderr } = await run('python3', [...args, server.url, '--duration', '6', '--speed', '6']);
    assert.equal(code, 0, stderr);
    const { request_id: id } = await theOnly();
    const piece = await endOf(server, id);
    assert(Math.abs(piece.audio_ms - 6_000) < 100, `${piece.audio_ms} ms`);
    assert(peakOf(await decode(await soundOf(server, id))) > 3_000, 'it is not silent');
    await ask(server, 'DELETE', `/v1/generations/${id}?purge=true`);
  });

  it('goes on when the server is killed in the middle', async () => {
    const model = start('python3', [...args, server.url, '--duration', '8', '--speed', '4']);
    const { request_id: id } = await waitFor(async () => {
      const piece = await theOnly();
      return piece?.audio_bytes > 0 && piece;
    });
    for (let round = 0; round < 2; ++round) {
      await moment(400);
      await server.kill();
      await server.start();
    }
    const { code, stderr } = await model.exited;
    assert.equal(code, 0, stderr);
    const piece = await endOf(server, id);
    assert(Math.abs(piece.audio_ms - 8_000) < 100, `${piece.audio_ms} ms`);
    await decode(await soundOf(server, id)); // which complains of nothing
    assert((await eventsOf(server, id)).filter(({ type }) => type === 'started').length >= 2);
  });
});
