// Every way to hear a finished piece, and what must come out of all of them.
import assert from 'node:assert/strict';
import { catchUp, offsetOf } from './api.mjs';
import { get, sha256 } from './http.mjs';
import { ByteEventListener, LongPollListener, WebSocketListener } from './listeners.mjs';

const middle = 700_001; // an offset in all pieces that are tested with these

const follow =
  (Door, from = 0) =>
  async (server, { urls }) => {
    const listener = Object.assign(new Door(server, urls.audio_stream), { position: from });
    await listener.follow();
    assert.deepEqual([listener.cuts, listener.complaints], [0, []], 'in one go');
    return { heard: listener.bytes, from };
  };
const request =
  (url, query, from = 0) =>
  async (server, { urls }) => {
    const { status, body: heard, text } = await get(server, urls[url] + query);
    assert.equal(status, 200, status === 200 ? '' : text);
    return { heard, from };
  };
const pages =
  (from) =>
  async (server, { urls }) => ({ heard: (await catchUp(server, urls.audio_stream, offsetOf(from))).bytes, from });

async function range(server, url, first, last, size) {
  const { status, headers, body } = await get(server, url, { range: `bytes=${first}-${last}` });
  assert.deepEqual([status, headers['content-range']], [206, `bytes ${first}-${Math.min(last, size - 1)}/${size}`]);
  return body;
}

/// Each gives `{heard, from}`: the bytes, and where in the piece they begin. A piece has its `sound`, what is right.
export const doors = {
  player: request('audio', ''),
  'player from the middle': request('audio', `?offset=${offsetOf(middle)}`, middle),
  download: request('download', ''),
  ranges: async (server, { urls, sound: { length } }) => {
    const parts = [];
    for (let at = 0; at < length; at += 333_333) parts.push(await range(server, urls.audio, at, at + 333_332, length));
    return { heard: Buffer.concat(parts), from: 0 };
  },
  'the end': async (server, { urls, sound: { length } }) => ({
    heard: await range(server, urls.download, length - 1000, length - 1, length),
    from: length - 1000,
  }),
  'catch-up': pages(0),
  'catch-up from the middle': pages(middle),
  'chunks of its user': async (server, { user_id: user, request_id: id }) => ({
    heard: (await catchUp(server, `/v1/users/${user}/generations/${id}/chunks`)).bytes,
    from: 0,
  }),
  'long poll': follow(LongPollListener),
  'server-sent events': follow(ByteEventListener),
  WebSocket: follow(WebSocketListener),
  'WebSocket from the middle': follow(WebSocketListener, middle),
};

/// Insists that a door gives exactly the sound of the piece.
export async function assertPlays(door, server, piece) {
  const { heard, from } = await doors[door](server, piece);
  const expected = piece.sound.subarray(from);
  assert.deepEqual([heard.length, sha256(heard)], [expected.length, sha256(expected)], door);
}
