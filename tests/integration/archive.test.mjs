// Finished pieces that are kept as objects: played from there through every door, brought back by being played, and never
// played when they are broken. A data folder, no network.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { append, catchUp, completed, makePiece, offsetOf, soundOf } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { ask, expectProblem, get, open, sha256, waitFor } from '../support/http.mjs';
import { ByteEventListener, EventListener, LongPollListener, ProgressiveListener, WebSocketListener } from '../support/listeners.mjs';
import { Server, useServer } from '../support/server.mjs';
import {
  dead,
  evicted,
  noise,
  objectsIn,
  objectsOf,
  pushPiece,
  readsOf,
  stored,
  transferOf,
  transfersOf,
  untilTransfer,
} from '../support/tiers.mjs';

const archive = ['--policy', 'archive', '--archive-after', '1s', '--idle', '500ms', '--cache', 'none:'];
const sizeOfSound = 1_500_000; // more than one page of catch-up
const middle = 700_001;
const purge = (server, piece) => ask(server, 'DELETE', `${piece.urls.self}?purge=true`);

/// Waits until an object alone has a piece: its chunks are evicted, and its stream is no longer in memory.
async function untilAway(server, { request_id: id }) {
  await untilTransfer(server, id, evicted);
  const inMemory = async () => (await get(server, '/v1/system')).text.includes(id);
  await waitFor(async () => !(await inMemory()), { what: 'its stream to be idle' });
}

/// A piece of noise whose object alone has it: `{sound, …}`.
async function archivedPiece(server, size = sizeOfSound) {
  const sound = noise(size);
  const piece = await pushPiece(server, sound);
  await untilAway(server, piece);
  return { ...piece, sound };
}

const heard = async (Door, server, path, position = 0) => {
  const listener = Object.assign(new Door(server, path), { position });
  await listener.follow();
  assert.deepEqual([listener.cuts, listener.complaints], [0, []], 'in one go');
  return listener.bytes;
};

/// Every way to hear a piece: `{sound, from}`, what is heard and where that begins.
const doors = {
  player: async (server, { urls }) => ({ sound: (await get(server, urls.audio)).body }),
  'player from the middle': (server, { urls }) =>
    get(server, `${urls.audio}?offset=${offsetOf(middle)}`).then(({ body: sound }) => ({ sound, from: middle })),
  download: async (server, { urls }) => ({ sound: (await get(server, urls.download)).body }),
  ranges: async (server, { urls, sound: { length } }) => {
    const parts = [];
    for (let at = 0; at < length; at += 333_333) {
      const { status, headers, body } = await get(server, urls.audio, { range: `bytes=${at}-${at + 333_332}` });
      assert.deepEqual([status, headers['content-range']], [206, `bytes ${at}-${at + body.length - 1}/${length}`]);
      parts.push(body);
    }
    return { sound: Buffer.concat(parts) };
  },
  'the last bytes': async (server, { urls, sound: { length } }) => {
    const { status, body: sound } = await get(server, urls.audio, { range: 'bytes=-1000' });
    assert.equal(status, 206);
    return { sound, from: length - 1000 };
  },
  'catch-up': async (server, { urls }) => ({ sound: (await catchUp(server, urls.audio_stream)).bytes }),
  'catch-up from the middle': (server, { urls }) =>
    catchUp(server, urls.audio_stream, offsetOf(middle)).then(({ bytes: sound }) => ({ sound, from: middle })),
  'its user': async (server, { user_id: user, request_id: id }) => ({
    sound: (await catchUp(server, `/v1/users/${user}/generations/${id}/chunks`)).bytes,
  }),
  'long poll': async (server, { urls }) => ({ sound: await heard(LongPollListener, server, urls.audio_stream) }),
  'server-sent events': async (server, { urls }) => ({ sound: await heard(ByteEventListener, server, urls.audio_stream) }),
  WebSocket: async (server, { urls }) => ({ sound: await heard(WebSocketListener, server, urls.audio_stream) }),
  'WebSocket from the middle': async (server, { urls }) => ({
    sound: await heard(WebSocketListener, server, urls.audio_stream, middle),
    from: middle,
  }),
};

async function plays(door, server, piece) {
  const { sound, from = 0 } = await doors[door](server, piece);
  const expected = piece.sound.subarray(from);
  assert.deepEqual([sound.length, sha256(sound)], [expected.length, sha256(expected)], door);
}

describe('an archived piece', { concurrency: true, timeout: 90_000 }, () => {
  const server = useServer({ args: archive });

  it('is two objects, and plays through every door from there', async () => {
    const pieces = await Promise.all(Object.keys(doors).map(async (door) => ({ door, ...(await archivedPiece(server)) })));
    for (const { request_id: id, sound } of pieces) {
      const file = readFileSync(join(server.data, 'objects', `generations/${id}/audio.mp3`));
      assert.equal(sha256(file), sha256(sound), 'the object is a file that anybody can play');
    }
    await everyCase(pieces, (piece) => plays(piece.door, server, piece));
    await everyCase(pieces, ({ request_id: id }) => untilTransfer(server, id, evicted)); // played, brought back, and gone again
  });

  it('answers HEAD like a piece that is not', async () => {
    const [piece, kept] = await Promise.all([archivedPiece(server), pushPiece(server, noise(sizeOfSound))]);
    for (const url of ['audio', 'download']) {
      const [head, other] = [await ask(server, 'HEAD', piece.urls[url]), await ask(server, 'HEAD', kept.urls[url])];
      assert.deepEqual([head.status, head.body.length], [200, 0]);
      for (const name of ['content-type', 'content-length', 'accept-ranges', 'cache-control', 'content-disposition'])
        assert.equal(head.headers[name], other.headers[name], `${name} of ${url}`);
    }
    const { status, headers } = await ask(server, 'HEAD', piece.urls.audio_stream);
    assert.deepEqual([status, headers['stream-next-offset'], headers['stream-closed']], [200, offsetOf(piece.sound.length), 'true']);
  });

  it('that was heard while it was made sounds the same afterwards', async () => {
    const { request_id: id, urls } = await makePiece(server, { duration_s: 20, seed: 4 });
    const sound = await soundOf(server, id);
    await untilTransfer(server, id, evicted);
    for (const Door of [ProgressiveListener, WebSocketListener])
      assert.equal(sha256(await heard(Door, server, Door === WebSocketListener ? urls.audio_stream : urls.audio)), sha256(sound));
  });

  it('sounds right to everybody who joins while it is brought back', async () => {
    const piece = await archivedPiece(server, 24_000_000);
    const { sound, urls, request_id: id } = piece;
    let back = false;
    const joining = Array.from({ length: 6 }, async (_, i) => {
      for (let visit = 0; !back || visit < 3; ++visit) {
        const from = Math.floor((((visit * 7 + i * 5) % 24) / 24) * sound.length) + visit;
        const path = `${urls.audio_stream}?${i % 2 ? 'live=long-poll&' : ''}offset=${offsetOf(from)}`;
        const { status, body, text } = await get(server, path);
        assert.equal(status, 200, `${path}: ${status < 500 ? status : text}`);
        assert.equal(sha256(body), sha256(sound.subarray(from, from + body.length)), `${body.length} bytes from ${from}`);
      }
    });
    const fetched = untilTransfer(server, id, stored).finally(() => (back = true));
    await Promise.all([...joining, plays('WebSocket', server, piece), plays('player', server, piece), fetched]);
    for (const door of ['download', 'server-sent events']) await plays(door, server, piece);
  });

  it('is forked, and the fork plays and goes its own way', async () => {
    const { sound, urls, request_id: id } = await archivedPiece(server);
    const path = `/v1/stream/fork-of/${id}`;
    const headers = { 'content-type': 'audio/mpeg', 'stream-forked-from': urls.audio_stream, 'stream-fork-offset': offsetOf(middle) };
    const created = await ask(server, 'PUT', path, { headers });
    assert.deepEqual([created.status, created.headers['stream-next-offset']], [201, offsetOf(middle)], created.text);
    await append(server, path, 'its own way', { 'content-type': 'audio/mpeg' });
    const whole = Buffer.concat([sound.subarray(0, middle), Buffer.from('its own way')]);
    assert.equal(sha256((await catchUp(server, path)).bytes), sha256(whole));
    for (const from of [0, middle - 10, middle, middle + 3]) {
      const { bytes } = await catchUp(server, path, offsetOf(from));
      assert.equal(sha256(bytes), sha256(whole.subarray(from)), `from ${from}`);
    }
    await ask(server, 'DELETE', path);
  });
});

describe('what is archived', { timeout: 90_000 }, () => {
  const server = useServer({ stable: true, args: [...archive, '--transfer-attempts', '2'] });
  const forkOf = async ({ urls }, path) => {
    const headers = { 'content-type': 'audio/mpeg', 'stream-forked-from': urls.audio_stream };
    assert.equal((await ask(server, 'PUT', path, { headers })).status, 201);
    return path;
  };

  it('is read from its object, then from the store it was brought back to, and later from the object again', async () => {
    const piece = await archivedPiece(server);
    const reads = async () => {
      const before = await readsOf(server);
      await plays('player', server, piece);
      const now = await readsOf(server);
      return Object.fromEntries(['store', 'object'].map((tier) => [tier, now[tier] - before[tier]]));
    };
    for (let round = 0; round < 2; ++round) {
      const { store, object } = await reads();
      assert(object > 0, 'it is read from its object');
      assert.equal(store, 0, `${store} reads are said to have been served by the chunk store, which had nothing`);
      await untilTransfer(server, piece.request_id, stored);
      const back = await reads();
      assert(back.store > 0 && back.object === 0, JSON.stringify(back));
      await untilAway(server, piece);
    }
  });

  it('comes back also when it is never left alone', async () => {
    const busy = await new Server({ args: archive.map((x, i) => (archive[i - 1] === '--idle' ? '1h' : x)) }).start();
    try {
      const sound = noise(sizeOfSound);
      const piece = { ...(await pushPiece(busy, sound)), sound };
      await untilTransfer(busy, piece.request_id, evicted);
      const { id } = await transferOf(busy, piece.request_id);
      const isBack = async () => {
        await plays('player', busy, piece);
        return (await transferOf(busy, piece.request_id)).id !== id;
      };
      await waitFor(isBack, { every: 100, what: 'a piece that is played all the time to be brought back' });
    } finally {
      await busy.dispose();
    }
  });

  it('survives a restart, and a change of the policy', async () => {
    const piece = await archivedPiece(server);
    await server.restart();
    await plays('player', server, piece);
    await server.stop();
    const keeping = new Server({ data: server.data, port: server.port, args: ['--policy', 'keep', '--idle', '1s'] });
    await keeping.start();
    await plays('WebSocket', keeping, piece);
    await untilTransfer(keeping, piece.request_id, stored); // once archived, playing brings it back
    await keeping.stop();
    await server.start();
    await plays('ranges', server, piece);
  });

  it('tells its listeners how it is uploaded, evicted and brought back', async () => {
    const piece = await pushPiece(server, noise(sizeOfSound));
    const { request_id: id, urls } = piece;
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
    const kinds = listener.events.map(({ kind }) => kind).filter((kind, i, all) => kind !== all[i - 1]);
    assert.deepEqual(kinds, ['upload', 'evict', 'download', 'evict'], told().join());
    assert.equal((await transferOf(server, id)).bytes_total, sizeOfSound);
  });

  it('is kept for its forks when it is purged, and goes with the last of them', async () => {
    const piece = await archivedPiece(server);
    const { request_id: id, sound } = piece;
    const forks = [await forkOf(piece, '/v1/stream/one'), await forkOf(piece, '/v1/stream/two')];
    assert.equal((await purge(server, piece)).status, 204);
    expectProblem(await get(server, piece.urls.self), 404);
    expectProblem(await get(server, piece.urls.audio_stream), 410, { code: 'gone' });
    const objects = () => objectsIn(server.data).filter((name) => name.includes(id));
    const play = (path) => catchUp(server, path).then(({ bytes }) => assert.equal(sha256(bytes), sha256(sound)));
    for (const path of forks) await play(path);
    assert.equal((await ask(server, 'DELETE', forks[0])).status, 204);
    await server.restart();
    await play(forks[1]);
    assert.deepEqual(objects(), objectsOf(id));
    assert.equal((await ask(server, 'DELETE', forks[1])).status, 204);
    await waitFor(() => objects().length === 0, { deadline: 20_000, what: () => `${objects()} to go` });
  });

  it('is removed with its piece', async () => {
    const [one, two] = [await archivedPiece(server), await pushPiece(server, noise(sizeOfSound))];
    for (const piece of [one, two]) assert.equal((await purge(server, piece)).status, 204); // archived, and on its way
    const objects = () => objectsIn(server.data).filter((name) => [one, two].some((piece) => name.includes(piece.request_id)));
    await waitFor(() => objects().length === 0, { deadline: 40_000, what: () => `${objects()} to go` });
    for (const piece of [one, two]) await untilTransfer(server, piece.request_id, ({ kind, state }) => kind === 'remove' && state === 'done');
  });

  /// What is heard of `path` until it ends or is cut: `{status, whole, bytes}`.
  const hear = async (path, headers) => {
    const response = await open(server, 'GET', path, { headers });
    const bytes = [];
    try {
      for await (const part of response) bytes.push(part);
    } catch {
      // which `complete` says as well
    }
    return { status: response.statusCode, whole: response.complete, bytes: Buffer.concat(bytes) };
  };

  /// Ways to break an object, and where it is good until then.
  const faults = {
    'a byte of it has changed': (file, { length }) => {
      const bytes = readFileSync(file);
      bytes[length - 300_000] ^= 1;
      writeFileSync(file, bytes);
    },
    'it ends too early': (file, { length }) => truncateSync(file, length - 300_000),
    'it is away': (file) => rmSync(file),
  };
  for (const [fault, inflict] of Object.entries(faults))
    it(`is never played when ${fault}; once it is repaired, a retry brings it back`, async () => {
      const piece = await archivedPiece(server);
      const { sound, urls, request_id: id } = piece;
      const file = join(server.data, 'objects', objectsOf(id)[1]);
      inflict(file, sound);
      const broken = sound.length - 300_001;
      const logged = server.log.length;
      const isCut = ({ whole, bytes }) => {
        assert(!whole && bytes.length < sound.length, `${bytes.length} bytes, ${whole ? 'whole' : 'cut'}`);
        assert.equal(sha256(bytes), sha256(sound.subarray(0, bytes.length)), 'nothing but sound');
      };
      await everyCase([urls.audio, urls.download], async (path) => isCut(await hear(path)));
      const { status, whole, bytes } = await hear(urls.audio, { range: `bytes=${broken - 10}-${broken + 10}` });
      assert.deepEqual([status, whole, bytes.length], [206, false, 0], 'a range that cannot be had');
      for (const live of ['', 'live=long-poll&']) {
        const reply = await get(server, `${urls.audio_stream}?${live}offset=${offsetOf(broken)}`);
        expectProblem(reply, 500, { what: 'not 404: it is a fault of the server, and the piece is not gone' });
        assert(!reply.text.includes(server.data), `nobody is told where files lie: ${reply.text}`);
      }
      for (const Door of [WebSocketListener, ByteEventListener]) {
        const listener = new Door(server, urls.audio_stream);
        const following = listener.follow();
        await waitFor(() => listener.cuts > 0, { what: 'the listener to be cut off' });
        listener.leave();
        await following;
        isCut({ whole: listener.done, bytes: listener.bytes });
      }
      const letter = await untilTransfer(server, id, dead);
      assert.deepEqual([letter.kind, letter.attempts], ['download', 2]);
      assert.match(letter.error, /^(corrupt|not_found): /);
      assert((await transfersOf(server, { dead: true })).some((row) => row.id === letter.id));
      assert.match(server.log.slice(logged), new RegExp(`error .*${id}`), 'it is logged');

      writeFileSync(file, sound);
      await plays('player', server, piece); // what is right is played at once; it comes back when an operator says so
      assert.equal((await transferOf(server, id)).state, 'dead');
      const retried = await ask(server, 'POST', `/v1/transfers/${letter.id}/retry`);
      assert.deepEqual([retried.status, retried.json.state, retried.json.attempts], [200, 'waiting', 0]);
      await untilTransfer(server, id, stored);
      await plays('catch-up', server, piece);
      await purge(server, piece);
    });
});

describe('with the policy keep', { timeout: 30_000 }, () => {
  const server = useServer({ args: ['--policy', 'keep', '--archive-after', '100ms', '--idle', '1s'] });

  it('nothing is ever uploaded', async () => {
    const sound = noise(sizeOfSound);
    const pieces = [await makePiece(server, { duration_s: 5 }), await pushPiece(server, sound)];
    // Whether there is an upload is decided before a piece has completed.
    assert.deepEqual(await transfersOf(server), []);
    assert.deepEqual(objectsIn(server.data), []);
    await plays('player', server, { ...pieces[1], sound });
    for (const { urls } of pieces) expectProblem(await get(server, `${urls.self}/transfers`), 404);
  });
});
