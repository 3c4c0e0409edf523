// Listeners so cheap that a thousand of them leave the processor to the server: raw sockets that share one buffer and keep
// nothing. Each byte is compared, where it arrives, with what the test has appended.
import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { append, createStream, offsetOf } from './api.mjs';
import { sha256, waitFor } from './http.mjs';
import { start } from './need.mjs';

const thinPipe = fileURLToPath(new URL('thin_pipe.py', import.meta.url));
const scratch = Buffer.alloc(1 << 16); // of all sockets: one is read at a time

/// A stream of an application, everything that was appended to it, and how long that took to reach its listeners.
export class Broadcast {
  position = 0;
  moments = []; ///< `{end, at}` of each append: where it ends, and when it was sent
  delays = []; ///< ms from there until a listener had all of an append, for each listener and append

  constructor(server, path, capacity = 32 << 20) {
    Object.assign(this, { server, path, bytes: Buffer.alloc(capacity) });
  }

  async create() {
    await createStream(this.server, this.path);
    return this;
  }

  /// Appends `size` bytes that were never there before.
  async append(size) {
    const fresh = this.bytes.subarray(this.position, this.position + size);
    assert.equal(randomFillSync(fresh).length, size, 'the broadcast is longer than was foreseen');
    this.position += size;
    this.moments.push({ end: this.position, at: performance.now() });
    await append(this.server, this.path, fresh);
  }

  /// Appends `count` times, `every` ms, and waits until `listeners` have everything. Returns the delays, sorted.
  async play(listeners, { count, size = 8 << 10, every = 50 }) {
    this.delays = [];
    const begun = performance.now();
    for (let i = 0; i < count; ++i) {
      await new Promise((resolve) => setTimeout(resolve, begun + i * every - performance.now()));
      await this.append(size);
    }
    await this.heardBy(listeners);
    return Float64Array.from(this.delays).sort();
  }

  heardBy(listeners) {
    const late = () => listeners.filter(({ position, gone }) => gone || position < this.position);
    return waitFor(() => late().length === 0, {
      deadline: 20_000,
      what: () => `${late().length} of ${listeners.length} listeners to have ${this.position} bytes; one has ${late()[0]?.position}`,
    });
  }

  /// The sum of what the first `position` bytes must be.
  sum(position = this.position) {
    return sha256(this.bytes.subarray(0, position));
  }
}

export const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

const present = new Set();

/// Everybody leaves. For `afterEach`, so that a test which fails leaves nobody behind.
export function dismiss() {
  for (const listener of present) listener.leave();
}

/// One of the crowd. `Wire` is WebSocketWire or EventWire; `server` may be another node than the one that is appended to.
export class CrowdListener {
  told = 0; ///< how often it was told where the stream is; once: it listens
  gone = false; ///< its connection has ended
  #hash = createHash('sha256');
  #next = 0;

  constructor(broadcast, Wire = WebSocketWire, { from = broadcast.position, server = broadcast.server } = {}) {
    this.broadcast = broadcast;
    this.server = server;
    this.position = from;
    this.#next = broadcast.moments.length;
    this.wire = new Wire(this);
    present.add(this);
    const { path } = broadcast;
    this.request = Wire.request(`${path}?offset=${offsetOf(from)}&live=`, `127.0.0.1:${server.port}`);
  }

  connect() {
    const read = (count) => (this.wire.take(scratch.subarray(0, count)), true);
    const onread = { buffer: scratch, callback: read };
    this.socket = net.connect({ host: '127.0.0.1', port: this.server.port, onread });
    this.socket.on('error', () => {}); // shows as `gone`
    this.socket.on('close', () => (this.gone = true));
    this.socket.write(this.request);
    return this;
  }

  /// Through `thin_pipe.py`, a process of its own that can be stopped. `rate`: bytes it reads a second.
  connectThinly({ host = '127.0.0.1', rate, through } = {}) {
    const args = [thinPipe, host, String(this.server.port), ...(rate ? [String(rate)] : [])];
    this.process = start('python3', args, { input: this.request, through }).child;
    this.process.stdout.on('data', (bytes) => this.wire.take(bytes));
    this.process.stdout.on('end', () => (this.gone = true));
    return this;
  }

  /// The sum of everything heard, of one that listens thinly.
  get sum() {
    return this.#hash.copy().digest('hex');
  }

  leave() {
    present.delete(this);
    this.socket?.destroy();
    this.process?.kill('SIGKILL');
  }

  heard(bytes) {
    const { broadcast, position } = this;
    const end = position + bytes.length;
    const same = end <= broadcast.position && bytes.compare(broadcast.bytes, position, end) === 0;
    assert(same, `bytes ${position} to ${end} are those of the stream, once and in order`);
    this.position = end;
    if (this.process) this.#hash.update(bytes); // a thousand would keep the processor from the server
    for (const { moments } = broadcast; moments[this.#next]?.end <= end; ++this.#next)
      broadcast.delays.push(performance.now() - moments[this.#next].at);
  }
}

/// One of the crowd who hears what nobody knows before, such as a piece while it is made: compared by `sum` afterwards.
export class PieceListener extends CrowdListener {
  #all = createHash('sha256');

  constructor(server, path, Wire) {
    super({ server, path, position: 0, moments: [] }, Wire, { server, from: 0 });
  }

  heard(bytes) {
    this.position += bytes.length;
    this.#all.update(bytes);
  }

  get sum() {
    return this.#all.copy().digest('hex');
  }
}

/// Holds back what is not yet whole.
class Wire {
  #rest = Buffer.alloc(0);

  constructor(listener) {
    this.listener = listener;
  }

  /// `read(bytes)` of the subclass takes what it can and returns how much that was.
  take(bytes) {
    const all = this.#rest.length ? Buffer.concat([this.#rest, bytes]) : bytes;
    const begin = this.answered ? 0 : this.answer(all);
    const taken = this.answered ? begin + this.read(all.subarray(begin)) : 0;
    this.#rest = Buffer.from(all.subarray(taken));
  }

  answer(bytes) {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    const [line] = bytes.toString('latin1', 0, end).split('\r\n');
    assert.match(line, /^HTTP\/1\.1 (101|200) |^HTTP\/1\.0 200 /, line);
    this.answered = true;
    return end + 4;
  }
}

/// Whole frames of RFC 6455, as servers send them.
export class WebSocketWire extends Wire {
  static request = (path, host) =>
    `GET ${path}websocket HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

  read(bytes) {
    let at = 0;
    for (;;) {
      const short = bytes[at + 1];
      const header = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (bytes.length < at + header) return at;
      const length =
        short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short;
      const end = at + header + length;
      if (bytes.length < end) return at;
      if (bytes[at] === 0x82) this.listener.heard(bytes.subarray(at + header, end));
      if (bytes[at] === 0x81) ++this.listener.told;
      at = end;
    }
  }
}

/// Server-sent events, over HTTP/1.0: without chunks around them.
export class EventWire extends Wire {
  static request = (path, host) => `GET ${path}sse HTTP/1.0\r\nHost: ${host}\r\n\r\n`;

  read(bytes) {
    let at = 0;
    for (let end; (end = bytes.indexOf('\n\n', at)) >= 0; at = end + 2) {
      const message = bytes.latin1Slice(at, end);
      if (message.startsWith('event: control')) ++this.listener.told;
      else if (message.startsWith('event: data')) this.listener.heard(Buffer.from(message.slice(message.indexOf('\ndata:') + 6), 'base64'));
    }
    return at;
  }
}
