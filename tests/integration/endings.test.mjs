// How generations end, and what stays of them: cancelled, purged, restarted.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  assertWholeStory,
  bytesPerFrame,
  bytesPerSecond,
  catchUp,
  completed,
  eventsOf,
  generate,
  hasSound,
  makePiece,
  show,
  until,
} from '../support/api.mjs';
import { ask, expectProblem, get, open, sha256, waitFor } from '../support/http.mjs';
import { EventListener, ProgressiveListener } from '../support/listeners.mjs';
import { useServer } from '../support/server.mjs';

const sumOfAudio = async (server, id) => sha256((await get(server, `/v1/generations/${id}/audio`)).body);

async function assertGone(server, id, user = 'anonymous') {
  for (const path of [
    `generations/${id}`,
    `generations/${id}/audio`,
    `generations/${id}/events`,
    `generations/${id}/download`,
    `stream/generations/${id}/audio`,
    `stream/generations/${id}/events`,
    `users/${user}/generations/${id}/chunks`,
  ])
    expectProblem(await get(server, `/v1/${path}`), 404, { code: 'not_found', what: path });
  expectProblem(await ask(server, 'DELETE', `/v1/generations/${id}`), 404, { code: 'not_found' });
  const { json } = await get(server, `/v1/generations?limit=200&user_id=${user}`);
  assert(!json.generations.some((generation) => generation.request_id === id), 'no longer listed');
}

describe('the end of a generation', { concurrency: 4, timeout: 120_000 }, () => {
  const server = useServer();

  it('does not come because its listeners leave', async () => {
    const { request_id: id, urls } = await generate(server, { duration_s: 5, pace: 'realtime' });
    const leavers = [
      new ProgressiveListener(server, urls.audio),
      new ProgressiveListener(server, urls.download),
      new EventListener(server, urls.events),
    ];
    const following = leavers.map((listener) => listener.follow());
    await waitFor(() => leavers.every((listener) => listener.position > 0), { what: 'every listener to hear something' });
    leavers.forEach((listener) => listener.leave());
    await Promise.all(following);
    const piece = await until(server, id, completed);
    assert.equal(piece.attempt, 1);
    assert(leavers[0].position < piece.audio_bytes, 'the listener left in the middle');
    assert.equal(assertWholeStory(await eventsOf(server, id), id).type, 'completed');
  });

  it('by a cancel keeps what was made, and listeners hear a clean end', async () => {
    const { request_id: id, urls } = await generate(server, { duration_s: 60, pace: 'realtime' });
    const listener = new ProgressiveListener(server, urls.audio);
    const following = listener.follow();
    await waitFor(() => listener.position > 16_000, { what: 'a second of sound' });
    const { status, json } = await ask(server, 'DELETE', urls.self);
    assert.equal(status, 200);
    assert.equal(json.state, 'cancelled');
    await following;
    assert.equal(listener.done, true);
    const piece = await show(server, id);
    assert.equal(piece.state, 'cancelled');
    assert(piece.ended_at && piece.percent < 100, JSON.stringify(piece));
    assert(
      piece.audio_bytes > 0 && piece.audio_bytes < 60 * bytesPerSecond && piece.audio_bytes % bytesPerFrame === 0,
      JSON.stringify(piece),
    );
    assert.equal(listener.position, piece.audio_bytes);
    const kept = await catchUp(server, urls.audio_stream);
    assert(kept.closed);
    assert.equal(sha256(kept.bytes), sha256(listener.bytes));
    const end = assertWholeStory(await eventsOf(server, id), id);
    assert.equal(end.type, 'cancelled');
    assert.equal(end.audio_ms, piece.audio_ms);
    assert.deepEqual((await ask(server, 'DELETE', urls.self)).json, piece, 'cancelling again changes nothing');
  });

  it('is not changed by a cancel that comes later', async () => {
    const piece = await makePiece(server, { duration_s: 5 });
    const { status, json } = await ask(server, 'DELETE', piece.urls.self);
    assert.equal(status, 200);
    assert.deepEqual(json, piece);
  });

  it('by a purge leaves no trace, even of a running one', async () => {
    const ended = await makePiece(server, { duration_s: 5 });
    const running = await generate(server, { duration_s: 60, pace: 'realtime' });
    await until(server, running.request_id, hasSound);
    const listener = await open(server, 'GET', running.urls.audio);
    listener.on('error', () => {}).resume();
    for (const { request_id: id, urls } of [ended, running]) {
      const reply = await ask(server, 'DELETE', `${urls.self}?purge=true`);
      assert.equal(reply.status, 204, reply.text);
      assert.equal(reply.body.length, 0);
      await assertGone(server, id);
    }
    await waitFor(() => listener.closed, { what: 'the listener of a purged piece to be let go' });
  });

  it('is no purge with purge=false', async () => {
    const piece = await makePiece(server, { duration_s: 5 });
    assert.equal((await ask(server, 'DELETE', `${piece.urls.self}?purge=false`)).status, 200);
    assert.equal((await show(server, piece.request_id)).state, 'completed');
  });
});

describe('after a restart', { timeout: 60_000 }, () => {
  const server = useServer({ stable: true });

  it('every piece is as it was, and what was purged stays gone', async () => {
    const kept = await makePiece(server, { user_id: 'keeper', duration_s: 5, seed: 3 });
    const cancelled = await generate(server, { user_id: 'keeper', duration_s: 60, pace: 'realtime' });
    await until(server, cancelled.request_id, hasSound);
    await ask(server, 'DELETE', cancelled.urls.self);
    const purged = await makePiece(server, { user_id: 'keeper', duration_s: 5 });
    await ask(server, 'DELETE', `${purged.urls.self}?purge=true`);

    const remembered = async () => ({
      list: (await get(server, '/v1/generations?user_id=keeper')).json,
      sums: await Promise.all([kept, cancelled].map(({ request_id }) => sumOfAudio(server, request_id))),
      events: await Promise.all([kept, cancelled].map(({ request_id }) => eventsOf(server, request_id))),
    });
    const before = await remembered();
    assert.deepEqual(
      before.list.generations.map(({ state }) => state),
      ['cancelled', 'completed'],
    );
    await server.restart();
    assert.deepEqual(await remembered(), before);
    await assertGone(server, purged.request_id, 'keeper');
    await server.kill();
    await server.start();
    assert.deepEqual(await remembered(), before, 'after kill -9 too');
    await assertGone(server, purged.request_id, 'keeper');
  });
});
