// Everybody who uses a server at the same time, and what each of them saw: so that a fault is judged by what it costs whom.
import assert from 'node:assert/strict';
import { setTimeout as moment } from 'node:timers/promises';
import {
  catchUp,
  closeStream,
  completed,
  createStream,
  endOf,
  generate,
  hasSound,
  makePiece,
  offsetOf,
  positionOf,
  soundOf,
  until,
} from './api.mjs';
import { DiskWatch } from './disk_watch.mjs';
import { ask, get, sha256, waitFor } from './http.mjs';
import { ByteEventListener, ProgressiveListener, WebSocketListener } from './listeners.mjs';
import { Producer } from './producer.mjs';

const wish = { prompt: 'solemn church organ', duration_s: 8, seed: 11 };

/// A listener who is refused comes again, after a moment. One who is connected complains when that is cut.
const patient = (Door) =>
  class extends Door {
    accepted(status, wasReady) {
      if (status !== 503) return super.accepted(status, wasReady);
      this.down = true;
      throw Object.assign(new Error('answered 503'), { code: 'ECONNREFUSED' });
    }
    async session() {
      if (this.down) await moment(200);
      return super.session().catch((error) => {
        if (!this.down && !this.left)
          this.complaints.push(`${Door.name} ${this.path} was cut off at byte ${this.position}: ${error.message}`);
        throw error;
      });
    }
  };
const doors = { http: patient(ProgressiveListener), websocket: patient(WebSocketListener), events: patient(ByteEventListener) };

/// Remembers what it has begun to send, which is what may be read.
class KnownProducer extends Producer {
  begun = [];
  slowest = 0; ///< ms that an attempt took
  async append(body) {
    this.begun.push(body);
    return super.append(body);
  }
  async attempt(body) {
    const asked = performance.now();
    return super.attempt(body).finally(() => (this.slowest = Math.max(this.slowest, performance.now() - asked)));
  }
}

/// An application that appends and its listeners; visitors who play a finished piece, replay the application's stream from
/// anywhere and list generations; and an operator who looks at /healthz and /readyz. Songs are begun one by one.
export class Traffic {
  answers = []; ///< `{who, at, ms, status, reply}`, who: create, list, play, replay, healthz or readyz
  wrong = new Set(); ///< what must not happen, whatever the fault
  songs = [];
  accepted = []; ///< ids of all generations
  disk = new DiskWatch();
  #ending = false;
  #loops = [];

  constructor(server) {
    this.server = server;
  }

  async begin() {
    const { server } = this;
    this.finished = await makePiece(server, wish);
    this.accepted.push(this.finished.request_id);
    this.reference = await soundOf(server, this.finished.request_id);
    this.path = `/v1/stream/application/${this.finished.request_id}`;
    await createStream(server, this.path);
    this.producer = new KnownProducer(server, this.path);
    this.audience = this.#listen(this.path, ['websocket', 'events']);
    this.#loops = [
      this.producer.run(),
      this.#again(() => this.play(this.finished.urls.audio)),
      this.#again(() => this.replay()),
      this.#again(() => this.ask('list', 'GET', '/v1/generations?limit=5')),
      this.#again(() => this.ask('healthz', 'GET', '/healthz')),
      this.#again(() => this.ask('readyz', 'GET', '/readyz')),
      this.#again(() => this.disk.look()),
    ];
    await waitFor(() => this.audience.listeners.every(({ position }) => position > 0), {
      what: 'the audience to hear something',
    });
    return this;
  }

  #listen(path, through, httpPath = path) {
    const listeners = through.map((door) => new doors[door](this.server, door === 'http' ? httpPath : path));
    const followed = Promise.all(listeners.map((listener) => listener.follow()));
    followed.catch((error) => this.wrong.add(error.message));
    return { listeners, followed };
  }

  async #again(visit) {
    while (!this.#ending) {
      await visit();
      await moment(100);
    }
  }

  // -- asking

  /// Asks and remembers the answer. What is no success must say when to come back.
  async ask(who, method, path, options) {
    const at = performance.now();
    const reply = await ask(this.server, method, path, options).catch((error) => ({ status: 0, text: error.message }));
    const answer = { who, at, ms: performance.now() - at, status: reply.status, reply };
    this.answers.push(answer);
    const good = reply.status >= 200 && reply.status < 300;
    const away = reply.status === 503 && who === 'readyz';
    const cut = reply.status === 0 && who === 'play'; // of a long answer, which then is seen not to be whole
    if (!good && !away && !cut && !saysWhenToComeBack(reply)) this.wrong.add(`${who} ${path}: ${reply.status} ${reply.text}`);
    return answer;
  }

  async play(path) {
    const { status, reply } = await this.ask('play', 'GET', path);
    if (status === 200 && !reply.body.equals(this.reference)) this.wrong.add(`${path}: ${reply.body.length} other bytes`);
    reply.body = undefined; // there are many of them
    return status;
  }

  /// Reads from anywhere in what is acknowledged.
  async replay() {
    const { producer } = this;
    const { size } = producer; // of every append
    const acknowledged = producer.acknowledged.length * size;
    const from = Math.floor(Math.random() * acknowledged);
    const { status, reply } = await this.ask('replay', 'GET', `${this.path}?offset=${offsetOf(from)}`);
    if (status !== 200) return;
    const first = Math.floor(from / size);
    const around = Buffer.concat(producer.begun.slice(first, Math.ceil((from + reply.body.length) / size)));
    const truth = around.subarray(from - first * size, from - first * size + reply.body.length);
    const end = positionOf(reply.headers['stream-next-offset']);
    const whole = reply.headers['stream-up-to-date'] !== 'true' || end >= acknowledged;
    if (!reply.body.equals(truth) || end !== from + reply.body.length || !whole)
      this.wrong.add(`${this.path} from ${from}: ${reply.body.length} bytes up to ${end}, acknowledged were ${acknowledged}`);
    reply.body = undefined;
  }

  /// Asks for a generation; its id if it was accepted.
  async create(fields = {}) {
    const { status, reply } = await this.ask('create', 'POST', '/v1/generations', { body: { ...wish, ...fields } });
    if (status === 200) this.accepted.push(reply.json.request_id);
    return status === 200 ? reply.json.request_id : undefined;
  }

  /// A live song that two listeners hear already.
  async beginSong() {
    const { request_id: id, urls } = await generate(this.server, { ...wish, pace: 'realtime' });
    const song = { id, urls, ...this.#listen(urls.audio_stream, ['http', 'websocket'], urls.audio) };
    this.accepted.push(id);
    this.songs.push(song);
    await until(this.server, id, hasSound);
    await waitFor(() => song.listeners.every(({ position }) => position > 0), { what: 'the song to be heard' });
    return song;
  }

  // -- judging

  /// The answers to questions that were asked since then, of some.
  since(at, ...who) {
    return this.answers.filter((answer) => answer.at >= at && who.includes(answer.who));
  }

  /// Statuses of them, each once, in order.
  statuses(at, ...who) {
    return [...new Set(this.since(at, ...who).map(({ status }) => status))].sort();
  }

  slowest(at, ...who) {
    return Math.max(0, ...this.since(at, ...who).map(({ ms }) => ms));
  }

  /// Those of the application and those of songs.
  get listeners() {
    return [this.audience, ...this.songs].flatMap(({ listeners }) => listeners);
  }

  /// Waits until /readyz says so and shows what it says.
  async readiness(ready, deadline = 20_000) {
    const begun = performance.now();
    const last = () => this.since(begun, 'readyz').at(-1);
    await waitFor(() => last()?.status === (ready ? 200 : 503), {
      deadline,
      what: () => `/readyz, which says ${last()?.reply.text}`,
    });
    return last().reply.json.checks;
  }

  /// Service is back: appends are acknowledged, every song goes on or is over, everything acknowledged is there, once, and no
  /// listener was cut off meanwhile.
  async assertService() {
    const { producer, songs, server } = this;
    await this.readiness(true);
    const acknowledged = producer.acknowledged.length;
    const heard = songs.map(({ listeners }) => listeners.map(({ position }) => position));
    await waitFor(() => producer.acknowledged.length > acknowledged + 3, {
      deadline: 20_000,
      what: 'appends to be acknowledged again',
    });
    await waitFor(
      () => songs.every(({ listeners }, s) => listeners.every(({ done, position }, l) => done || position > heard[s][l])),
      {
        deadline: 20_000,
        what: 'every song to go on',
      },
    );
    const promised = Buffer.concat(producer.acknowledged);
    const { bytes } = await catchUp(server, this.path);
    assert.equal(sha256(bytes.subarray(0, promised.length)), sha256(promised), 'every acknowledged append, once and in order');
    this.#assertNothingWrong();
  }

  /// All bytes of a piece. An archived one may be refused a moment longer than the object store was away.
  async soundOf(id) {
    const whole = async () => {
      const reply = await get(this.server, `/v1/generations/${id}/audio`).catch(() => undefined);
      return reply?.status === 200 && reply.body;
    };
    return waitFor(whole, { what: `the sound of ${id}` });
  }

  /// Everybody comes to an end, and everything is there that should be, and nothing else.
  async end() {
    const { server, producer, path, audience, songs, accepted } = this;
    producer.stop();
    this.#ending = true;
    await inTime(Promise.all(this.#loops), 'everybody to finish');
    await closeStream(server, path);
    await inTime(audience.followed, 'the audience to hear the end');
    const stream = sha256((await catchUp(server, path)).bytes);
    assert.equal(stream, sha256(Buffer.concat(producer.acknowledged)), 'every acknowledged append, once and in order');
    for (const { bytes } of audience.listeners) assert.equal(sha256(bytes), stream, 'what was heard of the application');
    for (const { id, followed, listeners } of songs) {
      await endOf(server, id, completed);
      await inTime(followed, `the end of ${id} to be heard`);
      for (const { bytes } of listeners) assert(bytes.equals(this.reference), `what was heard of ${id}`);
    }
    for (const id of accepted) {
      await endOf(server, id, completed);
      const sound = await this.soundOf(id);
      assert(sound.equals(this.reference), `${id} sounds like an uninterrupted run`);
    }
    let listed;
    const list = async () => {
      listed = [];
      for (let next = ''; next !== null;) {
        const { json } = await get(server, `/v1/generations?limit=200${next && `&after=${next}`}`);
        listed.push(...json.generations.map(({ request_id: id }) => id));
        ({ next } = json);
      }
      return listed.length === accepted.length;
    };
    await waitFor(list, { deadline: 20_000, what: () => `${accepted.length} generations; there are ${listed.length}` });
    assert.deepEqual(listed.sort(), [...accepted].sort(), 'what was accepted is there, and nothing that was refused');
    this.#assertNothingWrong();
  }

  #assertNothingWrong() {
    const wrong = [...this.wrong, ...this.listeners.flatMap(({ complaints }) => complaints.splice(0))];
    this.wrong.clear(); // it is not the fault of the next test
    assert.deepEqual(wrong, []);
  }

  /// Everybody leaves, whatever becomes of what they have begun.
  abandon() {
    this.#ending = true;
    this.producer?.abandon();
    if (this.audience) for (const listener of this.listeners) listener.leave();
  }
}

/// Whether an answer is a refusal as it should be.
export const saysWhenToComeBack = ({ status, headers }) =>
  [429, 503, 507].includes(status) && /^[1-9]\d*$/.test(headers['retry-after']);

/// What the promise gives, unless it takes too long.
async function inTime(promise, what) {
  let settled;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await waitFor(() => settled, { deadline: 20_000, what });
  return promise;
}
