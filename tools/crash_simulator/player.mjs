// One client that does whatever the dice say to streams of its own, one thing after the other, and notes in the model what it
// was told. When the server dies it stops, and what it was waiting for is unknown.
import http from 'node:http';
import { setTimeout as moment } from 'node:timers/promises';
import { Stream, unknown } from './model.mjs';

export class ServerGone extends Error {}

export class Player {
  streams = [];
  operations = 0;
  acknowledged = 0;
  #agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  #count = 0;

  constructor(server, name, dice) {
    Object.assign(this, { server, name, dice });
  }

  /// Plays until the server dies.
  async play() {
    try {
      for (;;) await this.#step();
    } catch (error) {
      if (!(error instanceof ServerGone)) throw error;
    }
  }

  /// Reads every stream and compares; also that the last append of each producer is known, and older epochs are not.
  async check() {
    for (const stream of this.streams) {
      const { signed } = stream;
      const more = await this.#checkOne(stream);
      stream.signed = false;
      if (stream.exists === true && !stream.deleted) await this.#checkProducer(stream, signed ? more : 0);
    }
    // A name is free again once all is gone: forget some of what is, so that checking stays quick.
    const gone = this.streams.filter((x) => (x.deleted ? x.needed === false : x.exists === false));
    const forgotten = gone
      .slice(0, Math.max(gone.length - 12, 0))
      .filter((x) => !x.forks.some((y) => this.streams.includes(y)));
    this.streams = this.streams.filter((x) => !forgotten.includes(x));
  }

  close() {
    this.#agent.destroy();
  }

  async #step() {
    const { oneOf, between, random } = this.dice;
    const alive = this.streams.filter((x) => x.exists === true && !x.deleted);
    const open = alive.filter((x) => x.closed === false);
    if (alive.length < 3 || random() < 0.1) return alive.length > 12 ? this.#remove(oneOf(alive)) : this.#create();
    const kind = random();
    if (kind < 0.08) return this.#fork(oneOf(alive));
    if (kind < 0.13) return this.#remove(oneOf(alive));
    if (kind < 0.2) return this.#checkOne(oneOf(alive));
    if (open.length === 0) return moment(between(0, 3));
    const stream = oneOf(open);
    if (kind < 0.24) return this.#append(stream, [], true);
    if (kind < 0.6 || !stream.producer) return this.#append(stream, [this.#piece(stream)], random() < 0.03);
    return this.#pipeline(stream);
  }

  // -- what it does

  #piece(stream) {
    const { between } = this.dice;
    const text = `${this.name}.${++this.#count} `.padEnd(between(8, 16) ** 2, '~');
    return stream.json ? JSON.stringify({ text }) : text;
  }

  async #create() {
    const { random, between } = this.dice;
    const reused = random() < 0.3 ? this.streams.find((x) => x.deleted && x.needed === false && !x.reused) : undefined;
    if (reused) {
      reused.reused = true;
      this.streams = this.streams.filter((x) => x !== reused); // another one lives at its path now
    }
    const path = reused?.path ?? `/v1/stream/sim/${this.name}/${++this.#count}`;
    const headers = {};
    const [json, closed] = [random() < 0.3, random() < 0.03];
    let [expiresAt, ttl] = [undefined, undefined];
    if (random() < 0.1) headers['stream-expires-at'] = new Date((expiresAt = Date.now() + between(300, 3000))).toISOString();
    else if (random() < 0.1) headers['stream-ttl'] = ttl = String(between(1, 3));
    const stream = new Stream({ path, json, expiresAt, ttl });
    headers['content-type'] = json ? 'application/json' : 'text/plain';
    if (closed) headers['stream-closed'] = 'true';
    if (random() < 0.5) stream.producer = { id: `p${this.name}`, epoch: between(0, 3), seq: -1 };
    return this.#put(stream, headers, random() < 0.4 ? [this.#piece(stream)] : [], closed);
  }

  async #fork(parent) {
    const { random, between } = this.dice;
    const stream = new Stream({ path: `/v1/stream/sim/${this.name}/${++this.#count}`, json: parent.json, parent });
    const headers = { 'stream-forked-from': parent.path, 'stream-ttl': '1000000' }; // else it takes its parent's
    const borders = parent.offsets.flatMap((offset, i) => (offset ? [i] : []));
    const at = borders.length > 0 && random() < 0.8 ? this.dice.oneOf(borders) : -1;
    if (at >= 0) headers['stream-fork-offset'] = parent.offsets[at];
    stream.pieces = parent.pieces.slice(0, at >= 0 ? at + 1 : undefined);
    stream.offsets = parent.offsets.slice(0, stream.pieces.length);
    const next = at >= 0 ? parent.pieces[at + 1] : undefined;
    if (next && !parent.json && random() < 0.4) {
      const bytes = between(1, next.length);
      headers['stream-fork-sub-offset'] = String(bytes);
      stream.pieces.push(next.slice(0, bytes));
      stream.offsets.push(undefined);
    }
    parent.forks.push(stream);
    return this.#put(stream, headers, random() < 0.3 ? [this.#piece(stream)] : [], false);
  }

  async #put(stream, headers, first, closed) {
    this.streams.push(stream);
    stream.underWay = first;
    stream.closed = closed;
    const reply = await this.#ask('PUT', stream.path, headers, first[0]);
    if (reply.status === 404 && stream.parent?.mortal) return void (stream.exists = false); // its parent has just expired
    if (reply.status === 409 && stream.parent?.mortal) return void (stream.exists = false);
    this.#expect(reply, [201], `PUT ${stream.path}`);
    stream.exists = true;
    stream.underWay = [];
    stream.acknowledge(first, reply.headers['stream-next-offset']);
  }

  /// One append, or a close, or both.
  async #append(stream, pieces, close) {
    const headers = { 'content-type': stream.json ? 'application/json' : 'text/plain' };
    if (close) headers['stream-closed'] = 'true';
    stream.signed = stream.producer !== undefined && pieces.length > 0;
    if (stream.signed) this.#sign(headers, stream.producer, stream.producer.seq + 1);
    stream.underWay = pieces;
    if (close) stream.closed = unknown;
    const reply = await this.#ask('POST', stream.path, headers, pieces[0]);
    stream.underWay = [];
    if (close) stream.closed = false;
    if (this.#vanished(stream, reply)) return;
    this.#expect(reply, [200, 204], `POST ${stream.path}`);
    if (close) stream.closed = true;
    if (stream.signed) stream.producer.seq += 1;
    stream.acknowledge(pieces, reply.headers['stream-next-offset']);
  }

  /// Several appends of one producer at once: what comes before its predecessor is refused, and sent again.
  async #pipeline(stream) {
    const { producer } = stream;
    const pieces = Array.from({ length: this.dice.between(2, 5) }, () => this.#piece(stream));
    stream.underWay = [...pieces];
    stream.signed = true;
    const type = { 'content-type': stream.json ? 'application/json' : 'text/plain' };
    let lost = undefined;
    const sent = pieces.map(async (piece, i) => {
      try {
        for (;;) {
          const reply = await this.#ask('POST', stream.path, this.#sign({ ...type }, producer, producer.seq + 1 + i), piece);
          if (reply.status !== 409 || !reply.headers['producer-expected-seq']) return reply;
          await moment(1);
        }
      } catch (error) {
        lost = error;
        return undefined;
      }
    });
    const listening = this.#overhear(stream, [...stream.pieces], pieces);
    const replies = await Promise.all(sent);
    await listening;
    const stored = replies.findIndex((reply) => !(reply?.status === 200 || reply?.status === 204));
    const count = stored < 0 ? pieces.length : stored;
    stream.acknowledge(pieces.slice(0, count), undefined);
    if (count === pieces.length) stream.offsets[stream.offsets.length - 1] = replies.at(-1).headers['stream-next-offset'];
    stream.underWay = pieces.slice(count);
    producer.seq += count;
    if (lost) throw lost;
    stream.underWay = [];
    for (const reply of replies.slice(count))
      if (!this.#vanished(stream, reply)) this.#expect(reply, [200, 204], `POST ${stream.path}`);
  }

  async #remove(stream) {
    stream.exists = unknown;
    const reply = await this.#ask('DELETE', stream.path);
    stream.exists = true;
    if (this.#vanished(stream, reply)) return;
    this.#expect(reply, [204], `DELETE ${stream.path}`);
    stream.deleted = true;
  }

  // -- what it reads

  async #checkOne(stream) {
    return stream.check(await this.#read(stream), Date.now()) ?? 0;
  }

  /// What is read while appends are under way stays, acknowledged or not.
  async #overhear(stream, known, pieces) {
    try {
      const { status, pieces: read } = await this.#read(stream);
      if (status !== 200) return;
      const text = (list) => (stream.json ? JSON.stringify(list.map((piece) => JSON.parse(piece))) : list.join(''));
      const seen = stream.json ? JSON.stringify(read) : read;
      const more = [...pieces.keys(), pieces.length].find((count) => text([...known, ...pieces.slice(0, count)]) === seen);
      if (more === undefined) throw new Error(`${stream.path}: it reads what nobody appended: …${seen.slice(-200)}`);
      stream.heard = Math.max(stream.heard, known.length + more);
    } catch (error) {
      if (!(error instanceof ServerGone)) throw error;
    }
  }

  async #read(stream) {
    let [text, pieces, offset] = ['', [], '-1'];
    for (;;) {
      const reply = await this.#ask('GET', `${stream.path}?offset=${offset}`);
      if (reply.status !== 200) return { status: reply.status };
      if (stream.json) pieces.push(...JSON.parse(reply.body));
      else text += reply.body;
      offset = reply.headers['stream-next-offset'];
      const closed = reply.headers['stream-closed'] === 'true';
      if (reply.headers['stream-up-to-date']) return { status: 200, pieces: stream.json ? pieces : text, closed, next: offset };
    }
  }

  /// The last append of a producer is recognised after a crash, whether its answer came or not.
  async #checkProducer(stream, more) {
    const { producer } = stream;
    if (!producer) return;
    const head = { 'content-type': stream.json ? 'application/json' : 'text/plain' };
    const piece = this.#piece(stream);
    const probe = await this.#ask('POST', stream.path, this.#sign({ ...head }, producer, Number.MAX_SAFE_INTEGER), piece);
    if (this.#vanished(stream, probe) || probe.headers['stream-closed']) return;
    this.#expect(probe, [409], `POST ${stream.path} with a gap`);
    const expected = Number(probe.headers['producer-expected-seq']);
    producer.seq += more; // their answers were lost, and they are there
    if (expected !== producer.seq + 1)
      throw new Error(`${stream.path}: producer at ${producer.seq}, the server expects ${expected}`);
    if (producer.seq < 0) return;
    const again = await this.#ask('POST', stream.path, this.#sign({ ...head }, producer, producer.seq), piece);
    if (!this.#vanished(stream, again)) this.#expect(again, [204], `POST ${stream.path} a second time`);
    if (producer.epoch === 0) return;
    const zombie = await this.#ask(
      'POST',
      stream.path,
      this.#sign({ ...head }, { ...producer, epoch: producer.epoch - 1 }, 0),
      piece,
    );
    if (!this.#vanished(stream, zombie)) this.#expect(zombie, [403], `POST ${stream.path} of an older epoch`);
  }

  // -- plumbing

  #sign(headers, { id, epoch }, seq) {
    return Object.assign(headers, { 'producer-id': id, 'producer-epoch': String(epoch), 'producer-seq': String(seq) });
  }

  #vanished(stream, reply) {
    const gone = (reply.status === 404 || reply.status === 410) && stream.mortal;
    if (gone) stream.exists = false;
    if (gone && reply.status === 410) stream.deleted = true;
    return gone;
  }

  #expect(reply, statuses, what) {
    if (!statuses.includes(reply.status)) throw new Error(`${what}: ${reply.status} ${reply.body.slice(0, 300)}`);
    this.acknowledged += 1;
  }

  #ask(method, path, headers = {}, body = undefined) {
    this.operations += 1;
    return new Promise((resolve, reject) => {
      const gone = (error) => reject(new ServerGone(`${method} ${path}: ${error.message}`));
      const request = http.request({ host: '127.0.0.1', port: this.server.port, method, path, headers, agent: this.#agent });
      request.on('error', gone);
      request.on('response', (response) => {
        const chunks = [];
        response.on('error', gone);
        response.on('aborted', () => gone(new Error('cut')));
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString();
          if (response.complete) resolve({ status: response.statusCode, headers: response.headers, body });
        });
      });
      request.end(body);
    });
  }
}
