// The life of a generation: asked for, made, told, listed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  assertWholeStory,
  bytesPerFrame,
  catchUp,
  completed,
  eventsOf,
  generate,
  makePiece,
  positionOf,
  unknownId,
  until,
} from '../support/api.mjs';
import { ask, expectProblem, get, sha256 } from '../support/http.mjs';
import { EventListener } from '../support/listeners.mjs';
import { useServer } from '../support/server.mjs';

const sumOfAudio = async (server, id) => sha256((await get(server, `/v1/generations/${id}/audio`)).body);

describe('a generation', { concurrency: 4, timeout: 120_000 }, () => {
  const server = useServer();

  it('is answered at once with its ids and the URLs of its streams', async () => {
    const generation = await generate(server, {
      prompt: '  lofi beat, 80 bpm\n',
      user_id: 'Ada.L@example-1_x',
      duration_s: 7.5,
      seed: 2 ** 53 - 1,
      pace: 'realtime',
    });
    const { request_id: id, created_at, urls, ...rest } = generation;
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert(Math.abs(Date.now() - Date.parse(created_at)) < 10_000, created_at);
    assert.deepEqual(rest, {
      user_id: 'Ada.L@example-1_x',
      prompt: 'lofi beat, 80 bpm',
      state: 'queued',
      duration_s: 7.5,
      seed: 2 ** 53 - 1,
      pace: 'realtime',
      generator: 'synth',
      attempt: 0,
      audio_ms: 0,
      audio_bytes: 0,
      percent: 0,
    });
    assert.deepEqual(urls, {
      self: `/v1/generations/${id}`,
      audio: `/v1/generations/${id}/audio`,
      events: `/v1/generations/${id}/events`,
      download: `/v1/generations/${id}/download`,
      audio_stream: `/v1/stream/generations/${id}/audio`,
      events_stream: `/v1/stream/generations/${id}/events`,
    });
    // Every URL it hands out is there at once.
    for (const url of [urls.self, urls.events, urls.audio_stream, urls.events_stream])
      assert.equal((await get(server, url)).status, 200, url);
    await ask(server, 'DELETE', urls.self);
  });

  it('takes the documented defaults when only a prompt is given', async () => {
    const { user_id, duration_s, seed, pace, request_id } = await generate(server);
    assert.deepEqual({ user_id, duration_s, pace }, { user_id: 'anonymous', duration_s: 60, pace: 'fast' });
    assert(Number.isSafeInteger(seed) && seed >= 0, String(seed));
    const other = await generate(server);
    assert.notEqual(other.seed, seed, 'seeds are random');
    assert.notEqual(other.request_id, request_id);
  });

  it('runs to completed and says how much it made', async () => {
    const piece = await makePiece(server, { prompt: 'slow jazz trio in D minor', duration_s: 20, seed: 1 });
    assert.equal(piece.percent, 100);
    assert.equal(piece.attempt, 1);
    assert.equal(piece.reason, undefined);
    assert(
      Date.parse(piece.created_at) <= Date.parse(piece.started_at) && Date.parse(piece.started_at) <= Date.parse(piece.ended_at),
      JSON.stringify(piece),
    );
    assert.equal(piece.audio_bytes % bytesPerFrame, 0);
    assert.equal(piece.audio_ms, (piece.audio_bytes / bytesPerFrame) * 24);
    // A piece may end up to a bar later than wished, and never more than a second earlier.
    assert(piece.audio_ms >= 19_000 && piece.audio_ms <= 28_000, `${piece.audio_ms} ms of the 20 s wished for`);
    assert.equal((await get(server, piece.urls.audio)).body.length, piece.audio_bytes);
  });

  it('tells its story as a JSON array, from queued to exactly one terminal event', async () => {
    const piece = await makePiece(server, { duration_s: 30, seed: 7 });
    const events = await eventsOf(server, piece.request_id);
    const end = assertWholeStory(events, piece.request_id);
    assert.deepEqual(
      { type: end.type, bytes: end.bytes, audio_ms: end.audio_ms },
      { type: 'completed', bytes: piece.audio_bytes, audio_ms: piece.audio_ms },
    );
    const [, started] = events;
    assert.equal(started.type, 'started');
    assert.equal(started.attempt, 1);
    assert.equal(started.resumed_at_ms, 0);
    assert.equal(started.seed, 7);
    assert.equal(started.generator, 'synth');
    assert(typeof started.version === 'string' && started.version !== '', 'version');
    for (const part of ['key', 'mood', 'style']) assert(started.plan[part], `the plan has a ${part}: ${JSON.stringify(started.plan)}`);
    assert(
      events.some((event) => event.type === 'progress' && event.percent > 0 && event.percent <= 100 && event.audio_ms > 0),
      'progress',
    );
    assert.deepEqual((await get(server, piece.urls.events)).json, events, 'both doors tell the same');
  });

  it('tells its story live over server-sent events, and again from any offset in the middle', async () => {
    const { request_id: id, urls } = await generate(server, { duration_s: 7, pace: 'realtime' });
    const live = await new EventListener(server, urls.events).follow();
    const events = await eventsOf(server, id);
    assertWholeStory(events, id);
    assert.deepEqual(live.events, events);
    assert.deepEqual(live.complaints, []);
    assert(live.batches.length >= 4, `events came while the piece was made, in ${live.batches.length} batches`);
    for (const { count, offset } of live.batches) {
      assert.deepEqual(await eventsOf(server, id, offset), events.slice(count), `catch-up from ${offset}`);
      const resumed = new EventListener(server, urls.events_stream);
      resumed.batches.push({ count: 0, offset });
      resumed.position = positionOf(offset);
      assert.deepEqual((await resumed.follow()).events, events.slice(count), `server-sent events from ${offset}`);
    }
  });

  it('gives a sign of life in its events at least every five seconds while it runs', async () => {
    const { request_id: id } = await generate(server, { duration_s: 12, pace: 'realtime' });
    await until(server, id, completed);
    const events = await eventsOf(server, id);
    assert(
      events.some((event) => event.type === 'heartbeat' && event.audio_ms >= 0),
      events.map((event) => event.type).join(' '),
    );
    const gaps = events.slice(1).map((event, index) => Date.parse(event.at) - Date.parse(events[index].at));
    assert(Math.max(...gaps) < 7_000, `silent for ${Math.max(...gaps)} ms`);
  });

  it('takes about as long as the music lasts at real-time pace', async () => {
    const { request_id: id } = await generate(server, { duration_s: 6, pace: 'realtime' });
    const piece = await until(server, id, completed);
    const took = Date.parse(piece.ended_at) - Date.parse(piece.started_at);
    // A player's head start of a few seconds is fine, and so is a busy machine.
    assert(took >= piece.audio_ms / 2 && took <= piece.audio_ms + 4_000, `${took} ms for ${piece.audio_ms} ms of music`);
  });

  it('has the same bytes for the same prompt and seed, whatever the pace, and others for another seed', async () => {
    const wish = { prompt: 'warm ambient pads at dusk', duration_s: 5, seed: 11 };
    const [one, two, live, other] = await Promise.all(
      [wish, wish, { ...wish, pace: 'realtime' }, { ...wish, seed: 12 }].map((fields) => makePiece(server, fields)),
    );
    const sum = await sumOfAudio(server, one.request_id);
    assert.equal(await sumOfAudio(server, two.request_id), sum);
    assert.equal(await sumOfAudio(server, live.request_id), sum);
    assert.notEqual(await sumOfAudio(server, other.request_id), sum);
  });

  it('shows its chunks to its own user only', async () => {
    const [hers, his] = await Promise.all(['hers', 'his'].map((user_id) => makePiece(server, { user_id, duration_s: 5 })));
    const chunks = (user, id) => `/v1/users/${user}/generations/${id}/chunks`;
    for (const piece of [hers, his]) {
      const { bytes, closed } = await catchUp(server, chunks(piece.user_id, piece.request_id));
      assert(closed);
      assert.equal(sha256(bytes), await sumOfAudio(server, piece.request_id));
    }
    for (const path of [
      chunks('hers', his.request_id),
      chunks('his', hers.request_id),
      chunks('nobody', hers.request_id),
      chunks('hers', unknownId),
    ])
      expectProblem(await get(server, path), 404, { code: 'not_found', what: path });
  });

  it('is listed, newest first, page by page and user by user', async () => {
    const made = [];
    for (let index = 0; index < 5; ++index) made.unshift((await generate(server, { user_id: 'lister', duration_s: 5 })).request_id);
    const pages = [];
    let next;
    do {
      const { json } = await get(server, `/v1/generations?user_id=lister&limit=2${next ? `&after=${next}` : ''}`);
      pages.push(json.generations.map((generation) => generation.request_id));
      if (json.next !== null) assert.equal(json.next, pages.at(-1).at(-1), 'next is the last item of the page');
      next = json.next;
    } while (next);
    assert.deepEqual(pages.flat(), made);
    assert(
      pages.slice(0, 2).every((page) => page.length === 2),
      JSON.stringify(pages),
    );
    assert.deepEqual((await get(server, '/v1/generations?user_id=nobody-at-all')).json, { generations: [], next: null });
    const everyone = (await get(server, '/v1/generations?limit=200')).json.generations;
    assert(
      made.every((id) => everyone.some((generation) => generation.request_id === id)),
      'without user_id everyone is listed',
    );
    const times = everyone.map((generation) => Date.parse(generation.created_at));
    assert.deepEqual(
      times,
      [...times].sort((a, b) => b - a),
    );
  });
});
