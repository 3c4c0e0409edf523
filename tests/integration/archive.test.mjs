// Finished pieces that are kept as objects: played from there through every door, and brought back by
// being played. A data folder, no network.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { append, catchUp, makePiece, offsetOf, soundOf } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { assertPlays, doors } from '../support/doors.mjs';
import { ask, expectProblem, get, sha256, waitFor } from '../support/http.mjs';
import { EventListener } from '../support/listeners.mjs';
import { Server, useServer } from '../support/server.mjs';
import {
  evicted,
  noise,
  objectsIn,
  objectsOf,
  pushPiece,
  readsOf,
  removed,
  stored,
  transferOf,
  transfersOf,
  untilAway,
  untilBack,
  untilTransfer,
} from '../support/tiers.mjs';

const archive = (after, idle) => ['--policy', 'archive', '--archive-after', after, '--idle', idle, '--cache', 'none:'];
const lease = ['--transfer-lease', '2s'];
const mpeg = { 'content-type': 'audio/mpeg' };
const size = 1_500_000; // more than one page of catch-up
const middle = 700_001;

const purge = async (server, piece) => assert.equal((await ask(server, 'DELETE', `${piece.urls.self}?purge=true`)).status, 204);
const objectsLeft = (server, { request_id: id }) => objectsIn(server.data).filter((name) => name.includes(id));

async function noisePiece(server, bytes = size) {
  const sound = noise(bytes);
  return { ...(await pushPiece(server, sound)), sound };
}

async function archivedPiece(server, bytes) {
  const piece = await noisePiece(server, bytes);
  await untilAway(server, piece.request_id);
  return piece;
}

describe('an archived piece', { concurrency: true, timeout: 60_000 }, () => {
  const server = useServer({ args: [...archive('1s', '500ms'), ...lease] });

  it('is a file and a manifest, plays through every door, is brought back by that, and goes again', async () => {
    const pieces = await Promise.all(Object.keys(doors).map(async (door) => ({ door, ...(await archivedPiece(server)) })));
    for (const { request_id: id, sound } of pieces) {
      assert.deepEqual(objectsLeft(server, { request_id: id }), objectsOf(id));
      const file = readFileSync(join(server.data, 'objects', objectsOf(id)[1]));
      assert.equal(sha256(file), sha256(sound), 'anybody can play the file');
    }
    const rows = await Promise.all(pieces.map(({ request_id: id }) => transferOf(server, id)));
    await everyCase(pieces, (piece) => assertPlays(piece.door, server, piece));
    for (const [i, { request_id: id }] of pieces.entries()) await untilBack(server, id, rows[i]);
    await Promise.all(pieces.map((piece) => untilAway(server, piece.request_id)));
    await everyCase(pieces, (piece) => assertPlays(piece.door, server, piece));
  });

  it('answers HEAD like a piece that is not', async () => {
    const [piece, kept] = await Promise.all([archivedPiece(server), noisePiece(server)]);
    for (const url of ['audio', 'download']) {
      const [head, other] = [await ask(server, 'HEAD', piece.urls[url]), await ask(server, 'HEAD', kept.urls[url])];
      assert.deepEqual([head.status, head.body.length], [200, 0]);
      for (const name of ['content-type', 'content-length', 'accept-ranges', 'cache-control', 'content-disposition'])
        assert.equal(head.headers[name], other.headers[name], `${name} of ${url}`);
    }
    const { status, headers } = await ask(server, 'HEAD', piece.urls.audio_stream);
    assert.deepEqual(
      [status, headers['stream-next-offset'], headers['stream-closed']],
      [200, offsetOf(piece.sound.length), 'true'],
    );
  });

  it('that was heard while it was made sounds the same afterwards', async () => {
    const piece = await makePiece(server, { duration_s: 60, seed: 4 });
    const sound = await soundOf(server, piece.request_id);
    await untilAway(server, piece.request_id);
    for (const door of ['player', 'WebSocket from the middle']) await assertPlays(door, server, { ...piece, sound });
  });

  it('sounds right to everybody who joins while it is brought back', async () => {
    const piece = await archivedPiece(server, 24_000_000);
    const { sound, urls, request_id: id } = piece;
    const row = await transferOf(server, id);
    let back = false;
    const joining = Array.from({ length: 6 }, async (_, i) => {
      for (let visit = 0; !back || visit < 3; ++visit) {
        const from = Math.floor((((visit * 7 + i * 5) % 24) / 24) * sound.length) + visit;
        const path = `${urls.audio_stream}?${i % 2 ? 'live=long-poll&' : ''}offset=${offsetOf(from)}`;
        const { status, body, text } = await get(server, path);
        assert.equal(status, 200, status === 200 ? '' : `${path}: ${text}`);
        assert.equal(sha256(body), sha256(sound.subarray(from, from + body.length)), `${body.length} bytes from ${from}`);
      }
    });
    const fetched = untilBack(server, id, row).finally(() => (back = true));
    await Promise.all([...joining, assertPlays('WebSocket', server, piece), assertPlays('player', server, piece), fetched]);
    for (const door of ['download', 'server-sent events']) await assertPlays(door, server, piece);
  });

  it('is forked, and the fork plays and goes its own way', async () => {
    const { sound, urls, request_id: id } = await archivedPiece(server);
    const path = `/v1/stream/fork-of/${id}`;
    const headers = { ...mpeg, 'stream-forked-from': urls.audio_stream, 'stream-fork-offset': offsetOf(middle) };
    const created = await ask(server, 'PUT', path, { headers });
    assert.deepEqual([created.status, created.headers['stream-next-offset']], [201, offsetOf(middle)], created.text);
    await append(server, path, 'its own way', mpeg);
    const whole = Buffer.concat([sound.subarray(0, middle), Buffer.from('its own way')]);
    for (const from of [0, middle - 10, middle, middle + 3])
      assert.equal(sha256((await catchUp(server, path, offsetOf(from))).bytes), sha256(whole.subarray(from)), `from ${from}`);
    assert.equal((await ask(server, 'DELETE', path)).status, 204);
  });

  it('tells who listens how it is uploaded, evicted and brought back', async () => {
    const { request_id: id, urls } = await noisePiece(server);
    const path = `${urls.self}/transfers`;
    await waitFor(async () => (await get(server, path)).status === 200, { what: 'the first event' });
    const listener = new EventListener(server, path);
    const following = listener.follow();
    const told = () => listener.events.map(({ kind, state }) => `${kind} ${state}`);
    await waitFor(() => told().includes('evict done'), { what: () => `evict done; told were ${told()}` });
    await get(server, urls.audio);
    const rest = () => told().slice(told().indexOf('evict done') + 1);
    await waitFor(() => rest().includes('evict done'), { what: () => `another evict done; told were ${told()}` });
    listener.leave();
    await following;
    for (const event of listener.events) {
      assert.equal(event.type, 'transfer');
      assert.match(event.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert(event.bytes_done <= event.bytes_total && event.attempts === 0 && !event.error, JSON.stringify(event));
    }
    const steps = told().filter((step, i, all) => step !== all[i - 1]);
    assert.deepEqual(steps, [
      ...['upload waiting', 'upload running', 'evict waiting', 'evict running', 'evict done'],
      ...['download waiting', 'download running', 'evict waiting', 'evict running', 'evict done'],
    ]);
    assert.equal((await transferOf(server, id)).bytes_total, Math.ceil(size / 384) * 384);
  });

  it('goes with its objects when it is purged, archived or on the way', async () => {
    const pieces = [await archivedPiece(server), await noisePiece(server)];
    for (const piece of pieces) await purge(server, piece);
    for (const piece of pieces) {
      await untilTransfer(server, piece.request_id, removed);
      expectProblem(await get(server, piece.urls.audio), 404);
    }
    assert.deepEqual(
      pieces.flatMap((piece) => objectsLeft(server, piece)),
      [],
    );
  });
});

describe('what is archived', { timeout: 60_000 }, () => {
  const server = useServer({ stable: true, args: [...archive('2s', '500ms'), ...lease] });

  it('is evicted when its time has come, each piece by itself', async () => {
    const [one, two] = [await noisePiece(server), await noisePiece(server)]; // due one soon after the other
    for (const { request_id: id } of [one, two]) await untilTransfer(server, id, evicted, { deadline: 15_000 });
  });

  it('is read from its object, then from the store it was brought back to, and later from the object again', async () => {
    const piece = await archivedPiece(server);
    const reads = async () => {
      const before = await readsOf(server);
      await assertPlays('player', server, piece);
      const now = await readsOf(server);
      return Object.fromEntries(Object.keys(now).map((tier) => [tier, now[tier] - before[tier]]));
    };
    const first = await reads();
    await untilTransfer(server, piece.request_id, stored);
    const second = await reads();
    await untilAway(server, piece.request_id);
    const third = await reads();
    assert(first.object > 0 && second.object === 0 && third.object > 0, JSON.stringify([first, second, third]));
    assert(second.store > 0, JSON.stringify(second));
    assert.deepEqual([first.store, third.store], [0, 0], 'the store had nothing, and has served nothing');
  });

  it('is brought back also when it was evicted while it was played without a pause', async () => {
    const piece = await noisePiece(server);
    let playing = true;
    const player = (async () => {
      for (; playing; await moment(50)) await assertPlays('player', server, piece);
    })();
    try {
      const row = await untilTransfer(server, piece.request_id, evicted);
      await untilBack(server, piece.request_id, row);
    } finally {
      playing = false;
      await player;
    }
  });

  it('survives a restart and a change of the policy', async () => {
    const piece = await archivedPiece(server);
    const row = await transferOf(server, piece.request_id);
    await server.stop();
    const keeping = await new Server({ data: server.data, port: server.port, args: ['--policy', 'keep'] }).start();
    await assertPlays('WebSocket', keeping, piece);
    await untilBack(keeping, piece.request_id, row); // playing brings it back all the same
    await keeping.stop();
    await server.start();
    await assertPlays('ranges', server, piece);
  });

  it('is kept for its forks when it is purged, and goes with the last of them', async () => {
    const piece = await archivedPiece(server);
    const forks = ['/v1/stream/one', '/v1/stream/two'];
    const headers = { ...mpeg, 'stream-forked-from': piece.urls.audio_stream };
    for (const path of forks) assert.equal((await ask(server, 'PUT', path, { headers })).status, 201);
    await purge(server, piece);
    expectProblem(await get(server, piece.urls.self), 404);
    expectProblem(await get(server, piece.urls.audio_stream), 410, { code: 'gone' });
    const assertHeard = async (path) => assert.equal(sha256((await catchUp(server, path)).bytes), sha256(piece.sound));
    for (const path of forks) await assertHeard(path);
    assert.equal((await ask(server, 'DELETE', forks[0])).status, 204);
    await server.restart();
    await assertHeard(forks[1]);
    assert.deepEqual(objectsLeft(server, piece), objectsOf(piece.request_id));
    assert.equal((await ask(server, 'DELETE', forks[1])).status, 204);
    await waitFor(() => objectsLeft(server, piece).length === 0, { deadline: 20_000, what: 'its objects to go' });
  });
});

describe('the policy', { concurrency: true, timeout: 60_000 }, () => {
  const keeping = useServer({ args: ['--policy', 'keep', '--archive-after', '100ms', '--idle', '500ms'] });

  it('keep uploads nothing', async () => {
    const [made, pushed] = [await makePiece(keeping, { duration_s: 5 }), await noisePiece(keeping)];
    // Whether there is an upload is decided before a piece has completed.
    assert.deepEqual([await transfersOf(keeping), objectsIn(keeping.data)], [[], []]);
    await assertPlays('player', keeping, pushed);
    for (const { urls } of [made, pushed]) expectProblem(await get(keeping, `${urls.self}/transfers`), 404);
  });
});
