// Who may write: one server at a time, whatever becomes of the one before. Networked stores keep a lease; a data folder is locked.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startPostgres } from '../../tools/stores/postgres.mjs';
import { startRedis } from '../../tools/stores/redis.mjs';
import { append, catchUp, createStream, endOf, generate, hasSound, makePiece, soundOf, until } from '../support/api.mjs';
import { dial, get, sha256, waitFor } from '../support/http.mjs';
import { ProgressiveListener, WebSocketListener } from '../support/listeners.mjs';
import { Producer } from '../support/producer.mjs';
import { Server, refusedStart, stablePort, temporaryFolder } from '../support/server.mjs';

const lease = 2_000; // ms
const wish = { prompt: 'solemn church organ', duration_s: 8, seed: 11, pace: 'realtime' };

/// What a test has to itself: a tenant of the stores, and the servers on it.
class Place {
  servers = [];

  constructor(redis, postgres) {
    this.configuration = join(temporaryFolder(), 'segue.json');
    const settings = {
      'chunk-store': `${redis.url}?prefix=${redis.prefix}`,
      catalogue: postgres.url,
      cache: 'none:',
      lease: `${lease}ms`,
    };
    writeFileSync(this.configuration, JSON.stringify(settings), { mode: 0o600 });
  }

  /// A server with a data folder of its own, not started yet.
  async aServer(...args) {
    this.servers.push(new Server({ port: await stablePort(), args: ['--config', this.configuration, ...args] }));
    return this.servers.at(-1);
  }

  async serve(...args) {
    return (await this.aServer(...args)).start();
  }

  /// One that must not start: what it says, and after how many ms.
  async refused() {
    const begun = performance.now();
    const args = ['--config', this.configuration, '--listen', '127.0.0.1:0', '--data', temporaryFolder()];
    return { says: await refusedStart(args), ms: performance.now() - begun };
  }
}

describe('a lease', { concurrency: true, timeout: 90_000 }, () => {
  let stores;
  let reference; // the sound of the wish, without interruptions
  const places = []; // for each test its own

  before(async () => {
    const song = async () => {
      const calm = await new Server().start();
      reference = await soundOf(calm, (await makePiece(calm, { ...wish, pace: 'fast' })).request_id);
      await calm.stop();
      await calm.dispose();
    };
    const [redis, postgres] = (stores = await Promise.all([startRedis(temporaryFolder()), startPostgres(temporaryFolder())]));
    await song();
    for (const name of ['one', 'two', 'three', 'four', 'five'])
      places.push(new Place(await redis.createTenant(name), await postgres.createTenant(name)));
  });
  after(() => Promise.all(stores?.map((store) => store.stop()) ?? []));

  /// A test with a place of its own, where every server that still runs must end in order.
  const inPlace = (test) => async () => {
    const place = places.pop();
    try {
      await test(place);
      for (const server of place.servers) if (server.ready) await server.stop();
    } catch (error) {
      for (const server of place.servers) console.log(`the log of a server:\n${server.log.slice(-10_000)}`);
      throw error;
    } finally {
      place.users?.abandon();
      for (const server of place.servers) await server.dispose();
    }
  };

  /// Users of a server, who go on with its successor when they are told: one appends, two listen to a song.
  async function usersOf(place, first) {
    let now = first;
    const door = {
      get port() {
        return now.port;
      },
      get ready() {
        return now.ready;
      },
    };
    const path = '/v1/stream/application';
    await createStream(door, path);
    const producer = new Producer(door, path);
    const { request_id: id, urls } = await generate(door, wish);
    await until(door, id, hasSound);
    const listeners = [new ProgressiveListener(door, urls.audio), new WebSocketListener(door, urls.audio_stream)];
    const ends = [producer.run(), ...listeners.map((listener) => listener.follow())];
    await waitFor(() => producer.acknowledged.length > 3 && listeners.every(({ position }) => position > 0), { what: 'users' });
    return (place.users = {
      path,
      goOn: (successor) => (now = successor),
      /// Everything that was acknowledged is there, once, and the song is as if nothing had happened.
      async end() {
        const before = producer.acknowledged.length;
        await waitFor(() => producer.acknowledged.length > before + 3, { what: 'appends to be acknowledged' });
        producer.stop();
        const piece = await endOf(door, id);
        await Promise.all(ends);
        const { bytes } = await catchUp(door, path);
        assert.equal(
          sha256(bytes),
          sha256(Buffer.concat(producer.acknowledged)),
          'every acknowledged append, once and in order',
        );
        for (const sound of [await soundOf(door, id), ...listeners.map((listener) => listener.bytes)])
          assert.equal(sha256(sound), sha256(reference), 'the song');
        return piece;
      },
      abandon() {
        producer.abandon();
        for (const listener of listeners) listener.leave();
      },
    });
  }

  it(
    'is one server’s: another one refuses to start and names it',
    inPlace(async (place) => {
      const first = await place.serve();
      reference = await soundOf(first, (await makePiece(first, { ...wish, pace: 'fast' })).request_id);
      await createStream(first, '/v1/stream/first');
      const { says, ms } = await place.refused();
      assert.match(says, new RegExp(`the chunk store redis://.* is in use by another server \\(.*/${first.pid}/`));
      assert(ms > lease && ms < lease * 1.5 + 5_000, `after ${ms} ms`);
      await append(first, '/v1/stream/first', 'as before');
      assert.equal((await get(first, '/readyz')).status, 200);
      assert(!/lease_(lost|not)/.test(first.log));
    }),
  );

  it(
    'is given to one of those who begin at once',
    inPlace(async (place) => {
      const both = await Promise.all([place.aServer(), place.aServer()]);
      const outcomes = await Promise.allSettled(both.map((server) => server.start()));
      const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
      const { reason } = outcomes[1 - winner];
      assert.match(reason?.message ?? 'both serve', new RegExp(`is in use by another server \\(.*/${both[winner].pid}/`));
      await createStream(both[winner], '/v1/stream/first');
      await append(both[winner], '/v1/stream/first', 'ours');
    }),
  );

  it(
    'ends with a server that is killed, and everything goes on with the next',
    inPlace(async (place) => {
      const first = await place.serve();
      const users = await usersOf(place, first);
      const killed = performance.now();
      await first.kill();
      const next = await place.serve();
      const ms = performance.now() - killed;
      assert(ms > lease / 2 && ms < lease + 5_000, `the next one began after ${ms} ms`);
      assert.match(next.log, new RegExp(`waiting_for_lease: the chunk store .* was last used by .*/${first.pid}/`));
      users.goOn(next);
      assert.equal((await users.end()).attempt, 2);
    }),
  );

  it(
    'is lost by a server that is stopped for too long: it ends, and nothing that it still sends is stored',
    inPlace(async (place) => {
      const first = await place.serve();
      const users = await usersOf(place, first);
      process.kill(first.pid, 'SIGSTOP');
      const next = await place.serve();
      users.goOn(next);
      // Who is connected to the first one does not know: what they send waits for it, in the system's buffers.
      const late = [
        'PUT /v1/stream/late',
        'POST /v1/generations',
        `DELETE ${users.path}`,
        ...Array.from({ length: 20 }, () => `POST ${users.path}`),
      ];
      const zombies = await Promise.all(late.map(() => dial(first)));
      const bodies = { POST: JSON.stringify({ prompt: 'late' }) };
      for (const [i, request] of late.entries()) {
        const [method, path] = request.split(' ');
        const body = bodies[method] ?? '';
        const type = path.startsWith('/v1/stream') ? 'application/octet-stream' : 'application/json';
        const head = [
          `${method} ${path} HTTP/1.1`,
          `Host: 127.0.0.1:${first.port}`,
          `Content-Type: ${type}`,
          `Content-Length: ${body.length}`,
        ];
        await zombies[i].send([...head, '', body].join('\r\n'));
      }
      const end = await first.kill('SIGCONT'); // which waits until it has ended by itself
      assert.deepEqual([end.code, end.signal], [1, null], first.log);
      assert.match(first.log, new RegExp(`error .*lease_lost: .* is in use by another server \\(.*/${next.pid}/`));
      for (const { status, text } of await Promise.all(zombies.map((zombie) => zombie.answer())))
        assert(status === 503 || status === 0, `answered ${status} ${text}`); // 0: cut off

      const piece = await users.end();
      assert.equal(piece.attempt, 2);
      assert.equal((await get(next, '/v1/stream/late')).status, 404);
      const { generations } = (await get(next, '/v1/generations?limit=200')).json;
      assert(
        generations.every(({ prompt }) => prompt === wish.prompt),
        'nothing late',
      );
      assert(!/lease_lost/.test(next.log));
    }),
  );

  it(
    'is given back by a server that ends in order: the next one begins at once',
    inPlace(async (place) => {
      const longer = '20s';
      const first = await place.serve('--lease', longer);
      const users = await usersOf(place, first);
      await first.stop();
      const begun = performance.now();
      const next = await place.serve('--lease', longer);
      const ms = performance.now() - begun;
      assert(ms < 8_000 && !/waiting_for_lease/.test(next.log), `it began after ${ms} ms`);
      users.goOn(next);
      await users.end();
    }),
  );
});

describe('the leases of two tenants', { timeout: 60_000 }, () => {
  it('are prolonged apart: a store that hangs costs the other tenant nothing', async () => {
    const starting = [startRedis(temporaryFolder()), startRedis(temporaryFolder()), startPostgres(temporaryFolder())];
    const stores = await Promise.all(starting);
    const [hung, well, postgres] = stores;
    const configuration = join(temporaryFolder(), 'segue.json');
    const server = new Server({ port: await stablePort(), args: ['--auth', '--config', configuration] });
    try {
      const tenantOn = async (redis, name) => {
        const { url, prefix } = await redis.createTenant(name);
        return { 'chunk-store': `${url}?prefix=${prefix}`, catalogue: (await postgres.createTenant(name)).url, cache: 'none:' };
      };
      const tenants = { alpha: await tenantOn(hung, 'alpha'), beta: await tenantOn(well, 'beta') };
      writeFileSync(configuration, JSON.stringify({ lease: `${lease}ms`, 'store-timeout': '5s', tenants }), { mode: 0o600 });
      await server.start();
      const left = async (redis, name) => Number(await redis.command('PTTL', `${name}:lease`));
      assert((await left(hung, 'alpha')) > 0, 'there is such a key');
      await hung.kill('SIGSTOP');
      const end = performance.now() + 4 * lease;
      await waitFor(async () => {
        assert((await left(well, 'beta')) > 0, 'the lease of the other one');
        return performance.now() > end;
      });
      await hung.kill('SIGCONT');
      await server.stop();
    } catch (error) {
      console.log(`the log of the server:\n${server.log.slice(-10_000)}`);
      throw error;
    } finally {
      await server.dispose();
      await Promise.all(stores.map((store) => store.stop()));
    }
  });
});

describe('a data folder', () => {
  it('is one server’s: another one refuses to start and names it', async () => {
    const first = await new Server({ port: await stablePort() }).start();
    try {
      await createStream(first, '/v1/stream/first');
      const says = await refusedStart(['--data', first.data, '--listen', '127.0.0.1:0']);
      assert.match(says, new RegExp(`is in use by another server \\(process ${first.pid}\\)`));
      await append(first, '/v1/stream/first', 'as before');
      await first.kill();
      await first.start(); // its lock ends with it
      assert.equal((await catchUp(first, '/v1/stream/first')).bytes.toString(), 'as before');
      await first.stop();
    } finally {
      await first.dispose();
    }
  });
});
