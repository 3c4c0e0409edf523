// Listeners that stay: each follows one stream of a generation through one door and, after a cut, comes back at the exact
// place where it was.
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { offsetOf, positionOf } from './api.mjs';
import { get, open, waitFor } from './http.mjs';

const codesOfACut = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'];

class Listener {
  done = false;
  down = false; ///< cut off and not yet connected again
  position = 0;
  chunks = [];
  cuts = 0;
  complaints = []; ///< answers that should not have been, for the test to show
  deadline = 20_000; ///< ms of silence after which a test has failed; of the doors without signs of life

  constructor(server, path) {
    Object.assign(this, { server, path });
  }

  /// Everything heard so far.
  get bytes() {
    return Buffer.concat(this.chunks);
  }

  /// Listens until the stream ends (then `done`) or `leave` is called.
  async follow() {
    while (!this.done && !this.left) {
      try {
        await this.session();
      } catch (error) {
        if (this.left) return this;
        if (!codesOfACut.includes(error.code)) throw new Error(`${this.path} at byte ${this.position}: ${error.message}`, { cause: error });
        this.cut();
        await waitFor(() => this.server.ready || this.left, { deadline: 30_000, what: 'the server to come back' });
      }
    }
    return this;
  }

  /// Closes the connection as a listener does who walks away.
  leave() {
    this.left = true;
    this.response?.destroy();
  }

  cut() {
    this.cuts += this.down ? 0 : 1;
    this.down = true;
  }

  heard(bytes) {
    this.chunks.push(bytes);
    this.position += bytes.length;
  }

  /// True when `status` is the expected 200; a 5xx of a ready server is a complaint, of one on its way up a cut.
  accepted(status, wasReady) {
    if (status === 200) {
      this.down = false;
      return true;
    }
    if (status < 500 || wasReady) this.complaints.push(`${this.path} at byte ${this.position} answered ${status}`);
    if (status < 500) throw new Error(`answered ${status}`);
    throw Object.assign(new Error(`answered ${status}`), { code: 'ECONNREFUSED' });
  }
}

/// A player: one long response that grows while the piece is made.
export class ProgressiveListener extends Listener {
  arrivals = []; ///< `{at, bytes}`: when (ms since the epoch) how much of this session had been heard

  async session() {
    const wasReady = this.server.ready;
    const { deadline } = this;
    this.response = await open(this.server, 'GET', `${this.path}?offset=${offsetOf(this.position)}`, { deadline });
    this.headers = this.response.headers;
    this.accepted(this.response.statusCode, wasReady);
    for await (const chunk of this.response) {
      this.heard(chunk);
      this.arrivals.push({ at: Date.now(), bytes: this.position });
    }
    // An orderly end is the server's word that the piece is over.
    this.done = this.response.complete;
  }
}

/// A client that polls catch-up pages.
export class PollingListener extends Listener {
  async session() {
    const wasReady = this.server.ready;
    const reply = await get(this.server, `${this.path}?offset=${offsetOf(this.position)}`);
    this.accepted(reply.status, wasReady);
    this.heard(reply.body);
    assert.equal(reply.headers['stream-next-offset'], offsetOf(this.position));
    this.done = reply.headers['stream-closed'] === 'true';
    const atTail = reply.headers['stream-up-to-date'] === 'true' && !this.done;
    if (atTail) await new Promise((resolve) => setTimeout(resolve, 100)); // the rhythm of a client that polls
  }
}

/// A client that asks and waits until there is something new.
export class LongPollListener extends Listener {
  async session() {
    const wasReady = this.server.ready;
    const reply = await get(this.server, `${this.path}?live=long-poll&offset=${offsetOf(this.position)}`);
    if (reply.status !== 204) this.accepted(reply.status, wasReady);
    this.heard(reply.body);
    assert.equal(reply.headers['stream-next-offset'], offsetOf(this.position));
    assert.match(reply.headers['stream-cursor'] ?? 'no cursor', /^\d+$/);
    this.done = reply.headers['stream-closed'] === 'true';
  }
}

/// A listener over WebSocket: binary data, and a control message behind each. What came without its control message is
/// not taken: it will come again.
export class WebSocketListener extends Listener {
  session() {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${this.server.port}${this.path}?live=websocket&offset=${offsetOf(this.position)}`);
      const wasReady = this.server.ready;
      let pending = [];
      this.socket = socket;
      const fail = (error) => {
        socket.terminate();
        reject(error);
      };
      socket.on('unexpected-response', (_, { statusCode }) => {
        try {
          this.accepted(statusCode, wasReady);
        } catch (error) {
          fail(error);
        }
      });
      socket.on('open', () => (this.down = false));
      socket.on('message', (data, isBinary) => {
        if (isBinary) return pending.push(data);
        const { streamNextOffset, upToDate, streamClosed } = JSON.parse(data.toString());
        for (const bytes of pending.splice(0)) this.heard(bytes);
        if (positionOf(streamNextOffset) !== this.position) fail(new Error(`is told ${streamNextOffset} at byte ${this.position}`));
        this.upToDate = upToDate === true;
        this.done = streamClosed === true;
      });
      socket.on('error', (error) => reject(Object.assign(error, { code: error.code ?? 'ECONNRESET' })));
      socket.on('close', (code) => {
        this.code = code;
        if (this.done || this.left) resolve();
        else reject(Object.assign(new Error(`closed with ${code}`), { code: 'ECONNRESET' }));
      });
    });
  }

  leave() {
    this.left = true;
    this.socket?.close();
  }
}

/// A reader of bytes over Server-Sent Events, which carry them as base64.
export class ByteEventListener extends Listener {
  async session() {
    const wasReady = this.server.ready;
    const { deadline } = this;
    this.response = await open(this.server, 'GET', `${this.path}?live=sse&offset=${offsetOf(this.position)}`, { deadline });
    this.accepted(this.response.statusCode, wasReady);
    assert.equal(this.response.headers['stream-sse-data-encoding'], 'base64');
    let pending = [];
    for await (const { event, data } of messages(this.response, (text) => text)) {
      if (event === 'data') {
        pending.push(Buffer.from(data, 'base64'));
        continue;
      }
      const { streamNextOffset, streamClosed } = JSON.parse(data);
      for (const bytes of pending.splice(0)) this.heard(bytes);
      assert.equal(streamNextOffset, offsetOf(this.position));
      this.done = streamClosed === true;
    }
  }
}

/// A reader of events over Server-Sent Events. What came without its control event is not taken: it will come again.
export class EventListener extends Listener {
  events = [];
  batches = []; ///< `{count, offset}` after each control event: events so far and where the stream goes on

  async session() {
    const wasReady = this.server.ready;
    this.response = await open(this.server, 'GET', `${this.path}?live=sse&offset=${this.batches.at(-1)?.offset ?? '-1'}`);
    this.accepted(this.response.statusCode, wasReady);
    assert.match(this.response.headers['content-type'], /^text\/event-stream\b/);
    let pending = [];
    for await (const { event, data } of messages(this.response)) {
      if (event === 'data') {
        assert(Array.isArray(data), `data is an array: ${JSON.stringify(data)}`);
        pending.push(...data);
        continue;
      }
      assert.equal(event, 'control');
      this.take(pending, data);
      pending = [];
    }
    assert.deepEqual(pending, [], 'every data event is followed by its control event');
  }

  take(events, { streamNextOffset, streamClosed }) {
    const before = this.position;
    this.position = positionOf(streamNextOffset);
    assert(
      events.length > 0 ? this.position > before : this.position === before,
      `offsets go with events: ${before}, ${events.length} events, ${this.position}`,
    );
    this.events.push(...events);
    this.batches.push({ count: this.events.length, offset: streamNextOffset });
    this.done = streamClosed === true;
  }
}

/// The messages of an event stream, `{event, data}` with `data` as `read` takes it; comments are passed over.
async function* messages(response, read = JSON.parse) {
  response.setEncoding('utf8');
  let text = '';
  for await (const part of response) {
    text += part;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const lines = text.slice(0, end).split('\n');
      const field = (name) =>
        lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ''));
      if (field('data').length) yield { event: field('event')[0], data: read(field('data').join('\n')) };
    }
  }
}
