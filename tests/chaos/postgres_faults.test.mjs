// PostgreSQL, the catalogue, is away, slow or broken: streams of applications do not notice, songs go on, and what cannot
// be promised is refused in time.
// CHAOS_ROUNDS sets how many rounds; CHAOS_SEED, printed at the start, replays the same cuts.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { endOf } from '../support/api.mjs';
import { get, waitFor } from '../support/http.mjs';
import { useNetworked } from '../support/networked.mjs';
import { during, faults, rounds, seed } from '../support/store_faults.mjs';
import { Traffic } from '../support/traffic.mjs';

const limit = 5_000; // ms: an answer that waits for the store, with a --store-timeout of 1 s
const quick = 1_000; // one that does not, but for what the disk lets everybody wait

describe(`the catalogue, CHAOS_SEED=${seed}`, { timeout: 120_000 * rounds }, () => {
  const all = useNetworked({
    settings: { 'store-timeout': '1s', lease: '3s', heartbeat: '1s' },
    options: { postgres: { maxConnections: 12 } },
  });
  let traffic;
  before(async () => {
    console.log(`CHAOS_SEED=${seed} CHAOS_ROUNDS=${rounds}`);
    traffic = await new Traffic(all.server).begin();
  });
  after(() => traffic?.abandon());

  /// What all faults have in common.
  async function assertNothingButTheCatalogue(begun) {
    const { producer } = traffic;
    const { slowest: append } = producer;
    assert.equal(producer.refusals.splice(0).length, 0, 'producers: not one append is refused');
    const allowed = quick + traffic.disk.stalledSince(begun);
    assert(append < allowed, `producers: an append took ${append} ms of ${allowed}`);
    assert.deepEqual(traffic.statuses(begun, 'healthz', 'replay'), [200], 'operators: it is alive; visitors: streams are read');
    const untouched = traffic.slowest(begun, 'healthz', 'replay');
    assert(untouched < allowed, `visitors and operators: an answer took ${untouched} ms of ${allowed}`);
    const slowest = traffic.slowest(begun, 'create', 'list', 'play', 'readyz');
    assert(slowest < limit, `whoever needs the catalogue: is answered in time, not after ${slowest} ms`);
  }

  /// A crowd that needs the catalogue while it is away: all are told to come later, and none has to wait for the others.
  async function assertRefused() {
    // Operators: /readyz names the catalogue, and nothing else.
    const checks = await traffic.readiness(false);
    assert.match(checks.join(), /chunk store: ok,catalogue: (unavailable|timeout|unknown_outcome)/);
    const wishes = Array.from({ length: 6 }, () => traffic.create());
    const lists = Array.from({ length: 6 }, () => traffic.ask('list', 'GET', '/v1/generations'));
    assert.deepEqual(new Set(await Promise.all(wishes)), new Set([undefined]), 'who wants a new song: 503');
    assert.deepEqual(new Set((await Promise.all(lists)).map(({ status }) => status)), new Set([503]), 'who wants a list: 503');
  }

  for (let round = 1; round <= rounds; ++round)
    for (const fault of faults)
      it(`${fault.does}: songs go on, applications do not notice, new songs are refused in time (round ${round})`, async () => {
        const song = await traffic.beginSong();
        const begun = performance.now();
        traffic.producer.slowest = 0;
        await during(fault, { store: all.stores.postgres, gate: all.gates.postgres, slow: 1_000 }, async () => {
          const heard = song.listeners.map(({ position }) => position);
          const appended = traffic.producer.acknowledged.length;
          const created = traffic.create(); // under way when the fault shows
          if (fault.away) await assertRefused();
          else await moment(1_000);
          // Listeners: the song goes on, at the pace of its sound; its state is known.
          await waitFor(() => song.listeners.every(({ position }, i) => position > heard[i]), { what: 'the song to go on' });
          assert.equal((await get(all.server, song.urls.self)).json.state, 'running');
          assert(traffic.producer.acknowledged.length > appended, 'producers: appends are acknowledged');
          await created;
        });
        await traffic.assertService(); // listeners: nobody was cut off
        await assertNothingButTheCatalogue(begun);
        await endOf(all.server, await traffic.create());
      });

  it('has no connection left: new songs are refused in time, and accepted as soon as others leave', async () => {
    const { stores, gates } = all;
    await traffic.beginSong();
    const begun = performance.now();
    traffic.producer.slowest = 0;
    await gates.postgres.refuse(); // the server loses its own
    const others = await takeConnections(stores.postgres);
    await gates.postgres.pass();
    try {
      await assertRefused();
      assert.match(all.server.log, /53300.*max_connections/, 'operators: the log says what helps');
    } finally {
      others.forEach((other) => other.destroy());
    }
    await traffic.assertService(); // listeners: nobody was cut off
    await assertNothingButTheCatalogue(begun);
    await endOf(all.server, await traffic.create());
  });

  it('in the end everything accepted is whole, and nothing is there that was refused', () => traffic.end());
});

/// Takes every connection there is, by clients who are asked for their password and say nothing.
async function takeConnections({ host, port, maxConnections }) {
  const hello = Buffer.from('\0\0\0\0\0\x03\0\0user\0alpha\0database\0alpha\0\0');
  hello.writeInt32BE(hello.length);
  const others = [];
  let answers = '';
  const dial = () => {
    const socket = net.connect({ host, port }, () => socket.write(hello));
    socket.on('error', () => {});
    socket.on('data', (bytes) => (answers += bytes.toString('latin1', 0, 1)));
    others.push(socket);
  };
  for (let i = 0; i < maxConnections; ++i) dial();
  await waitFor(() => answers.length >= others.length && (answers.includes('E') || dial()), {
    what: 'the last connection to be taken',
  });
  return others;
}
