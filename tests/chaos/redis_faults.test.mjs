// Redis, which keeps the chunks, is away, slow, broken or full: who listens waits and goes on at the exact byte, and nothing
// that was acknowledged is lost or doubled. Another Redis, which is only the cache, is missed by nobody.
// CHAOS_ROUNDS sets how many rounds; CHAOS_SEED, printed at the start, replays the same cuts.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { append, createStream, endOf, octets } from '../support/api.mjs';
import { ask, expectProblem, waitFor } from '../support/http.mjs';
import { useNetworked } from '../support/networked.mjs';
import { during, faults, rounds, seed } from '../support/store_faults.mjs';
import { Traffic, saysWhenToComeBack } from '../support/traffic.mjs';

const limit = 5_000; // ms: an answer that waits for the store, with a --store-timeout of 1 s
const quick = 1_000; // one that does not, but for what the disk lets everybody wait

describe(`the chunk store and the cache, CHAOS_SEED=${seed}`, { timeout: 120_000 * rounds }, () => {
  const all = useNetworked({ settings: { 'store-timeout': '1s', lease: '3s', heartbeat: '1s' } });
  let traffic;
  before(async () => {
    console.log(`CHAOS_SEED=${seed} CHAOS_ROUNDS=${rounds}`);
    traffic = await new Traffic(all.server).begin();
  });
  after(() => traffic?.abandon());

  const everybody = () => [traffic.producer.acknowledged.length, ...traffic.listeners.map(({ position }) => position)];

  /// While it is away.
  async function assertEverybodyWaits() {
    // Operators: /readyz names the chunk store, and nothing else.
    const checks = await traffic.readiness(false);
    assert.match(checks.join(), /chunk store: (unavailable|timeout),catalogue: ok/);
    const before = everybody();
    // A crowd that needs it: all are told to come later, and none has to wait for the others.
    const strange = () => `${traffic.path}/${randomUUID()}`; // in nobody's memory
    const crowd = [...Array(12)].flatMap(() => [traffic.ask('put', 'PUT', strange()), traffic.ask('cold', 'GET', strange())]);
    const replays = Array.from({ length: 6 }, () => traffic.replay());
    const statuses = (await Promise.all(crowd)).map(({ status }) => status);
    assert.deepEqual(new Set(statuses), new Set([503]), 'who wants a new or an old stream: 503');
    await Promise.all(replays);
    assert.deepEqual(everybody(), before, 'producers and listeners: nothing is acknowledged, nor heard, that is not durable');
  }

  for (let round = 1; round <= rounds; ++round)
    for (const fault of faults)
      it(`the chunk store ${fault.does}: everybody waits and goes on, and nothing is lost or doubled (round ${round})`, async () => {
        await traffic.beginSong();
        const begun = performance.now();
        const { refusals } = traffic.producer;
        refusals.length = 0;
        await during(fault, { store: all.stores.redis, gate: all.gates.redis, slow: 5_000 }, async () => {
          const created = traffic.create(); // accepted, for the catalogue is there, or refused
          if (fault.away) await assertEverybodyWaits();
          else await moment(1_000);
          await created;
        });
        await traffic.assertService(); // listeners: nobody was cut off
        // Producers: what is under way is decided when the store is back; what else is refused says when to come back.
        assert.deepEqual(
          refusals.filter((reply) => !saysWhenToComeBack(reply)),
          [],
        );
        const slowest = traffic.slowest(begun, 'put', 'cold', 'replay', 'play', 'create', 'readyz');
        assert(slowest < limit, `whoever needs the chunk store: is answered in time, not after ${slowest} ms`);
        assert.deepEqual(
          traffic.statuses(begun, 'healthz', 'list'),
          [200],
          'operators: it is alive; visitors: songs are listed',
        );
        const untouched = traffic.slowest(begun, 'healthz', 'list');
        const allowed = quick + traffic.disk.stalledSince(begun);
        assert(untouched < allowed, `visitors and operators: an answer took ${untouched} ms of ${allowed}`);
        await endOf(all.server, await traffic.create());
      });

  for (let round = 1; round <= rounds; ++round)
    for (const fault of faults)
      it(`the cache ${fault.does}: nobody notices (round ${round})`, async () => {
        await traffic.beginSong();
        const begun = performance.now();
        const { producer } = traffic;
        producer.refusals.length = producer.slowest = 0;
        await during(fault, { store: all.stores.cache, gate: all.gates.cache, slow: 2_000 }, async () => {
          const before = everybody();
          await endOf(all.server, await traffic.create());
          await moment(500);
          await waitFor(() => everybody().filter((now, i) => now > before[i]).length >= 5, { what: 'everybody to go on' });
        });
        await traffic.assertService(); // listeners: nobody was cut off
        assert.equal(producer.refusals.length, 0, 'producers: not one append is refused');
        const whoever = ['healthz', 'readyz', 'list', 'play', 'replay', 'create'];
        assert.deepEqual(traffic.statuses(begun, ...whoever), [200], 'visitors and operators: everything is answered');
        const slowest = Math.max(producer.slowest, traffic.slowest(begun, ...whoever));
        const allowed = quick + traffic.disk.stalledSince(begun);
        assert(slowest < allowed, `everybody: an answer took ${slowest} ms of ${allowed}`);
      });

  it('the memory is full: appends are refused with 507, reads go on, and removing streams makes room', async () => {
    const { server, stores } = all;
    const { redis } = stores;
    const large = [1, 2].map((i) => `${traffic.path}/large/${i}`);
    for (const path of large) {
      await createStream(server, path);
      for (let i = 0; i < 2; ++i) await append(server, path, randomBytes(512 << 10));
    }
    await traffic.beginSong();
    const begun = performance.now();
    const { producer } = traffic;
    producer.refusals.length = 0;
    const used = /used_memory:(\d+)/.exec(await redis.command('INFO', 'memory'))[1];
    await redis.command('CONFIG', 'SET', 'maxmemory', String(Number(used) + (256 << 10)));
    const fill = async () => {
      const { status } = await ask(server, 'POST', large[0], { headers: octets, body: randomBytes(32 << 10) });
      assert([204, 507].includes(status), `${status}`);
      return producer.refusals.length > 2;
    };
    try {
      await waitFor(fill, { deadline: 20_000, what: 'the memory to be full' });
      // Producers: are told so, and when to come back.
      for (const reply of producer.refusals) {
        expectProblem(reply, 507, { code: 'storage_full' });
        assert(saysWhenToComeBack(reply));
      }
      const refused = async () => (await traffic.ask('put', 'PUT', `${traffic.path}/${randomUUID()}`)).status === 507;
      await waitFor(refused, { what: 'a new stream to be refused' }); // its use is around the limit, not always above
      // Listeners and the rest: what is there is read, and a new song is accepted and waits.
      await moment(500);
      assert.deepEqual(traffic.statuses(begun, 'healthz', 'readyz', 'list', 'play', 'replay'), [200]);
      const later = await traffic.create();
      for (const path of large) assert.equal((await ask(server, 'DELETE', path)).status, 204);
      await traffic.assertService(); // listeners: nobody was cut off
      await endOf(server, later);
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  it('in the end everything acknowledged is there, once, and every song is whole', () => traffic.end());
});
