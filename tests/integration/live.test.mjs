// The live doors: any of them, from anywhere, also from one to the next, gives every byte once.
import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it } from 'node:test';
import WebSocket from 'ws';
import { append, closeStream as close, completed, createStream as create, generate, metricsOf, offsetOf, until } from '../support/api.mjs';
import { expectProblem, get, sha256, waitFor } from '../support/http.mjs';
import { ByteEventListener, LongPollListener, ProgressiveListener, WebSocketListener } from '../support/listeners.mjs';
import { useServer } from '../support/server.mjs';

const seconds = (count) => new Promise((resolve) => setTimeout(resolve, count * 1000));

/// A WebSocket and what came through it, until it is closed.
function listen(server, path, query) {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}?live=websocket&${query}`);
  const heard = { socket, messages: [], code: 0 };
  socket.on('message', (data, isBinary) => heard.messages.push(isBinary ? data.toString() : JSON.parse(data.toString())));
  socket.on('close', (code) => (heard.code = code));
  socket.on('error', () => {});
  return heard;
}

describe('the live doors', { concurrency: true, timeout: 90_000 }, () => {
  const server = useServer({ args: ['--long-poll-timeout', '1s'] });

  it('give a piece that is being made whole, from the start and from the middle, whichever they are', async () => {
    const { request_id: id, urls } = await generate(server, { duration_s: 6, pace: 'realtime', seed: 3 });
    const doors = [ProgressiveListener, WebSocketListener, ByteEventListener, LongPollListener];
    const listeners = doors.map((Door) => new Door(server, Door === ProgressiveListener ? urls.audio : urls.audio_stream));
    const all = Promise.all(listeners.map((listener) => listener.follow()));
    await waitFor(() => listeners[1].position > 0, { what: 'the first sound' });
    const late = doors.slice(1).map((Door) => Object.assign(new Door(server, urls.audio_stream), { position: 3840 }));
    await Promise.all([all, ...late.map((listener) => listener.follow())]);
    await until(server, id, completed);
    const whole = (await get(server, urls.download)).body;
    for (const [at, listener] of listeners.entries()) assert.equal(sha256(listener.bytes), sha256(whole), doors[at].name);
    for (const listener of late) assert.equal(sha256(listener.bytes), sha256(whole.subarray(3840)), listener.constructor.name);
    assert.equal(listeners[1].code, 1000, 'a WebSocket is closed with 1000 when nothing follows');
  });

  it('can be changed in the middle without a gap and without hearing anything twice', async () => {
    const { urls } = await generate(server, { duration_s: 6, pace: 'realtime', seed: 4 });
    const chunks = [];
    let position = 0;
    for (const Door of [WebSocketListener, ByteEventListener, LongPollListener, WebSocketListener, ByteEventListener]) {
      const listener = Object.assign(new Door(server, urls.audio_stream), { position });
      const following = listener.follow().catch((error) => assert(listener.left, error));
      await waitFor(() => listener.done || listener.position > position, { what: `${Door.name} to hear something` });
      listener.leave();
      await following;
      chunks.push(listener.bytes);
      position = listener.position;
    }
    const last = await Object.assign(new WebSocketListener(server, urls.audio_stream), { position }).follow();
    assert.equal(sha256(Buffer.concat([...chunks, last.bytes])), sha256((await get(server, urls.audio)).body));
  });

  it('tell where the stream stands at once, behind every data message, and close with 1000', async () => {
    const path = '/v1/stream/live/told';
    await create(server, path);
    await append(server, path, 'before');
    const fromStart = listen(server, path, 'offset=-1');
    const fromNow = listen(server, path, 'offset=now');
    await waitFor(() => fromStart.messages.length === 2 && fromNow.messages.length === 1);
    await append(server, path, 'after');
    await waitFor(() => fromNow.messages.length === 3);
    await close(server, path);
    await waitFor(() => fromStart.code && fromNow.code);
    const [first, second] = [6, 11].map((at) => ({ streamNextOffset: offsetOf(at), upToDate: true }));
    const end = { ...second, streamClosed: true };
    assert.deepEqual(fromStart.messages, ['before', first, 'after', second, end]);
    assert.deepEqual(fromNow.messages, [first, 'after', second, end]);
    assert.deepEqual([fromStart.code, fromNow.code], [1000, 1000]);
  });

  it('carry JSON as an array in a binary message', async () => {
    const path = '/v1/stream/live/json';
    await create(server, path, { 'content-type': 'application/json' });
    await append(server, path, '[{"a":1},{"b":"x"}]', { 'content-type': 'application/json' });
    const heard = listen(server, path, 'offset=-1');
    await waitFor(() => heard.messages.length === 2);
    assert.deepEqual(JSON.parse(heard.messages[0]), [{ a: 1 }, { b: 'x' }]);
    heard.socket.close();
  });

  it('answer a long poll when something comes, and with 204 when nothing does', async () => {
    const patient = '/v1/stream/live/poll';
    await create(server, patient);
    const waiting = get(server, `${patient}?live=long-poll&offset=-1`);
    await seconds(0.1);
    await append(server, patient, 'new');
    const reply = await waiting;
    assert.deepEqual([reply.status, reply.text, reply.headers['stream-up-to-date']], [200, 'new', 'true']);
    const cursor = reply.headers['stream-cursor'];
    const nothing = await get(server, `${patient}?live=long-poll&offset=now&cursor=${cursor}`);
    assert.deepEqual([nothing.status, nothing.headers['stream-next-offset']], [204, offsetOf(3)]);
    assert(Number(nothing.headers['stream-cursor']) > Number(cursor), 'no client goes in circles');
    await close(server, patient);
    const ended = await get(server, `${patient}?live=long-poll&offset=now`);
    assert.deepEqual([ended.status, ended.headers['stream-closed']], [204, 'true']);
  });

  it('answer pings, and end who breaks RFC 6455', async () => {
    const path = '/v1/stream/live/rfc';
    await create(server, path);
    const heard = listen(server, path, 'offset=-1');
    await waitFor(() => heard.messages.length === 1);
    let pong;
    heard.socket.on('pong', (data) => (pong = data.toString()));
    heard.socket.ping('are you there?');
    await waitFor(() => pong === 'are you there?', { what: 'the pong' });
    heard.socket.send('whatever a client says means nothing here');
    heard.socket.send('x'.repeat(70_000));
    await waitFor(() => heard.code, { what: 'the end of one who sends too much' });
    assert.equal(heard.code, 1009);

    const unmasked = net.connect(server.port, '127.0.0.1');
    let answer = Buffer.alloc(0);
    unmasked.on('data', (bytes) => (answer = Buffer.concat([answer, bytes])));
    unmasked.write(
      `GET ${path}?live=websocket&offset=now HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUpgrade: websocket\r\n` +
        'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await waitFor(() => answer.includes('upToDate'), { what: 'the handshake' });
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 101 /);
    assert.match(answer.toString('latin1'), /s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
    unmasked.write(Buffer.from([0x81, 0x01, 0x78])); // a client must mask
    await waitFor(() => answer.includes(Buffer.from([0x88, 0x02, 0x03, 0xea])), { what: 'a close with 1002' });
    unmasked.destroy();
  });

  it('refuse what is no handshake, a page of somebody else, and bad questions', async () => {
    const path = '/v1/stream/live/bad';
    await create(server, path);
    expectProblem(await get(server, `${path}?live=websocket&offset=-1`), 426, { code: 'upgrade_required' });
    expectProblem(await get(server, `${path}?live=sse`), 400, { says: /offset/ });
    expectProblem(await get(server, `${path}?live=sse&offset=0_9`), 400, { code: 'bad_offset' });
    expectProblem(await get(server, '/v1/stream/live/none?live=sse&offset=-1'), 404, { code: 'not_found' });
    const refused = await new Promise((resolve) => {
      const url = `ws://127.0.0.1:${server.port}${path}?live=websocket&offset=-1`;
      const socket = new WebSocket(url, { origin: 'http://elsewhere.example' });
      socket.on('error', () => {});
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
    });
    assert.equal(refused, 403);
  });

  it('keep a listener who stops reading from holding up the others, and give it every byte later', async () => {
    const path = '/v1/stream/live/slow';
    await create(server, path);
    const slow = new WebSocketListener(server, path);
    const others = Array.from({ length: 20 }, () => new WebSocketListener(server, path));
    const ends = [slow, ...others].map((listener) => listener.follow());
    await waitFor(() => [slow, ...others].every((listener) => listener.upToDate), { what: 'all to listen' });
    slow.socket.pause();
    const chunk = Buffer.alloc(512 * 1024);
    for (let i = 0; i < 40; ++i) await append(server, path, chunk.fill(i)); // beyond what the kernel keeps for a socket
    await waitFor(() => others.every((listener) => listener.position === 40 * chunk.length), { what: 'the others to have everything' });
    assert(slow.position < 40 * chunk.length);
    assert((await metricsOf(server)).samples.segue_listeners_lagged_total > 0);
    slow.socket.resume();
    await close(server, path);
    await Promise.all(ends);
    for (const listener of [slow, ...others]) assert.equal(sha256(listener.bytes), sha256(others[0].bytes));
    assert.equal(slow.bytes.length, 40 * chunk.length);
  });

  it('forget listeners who left', async () => {
    const path = '/v1/stream/live/left';
    await create(server, path);
    const listeners = Array.from({ length: 30 }, () => listen(server, path, 'offset=now'));
    await waitFor(() => listeners.every(({ messages }) => messages.length === 1));
    for (const { socket } of listeners) socket.terminate();
    const again = listen(server, path, 'offset=now');
    await waitFor(() => again.messages.length === 1);
    await append(server, path, 'still here');
    await waitFor(() => again.messages.includes('still here'));
    again.socket.close();
  });
});
