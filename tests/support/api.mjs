// The vocabulary of the API, as the tests speak it.
import assert from 'node:assert/strict';
import { ask, get, waitFor } from './http.mjs';

export const unknownId = '00000000-0000-4000-8000-000000000000';
export const bytesPerSecond = 16_000;
export const bytesPerFrame = 384;

/// The offset of a byte position.
export const offsetOf = (position) => `0000000000000000_${position.toString(16).padStart(16, '0')}`;

/// The byte position of an offset.
export function positionOf(offset) {
  assert.match(offset ?? 'no offset', /^0{16}_[0-9a-f]{16}$/);
  return parseInt(offset.slice(17), 16);
}

/// Asks for a piece and returns its generation object.
export async function generate(server, fields = {}) {
  const reply = await ask(server, 'POST', '/v1/generations', { body: { prompt: 'slow jazz trio in D minor', ...fields } });
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

/// The generation object as it is now.
export async function show(server, id) {
  const reply = await get(server, `/v1/generations/${id}`);
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

/// Waits until the generation satisfies `condition` and returns it; fails at once when it ended without doing so.
export async function until(server, id, condition, { deadline = 30_000 } = {}) {
  let last;
  return waitFor(
    async () => {
      last = await show(server, id);
      if (condition(last)) return last;
      assert(isAlive(last), `ended before the condition held: ${JSON.stringify(last)}`);
      return undefined;
    },
    { deadline, what: () => `${condition} of ${JSON.stringify(last)}` },
  );
}

const isAlive = ({ state }) => state === 'queued' || state === 'running';
export const completed = (generation) => generation.state === 'completed';
export const failed = (generation) => generation.state === 'failed';
export const hasSound = (generation) => generation.state === 'running' && generation.audio_bytes > 0;

/// Makes a piece to its end.
export async function makePiece(server, fields) {
  const { request_id: id } = await generate(server, fields);
  return until(server, id, completed);
}

/// The bytes of `path` read by catch-up requests from `offset` to the tail, and what the last page said.
export async function catchUp(server, path, offset = '-1') {
  const pages = [];
  let position = offset === '-1' ? 0 : positionOf(offset);
  for (;;) {
    const reply = await get(server, `${path}?offset=${offset}`);
    assert.equal(reply.status, 200, reply.text);
    pages.push(reply.body);
    position += reply.body.length;
    offset = reply.headers['stream-next-offset'];
    assert.equal(positionOf(offset), position, `${path}: Stream-Next-Offset is where the body ends`);
    const closed = reply.headers['stream-closed'] === 'true';
    if (closed || reply.headers['stream-up-to-date'] === 'true')
      return { bytes: Buffer.concat(pages), pages: pages.length, closed, offset };
    assert(reply.body.length > 0, `${path}: an empty page that is not the tail`);
  }
}

/// The events of a generation from `offset` on, by catch-up requests.
export async function eventsOf(server, id, offset = '-1') {
  const events = [];
  for (;;) {
    const { status, json, headers, text } = await get(server, `/v1/stream/generations/${id}/events?offset=${offset}`);
    assert.equal(status, 200, text);
    assert(Array.isArray(json), `a catch-up body of events is an array: ${text}`);
    events.push(...json);
    offset = headers['stream-next-offset'];
    if (headers['stream-up-to-date'] === 'true' || headers['stream-closed'] === 'true') return events;
    assert(json.length > 0, 'an empty page of events that is not the tail');
  }
}

const terminal = ['completed', 'failed', 'cancelled'];

/// Asserts what holds for the events of every ended generation, crashed in between or not; returns the terminal event.
export function assertWholeStory(events, id) {
  const types = events.map((event) => event.type);
  const seen = types.join(' ');
  assert.equal(types[0], 'queued', seen);
  assert.equal(events[0].request_id, id);
  assert(types.lastIndexOf('queued') < types.findIndex((type) => type !== 'queued'), `queued only while it waits: ${seen}`);
  assert.equal(types.filter((type) => terminal.includes(type)).length, 1, `exactly one terminal event: ${seen}`);
  assert(terminal.includes(types.at(-1)), `the terminal event is the last: ${seen}`);
  events.forEach((event) => assert.match(event.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, JSON.stringify(event)));

  const starts = events.filter((event) => event.type === 'started');
  starts.forEach((event, index) =>
    assert(event.attempt > (starts[index - 1]?.attempt ?? 0), `attempts count up: ${JSON.stringify(starts)}`),
  );
  const progress = events.filter((event) => ['progress', 'completed'].includes(event.type));
  progress.forEach((event, index) => {
    const before = progress[index - 1];
    assert.equal(positionOf(event.offset), event.bytes, JSON.stringify(event));
    assert(event.bytes >= (before?.bytes ?? 0), `offsets only grow: ${JSON.stringify([before, event])}`);
  });
  return events.at(-1);
}

/// Waits until the generation has ended as `condition` says, with a whole story, and returns it.
export async function endOf(server, id, condition = completed) {
  const piece = await until(server, id, (generation) => condition(generation) || failed(generation));
  assert(condition(piece), JSON.stringify(piece));
  assertWholeStory(await eventsOf(server, id), id);
  return piece;
}

/// All bytes of its sound.
export async function soundOf(server, id) {
  return (await get(server, `/v1/generations/${id}/audio`)).body;
}

/// Its `started` events, one for each attempt that began.
export async function startsOf(server, id) {
  return (await eventsOf(server, id)).filter(({ type }) => type === 'started');
}

export const octets = { 'content-type': 'application/octet-stream' };

/// Creates a stream of an application.
export async function createStream(server, path, headers = octets) {
  assert.equal((await ask(server, 'PUT', path, { headers })).status, 201);
}

/// Appends to a stream of an application, without a producer.
export async function append(server, path, body, headers = octets) {
  const reply = await ask(server, 'POST', path, { body, headers });
  assert.equal(reply.status, 204, reply.text);
}

export const closeStream = (server, path) => ask(server, 'POST', path, { headers: { 'stream-closed': 'true' } });

/// Samples of the Prometheus text format: name with labels → value.
export async function metricsOf(server) {
  const { status, headers, text } = await get(server, '/metrics');
  assert.equal(status, 200);
  assert.match(headers['content-type'], /^text\/plain/);
  const samples = text
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]);
  return { text, samples: Object.fromEntries(samples) };
}
