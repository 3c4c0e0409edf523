// Who leaves: clients in the middle of what they asked for, with a word or without one, and the server itself.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import WebSocket from 'ws';
import { append, closeStream, createStream as create, generate, hasSound, makePiece, metricsOf, until } from '../support/api.mjs';
import { dial, get, open, waitFor } from '../support/http.mjs';
import { Server, useServer } from '../support/server.mjs';
import { noise, pushPiece } from '../support/tiers.mjs';

const chunk = Buffer.alloc(1 << 20, 'x');

async function gauge(server, name) {
  return (await metricsOf(server)).samples[name];
}

describe('a client that leaves', { concurrency: true, timeout: 60_000 }, () => {
  const server = useServer();
  const request = (path, extra = '') => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${extra}\r\n`;

  it('is noticed while its stream is quiet, also when it has begun its next request', async () => {
    const quiet = new Server();
    await quiet.start();
    try {
      await create(quiet, '/v1/stream/quiet');
      const listening = `GET /v1/stream/quiet?live=sse&offset=-1 HTTP/1.1\r\nHost: 127.0.0.1:${quiet.port}\r\n\r\n`;
      const all = [];
      for (const more of ['', '\r\n', 'GET /healthz HTTP/1.1\r\n', 'x'.repeat(20_000)]) {
        const connection = await dial(quiet);
        await connection.send(listening);
        await waitFor(async () => (await gauge(quiet, 'segue_listeners')) > 0, { what: 'it to listen' });
        await connection.send(more);
        all.push(connection);
      }
      for (const { socket } of all) socket.destroy();
      await waitFor(async () => (await gauge(quiet, 'segue_listeners')) === 0, { what: 'all to be noticed' });
      await quiet.stop();
    } finally {
      await quiet.dispose();
    }
  });

  it('is answered what it has asked meanwhile once its response is over', async () => {
    const path = '/v1/stream/pipelined-behind';
    await create(server, path);
    const connection = await dial(server);
    const received = [];
    connection.socket.on('data', (bytes) => received.push(bytes));
    const text = () => Buffer.concat(received).toString();
    await connection.send(request(`${path}?live=sse&offset=-1`));
    await waitFor(() => text().includes('upToDate'));
    await connection.send(request('/healthz', 'Connection: close\r\n'));
    await closeStream(server, path);
    await waitFor(() => connection.socket.readableEnded, { what: 'both responses' });
    assert.deepEqual(text().match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 200']);
  });

  it('only for writing still gets the whole of a finished piece', async () => {
    const { urls } = await makePiece(server, { duration_s: 60 });
    const whole = (await get(server, urls.audio)).body;
    const connection = await dial(server);
    const received = [];
    connection.socket.on('data', (bytes) => received.push(bytes));
    connection.socket.end(request(urls.audio, 'Connection: close\r\n'));
    await waitFor(() => connection.socket.readableEnded, { what: 'the end of the piece' });
    const all = Buffer.concat(received);
    assert(all.subarray(all.indexOf('\r\n\r\n') + 4).equals(whole));
  });

  it('closes a WebSocket with data under way, and gets that and the answer to its close', async () => {
    const path = '/v1/stream/closing';
    await create(server, path, { 'content-type': 'application/octet-stream' });
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}?live=websocket&offset=-1`);
    let heard = 0;
    let code;
    socket.on('message', (data, isBinary) => (heard += isBinary ? data.length : 0));
    socket.on('close', (x) => (code = x));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.pause();
    for (let i = 0; i < 8; ++i) await append(server, path, chunk, { 'content-type': 'application/octet-stream' });
    await waitFor(async () => (await gauge(server, 'segue_listener_bytes_waiting')) > 0, { what: 'its socket to be full' });
    socket.close(1000);
    socket.resume();
    await waitFor(() => code !== undefined, { what: 'the end' });
    assert.equal(code, 1000);
    assert(heard > 0 && heard % chunk.length === 0, `${heard} bytes are whole frames`);
  });

  it('is read no further while it takes no answers to its pings', async () => {
    const path = '/v1/stream/pinged';
    await create(server, path);
    const connection = await dial(server);
    const handshake = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    const agreed = once(connection.socket, 'data');
    await connection.send(request(`${path}?live=websocket&offset=now`, handshake));
    assert.match(String((await agreed)[0]), /^HTTP\/1\.1 101 /); // no frame may come before
    connection.socket.pause();
    const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125)]);
    const pings = Buffer.concat(Array(4096).fill(ping));
    let sent = 0;
    const blocked = async () => {
      const done = await Promise.race([connection.send(pings).then(() => true), new Promise((resolve) => setTimeout(resolve, 1_000, false))]);
      sent += done ? pings.length : 0;
      return !done;
    };
    await waitFor(blocked, { deadline: 30_000, what: () => `the server to stop reading, after ${sent} bytes` });
    const waiting = await gauge(server, 'segue_listener_bytes_waiting');
    assert(waiting < 64 << 10, `${waiting} bytes wait`);
    assert(connection.socket.writable, 'it is still connected');
    connection.socket.destroy();
  });
});

describe('a server that leaves', { timeout: 60_000 }, () => {
  it('answers a long poll at once', async () => {
    const server = new Server();
    await server.start();
    try {
      await create(server, '/v1/stream/polled');
      const poll = get(server, '/v1/stream/polled?live=long-poll&offset=now');
      await waitFor(async () => (await gauge(server, 'segue_readers_parked')) > 0, { what: 'the poll to wait' });
      const { ms } = await server.stop();
      const { status, headers } = await poll;
      assert.deepEqual([status, headers['stream-up-to-date'], headers.connection], [204, 'true', 'close']);
      assert(ms < 3_000, `${ms} ms`);
    } finally {
      await server.dispose();
    }
  });

  it('finishes a download and cuts who listens live', async () => {
    const server = new Server();
    await server.start();
    try {
      const sound = noise(30 << 20);
      const piece = await pushPiece(server, sound);
      const { request_id: id, urls } = await generate(server, { duration_s: 60, pace: 'realtime' });
      await until(server, id, hasSound);
      const live = await open(server, 'GET', urls.audio);
      const ended = new Promise((resolve) => live.on('error', () => resolve('cut')).on('end', () => resolve('whole')));
      live.resume();
      const download = await open(server, 'GET', piece.urls.download);
      const stopped = server.stop();
      assert.equal(await ended, 'cut');
      const chunks = [];
      for await (const bytes of download) chunks.push(bytes);
      assert(Buffer.concat(chunks).equals(sound));
      await stopped;
    } finally {
      await server.dispose();
    }
  });
});
